// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "log.h"
#include "port_driver.h"
#include "primary.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The low byte of PCI's command register, which has none of the interrupts' bits. */
#define COMMAND 4
#define COMMAND_MASTER 0x04

/* 1: it had to be given back. Others who write there, EAL and the kernel, want the same. */
static int give_back(int config)
{
	uint8_t command;

	if (pread(config, &command, sizeof(command), COMMAND) != sizeof(command))
		return -errno;
	if (command & COMMAND_MASTER)
		return 0;
	command |= COMMAND_MASTER;
	return pwrite(config, &command, sizeof(command), COMMAND) == sizeof(command) ? 1 : -errno;
}

static void look(struct port *port)
{
	int config = openat(port->sysfs, "config", O_RDWR | O_CLOEXEC);
	int ret = config < 0 ? -errno : give_back(config);

	if (config >= 0)
		close(config);
	if (ret > 0) {
		port->wedged = true;
		log_info("port %s: %s may use memory again, after a process closed it",
			 port->conf->name, port->pci);
	}
}

void primary_master_look(struct primary *p)
{
	struct port *port;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports; i++) {
		port = &p->ports[i];
		if (strcmp(port->kdriver, KNIT_UIO_GENERIC) == 0 && !primary_gone_now(port))
			look(port);
	}
}

/* Whom a try would park is left alone while it can't be parked, or waits for a reset itself. */
static bool mend(struct primary *p, unsigned int i)
{
	char why[160];
	int ret;

	if (primary_still_stuck(p) || port_pause(p, i, why, sizeof(why)) < 0)
		return false;
	pthread_mutex_lock(&p->drivers);
	ret = port_stop(p, i);
	if (ret == 0)
		ret = port_start(p, i);
	pthread_mutex_unlock(&p->drivers);
	if (port_go_on(p, i, ret) < 0)
		return true;
	log_info("port %s: started anew", p->ports[i].conf->name);
	return true;
}

bool primary_master_mend(struct primary *p)
{
	struct port *port;
	bool done = true;
	unsigned int i;

	for (i = 0; i < p->topo->n_ports && !p->restart; i++) {
		port = &p->ports[i];
		if (!port->wedged || primary_gone_now(port))
			continue;
		if (knit_driver_find(port->topo->driver)->reset == KNIT_RESET_PORT) {
			done &= mend(p, i);
			continue;
		}
		log_err("port %s: driver %s can't be stopped and started: starting anew",
			port->conf->name, port->topo->driver);
		p->restart = 1;
	}
	return done;
}
