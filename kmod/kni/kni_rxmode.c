// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/etherdevice.h>
#include <linux/if_arp.h>

/* Copies a list; what is too long is not listed. netif_addr_lock held. */
static u16 take_list(u8 (*to)[ETH_ALEN], const struct netdev_hw_addr_list *list)
{
	const struct netdev_hw_addr *ha;
	u16 n = 0;

	if (netdev_hw_addr_list_count(list) > KNIT_RXLIST_MAX)
		return 0;
	netdev_hw_addr_list_for_each(ha, list)
		ether_addr_copy(to[n++], ha->addr);
	return n;
}

static void note_over(struct kni_iface *i, int which, int count)
{
	bool over = count > KNIT_RXLIST_MAX;

	if (over && !i->rx_over[which]) {
		i->req_stats.rxlist_over++;
		if (net_ratelimit())
			netdev_warn(i->dev,
				    "%d %s addresses, more than the listed %d: requesting all\n",
				    count, which ? "multicast" : "unicast", KNIT_RXLIST_MAX);
	}
	i->rx_over[which] = over;
}

static bool has_uc(const struct knit_iface_state *next, const u8 *addr)
{
	u32 i;

	for (i = 0; i < next->n_uc; i++)
		if (ether_addr_equal(next->uc[i], addr))
			return true;
	return false;
}

/*
 * A bridge receives by its ports what is for itself, but asks them for everything instead of
 * listing its address. 1 if it is one more. A torn address is read again: its change is told.
 */
static int add_master(struct knit_iface_state *next, struct net_device *dev, int n_uc)
{
	struct net_device *master;
	u8 addr[ETH_ALEN];

	rcu_read_lock();
	master = netdev_master_upper_dev_get_rcu(dev);
	if (master && master->type == ARPHRD_ETHER)
		ether_addr_copy(addr, master->dev_addr);
	else
		ether_addr_copy(addr, dev->dev_addr);
	rcu_read_unlock();
	if (!is_valid_ether_addr(addr) || ether_addr_equal(addr, dev->dev_addr) ||
	    has_uc(next, addr))
		return 0;
	if (n_uc < KNIT_RXLIST_MAX)
		ether_addr_copy(next->uc[next->n_uc++], addr);
	else
		next->n_uc = 0;
	return 1;
}

bool kni_rxmode_sync(struct kni_iface *i)
{
	struct knit_iface_state *next = &i->next;
	struct net_device *dev = i->dev;
	unsigned int flags;
	int n_uc, n_mc;

	*next = i->reqstate.now;
	netif_addr_lock_bh(dev);
	flags = READ_ONCE(dev->flags);
	n_uc = netdev_uc_count(dev);
	n_mc = netdev_mc_count(dev);
	next->n_uc = take_list(next->uc, &dev->uc);
	next->n_mc = take_list(next->mc, &dev->mc);
	netif_addr_unlock_bh(dev);
	n_uc += add_master(next, dev, n_uc);
	note_over(i, 0, n_uc);
	note_over(i, 1, n_mc);
	next->promisc = flags & IFF_PROMISC || i->rx_over[0];
	next->allmulti = flags & IFF_ALLMULTI || i->rx_over[1];
	return knit_reqstate_set(&i->reqstate, next);
}
