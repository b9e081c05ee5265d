// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_record.h"
#include "bind_sysfs.h"
#include "bind_why.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define POLL_MS 50

static int write_device(const char *name, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", knit_bind_where.sys, name, file);
	return knit_sysfs_write(path, text);
}

/* "": none, which is written as an empty line. */
static int set_override(const char *name, const char *driver)
{
	return write_device(name, "driver_override", driver[0] ? driver : "\n");
}

static int driver_probe(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/drivers_probe", knit_bind_where.sys);
	return knit_sysfs_write(path, name);
}

static int rebind_failed(int err, const char *name, const char *doing, struct knit_bind_why *why)
{
	SAY(why, "%s: %s: %s", name, doing, strerror(-err));
	if (err == -EACCES || err == -EPERM)
		REMEDY(why, "root is needed, and a writable /sys");
	else
		REMEDY(why, "the kernel's log says why: dmesg | tail");
	return err;
}

/* The kernel reports a probe that failed in its log only; the link tells. */
static int expect_driver(const char *name, const char *driver, struct knit_bind_why *why)
{
	struct knit_pci dev;

	if (knit_pci_look(name, &dev) < 0) {
		SAY(why, "%s is gone", name);
		return -ENODEV;
	}
	if (strcmp(dev.driver, driver) == 0)
		return 0;
	SAY(why, "%s: %s did not take it", name, driver);
	REMEDY(why, "the kernel's log says why: dmesg | tail");
	return -EIO;
}

int knit_bind_move(const char *name, const char *driver, struct knit_bind_why *why)
{
	bool none = strcmp(driver, "none") == 0;
	struct knit_pci dev;
	int ret;

	memset(why, 0, sizeof(*why));
	if (knit_pci_look(name, &dev) < 0) {
		SAY(why, "there is no device %s", name);
		return -ENODEV;
	}
	ret = set_override(name, none ? "" : driver);
	if (ret < 0)
		return rebind_failed(ret, name, "driver_override", why);
	if (dev.driver[0] && strcmp(dev.driver, driver) != 0) {
		ret = write_device(name, "driver/unbind", name);
		if (ret < 0)
			return rebind_failed(ret, name, "unbind", why);
	}
	if (none || (driver[0] && strcmp(dev.driver, driver) == 0))
		return 0;
	ret = driver_probe(name);
	if (ret < 0)
		return rebind_failed(ret, name, "probe", why);
	return driver[0] ? expect_driver(name, driver, why) : 0;
}

static int users_wait(const struct knit_pci *dev, int timeout_ms, struct knit_bind_why *why)
{
	char comm[32];
	int pid;

	for (;; timeout_ms -= POLL_MS) {
		pid = knit_bind_user(dev, comm, sizeof(comm));
		if (pid == 0)
			return 0;
		if (timeout_ms <= 0)
			break;
		poll(NULL, 0, POLL_MS);
	}
	if (pid < 0)
		SAY(why, "%s stays with %s: can't find out who has it open: %s", dev->name,
		    dev->driver, strerror(-pid));
	else
		SAY(why, "%s stays with %s: process %d (%s) has it open", dev->name, dev->driver,
		    pid, comm);
	REMEDY(why, "end that process, then knit-bind unbind %s", dev->name);
	return -EBUSY;
}

/* To exactly what it had: its driver is named for the probe, then its own override comes back. */
int knit_bind_restore(const struct knit_bind_record *r, int timeout_ms, struct knit_bind_why *why)
{
	struct knit_pci dev;
	int ret;

	memset(why, 0, sizeof(*why));
	if (knit_pci_look(r->name, &dev) < 0 || !knit_bind_record_is_of(r, &dev))
		return 0;
	if (dev.driver[0] && strcmp(dev.driver, r->ours) != 0) {
		/* Its own, or somebody else's choice; the override is ours all the same. */
		if (strcmp(dev.override, r->ours) == 0 || knit_bind_named_for_probe(&dev, r))
			set_override(r->name, r->override);
		return 0;
	}
	ret = users_wait(&dev, timeout_ms, why);
	if (ret < 0)
		return ret;
	ret = knit_bind_move(r->name, r->driver[0] ? r->driver : "none", why);
	set_override(r->name, r->override);
	return ret;
}
