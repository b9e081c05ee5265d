// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kni
#include "kni_ops.h"
#include "kni/base/log.h"

#include <rte_ethdev.h>

#include <errno.h>

bool knit_kni_ops_any(const struct rte_kni_ops *ops)
{
	return ops->change_mtu || ops->config_network_if || ops->config_mac_address ||
	       ops->config_promiscusity || ops->config_allmulticast;
}

/* Is ethdev to be asked? 1 yes, 0 there is no port, or a negative errno. */
static int default_port(struct knit_kni_user *user)
{
	uint16_t port_id = user->ops.port_id;

	if (port_id == UINT16_MAX)
		return 0;
	user->calls++;
	if (rte_eth_dev_is_valid_port(port_id))
		return 1;
	log_err("port %u of the default handlers does not exist", port_id);
	return -ENODEV;
}

static int user_link(void *arg, bool up)
{
	struct knit_kni_user *user = arg;

	if (user->ops.config_network_if == NULL)
		return 0;
	user->calls++;
	return user->ops.config_network_if(user->ops.port_id, up);
}

static int user_mtu(void *arg, uint32_t mtu)
{
	struct knit_kni_user *user = arg;

	if (user->ops.change_mtu == NULL)
		return 0;
	user->calls++;
	return user->ops.change_mtu(user->ops.port_id, mtu);
}

static int user_mac(void *arg, const uint8_t mac[6])
{
	struct knit_kni_user *user = arg;
	const struct rte_kni_ops *ops = &user->ops;
	struct rte_ether_addr addr;
	int ret;

	memcpy(&addr, mac, sizeof(addr));
	if (ops->config_mac_address) {
		user->calls++;
		return ops->config_mac_address(ops->port_id, addr.addr_bytes);
	}
	ret = default_port(user);
	return ret > 0 ? rte_eth_dev_default_mac_addr_set(ops->port_id, &addr) : ret;
}

static int user_promisc(void *arg, bool on)
{
	struct knit_kni_user *user = arg;
	const struct rte_kni_ops *ops = &user->ops;
	int ret;

	if (ops->config_promiscusity) {
		user->calls++;
		return ops->config_promiscusity(ops->port_id, on);
	}
	ret = default_port(user);
	if (ret <= 0)
		return ret;
	return on ? rte_eth_promiscuous_enable(ops->port_id)
		  : rte_eth_promiscuous_disable(ops->port_id);
}

static int user_allmulti(void *arg, bool on)
{
	struct knit_kni_user *user = arg;
	const struct rte_kni_ops *ops = &user->ops;
	int ret;

	if (ops->config_allmulticast) {
		user->calls++;
		return ops->config_allmulticast(ops->port_id, on);
	}
	ret = default_port(user);
	if (ret <= 0)
		return ret;
	return on ? rte_eth_allmulticast_enable(ops->port_id)
		  : rte_eth_allmulticast_disable(ops->port_id);
}

static int user_rxlist(void *arg, const struct knit_iface_state *state)
{
	struct knit_kni_user *user = arg;
	struct rte_ether_addr addrs[2 * KNIT_RXLIST_MAX];

	if (user->rxlist == NULL)
		return 0;
	user->calls++;
	memcpy(addrs, state->uc, sizeof(addrs[0]) * state->n_uc);
	memcpy(addrs + state->n_uc, state->mc, sizeof(addrs[0]) * state->n_mc);
	return user->rxlist(user->ops.port_id, addrs, state->n_uc, state->n_mc);
}

const struct knit_handler_ops knit_kni_ops = {
	.link = user_link,
	.mtu = user_mtu,
	.mac = user_mac,
	.promisc = user_promisc,
	.allmulti = user_allmulti,
	.rxlist = user_rxlist,
};
