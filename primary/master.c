// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "log.h"
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

static void look(const struct port *port)
{
	int config = openat(port->sysfs, "config", O_RDWR | O_CLOEXEC);
	int ret = config < 0 ? -errno : give_back(config);

	if (config >= 0)
		close(config);
	if (ret > 0)
		log_info("port %s: %s may use memory again, after a process closed it",
			 port->conf->name, port->pci);
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
