// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_removal.h"

#include "event/event.h"
#include "kni/base/log.h"
#include "primary.h"
#include "process/channel.h"
#include "process/park.h"
#include "process/registry.h"
#include "system/quirks/sigbus.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Time until the next try if a process did not answer EAL. EAL itself waits 10 s for an answer. */
#define FIRST_PAUSE_S 10
#define LONGEST_PAUSE_S 320
#define SAY_EVERY 64 /* tries */

/* An open folder stays that of this device, also if another device gets the same address. */
static int device_open_folder(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", name);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* The kernel's driver; "" if there is no driver or no device. */
static int device_read_driver(const struct port *port, char name[KNIT_DRIVER_NAME])
{
	char link[256], *slash;
	ssize_t n;

	name[0] = '\0';
	n = readlinkat(port->sysfs, "driver", link, sizeof(link) - 1);
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	link[n] = '\0';
	slash = strrchr(link, '/');
	snprintf(name, KNIT_DRIVER_NAME, "%.*s", KNIT_DRIVER_NAME - 1, slash ? slash + 1 : link);
	return 0;
}

void port_removal_watch(struct primary *p)
{
	struct port *port;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++) {
		port = &p->ports[i];
		if (port->absent || !knit_pci_of_device(port->conf->device, port->pci))
			continue;
		port->sysfs = device_open_folder(port->pci);
		if (port->sysfs < 0 || device_read_driver(port, port->kdriver) < 0)
			log_warn("port %s: %s: %s: that it is taken away will not be seen",
				 port->conf->name, port->pci, strerror(errno));
	}
}

static bool device_was_taken(const struct port *port)
{
	char now[KNIT_DRIVER_NAME];

	return port->kdriver[0] && device_read_driver(port, now) == 0 &&
	       strcmp(now, port->kdriver) != 0;
}

/*
 * SIGBUS: zeros have replaced registers of a device, but no device was removed. Its port does not
 * work any more.
 */
static void poll_faults(struct primary *p, bool any_removed)
{
	static uint64_t seen;
	uint64_t faults = __atomic_load_n(&p->topo->device_faults, __ATOMIC_ACQUIRE);

	if (faults == seen)
		return;
	seen = faults;
	if (!any_removed)
		log_err("SIGBUS: registers of a NIC vanished, but no NIC was removed; a port does "
			"not work until a start anew");
}

/* Both threads check. The first one that sees the removal logs it. */
static bool device_is_removed(const struct port *port)
{
	if (__atomic_load_n(&port->topo->removed, __ATOMIC_ACQUIRE))
		return true;
	if (!device_was_taken(port))
		return false;
	if (!__atomic_exchange_n(&port->topo->removed, 1, __ATOMIC_ACQ_REL))
		EVENT(PORT_REMOVED, EV(port->conf->name), EV(port->pci));
	return true;
}

bool port_is_removed(const struct port *port)
{
	if (!device_is_removed(port))
		return false;
	__atomic_store_n(&port->topo->admin_up, 0, __ATOMIC_RELEASE);
	return true;
}

bool port_removal_poll(struct primary *p)
{
	bool any = false, now = false, before;
	struct port *port;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++) {
		port = &p->ports[i];
		before = __atomic_load_n(&port->topo->removed, __ATOMIC_ACQUIRE);
		if (device_is_removed(port)) {
			any = true;
			now |= !before;
		}
	}
	poll_faults(p, any);
	return now;
}

/* The registers belong to no driver any more, or to another driver of the kernel. */
static bool device_is_of_other_driver(const struct port *port)
{
	char now[KNIT_DRIVER_NAME];

	return faccessat(port->sysfs, "vendor", F_OK, 0) < 0 ||
	       (device_read_driver(port, now) == 0 && now[0] && strcmp(now, port->kdriver) != 0);
}

/*
 * After that the driver waits for bits that never change, in up to 100000 short sleeps. Linux must
 * not round each of them up to 50 us.
 */
void port_removal_blank(const struct port *port)
{
	if (!port->topo->removed)
		return;
	prctl(PR_SET_TIMERSLACK, 1);
	if (device_is_of_other_driver(port))
		knit_sigbus_blank(port->pci);
}

/*
 * Makes workers leave all removed ports alone from their next burst on. Returns the ports to
 * release.
 */
static uint64_t ports_to_release(struct primary *p)
{
	uint64_t ports = 0;
	struct port *port;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++) {
		port = &p->ports[i];
		if (!__atomic_load_n(&port->topo->removed, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&port->topo->admin_up, 0, __ATOMIC_RELEASE);
		if (!port->released && strcmp(port->kdriver, KNIT_VFIO_PCI) == 0)
			ports |= UINT64_C(1) << i;
	}
	return ports;
}

/* EAL asks all secondaries to detach the device and waits for their answers. */
static int device_detach(struct primary *p, unsigned int i)
{
	struct port *port = &p->ports[i];
	int ret;

	channel_clear(p);
	ret = rte_eal_hotplug_remove("pci", port->pci);
	if (ret < 0) {
		registry_hotplug_failed(p);
		return ret;
	}
	port->started = false;
	port->released = true;
	port->id = RTE_MAX_ETHPORTS;
	EVENT(PORT_RELEASED, EV(port->conf->name), EV(port->pci));
	return 0;
}

static int devices_detach(struct primary *p, uint64_t ports)
{
	unsigned int i;
	int ret = 0;

	pthread_mutex_lock(&p->drivers);
	for (i = 0; i < p->topo->n_ports && ret == 0; i++)
		if (ports & (UINT64_C(1) << i))
			ret = device_detach(p, i);
	pthread_mutex_unlock(&p->drivers);
	return ret;
}

static void release_pause(struct primary *p, int ret, uint64_t *next)
{
	static unsigned int pause = FIRST_PAUSE_S;

	log_warn("a device that was taken away is not let go by all processes: %s; next try in "
		 "%u s",
		 rte_strerror(-ret), pause);
	*next = rte_get_timer_cycles() + rte_get_timer_hz() * pause;
	pause = RTE_MIN(2 * pause, (unsigned int)LONGEST_PAUSE_S);
}

/*
 * The caller made sure that no process is between the set-up of EAL and READY. All workers
 * concerned are parked here.
 */
static bool ports_release(struct primary *p, uint64_t ports, uint64_t *next)
{
	static unsigned int failed;
	char why[160];
	int ret;

	if (park_workers(p, ports, why, sizeof(why)) < 0) {
		if (failed++ % SAY_EVERY == 0)
			log_warn("a device that was taken away is not let go: %s", why);
		return false;
	}
	failed = 0;
	ret = devices_detach(p, ports);
	park_resume(p);
	if (ret < 0)
		release_pause(p, ret, next);
	return ret == 0;
}

bool port_removal_release(struct primary *p)
{
	uint64_t ports = ports_to_release(p);
	static uint64_t next;
	bool done;

	if (ports == 0)
		return true;
	if (rte_get_timer_cycles() < next || (registry_dead_ports(p) & ports) ||
	    park_still_stuck(p, ports))
		return false;
	if (registry_block_attach(p) < 0)
		return false;
	done = ports_release(p, ports, &next);
	knit_rundir_unblock_attach();
	return done;
}
