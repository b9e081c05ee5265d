// SPDX-License-Identifier: BSD-3-Clause
#include "port_driver.h"
#include "kni/base/compat.h"
#include "port_tap.h"

#include <rte_common.h>

#include <string.h>

static const struct knit_driver drivers[] = {
	/*
	 * Frees mbufs in queue release, allocates in set-up. Its ports are kernel devices: control
	 * operations take RTNL. More than 4 queue pairs overflow the driver's message to
	 * secondaries (8 fds).
	 */
	{ "net_tap", KNIT_RESET_PORT, .device_spread = true, .paired = true, .max_queues = 4,
	  .tap = true },
	{ "net_null", KNIT_RESET_PORT, .device_spread = true, .sync = true },
	{ "net_ring", KNIT_RESET_PORT, .hands_on = true, .sync = true,
	  .primary_only = !KNIT_SECONDARY_NET_RING },
	/*
	 * Free the mbufs of all queues in stop, allocate in start. em never routes its link
	 * interrupt to the MSI-X vector that it requests (82574).
	 */
	{ "net_e1000_em", KNIT_RESET_PORT, .poll_link = true, .sync = true },
	{ "net_e1000_igb", KNIT_RESET_PORT, .sync = true },
	{ "net_ixgbe", KNIT_RESET_PORT, .sync = true },
	{ "net_i40e", KNIT_RESET_PORT, .sync = true },
	{ "net_ice", KNIT_RESET_PORT, .sync = true },
	/*
	 * Its link handler reads the event from a register that some devices do not have (QEMU's).
	 * To set the MTU of a running port, it clears the queues while workers use them, and
	 * forgets that the port runs.
	 */
	{ "net_vmxnet3", KNIT_RESET_PORT, .poll_link = true, .mtu_stopped = true, .sync = true },
	/*
	 * Stop and start leave the rings as they are. A configuration that wants other features of
	 * the device resets it, frees all mbufs and rings, and makes new rings.
	 */
	{ "net_virtio", KNIT_RESET_DEVICE, .device_spread = true, .sync = true },
	{ "net_memif", KNIT_RESET_NONE, .hands_on = true },
	/*
	 * The devices of its library belong to the creating process. Bursts in other processes find
	 * none.
	 */
	{ "net_vhost", KNIT_RESET_NONE, .hands_on = true, .primary_only = true },
	/*
	 * Notifies the far end by an fd number of the primary. In another process it is another
	 * file.
	 */
	{ "net_virtio_user", KNIT_RESET_NONE, .primary_only = true },
	/* See also check_pcap in config_check.c. */
	{ "net_pcap", KNIT_RESET_NONE, .per_process = true },
	{ "net_failsafe", KNIT_RESET_NONE, .hands_on = true },
	{ "net_bonding", KNIT_RESET_NONE, .hands_on = true },
	/* A secondary has not mapped its rings: a burst there ends in SIGSEGV. */
	{ "net_af_packet", KNIT_RESET_NONE, .primary_only = true },
	/* A secondary has its sockets for statistics only: bursts there never receive a packet. */
	{ "net_af_xdp", KNIT_RESET_NONE, .primary_only = true },
};

static const struct knit_driver unknown = { "", KNIT_RESET_NONE };

uint16_t knit_driver_max_mtu(const struct rte_eth_dev_info *info)
{
	return knit_driver_find(info->driver_name)->tap ? PORT_TAP_MAX_MTU : info->max_mtu;
}

const struct knit_driver *knit_driver_find(const char *name)
{
	size_t i;

	for (i = 0; i < RTE_DIM(drivers); i++)
		if (strcmp(drivers[i].name, name) == 0)
			return &drivers[i];
	return &unknown;
}
