// SPDX-License-Identifier: BSD-3-Clause
#include "nics.h"
#include "bind.h"
#include "primary.h"
#include "rundir.h"
#include "rundir_path.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Secondaries of a killed primary notice within a second. */
#define USERS_MS 5000
#define POLL_MS 50

static struct knit_bind_records recs;

static const char *driver_of(const struct knit_conf_port *port)
{
	static const char *const names[] = {
		[KNIT_DRIVER_KEEP] = "",
		[KNIT_DRIVER_VFIO] = KNIT_VFIO_PCI,
		[KNIT_DRIVER_IGB_UIO] = KNIT_IGB_UIO,
		[KNIT_DRIVER_UIO_GENERIC] = KNIT_UIO_GENERIC,
	};

	return names[port->driver];
}

static bool pci_name(const struct knit_conf_port *port, char name[KNIT_PCI_NAME])
{
	char text[sizeof(port->device)];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(port->device, ","), port->device);
	return knit_pci_parse(text, name);
}

static void complain(bool good, const char *what, const char *remedy)
{
	if (good)
		return;
	fprintf(stderr, "knit-primary: %s\n", what);
	if (remedy[0])
		fprintf(stderr, "    remedy: %s\n", remedy);
}

/* What the configuration binds: devices that share an IOMMU group may all be ours. */
struct all {
	unsigned int n;
	char names[KNIT_MAX_PORTS][KNIT_PCI_NAME];
};

static void find_all(const struct knit_config *conf, struct all *all)
{
	unsigned int i;

	all->n = 0;
	for (i = 0; i < conf->n_ports; i++)
		if (conf->ports[i].driver != KNIT_DRIVER_KEEP &&
		    pci_name(&conf->ports[i], all->names[all->n]))
			all->n++;
}

static int check(const struct knit_config *conf, const struct knit_conf_port *port,
		 const struct knit_pci *dev, struct knit_bind_why *why)
{
	struct all all;
	struct knit_bind_want want = {
		.driver = driver_of(port),
		.force = port->force,
		.allow_noiommu = port->allow_noiommu,
		.with = all.names,
	};
	char comm[32];
	int ms;

	if (port->driver == KNIT_DRIVER_KEEP)
		return knit_bind_check_kind(dev, why);
	find_all(conf, &all);
	want.n_with = all.n;
	for (ms = 0; ms < USERS_MS && knit_bind_user(dev, comm, sizeof(comm)); ms += POLL_MS)
		poll(NULL, 0, POLL_MS);
	return knit_bind_check(dev, &want, why);
}

static bool tell_why(const struct knit_conf_port *port, const struct knit_bind_why *why,
		     primary_nics_tell tell)
{
	char text[sizeof(why->what) + sizeof(port->name) + 8];

	snprintf(text, sizeof(text), "port %s: %s", port->name, why->what);
	tell(false, text, why->remedy);
	return false;
}

static bool look(const struct knit_conf_port *port, const char *name, struct knit_pci *dev,
		 primary_nics_tell tell)
{
	struct knit_bind_why why = { .remedy = "knit-bind lists what is there" };

	if (knit_pci_look(name, dev) == 0)
		return true;
	snprintf(why.what, sizeof(why.what), "there is no PCI device %s", name);
	return tell_why(port, &why, tell);
}

bool primary_nics_check(const struct knit_config *conf, primary_nics_tell tell)
{
	const struct knit_conf_port *port;
	char name[KNIT_PCI_NAME], text[128];
	struct knit_bind_why why;
	struct knit_pci dev;
	bool good = true;
	unsigned int i;

	for (i = 0; i < conf->n_ports; i++) {
		port = &conf->ports[i];
		if (!pci_name(port, name))
			continue;
		if (!look(port, name, &dev, tell)) {
			good &= port->optional;
		} else if (check(conf, port, &dev, &why) < 0) {
			tell_why(port, &why, tell);
			good &= port->optional;
		} else {
			snprintf(text, sizeof(text), "port %s: %s, driver %s", port->name, name,
				 dev.driver[0] ? dev.driver : "none");
			tell(true, text, "");
		}
	}
	return good;
}

static int write_records(const char *prefix)
{
	struct knit_path path = knit_path_file(prefix, KNIT_FILE_BOUND);
	int ret = knit_bind_records_write(path.text, &recs);

	if (ret < 0)
		fprintf(stderr, "knit-primary: %s: %s\n", path.text, strerror(-ret));
	return ret;
}

static int read_records(const char *prefix)
{
	struct knit_path path = knit_path_file(prefix, KNIT_FILE_BOUND);
	int ret = knit_bind_records_read(path.text, &recs);

	if (ret < 0)
		fprintf(stderr, "knit-primary: %s: %s\n", path.text,
			ret == -EINVAL ? "not a file of knit's" : strerror(-ret));
	return ret;
}

/* Once none of our devices is left. */
static int forbid_noiommu(const char *prefix)
{
	int ret;

	if (recs.n || !recs.noiommu)
		return 0;
	ret = knit_bind_set_noiommu(false);
	if (ret < 0) {
		fprintf(stderr, "knit-primary: enable_unsafe_noiommu_mode: %s\n", strerror(-ret));
		return ret;
	}
	recs.noiommu = false;
	return write_records(prefix);
}

/* Forgets it once it is back. */
static int restore(const char *prefix, unsigned int i)
{
	struct knit_bind_why why;
	int ret = knit_bind_restore(&recs.r[i], USERS_MS, &why);

	if (ret < 0) {
		complain(false, why.what, why.remedy);
		return ret;
	}
	recs.r[i] = recs.r[--recs.n];
	ret = write_records(prefix);
	return ret < 0 ? ret : forbid_noiommu(prefix);
}

static const struct knit_conf_port *port_of(const struct knit_config *conf, const char *name)
{
	char other[KNIT_PCI_NAME];
	unsigned int i;

	for (i = 0; i < conf->n_ports; i++)
		if (pci_name(&conf->ports[i], other) && strcmp(other, name) == 0)
			return &conf->ports[i];
	return NULL;
}

/*
 * Devices that a killed predecessor bound as this one would: they stay, and what they had before
 * stays known. All others go back.
 */
static int settle_leftovers(const struct knit_config *conf)
{
	const struct knit_conf_port *port;
	unsigned int i;
	int ret;

	ret = read_records(conf->eal.prefix);
	for (i = recs.n; ret == 0 && i-- > 0;) {
		port = port_of(conf, recs.r[i].name);
		if (port == NULL || strcmp(driver_of(port), recs.r[i].ours))
			ret = restore(conf->eal.prefix, i);
	}
	return ret < 0 ? ret : forbid_noiommu(conf->eal.prefix);
}

/* Index of its record, -1: none. */
static int recorded(const char *name)
{
	unsigned int i;

	for (i = 0; i < recs.n; i++)
		if (strcmp(recs.r[i].name, name) == 0)
			return i;
	return -1;
}

static int record(const char *prefix, const struct knit_pci *dev, const char *driver)
{
	struct knit_bind_record *r = &recs.r[recs.n];

	if (recorded(dev->name) >= 0)
		return 0;
	if (recs.n == KNIT_BIND_RECORDS)
		return -ENOSPC;
	knit_bind_record(r, dev, driver);
	recs.n++;
	return write_records(prefix);
}

/* vfio decides about it when the device is bound, and EAL asks again when it opens it. */
static int allow_noiommu(const struct knit_config *conf, const struct knit_conf_port *port,
			 const struct knit_pci *dev)
{
	int ret = 0;

	if (port->driver != KNIT_DRIVER_VFIO || (dev->group >= 0 && !dev->noiommu))
		return 0;
	fprintf(stderr,
		"knit-primary: port %s: no IOMMU: %s can read and write all memory of this "
		"machine, and the kernel is tainted\n",
		port->name, dev->name);
	if (knit_bind_noiommu() != 0)
		return 0;
	recs.noiommu = true;
	ret = write_records(conf->eal.prefix);
	if (ret == 0)
		ret = knit_bind_set_noiommu(true);
	if (ret < 0)
		fprintf(stderr, "knit-primary: enable_unsafe_noiommu_mode: %s\n", strerror(-ret));
	return ret;
}

static int bind_one(const struct knit_config *conf, const struct knit_conf_port *port)
{
	struct knit_bind_why why;
	char name[KNIT_PCI_NAME];
	struct knit_pci dev;
	int ret;

	if (port->driver == KNIT_DRIVER_KEEP || !pci_name(port, name))
		return 0;
	if (!look(port, name, &dev, complain))
		return -ENODEV;
	ret = allow_noiommu(conf, port, &dev);
	if (ret < 0 || strcmp(dev.driver, driver_of(port)) == 0)
		return ret;
	ret = check(conf, port, &dev, &why);
	if (ret == 0)
		ret = record(conf->eal.prefix, &dev, driver_of(port));
	else
		tell_why(port, &why, complain);
	if (ret < 0)
		return ret;
	ret = knit_bind_move(name, driver_of(port), &why);
	if (ret == 0)
		return 0;
	tell_why(port, &why, complain);
	restore(conf->eal.prefix, recorded(name));
	return ret;
}

int primary_nics_bind(struct primary *p)
{
	const struct knit_config *conf = p->conf;
	unsigned int i;
	int ret;

	ret = settle_leftovers(conf);
	for (i = 0; ret == 0 && i < conf->n_ports; i++) {
		ret = bind_one(conf, &conf->ports[i]);
		if (ret < 0 && conf->ports[i].optional) {
			p->ports[i].absent = true;
			ret = 0;
		}
	}
	return ret;
}

static void close_all(void)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3, ~0U, 0) == 0)
		return;
#endif
	for (int fd = 3; fd < sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

void primary_nics_give_back(const struct knit_config *conf, int code)
{
	char number[16];
	char *argv[] = { "knit-primary", "--give-back", (char *)(uintptr_t)conf->eal.prefix,
			 "--exit-code",	 number,	NULL };

	if (recs.n == 0 && !recs.noiommu)
		return;
	snprintf(number, sizeof(number), "%d", code);
	close_all();
	execv("/proc/self/exe", argv);
	fprintf(stderr, "knit-primary: devices are not given back: execv: %s\n", strerror(errno));
}

/* Somebody else with the prefix knows by then what is to be done with them. */
int primary_nics_give_back_run(const char *prefix, int code)
{
	int ret = knit_rundir_create(prefix);
	unsigned int i;

	if (ret == -EBUSY)
		return code;
	if (ret < 0)
		return code ? code : KNIT_EXIT_FAILURE;
	ret = read_records(prefix);
	for (i = recs.n; i-- > 0;)
		if (restore(prefix, i) < 0)
			ret = -EIO;
	if (forbid_noiommu(prefix) < 0)
		ret = -EIO;
	knit_rundir_remove(prefix);
	return code || ret == 0 ? code : KNIT_EXIT_FAILURE;
}
