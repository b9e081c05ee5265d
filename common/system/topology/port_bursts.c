// SPDX-License-Identifier: BSD-3-Clause
#include "port_bursts.h"

#include "kni/base/compat.h"

#include <rte_ethdev.h>

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* FNV-1a */
static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n--)
		h = (h ^ *at++) * UINT64_C(0x100000001b3);
	return h;
}

/* 0: it is not known where the function is. */
static uint64_t code_of(const void *function)
{
	Dl_info info;
	uint64_t at;

	if (function == NULL || dladdr(function, &info) == 0 || info.dli_fname == NULL)
		return 0;
	at = (uintptr_t)function - (uintptr_t)info.dli_fbase;
	return hash(hash(UINT64_C(0xcbf29ce484222325), info.dli_fname, strlen(info.dli_fname)), &at,
		    sizeof(at));
}

static uint64_t rx_code(uint16_t port)
{
	return code_of((const void *)knit_eth_calls(port)->rx_pkt_burst);
}

static uint64_t tx_code(uint16_t port)
{
	return code_of((const void *)knit_eth_calls(port)->tx_pkt_burst);
}

void knit_port_bursts_tell(struct knit_topo_port *port)
{
	knit_eth_queues(port->port_id, &port->rx_queues, &port->tx_queues);
	port->rx_code = rx_code(port->port_id);
	port->tx_code = tx_code(port->port_id);
}

int knit_port_bursts_follow(const struct knit_topo_port *port)
{
	if (!rte_eth_dev_is_valid_port(port->port_id))
		return -ENODEV;
	if (rx_code(port->port_id) == 0 || rx_code(port->port_id) != port->rx_code ||
	    tx_code(port->port_id) != port->tx_code)
		return -ESTALE;
	knit_eth_set_queues(port->port_id, port->rx_queues, port->tx_queues);
	return 0;
}
