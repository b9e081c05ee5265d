// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/cpumask.h>
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

static int check_name(const char *name, size_t size)
{
	if (strnlen(name, size) == size || !dev_valid_name(name) || strchr(name, '%'))
		return -EINVAL;
	return 0;
}

static int check_features(u32 features, u32 ring_size)
{
	const u32 basis = KNIT_FEAT_SG | KNIT_FEAT_CSUM;

	if (features & ~(KNIT_FEAT_ALL | KNI_FEAT_BIG_TCP))
		return -EINVAL;
	if (features & KNIT_FEAT_BIG_TCP && !(features & KNIT_FEAT_TSO))
		return -EINVAL;
	if (features & (KNIT_FEAT_TSO | KNIT_FEAT_USO) && (features & basis) != basis)
		return -EINVAL;
	if (features & KNIT_FEAT_SG && ring_size < KNIT_RING_MIN_SG)
		return -EINVAL;
	return 0;
}

static int check_cpu(const struct kni_file *f, const struct knit_ioc_create *c)
{
	if (!(c->flags & KNIT_CREATE_BIND))
		return 0;
	if (!f->trusted)
		return -EACCES;
	return c->core_id < nr_cpu_ids && cpu_online(c->core_id) ? 0 : -ENXIO;
}

static int create_check(const struct kni_file *f, const struct knit_ioc_create *c)
{
	if (c->flags & ~KNIT_CREATE_FLAGS || c->reserved0 || c->reserved1 ||
	    memchr_inv(c->reserved, 0, sizeof(c->reserved)))
		return -EINVAL;
	if (!knit_ring_size_ok(c->ring_size) || !c->n_pairs || c->n_pairs > KNIT_MAX_PAIRS)
		return -EINVAL;
	if (c->shm % KNIT_CACHE_LINE || check_features(c->features, c->ring_size) ||
	    check_name(c->name, sizeof(c->name)))
		return -EINVAL;
	if (!is_zero_ether_addr(c->mac) && !is_valid_ether_addr(c->mac))
		return -EINVAL;
	if (c->min_mtu < ETH_MIN_MTU || c->min_mtu > c->mtu || c->mtu > c->max_mtu ||
	    c->max_mtu > ETH_MAX_MTU)
		return -ERANGE;
	return check_cpu(f, c);
}

/* Counted. */
static struct net *net_of(const struct knit_ioc_create *c)
{
	struct net *net;

	if (c->netns_fd == -1)
		return get_net(current->nsproxy->net_ns);
	net = get_net_ns_by_fd(c->netns_fd);
	return net == ERR_PTR(-EINVAL) ? ERR_PTR(-ENODEV) : net;
}

static void bind_pair(struct kni_iface *i, u32 pair)
{
	struct knit_ring *rings[KNIT_QUEUES];
	struct kni_pair *p = &i->pair[pair];
	enum knit_queue q;

	p->iface = i;
	p->index = pair;
	kni_pair_init(p);
	rings[KNIT_RX_Q] = &p->rx_q;
	rings[KNIT_FREE_Q] = &p->free_q;
	rings[KNIT_ALLOC_Q] = &p->alloc_q;
	rings[KNIT_TX_Q] = &p->tx_q;
	for (q = 0; q < KNIT_QUEUES; q++)
		knit_ring_bind(rings[q], i->shm + knit_shm_queue_off(i->ring_size, pair, q),
			       i->ring_size, sizeof(struct knit_desc));
}

static int check_header(const struct knit_shm_hdr *shm)
{
	struct knit_shm_hdr hdr;

	memcpy(&hdr, shm, sizeof(hdr));
	barrier();
	if (hdr.magic != KNIT_MAGIC || hdr.version != KNIT_ABI_VERSION ||
	    memchr_inv(hdr.reserved, 0, sizeof(hdr.reserved)))
		return -EPROTO;
	return 0;
}

static int map_block(struct kni_iface *i)
{
	u32 pair;
	int err;

	i->shm = kni_mem_map(i->mem, i->shm_addr, i->shm_len);
	if (IS_ERR(i->shm))
		return PTR_ERR(i->shm);
	err = check_header(i->shm);
	if (err) {
		kni_mem_unmap(i->mem, i->shm, i->shm_addr, i->shm_len);
		return err;
	}
	for (pair = 0; pair < i->n_pairs; pair++)
		bind_pair(i, pair);
	return 0;
}

static struct kni_iface *iface_new(struct kni_file *f, const struct knit_ioc_create *c)
{
	struct kni_iface *i;

	i = kvzalloc(struct_size(i, pair, c->n_pairs), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!i)
		return NULL;
	kref_init(&i->refs);
	mutex_init(&i->lock);
	INIT_LIST_HEAD(&i->of_file);
	INIT_LIST_HEAD(&i->of_thread);
	i->owner = f;
	i->mem = f->mem;
	i->flags = c->flags | (kni_params.async || !f->trusted ? KNIT_CREATE_ASYNC : 0);
	i->features = c->features;
	i->ring_size = c->ring_size;
	i->n_pairs = c->n_pairs;
	i->max_segs = c->features & KNIT_FEAT_SG ? KNIT_DESC_MAX_SEGS : 1;
	i->shm_addr = c->shm;
	i->shm_len = knit_shm_bytes(c->ring_size, c->n_pairs);
	i->speed = SPEED_UNKNOWN;
	i->duplex = DUPLEX_UNKNOWN;
	return i;
}

static int make_dev(struct kni_iface *i, const struct knit_ioc_create *c, struct net *net)
{
	struct net_device *dev;
	u32 pair;

	dev = alloc_netdev_mqs(sizeof(struct kni_iface *), c->name, NET_NAME_USER, kni_net_setup,
			       i->n_pairs, i->n_pairs);
	if (!dev)
		return -ENOMEM;
	*(struct kni_iface **)netdev_priv(dev) = i;
	dev_net_set(dev, net);
	if (is_zero_ether_addr(c->mac))
		eth_hw_addr_random(dev);
	else
		kni_hw_addr_set(dev, c->mac);
	dev->mtu = c->mtu;
	dev->min_mtu = c->min_mtu;
	dev->max_mtu = c->max_mtu;
	kni_net_features(dev, c->features);
	for (pair = 0; pair < i->n_pairs; pair++)
		kni_napi_add(dev, &i->pair[pair].turn.napi, kni_napi_poll, kni_loopback());
	i->dev = dev;
	return 0;
}

static void on_packet_doorbell(struct kni_doorbell *doorbell)
{
	kni_thread_rung(container_of(doorbell, struct kni_iface, packet_doorbell));
}

/* By the core, when the last user of the net_device is gone. */
static void dev_destructor(struct net_device *dev)
{
	kni_iface_put(kni_iface_of(dev));
}

/*
 * The core does not free a net_device that it failed to register, so it learns how to only
 * afterwards.
 */
static int enter_net(struct kni_iface *i, struct net_device *dev, struct knit_ioc_create *c)
{
	int err;

	err = kni_rtnl_lock();
	if (err)
		return err;
	err = register_netdevice(dev);
	if (!err) {
		kref_get(&i->refs);
		dev->priv_destructor = dev_destructor;
		dev->needs_free_netdev = true;
		c->ifindex = dev->ifindex;
	}
	rtnl_unlock();
	return err;
}

/* It was not registered, or is not any more, and then uninit has forgotten it. */
static void drop_dev(struct kni_iface *i, struct net_device *dev)
{
	kni_iface_del_napis(i);
	i->dev = NULL;
	free_netdev(dev);
	synchronize_rcu(); /* for the napis */
}

/* All is built: makes it work, then visible. */
static int iface_start(struct kni_iface *i, struct knit_ioc_create *c)
{
	struct net_device *dev = i->dev;
	int err;

	kni_req_init(i);
	kni_thread_add(i);
	err = kni_doorbell_listen(&i->packet_doorbell, c->packet_doorbell_fd, on_packet_doorbell);
	if (!err)
		err = kni_doorbell_listen(&i->request_doorbell, c->request_doorbell_fd,
					  kni_req_rung);
	if (!err)
		err = enter_net(i, dev, c);
	if (!err)
		return 0;
	kni_release_quiet(i); /* a failed registration may have done so */
	drop_dev(i, dev);
	return err;
}

static int iface_build(struct kni_file *f, struct kni_iface *i, struct knit_ioc_create *c,
		       struct net *net)
{
	int cpu = c->flags & KNIT_CREATE_BIND ? (int)c->core_id : -1;
	int err;

	err = kni_iface_new_id(i);
	if (err)
		return err;
	err = map_block(i);
	if (err)
		goto err_free_id;
	err = make_dev(i, c, net);
	if (err)
		goto err_unmap;
	err = kni_thread_take(f, i, cpu);
	if (err)
		goto err_drop_dev;
	err = iface_start(i, c);
	if (err)
		goto err_put_thread; /* it has undone the rest */
	return 0;

err_drop_dev:
	drop_dev(i, i->dev);
err_unmap:
	kni_mem_unmap(i->mem, i->shm, i->shm_addr, i->shm_len);
	goto err_free_id;
err_put_thread:
	kni_thread_put(f, i);
err_free_id:
	kni_iface_free_id(i);
	return err;
}

int kni_iface_create(struct kni_file *f, struct knit_ioc_create *c)
{
	struct kni_iface *i;
	struct net *net;
	int err = create_check(f, c);

	if (err)
		return err;
	if (!f->mem)
		return -EADDRNOTAVAIL;
	net = net_of(c);
	if (IS_ERR(net))
		return PTR_ERR(net);
	err = -EPERM;
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		goto out_put_net;
	err = -ENOMEM;
	i = iface_new(f, c);
	if (!i)
		goto out_put_net;
	err = iface_build(f, i, c, net);
	if (err) {
		kni_iface_put(i);
		goto out_put_net;
	}
	list_add_tail(&i->of_file, &f->ifaces);
	c->id = i->id;
	kni_iface_publish_id(i);
out_put_net:
	put_net(net);
	return err;
}
