// SPDX-License-Identifier: BSD-3-Clause
#include "offload.h"

#include <rte_common.h>

#include <string.h>

#define TSO (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO)
#define L4 (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

struct quirk {
	const char *driver; /* as in rte_eth_dev_info; NULL: all */
	uint64_t without;
};

static const struct quirk quirks[] = {
	/*
	 * Cuts in software, with mbufs of a pool of its own that no domain owns: after a worker was
	 * killed nobody rebuilds it. Stops the whole burst when a segment with headers exceeds the
	 * MTU.
	 */
	{ "net_tap", TSO },
	/*
	 * Also software, so nothing is lost; and it sums each segment of a chain as if it began at
	 * an even byte, so chains with a segment of odd length get wrong checksums.
	 */
	{ "net_tap", L4 },
	/* DPDK 22.11 does not define what pseudo header a driver gets for UDP segmentation. */
	{ NULL, RTE_ETH_TX_OFFLOAD_UDP_TSO },
};

/*
 * The sender is a guest or host that left the checksum to do; or, in the last two, a device behind
 * the port may be one of these. net_tap says the same of datagrams without a checksum.
 */
static const char *const partial[] = {
	"net_virtio", "net_virtio_user", "net_vhost", "net_bonding", "net_failsafe",
};

bool knit_offload_none_is_partial(const char *driver_name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(partial); i++)
		if (strcmp(partial[i], driver_name) == 0)
			return true;
	return false;
}

uint64_t knit_offload_usable(const char *driver_name, uint64_t tx_capa)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(quirks); i++) {
		if (quirks[i].driver == NULL || strcmp(quirks[i].driver, driver_name) == 0)
			tx_capa &= ~quirks[i].without;
	}
	return tx_capa;
}
