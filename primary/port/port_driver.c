// SPDX-License-Identifier: BSD-3-Clause
#include "port_driver.h"
#include "port_tap.h"

#include <rte_common.h>

#include <string.h>

static const struct knit_driver drivers[] = {
	/*
	 * Frees in queue release, allocates in set-up. Kernel devices: control operations take
	 * RTNL. More than 4 queue pairs overflow the driver's message to secondaries (8 fds).
	 */
	{ "net_tap", KNIT_RESET_PORT, .device_spread = true, .paired = true, .max_queues = 4,
	  .tap = true },
	{ "net_null", KNIT_RESET_PORT, .device_spread = true, .sync = true },
	{ "net_ring", KNIT_RESET_PORT, .hands_on = true, .sync = true },
	/*
	 * Free all queues' mbufs in stop, allocate in start. em never routes its link interrupt to
	 * the MSI-X vector that it asks for (82574).
	 */
	{ "net_e1000_em", KNIT_RESET_PORT, .poll_link = true, .sync = true },
	{ "net_e1000_igb", KNIT_RESET_PORT, .sync = true },
	{ "net_ixgbe", KNIT_RESET_PORT, .sync = true },
	{ "net_i40e", KNIT_RESET_PORT, .sync = true },
	{ "net_ice", KNIT_RESET_PORT, .sync = true },
	/*
	 * Its handler asks a register for the event that not every such device has (QEMU's). To set
	 * the MTU of a running port it clears the queues under its users' hands, and forgets that
	 * the port runs.
	 */
	{ "net_vmxnet3", KNIT_RESET_PORT, .poll_link = true, .mtu_stopped = true, .sync = true },
	/* Releases no receive mbufs before the device itself is initialised anew. */
	{ "net_virtio", KNIT_RESET_NONE, .device_spread = true, .sync = true },
	{ "net_memif", KNIT_RESET_NONE, .hands_on = true },
	/* Its library's devices are the creating process's: bursts elsewhere find none. */
	{ "net_vhost", KNIT_RESET_NONE, .hands_on = true, .primary_only = true },
	/* Kicks the far end by a descriptor's number in the primary, which is another's here. */
	{ "net_virtio_user", KNIT_RESET_NONE, .primary_only = true },
	/* See also check_pcap in config_check.c. */
	{ "net_pcap", KNIT_RESET_NONE, .per_process = true },
	{ "net_failsafe", KNIT_RESET_NONE, .hands_on = true },
	{ "net_bonding", KNIT_RESET_NONE, .hands_on = true },
	/* Rings that a secondary has not mapped: a burst there ends in SIGSEGV. */
	{ "net_af_packet", KNIT_RESET_NONE, .primary_only = true },
	/* A secondary has the sockets for statistics only: bursts there find nothing, for ever. */
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
