// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched/signal.h>

/*
 * Requests: what the kernel wants of the port goes to the handler, what it answers comes back.
 *
 * The caller of a synchronous request sleeps with RTNL held. So everything that can end its sleep
 * (req_work, a detach, release) must get there without RTNL, and req_work has a workqueue of its
 * own, in which nothing waits for RTNL either. req_revert, which changes the net_device, only tries
 * to take it: an interface may be stopped, and req_revert be waited for, with RTNL held.
 */
#define REVERT_RETRY_MS 10

static struct workqueue_struct *kni_req_wq;

static const char *const kind_names[KNIT_REQ_COUNT] = {
#define X(id, name, bytes, text) [KNIT_REQ_##id] = #name,
	KNIT_REQ_TABLE(X)
#undef X
};

int kni_req_start(void)
{
	kni_req_wq = alloc_workqueue("kni", WQ_UNBOUND, 0);
	return kni_req_wq ? 0 : -ENOMEM;
}

void kni_req_stop(void)
{
	destroy_workqueue(kni_req_wq);
}

/* Nothing is queued once req_ended is seen under the gate. */
static void work_kick(struct kni_iface *i)
{
	unsigned long flags;

	spin_lock_irqsave(&i->req_gate, flags);
	if (!i->req_ended)
		queue_work(kni_req_wq, &i->req_work);
	spin_unlock_irqrestore(&i->req_gate, flags);
}

static void work_kick_later(struct kni_iface *i, struct delayed_work *work, unsigned int ms)
{
	unsigned long flags;

	spin_lock_irqsave(&i->req_gate, flags);
	if (!i->req_ended)
		queue_delayed_work(kni_req_wq, work, msecs_to_jiffies(ms));
	spin_unlock_irqrestore(&i->req_gate, flags);
}

void kni_req_rung(struct kni_doorbell *doorbell)
{
	work_kick(container_of(doorbell, struct kni_iface, request_doorbell));
}

void kni_req_rx_mode(struct kni_iface *i)
{
	unsigned long flags;

	spin_lock_irqsave(&i->req_gate, flags);
	i->rx_changed = true;
	spin_unlock_irqrestore(&i->req_gate, flags);
	work_kick(i);
}

static struct knit_iface_state *shared_state(const struct kni_iface *i)
{
	return i->shm + knit_shm_state_off();
}

static bool requests_are_sync(const struct kni_iface *i)
{
	/* KNIT_CREATE_ASYNC is also set for enable_bifurcated=on, and creators not trusted */
	return !(i->flags & KNIT_CREATE_ASYNC) && i->trusted;
}

static void apply_carrier(struct kni_iface *i)
{
	bool on = i->carrier && !i->reqstate.link_refused;

	if (on == netif_carrier_ok(i->dev))
		return;
	if (on)
		netif_carrier_on(i->dev);
	else
		netif_carrier_off(i->dev);
}

static void req_submit(struct kni_iface *i, unsigned int n)
{
	knit_ring_submit(&i->req_q, n);
	if (knit_ring_data_wanted(&i->req_q))
		kni_doorbell_ring(i->handler_doorbell);
}

/* What is to be done now and can be: asynchronous requests, carrier; the rest is queued. */
static void req_run(struct kni_iface *i)
{
	enum knit_req_kind kind;

	lockdep_assert_held(&i->req_lock);
	if (i->req_ended)
		return;
	while (i->attached && (kind = knit_reqstate_next(&i->reqstate)) != KNIT_REQ_NONE) {
		if (knit_ring_reserve(&i->req_q, 1) == 0) {
			work_kick_later(i, &i->req_tick, KNI_TICK_MS);
			break;
		}
		knit_reqstate_issue_async(&i->reqstate, kind,
					  knit_ring_entry(&i->req_q, i->req_q.prod));
		req_submit(i, 1);
		i->req_stats.async++;
	}
	if (i->reqstate.retry)
		work_kick_later(i, &i->req_tick, KNI_TICK_MS);
	if (i->reqstate.revert)
		work_kick_later(i, &i->req_revert, 0);
	apply_carrier(i);
}

static void log_refusal(const struct kni_iface *i, const struct knit_req *answer)
{
	const void *why = ERR_PTR(answer->result);

	if (i->reqstate.retry & KNIT_REQ_BIT(answer->kind) || !net_ratelimit())
		return;
	if (answer->kind == KNIT_REQ_LINK && i->reqstate.link_refused)
		netdev_warn(i->dev, "up was refused (%pe): it has no carrier\n", why);
	else
		netdev_warn(i->dev, "%s was refused (%pe)\n", kind_names[answer->kind], why);
}

static void answer_take(struct kni_iface *i, const struct knit_req *answer)
{
	u32 sync = i->reqstate.sync;

	if (knit_req_wants_state(answer)) {
		knit_reqstate_state(&i->reqstate);
		return;
	}
	if (knit_reqstate_answer(&i->reqstate, answer) != KNIT_MATCH_OK)
		return;
	i->req_stats.answered++;
	if (answer->result == 0)
		return;
	i->req_stats.refused++;
	if (!(sync & KNIT_REQ_BIT(answer->kind))) /* else the caller is told */
		log_refusal(i, answer);
}

/* True: there are more. */
static bool answers_take(struct kni_iface *i)
{
	struct knit_req answer;
	u32 n, k;

	n = knit_ring_peek(&i->resp_q, KNIT_REQ_RING);
	for (k = 0; k < n; k++) {
		knit_req_load(&answer, knit_ring_entry(&i->resp_q, i->resp_q.cons + k));
		answer_take(i, &answer);
	}
	if (n) {
		/* a successful synchronous request changed it */
		knit_reqstate_show(&i->reqstate, shared_state(i));
		knit_ring_release(&i->resp_q, n);
		if (knit_ring_space_wanted(&i->resp_q))
			kni_doorbell_ring(i->handler_doorbell);
	}
	return !knit_ring_arm_data(&i->resp_q);
}

static bool rx_changed(struct kni_iface *i)
{
	bool changed;

	spin_lock_irq(&i->req_gate);
	changed = i->rx_changed;
	i->rx_changed = false;
	spin_unlock_irq(&i->req_gate);
	return changed;
}

/* Never takes RTNL. Bounded; a handler that goes on answering is looked at again later. */
static void req_work(struct work_struct *work)
{
	struct kni_iface *i = container_of(work, struct kni_iface, req_work);
	bool more = false;

	mutex_lock(&i->req_lock);
	if (!i->req_ended) {
		more = answers_take(i);
		if (rx_changed(i) && kni_rxmode_sync(i))
			knit_reqstate_show(&i->reqstate, shared_state(i));
		req_run(i);
	}
	mutex_unlock(&i->req_lock);
	wake_up_all(&i->answer);
	if (more)
		work_kick(i);
}

static void req_tick(struct work_struct *work)
{
	struct kni_iface *i = container_of(to_delayed_work(work), struct kni_iface, req_tick);

	mutex_lock(&i->req_lock);
	knit_reqstate_tick(&i->reqstate);
	req_run(i);
	mutex_unlock(&i->req_lock);
}

/* RTNL held: the net_device's own value of a kind that can be put back. */
static union knit_req_value device_value(const struct net_device *dev, enum knit_req_kind kind)
{
	return kind == KNIT_REQ_MTU ? knit_req_value(dev->mtu) : knit_req_mac(dev->dev_addr);
}

static void value_revert(struct kni_iface *i, enum knit_req_kind kind)
{
	union knit_req_value value = device_value(i->dev, kind), back;
	bool wanted;
	int ret;

	mutex_lock(&i->req_lock);
	wanted = !i->req_ended && knit_reqstate_reverts(&i->reqstate, kind, &value, &back);
	mutex_unlock(&i->req_lock);
	if (!wanted)
		return;
	if (kind == KNIT_REQ_MTU)
		ret = dev_set_mtu(i->dev, back.value);
	else
		ret = kni_set_mac(i->dev, back.mac);
	if (ret && net_ratelimit())
		netdev_err(i->dev, "%s was refused, and the old value can't be put back: %pe\n",
			   kind_names[kind], ERR_PTR(ret));
	if (ret)
		return;
	if (net_ratelimit())
		netdev_notice(i->dev, "%s was refused: old value put back\n", kind_names[kind]);
	mutex_lock(&i->req_lock);
	i->req_stats.reverted++;
	knit_reqstate_reverted(&i->reqstate, kind);
	if (!i->req_ended)
		knit_reqstate_show(&i->reqstate, shared_state(i));
	req_run(i);
	mutex_unlock(&i->req_lock);
}

static void req_revert(struct work_struct *work)
{
	struct kni_iface *i = container_of(to_delayed_work(work), struct kni_iface, req_revert);

	if (!rtnl_trylock()) {
		work_kick_later(i, &i->req_revert, REVERT_RETRY_MS);
		return;
	}
	i->reverting = true;
	value_revert(i, KNIT_REQ_MTU);
	value_revert(i, KNIT_REQ_MAC);
	i->reverting = false;
	rtnl_unlock();
}

/* Whoever finds its request under this number has not to carry it out, or to restore. */
static void publish_cancelled(struct kni_iface *i, u32 seq)
{
	if (seq)
		knit_store_release(&shared_state(i)->cancelled_seq, seq);
}

static int handler_usable(const struct kni_iface *i)
{
	if (i->req_ended)
		return -ENODEV;
	return i->attached && requests_are_sync(i) ? 0 : -ENOTCONN;
}

static bool is_turn(const struct kni_iface *i, enum knit_req_kind kind)
{
	return !READ_ONCE(i->reqstate.track.pending[kind]) || !READ_ONCE(i->attached);
}

static bool is_answered(const struct kni_iface *i, enum knit_req_kind kind)
{
	return !(READ_ONCE(i->reqstate.sync) & KNIT_REQ_BIT(kind));
}

/* Gives req_lock up meanwhile. What was waited for is looked at again with it held. */
static long wait_for(struct kni_iface *i, enum knit_req_kind kind, long left,
		     bool (*done)(const struct kni_iface *, enum knit_req_kind))
{
	mutex_unlock(&i->req_lock);
	left = wait_event_killable_timeout(i->answer, done(i, kind), left);
	mutex_lock(&i->req_lock);
	return left;
}

/* left: of the wait that ended without what it waited for. */
static int gave_up(struct kni_iface *i, long left)
{
	if (left < 0) {
		i->req_stats.killed++;
		return -EINTR;
	}
	i->req_stats.timeout++;
	return -ETIME;
}

static int submit_sync(struct kni_iface *i, enum knit_req_kind kind,
		       const union knit_req_value *value)
{
	if (knit_ring_reserve(&i->req_q, 1) == 0) {
		i->req_stats.timeout++; /* others that are not answered fill it */
		return -EBUSY;
	}
	knit_reqstate_issue_sync(&i->reqstate, kind, value,
				 knit_ring_entry(&i->req_q, i->req_q.prod));
	req_submit(i, 1);
	return 0;
}

static int sync_outcome(struct kni_iface *i, enum knit_req_kind kind, long left)
{
	if (i->req_ended)
		return -ENODEV;
	if (is_answered(i, kind))
		return i->reqstate.result[kind];
	publish_cancelled(i, knit_reqstate_cancel(&i->reqstate, kind));
	return gave_up(i, left);
}

/*
 * An older request of that kind, for which nobody may be waiting, comes first: its answer is part
 * of the wait, and a handler that has stopped is told nothing more.
 */
static int await_turn(struct kni_iface *i, enum knit_req_kind kind, long *left)
{
	int ret = 0;

	while (ret == 0 && i->reqstate.track.pending[kind]) {
		*left = wait_for(i, kind, *left, is_turn);
		if (*left <= 0)
			return gave_up(i, *left);
		ret = handler_usable(i);
		if (ret)
			i->req_stats.detached++;
	}
	return ret;
}

/* req_lock held. */
static int value_change_async(struct kni_iface *i, enum knit_req_kind kind,
			      const union knit_req_value *value)
{
	if (i->req_ended)
		return -ENODEV;
	if (knit_reqstate_set_one(&i->reqstate, kind, value))
		knit_reqstate_show(&i->reqstate, shared_state(i));
	req_run(i);
	return 0;
}

/* There is no handler. Up is told to a later one, and all if requests are asynchronous. */
static int value_change_unattended(struct kni_iface *i, enum knit_req_kind kind,
				   const union knit_req_value *value)
{
	return kind == KNIT_REQ_LINK || !requests_are_sync(i) ? value_change_async(i, kind, value)
							      : -ENOTCONN;
}

/* Its turn has come. */
static int sync_send(struct kni_iface *i, enum knit_req_kind kind,
		     const union knit_req_value *value, long left)
{
	int ret = submit_sync(i, kind, value);

	if (ret)
		return ret;
	left = wait_for(i, kind, left, is_answered);
	return sync_outcome(i, kind, left);
}

/*
 * RTNL held, so there is one caller; and req_lock. Every request that is counted ends in one other
 * counter: answered, timeout, killed or detached.
 */
static int value_change_sync(struct kni_iface *i, enum knit_req_kind kind,
			     const union knit_req_value *value)
{
	long left = msecs_to_jiffies(KNI_SYNC_MS);
	int ret;

	i->req_stats.sync++;
	i->reqstate.held |= KNIT_REQ_BIT(kind);
	ret = await_turn(i, kind, &left);
	if (ret == 0)
		ret = sync_send(i, kind, value, left);
	else if (ret == -ENOTCONN)
		ret = value_change_unattended(i, kind, value);
	i->reqstate.held &= ~KNIT_REQ_BIT(kind);
	req_run(i);
	return ret;
}

/* Whoever is the handler now may not be it any more when the lock is given up. */
static int value_change(struct kni_iface *i, enum knit_req_kind kind,
			const union knit_req_value *value)
{
	int ret;

	mutex_lock(&i->req_lock);
	if (!requests_are_sync(i))
		ret = value_change_async(i, kind, value);
	else if (i->attached)
		ret = value_change_sync(i, kind, value);
	else
		ret = i->req_ended ? -ENODEV : value_change_unattended(i, kind, value);
	mutex_unlock(&i->req_lock);
	return ret;
}

int kni_req_up(struct kni_iface *i)
{
	const union knit_req_value up = knit_req_value(1);

	return value_change(i, KNIT_REQ_LINK, &up);
}

void kni_req_down(struct kni_iface *i)
{
	const union knit_req_value down = knit_req_value(0);

	mutex_lock(&i->req_lock);
	value_change_async(i, KNIT_REQ_LINK, &down);
	mutex_unlock(&i->req_lock);
}

int kni_req_mtu(struct kni_iface *i, u32 mtu)
{
	const union knit_req_value v = knit_req_value(mtu);

	return i->reverting ? 0 : value_change(i, KNIT_REQ_MTU, &v);
}

int kni_req_mac(struct kni_iface *i, const u8 *mac)
{
	const union knit_req_value v = knit_req_mac(mac);

	return i->reverting ? 0 : value_change(i, KNIT_REQ_MAC, &v);
}

bool kni_req_carrier(struct kni_iface *i, bool on)
{
	bool before = false;

	mutex_lock(&i->req_lock);
	if (!i->req_ended) {
		before = netif_carrier_ok(i->dev);
		i->carrier = on;
		apply_carrier(i);
	}
	mutex_unlock(&i->req_lock);
	return before;
}

/* A predecessor may have left answers for which it never rang. */
static void resp_arm(struct kni_iface *i)
{
	if (!knit_ring_arm_data(&i->resp_q))
		work_kick(i);
}

void kni_req_init(struct kni_iface *i)
{
	void *shm = i->shm;

	mutex_init(&i->req_lock);
	spin_lock_init(&i->req_gate);
	init_waitqueue_head(&i->answer);
	INIT_WORK(&i->req_work, req_work);
	INIT_DELAYED_WORK(&i->req_tick, req_tick);
	INIT_DELAYED_WORK(&i->req_revert, req_revert);
	knit_ring_bind(&i->req_q, shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	knit_ring_bind(&i->resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	i->next.mtu = i->dev->mtu;
	ether_addr_copy(i->next.mac, i->dev->dev_addr);
	knit_reqstate_init(&i->reqstate, &i->next);
	i->reqstate.strict = true;
	knit_reqstate_show(&i->reqstate, shared_state(i));
	resp_arm(i);
	i->attached = i->flags & KNIT_CREATE_ATTACHED;
	i->trusted = true;
	i->carrier = i->flags & KNIT_CREATE_CARRIER || kni_params.carrier_on;
	netif_carrier_off(i->dev);
	apply_carrier(i);
}

/* Cancels what is on its way. The caller wakes up who waits, without req_lock. */
static void change_handler(struct kni_iface *i, struct eventfd_ctx *doorbell, bool attached,
			   bool trusted)
{
	unsigned int kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		if (i->reqstate.sync & KNIT_REQ_BIT(kind))
			i->req_stats.detached++;
		else if (i->reqstate.track.pending[kind])
			i->req_stats.cancelled++;
	}
	publish_cancelled(i, knit_reqstate_anew(&i->reqstate));
	if (i->handler_doorbell)
		eventfd_ctx_put(i->handler_doorbell);
	i->handler_doorbell = doorbell;
	WRITE_ONCE(i->attached, attached);
	i->trusted = trusted;
}

int kni_req_handler(struct kni_iface *i, struct eventfd_ctx *doorbell, bool trusted)
{
	struct knit_ring req_q, resp_q;
	int ret;

	mutex_lock(&i->req_lock);
	req_q = i->req_q;
	resp_q = i->resp_q;
	ret = -ENODEV;
	if (i->req_ended)
		goto out_unlock;
	ret = -EBADMSG;
	if (!knit_ring_claim_producer(&req_q) || !knit_ring_claim_consumer(&resp_q))
		goto out_unlock;
	i->req_q = req_q;
	i->resp_q = resp_q;
	change_handler(i, doorbell, true, trusted);
	knit_reqstate_show(&i->reqstate, shared_state(i));
	resp_arm(i);
	req_run(i);
	ret = 0;
out_unlock:
	mutex_unlock(&i->req_lock);
	wake_up_all(&i->answer);
	return ret;
}

void kni_req_no_handler(struct kni_iface *i)
{
	mutex_lock(&i->req_lock);
	if (!i->req_ended) {
		change_handler(i, NULL, i->flags & KNIT_CREATE_ATTACHED, true);
		req_run(i);
	}
	mutex_unlock(&i->req_lock);
	wake_up_all(&i->answer);
}

void kni_req_end(struct kni_iface *i)
{
	mutex_lock(&i->req_lock);
	if (!i->req_ended) {
		change_handler(i, NULL, false, true);
		spin_lock_irq(&i->req_gate);
		i->req_ended = true;
		spin_unlock_irq(&i->req_gate);
	}
	mutex_unlock(&i->req_lock);
	wake_up_all(&i->answer);
	cancel_work_sync(&i->req_work);
	cancel_delayed_work_sync(&i->req_tick);
	cancel_delayed_work_sync(&i->req_revert);
}

void kni_req_stats(struct kni_iface *i, struct knit_ioc_stats *out)
{
	const struct kni_req_stats *s = &i->req_stats;

	mutex_lock(&i->req_lock);
	out->req_async = s->async;
	out->req_sync = s->sync;
	out->req_answered = s->answered;
	out->req_refused = s->refused;
	out->req_timeout = s->timeout;
	out->req_killed = s->killed;
	out->req_detached = s->detached;
	out->req_late = i->reqstate.track.late;
	out->req_duplicate = i->reqstate.track.duplicate;
	out->req_unknown = i->reqstate.track.unknown;
	out->req_bad_index = i->req_q.bad_index + i->resp_q.bad_index;
	out->rxlist_over = s->rxlist_over;
	out->req_reverted = s->reverted;
	out->req_cancelled = s->cancelled;
	mutex_unlock(&i->req_lock);
}
