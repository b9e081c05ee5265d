// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/nospec.h>
#include <linux/slab.h>

static DEFINE_SPINLOCK(list_lock);

/* Attaches that others took over. Who found one may still be using it. */
static LIST_HEAD(taken_over);

static struct kni_attach *live_of(const struct kni_iface *i, u32 pair)
{
	return rcu_dereference_protected(i->pair[pair].live, lockdep_is_held(&i->lock));
}

static void attach_free(struct kni_attach *a)
{
	if (a->doorbell)
		eventfd_ctx_put(a->doorbell);
	kni_iface_put(a->iface);
	kfree(a);
}

static struct kni_attach *attach_new(struct kni_file *f, struct kni_iface *i, int doorbell_fd)
{
	struct eventfd_ctx *doorbell = NULL;
	struct kni_attach *a;

	if (doorbell_fd != -1) {
		doorbell = eventfd_ctx_fdget(doorbell_fd);
		if (IS_ERR(doorbell))
			return ERR_CAST(doorbell);
	}
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	if (!a) {
		if (doorbell)
			eventfd_ctx_put(doorbell);
		return ERR_PTR(-ENOMEM);
	}
	kref_get(&i->refs);
	a->file = f;
	a->iface = i;
	a->doorbell = doorbell;
	return a;
}

/*
 * Taking an attach: nobody finds it any more, but who found it may be using it. ended collects them
 * for attach_finish.
 */
static void attach_take(struct kni_attach *a, struct list_head *ended)
{
	spin_lock(&list_lock);
	list_move(&a->of_file, ended);
	spin_unlock(&list_lock);
}

static void attach_take_pair(struct kni_iface *i, u32 pair, struct list_head *ended)
{
	attach_take(live_of(i, pair), ended);
	RCU_INIT_POINTER(i->pair[pair].live, NULL);
	clear_bit(pair, &i->active);
}

static void attach_take_handler(struct kni_iface *i, struct list_head *ended)
{
	attach_take(i->handler, ended);
	i->handler = NULL;
	kni_req_no_handler(i);
}

/* A queue without a worker drops; stopped, it would keep its packets for ever. */
static void wake_ownerless(struct kni_iface *i)
{
	u32 pair;

	for (pair = 0; i->dev && pair < i->n_pairs; pair++)
		if (!live_of(i, pair))
			netif_tx_wake_queue(netdev_get_tx_queue(i->dev, pair));
}

void kni_attach_free(struct list_head *ended)
{
	struct kni_attach *a, *next;

	list_for_each_entry_safe(a, next, ended, of_file)
		attach_free(a);
	INIT_LIST_HEAD(ended);
}

static void collect_taken_over(struct list_head *ended)
{
	spin_lock(&list_lock);
	list_splice_init(&taken_over, ended);
	spin_unlock(&list_lock);
}

static void wait_for_users(const struct kni_file *f)
{
	if (f->trusted)
		synchronize_rcu_expedited();
	else
		synchronize_rcu();
}

/* f detached them: one grace period for each interface of a process that died. */
static void attach_finish(const struct kni_file *f, struct kni_iface *i, struct list_head *ended)
{
	if (list_empty(ended))
		return;
	wait_for_users(f);
	wake_ownerless(i); /* after it: nobody can stop one for its late owner's sake */
	kni_attach_free(ended);
}

/* All that f attached to i; NULL: all that anybody did. */
static void attach_take_all(struct kni_iface *i, const struct kni_file *f, struct list_head *ended)
{
	const struct kni_attach *a;
	u32 pair;

	for (pair = 0; pair < i->n_pairs; pair++) {
		a = live_of(i, pair);
		if (a && (!f || a->file == f))
			attach_take_pair(i, pair, ended);
	}
	if (i->handler && (!f || i->handler->file == f))
		attach_take_handler(i, ended);
}

static bool rings_claim(struct kni_pair *p)
{
	return knit_ring_claim_consumer(&p->rx_q) && knit_ring_claim_producer(&p->free_q) &&
	       knit_ring_claim_consumer(&p->alloc_q) && knit_ring_claim_producer(&p->tx_q);
}

/* A frame that found no owner may still be in kni_tx, which clears away what its last one left. */
static void pair_reset(struct kni_iface *i, u32 pair)
{
	struct netdev_queue *q = netdev_get_tx_queue(i->dev, pair);

	__netif_tx_lock_bh(q);
	kni_pair_reset(&i->pair[pair]);
	__netif_tx_unlock_bh(q);
}

/* The module's ends of the queues stay as they are, and so does all that is in them. */
static int attach_take_over(struct kni_iface *i, u32 pair, struct kni_attach *a)
{
	if (!a->file->trusted)
		return -EPERM;
	attach_take(live_of(i, pair), &taken_over);
	rcu_assign_pointer(i->pair[pair].live, a);
	return 0;
}

static int attach_pair(struct kni_iface *i, u32 pair, u32 flags, struct kni_attach *a)
{
	const struct kni_attach *live;

	if (pair >= i->n_pairs)
		return -ENOENT;
	pair = array_index_nospec(pair, i->n_pairs);
	live = live_of(i, pair);
	if (live && live->file == a->file)
		return -EALREADY;
	if (live)
		return flags & KNIT_ATTACH_TAKE_OVER ? attach_take_over(i, pair, a) : -EBUSY;
	if (!rings_claim(&i->pair[pair]))
		return -EBADMSG;
	pair_reset(i, pair);
	rcu_assign_pointer(i->pair[pair].live, a);
	set_bit(pair, &i->active);
	local_bh_disable();
	kni_thread_rung(i);
	local_bh_enable();
	return 0;
}

static int attach_handler(struct kni_iface *i, struct kni_attach *a)
{
	struct kni_attach *before = i->handler;
	LIST_HEAD(ended);
	int err;

	if (before && before->file == a->file)
		return -EALREADY;
	if (before && !(i->flags & KNIT_CREATE_ATTACHED))
		return -EBUSY;
	err = kni_req_handler(i, a->doorbell, a->file->trusted);
	if (err)
		return err;
	a->doorbell = NULL; /* kni_req.c has it */
	i->handler = a;
	if (before) {
		attach_take(before, &ended);
		attach_free(before);
	}
	return 0;
}

static int attach_check(const struct knit_ioc_attach *c)
{
	if (c->reserved || c->flags & ~KNIT_ATTACH_TAKE_OVER)
		return -EINVAL;
	if (c->role == KNIT_ATTACH_PAIR)
		return 0;
	return c->role == KNIT_ATTACH_HANDLER && c->pair == 0 && !c->flags ? 0 : -EINVAL;
}

int kni_attach_add(struct kni_file *f, struct kni_iface *i, const struct knit_ioc_attach *c)
{
	struct kni_attach *a;
	int err = attach_check(c);

	if (err)
		return err;
	a = attach_new(f, i, c->doorbell_fd);
	if (IS_ERR(a))
		return PTR_ERR(a);
	mutex_lock(&i->lock);
	if (i->cut)
		err = -ENODEV;
	else if (c->role == KNIT_ATTACH_PAIR)
		err = attach_pair(i, c->pair, c->flags, a);
	else
		err = attach_handler(i, a);
	if (!err) {
		spin_lock(&list_lock);
		list_add(&a->of_file, &f->attaches);
		spin_unlock(&list_lock);
	}
	mutex_unlock(&i->lock);
	if (err)
		attach_free(a);
	return err;
}

/* i->lock held. */
static int attach_remove(struct kni_file *f, struct kni_iface *i, const struct knit_ioc_attach *c)
{
	const struct kni_attach *a = i->handler;
	u32 pair = 0;
	LIST_HEAD(ended);

	if (c->role == KNIT_ATTACH_PAIR) {
		if (c->pair >= i->n_pairs)
			return -ENOENT;
		pair = array_index_nospec(c->pair, i->n_pairs);
		a = live_of(i, pair);
	}
	if (!a)
		return 0;
	if (a->file != f && i->owner != f)
		return -EPERM;
	if (c->role == KNIT_ATTACH_PAIR)
		attach_take_pair(i, pair, &ended);
	else
		attach_take_handler(i, &ended);
	attach_finish(f, i, &ended);
	return 0;
}

int kni_attach_del(struct kni_file *f, struct kni_iface *i, const struct knit_ioc_attach *c)
{
	int err = attach_check(c);

	if (err || c->flags || c->doorbell_fd != -1)
		return -EINVAL;
	mutex_lock(&i->lock);
	err = attach_remove(f, i, c);
	mutex_unlock(&i->lock);
	return err;
}

void kni_attach_cut(struct kni_iface *i, struct list_head *ended)
{
	i->cut = true;
	attach_take_all(i, NULL, ended);
}

static struct kni_iface *first_of(struct kni_file *f)
{
	const struct kni_attach *a;
	struct kni_iface *i = NULL;

	spin_lock(&list_lock);
	a = list_first_entry_or_null(&f->attaches, struct kni_attach, of_file);
	if (a) {
		i = a->iface;
		kref_get(&i->refs);
	}
	spin_unlock(&list_lock);
	return i;
}

void kni_attach_del_file(struct kni_file *f)
{
	struct kni_iface *i;
	LIST_HEAD(ended);

	while ((i = first_of(f))) {
		/* Its owner may have been quicker: look again under the lock. */
		mutex_lock(&i->lock);
		attach_take_all(i, f, &ended);
		attach_finish(f, i, &ended);
		mutex_unlock(&i->lock);
		kni_iface_put(i);
	}
	collect_taken_over(&ended);
	if (list_empty(&ended))
		return;
	wait_for_users(f);
	kni_attach_free(&ended);
}
