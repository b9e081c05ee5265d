/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_RENEW_H
#define KNIT_PRIMARY_PORT_RENEW_H

#include "primary.h"

#include <rte_ethdev.h>

/*
 * By p's plan and the port's `setup`, as port_set_up.
 *
 * For drivers that give mbufs back only when they initialise the device (KNIT_RESET_DEVICE). Of a
 * stopped port that is renewable: makes the driver reset the device, which then reads and writes no
 * memory, free the mbufs of all queues, and make new queues. They are set up, but not those of dead
 * workers, whose pools cannot be used. 0 or -errno, logged. -EIO: the driver has freed nothing of
 * dead workers, so the device may still write to it.
 *
 * ethdev's lists of queues may move, if RSS is what makes the driver do it. port_start says so, as
 * if the burst functions had changed.
 */
int port_renew(struct primary *p, unsigned int i);

/* Sets `renewable` of a port whose set-up was chosen. */
void port_renew_learn(struct port *port, const struct rte_eth_dev_info *info);

#endif
