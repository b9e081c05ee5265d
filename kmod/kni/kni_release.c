// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/rtnetlink.h>

/*
 * Nobody finds the memory any more; after a grace period nobody uses it. Requests end first and
 * without the lock: what reverts a refused change holds RTNL, under which the lock is taken.
 */
static void iface_cut(struct kni_iface *i, struct list_head *ended)
{
	kni_req_end(i);
	mutex_lock(&i->lock);
	kni_attach_cut(i, ended);
	mutex_unlock(&i->lock);
}

static bool iface_is_quiet(struct kni_iface *i)
{
	bool quiet;

	mutex_lock(&i->lock);
	quiet = i->quiet;
	mutex_unlock(&i->lock);
	return quiet;
}

/* A grace period after iface_cut. */
static void iface_make_quiet(struct kni_iface *i)
{
	mutex_lock(&i->lock);
	if (!i->quiet) {
		kni_doorbell_close(&i->packet_doorbell);
		kni_thread_del(i);
		kni_doorbell_close(&i->request_doorbell);
		kni_mem_unmap(i->mem, i->shm, i->shm_addr, i->shm_len);
		i->shm = NULL;
		i->quiet = true;
	}
	mutex_unlock(&i->lock);
}

static void iface_quiet(struct kni_iface *i, void (*grace_period)(void))
{
	LIST_HEAD(ended);

	if (iface_is_quiet(i))
		return;
	iface_cut(i, &ended);
	grace_period();
	iface_make_quiet(i);
	kni_attach_free(&ended);
}

void kni_release_quiet(struct kni_iface *i)
{
	iface_quiet(i, synchronize_rcu);
}

/* RTNL is held: sysfs walks the list of napis. They stay in memory for a grace period at least. */
void kni_release_uninit(struct kni_iface *i)
{
	iface_quiet(i, synchronize_net); /* a short one: many may end with their namespace */
	kni_iface_del_napis(i);
	mutex_lock(&i->lock);
	i->dev = NULL;
	mutex_unlock(&i->lock);
}

static void iface_disown(struct kni_iface *i)
{
	mutex_lock(&i->lock);
	i->owner = NULL;
	mutex_unlock(&i->lock);
}

/* Ends synchronous requests, so that nobody waits for user space with RTNL held afterwards. */
static void ifaces_quiet(struct list_head *victims)
{
	struct kni_iface *i;
	LIST_HEAD(ended);

	list_for_each_entry(i, victims, of_file) {
		kni_iface_free_id(i);
		iface_cut(i, &ended);
	}
	synchronize_rcu();
	list_for_each_entry(i, victims, of_file) {
		iface_make_quiet(i);
		iface_disown(i);
	}
	kni_attach_free(&ended);
}

/*
 * Stops interfaces of f, which are in a list of their own: quiet first, then unregistered, then let
 * go. All of them together: one by one each would wait for its own grace periods.
 */
static void ifaces_stop(struct kni_file *f, struct list_head *victims)
{
	struct kni_iface *i, *next;
	LIST_HEAD(dead);

	ifaces_quiet(victims);
	rtnl_lock();
	list_for_each_entry(i, victims, of_file)
		if (i->dev)
			unregister_netdevice_queue(i->dev, &dead);
	unregister_netdevice_many(&dead);
	rtnl_unlock();
	list_for_each_entry_safe(i, next, victims, of_file) {
		list_del(&i->of_file);
		kni_thread_put(f, i);
		kni_iface_put(i);
	}
}

int kni_release_id(struct kni_file *f, u64 id)
{
	struct kni_iface *i;
	LIST_HEAD(victims);

	list_for_each_entry(i, &f->ifaces, of_file) {
		if (i->id == id) {
			list_move(&i->of_file, &victims);
			ifaces_stop(f, &victims);
			return 0;
		}
	}
	return -ENOENT;
}

void kni_release_all(struct kni_file *f)
{
	LIST_HEAD(victims);

	list_splice_init(&f->ifaces, &victims);
	if (!list_empty(&victims))
		ifaces_stop(f, &victims);
}
