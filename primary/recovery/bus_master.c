// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "bus_master.h"

#include "event/event.h"
#include "kni/base/compat.h"
#include "kni/base/log.h"
#include "port/port.h"
#include "port/port_driver.h"
#include "port/port_pause.h"
#include "port/port_removal.h"
#include "port/port_renew.h"
#include "primary.h"
#include "process/park.h"
#include "system/rundir/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A work-around for one driver, which stays. uio_pci_generic is part of Linux. Without an IOMMU it
 * is the only driver for user space that does not taint the kernel. Without this file, the end of
 * any secondary would stop the port for all others. EAL's hot-plug handling does not help: it
 * reports devices that are removed, not processes that close them. If no port has this driver,
 * nothing here does any work.
 */

/* The low byte of PCI's command register. The interrupt bits are not in it. */
#define COMMAND 4
#define COMMAND_MASTER 0x04

#define KEPT_MAX 256
#define UNMASTERED_MAX 5 /* then it cannot be restored, or somebody clears it again */
#define SAY_EVERY 64	 /* tries */
#define PATIENCE 8	 /* tries in a row that keep new secondaries out */

static struct {
	dev_t uio[KNIT_MAX_PORTS]; /* the port's /dev/uioN; 0: the port has another driver */
	int watch[KNIT_MAX_PORTS]; /* its watch number in inotify */
	int inotify;		   /* -1: none */
	int kept[KEPT_MAX];
	unsigned int n_kept;
	bool used; /* a port has this driver */
} master = { .inotify = -1 };

/* "/dev/uioN" of a port's device. */
static bool port_find_uio(const struct port *port, char path[32])
{
	int fd = openat(port->sysfs, "uio", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && (entry = readdir(dir)) != NULL) {
		found = strncmp(entry->d_name, "uio", 3) == 0;
		snprintf(path, 32, "/dev/%.20s", entry->d_name);
	}
	closedir(dir);
	return found;
}

static void port_watch_uio(const struct port *port, unsigned int i)
{
	struct stat st;
	char path[32];

	if (!port_find_uio(port, path) || stat(path, &st) < 0) {
		log_warn("port %s: %s has no /dev/uioN: that a process closes it will go unseen",
			 port->conf->name, port->pci);
		return;
	}
	master.uio[i] = st.st_rdev;
	master.used = true;
	if (master.inotify < 0)
		master.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	master.watch[i] = inotify_add_watch(master.inotify, path, IN_CLOSE);
	if (master.watch[i] < 0)
		log_warn("port %s: %s: %s: that a process closes it may go unseen",
			 port->conf->name, path, strerror(errno));
}

void bus_master_open(struct primary *p)
{
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++)
		if (strcmp(p->ports[i].kdriver, KNIT_UIO_GENERIC) == 0)
			port_watch_uio(&p->ports[i], i);
}

int bus_master_fd(void)
{
	return master.inotify;
}

static bool is_port_uio(const struct stat *st)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (S_ISCHR(st->st_mode) && master.uio[i] && master.uio[i] == st->st_rdev)
			return true;
	return false;
}

static void keep_copy(int pidfd, int its_fd)
{
	int fd = syscall(SYS_pidfd_getfd, pidfd, its_fd, 0);

	if (fd < 0) {
		log_warn("uio_pci_generic: pidfd_getfd: %s: ports are started anew when a process "
			 "ends",
			 strerror(errno));
		return;
	}
	if (master.n_kept == KEPT_MAX)
		while (master.n_kept > 0)
			close(master.kept[--master.n_kept]);
	master.kept[master.n_kept++] = fd;
}

void bus_master_keep(const struct primary *p, unsigned int i, pid_t pid)
{
	struct dirent *entry;
	struct stat st;
	char path[32];
	DIR *dir;

	if (!master.used)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && is_port_uio(&st))
			keep_copy(p->pidfd[i], atoi(entry->d_name));
	closedir(dir);
}

/*
 * 1: it had to be restored. EAL and the kernel also write to this register; they set the bit as
 * well.
 */
static int restore_master(int config)
{
	uint8_t command;

	if (pread(config, &command, sizeof(command), COMMAND) != sizeof(command))
		return -errno;
	if (command & COMMAND_MASTER)
		return 0;
	command |= COMMAND_MASTER;
	return pwrite(config, &command, sizeof(command), COMMAND) == sizeof(command) ? 1 : -errno;
}

static void port_poll_master(struct port *port)
{
	int config, ret;

	if (port->unmastered > UNMASTERED_MAX)
		return;
	config = openat(port->sysfs, "config", O_RDWR | O_CLOEXEC);
	ret = config < 0 ? -errno : restore_master(config);
	if (config >= 0)
		close(config);
	port->unmastered = ret > 0 ? port->unmastered + 1 : 0;
	if (port->unmastered > UNMASTERED_MAX)
		EVENT(PORT_STUCK, EV(port->conf->name), EV(port->pci));
	else if (ret > 0)
		port->wedged = true;
}

/*
 * The event comes just before the kernel switches off bus mastering. The next poll may be the first
 * to see it.
 */
static void poll_events(struct primary *p)
{
	union {
		struct inotify_event event;
		char bytes[1024];
	} buf;
	const struct inotify_event *e;
	unsigned int i;
	ssize_t at, n;

	if (master.inotify < 0)
		return;
	while ((n = read(master.inotify, &buf, sizeof(buf))) > 0) {
		for (at = 0; at < n; at += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)(const void *)(buf.bytes + at);
			for (i = 0; i < p->topo->n_ports; i++)
				if (master.uio[i] && master.watch[i] == e->wd)
					p->ports[i].wedged = true;
		}
	}
}

void bus_master_poll(struct primary *p)
{
	unsigned int i;

	poll_events(p);
	for (i = 0; i < p->topo->n_ports; i++)
		if (master.uio[i] && !port_is_removed(&p->ports[i]))
			port_poll_master(&p->ports[i]);
}

/*
 * Does nothing while a worker of the port cannot be parked. Waits for a process that is attaching,
 * and keeps others from attaching, but not for long.
 */
static bool port_restart(struct primary *p, unsigned int i)
{
	static unsigned int failed;
	char why[160];
	int ret;

	if (park_still_stuck(p, UINT64_C(1) << i))
		return false;
	ret = port_pause(p, i, why, sizeof(why));
	if (ret < 0) {
		if (ret == -EINPROGRESS && failed % PATIENCE == PATIENCE - 1)
			knit_rundir_unblock_attach();
		if (failed++ % SAY_EVERY == 0)
			log_warn("port %s: its start anew waits: %s", p->ports[i].conf->name, why);
		return false;
	}
	failed = 0;
	pthread_mutex_lock(&p->drivers);
	ret = port_stop(p, i);
	if (ret == 0 && p->ports[i].renewable)
		ret = port_renew(p, i);
	if (ret == 0)
		ret = port_start(p, i);
	pthread_mutex_unlock(&p->drivers);
	if (port_go_on(p, i, ret) == 0)
		EVENT(PORT_RESTARTED, EV(p->ports[i].conf->name), EV(p->ports[i].pci));
	return true;
}

bool bus_master_recover(struct primary *p)
{
	struct port *port;
	bool done = true;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports && !p->restart; i++) {
		port = &p->ports[i];
		if (!port->wedged || port_is_removed(port))
			continue;
		if (port->renewable ||
		    knit_driver_find(port->topo->driver)->reset == KNIT_RESET_PORT) {
			done &= port_restart(p, i);
			continue;
		}
		log_err("port %s: a process closed %s, which stopped it, and driver %s can't be "
			"stopped and started: starting anew",
			port->conf->name, port->pci, port->topo->driver);
		p->restart = 1;
	}
	return done;
}
