// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/ethtool.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>

/* Interfaces by id, from the end of create to the beginning of release. */
static DEFINE_XARRAY(ifaces);
static atomic64_t last_id = ATOMIC64_INIT(0);

int kni_iface_new_id(struct kni_iface *i)
{
	i->id = atomic64_inc_return(&last_id);
	return xa_reserve(&ifaces, i->id, GFP_KERNEL_ACCOUNT);
}

void kni_iface_free_id(struct kni_iface *i)
{
	xa_erase(&ifaces, i->id);
}

void kni_iface_publish_id(struct kni_iface *i)
{
	xa_store(&ifaces, i->id, i, GFP_KERNEL_ACCOUNT); /* reserved: does not fail */
}

struct kni_iface *kni_iface_get(u64 id)
{
	struct kni_iface *i;

	xa_lock(&ifaces);
	i = xa_load(&ifaces, id);
	if (i)
		kref_get(&i->refs);
	xa_unlock(&ifaces);
	return i;
}

/* A grace period lies between free_id and the put by which the file lets it go. */
struct kni_iface *kni_iface_find(u64 id)
{
	return xa_load(&ifaces, id);
}

static void iface_free(struct kref *refs)
{
	struct kni_iface *i = container_of(refs, struct kni_iface, refs);
	u32 pair;

	for (pair = 0; pair < i->n_pairs; pair++)
		kni_pair_free(&i->pair[pair]);
	mutex_destroy(&i->lock);
	kvfree(i);
}

void kni_iface_put(struct kni_iface *i)
{
	kref_put(&i->refs, iface_free);
}

/* i is quiet, or was never made known: no thread uses them. */
void kni_iface_del_napis(struct kni_iface *i)
{
	u32 pair;

	for (pair = 0; pair < i->n_pairs; pair++)
		kni_napi_del(&i->pair[pair].turn.napi);
}

/*
 * RCU keeps the namespace, should the interface be moved out of it just now. Of an interface whose
 * namespace is gone only counters are left, for anybody who has the device open.
 */
bool kni_iface_may(struct kni_iface *i)
{
	bool may = true;

	mutex_lock(&i->lock);
	rcu_read_lock();
	if (i->dev)
		may = ns_capable(dev_net(i->dev)->user_ns, CAP_NET_ADMIN);
	rcu_read_unlock();
	mutex_unlock(&i->lock);
	return may;
}

static int set_link(struct kni_iface *i, struct knit_ioc_link *l)
{
	if (i->quiet || !i->dev)
		return -ENODEV;
	if (l->flags & KNIT_LINK_IF_UP && !netif_running(i->dev))
		return -ENETDOWN;
	if (!(l->flags & KNIT_LINK_KEEP_SPEED)) {
		WRITE_ONCE(i->speed, l->speed);
		WRITE_ONCE(i->duplex, l->flags & KNIT_LINK_FULL_DUPLEX ? DUPLEX_FULL : DUPLEX_HALF);
	}
	l->before = kni_req_carrier(i, l->flags & KNIT_LINK_UP);
	return 0;
}

int kni_iface_link(struct kni_iface *i, struct knit_ioc_link *l)
{
	int err;

	if (l->flags & ~KNIT_LINK_FLAGS)
		return -EINVAL;
	mutex_lock(&i->lock);
	err = set_link(i, l);
	mutex_unlock(&i->lock);
	return err;
}
