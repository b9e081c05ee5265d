// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Requests on an engine that learns of a change after the fact: everything is a post, and what the
 * handler refuses is taken back where it can be.
 */

#define BIT(kind) (1u << (kind))

/*
 * Posts are level-triggered: a kind is dirty while the port may have something else than what is
 * wanted, whatever happened before. So after a refusal, which puts the kernel's value back, the
 * old value is posted again if the port may have left it meanwhile: a newer request is on its way,
 * or an older one timed out and may still be carried out. Errors that pass are retried with each
 * tick; what is refused for good is not asked again until something changes.
 */

static const char *const kind_names[KNIT_REQ_COUNT] = {
#define X(id, name, bytes, text) [KNIT_REQ_##id] = #name,
	KNIT_REQ_TABLE(X)
#undef X
};

void knit_tap_req_bind(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	char *shm = (char *)t->kni->shm;

	w->shm = (struct knit_wanted *)(shm + knit_shm_wanted_off());
	knit_ring_bind(&w->req_q, shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	knit_ring_bind(&w->resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	knit_ring_claim_producer(&w->req_q);
	knit_ring_claim_consumer(&w->resp_q);
}

/* Makes next the wanted state: shows it to the handler and marks what is to be posted. */
static void update(struct knit_tap_watch *w, const struct knit_wanted *next)
{
	const size_t from = offsetof(struct knit_wanted, up);
	const struct knit_wanted *now = &w->now;

	if (memcmp((const char *)now + from, (const char *)next + from, sizeof(*now) - from) == 0)
		return;
	w->dirty |= (now->up != next->up ? BIT(KNIT_REQ_LINK) : 0) |
		    (now->mtu != next->mtu ? BIT(KNIT_REQ_MTU) : 0) |
		    (memcmp(now->mac, next->mac, 6) ? BIT(KNIT_REQ_MAC) : 0) |
		    (now->promisc != next->promisc ? BIT(KNIT_REQ_PROMISC) : 0) |
		    (now->allmulti != next->allmulti ? BIT(KNIT_REQ_ALLMULTI) : 0);
	if (now->n_uc != next->n_uc || now->n_mc != next->n_mc ||
	    memcmp(now->uc, next->uc, sizeof(now->uc) + sizeof(now->mc)) != 0)
		w->dirty |= BIT(KNIT_REQ_RXLIST);
	w->now = *next;
	knit_wanted_write_begin(w->shm, &w->now.seq);
	memcpy((char *)w->shm + from, (const char *)next + from, sizeof(*next) - from);
	knit_wanted_write_end(w->shm, &w->now.seq);
}

static void set_modes(const struct knit_tap_watch *w, struct knit_wanted *next)
{
	next->promisc = w->link.promiscuity != 0 || w->over_uc;
	next->allmulti = w->link.allmulti != 0 || w->over_mc;
}

static bool mtu_ok(const struct knit_tap_watch *w, uint32_t mtu)
{
	return mtu >= w->min_mtu && mtu <= w->max_mtu;
}

static void log_revert(const struct knit_tap_iface *t, enum knit_req_kind kind, int why, int ret)
{
	if (ret < 0)
		log_err("%s: %s was refused (%s), and the old value can't be put back: %s", t->name,
			kind_names[kind], strerror(-why), strerror(-ret));
	else
		log_notice("%s: %s was refused (%s): old value put back", t->name, kind_names[kind],
			   strerror(-why));
}

/* The kernel has the old value again: does the port, too? */
static void reverted(struct knit_tap_watch *w, enum knit_req_kind kind, uint32_t dirty_before)
{
	w->stats.reverted++;
	w->retry &= ~BIT(kind);
	if (w->track.pending[kind] || (w->unsure | dirty_before) & BIT(kind))
		w->dirty |= BIT(kind);
	else
		w->dirty &= ~BIT(kind);
}

/*
 * Puts the last accepted MTU back if the kernel still has the refused one. The wanted state
 * changes with it, so the kernel's notification of it brings nothing new.
 */
static void revert_mtu(struct knit_tap_iface *t, uint32_t refused, int why)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_wanted next = w->now;
	uint32_t dirty = w->dirty;
	struct knit_nl_link link;
	int ret;

	if (refused == w->accepted_mtu || knit_tap_link(t, &link) < 0 || link.mtu != refused)
		return;
	ret = knit_tap_set_mtu(t, w->accepted_mtu);
	log_revert(t, KNIT_REQ_MTU, why, ret);
	if (ret < 0)
		return;
	next.mtu = w->accepted_mtu;
	update(w, &next);
	reverted(w, KNIT_REQ_MTU, dirty);
}

static void revert_mac(struct knit_tap_iface *t, const uint8_t *refused, int why)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_wanted next = w->now;
	uint32_t dirty = w->dirty;
	struct knit_nl_link link;
	int ret;

	if (memcmp(refused, w->accepted_mac, 6) == 0 || knit_tap_link(t, &link) < 0 ||
	    memcmp(link.mac, refused, 6) != 0)
		return;
	ret = knit_tap_set_mac(t, w->accepted_mac);
	log_revert(t, KNIT_REQ_MAC, why, ret);
	if (ret < 0)
		return;
	memcpy(next.mac, w->accepted_mac, 6);
	update(w, &next);
	reverted(w, KNIT_REQ_MAC, dirty);
}

void knit_tap_req_link(struct knit_tap_iface *t, const struct knit_nl_link *link)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_wanted next = w->now;

	w->link = *link;
	next.up = !!(link->flags & IFF_UP);
	next.mtu = link->mtu;
	memcpy(next.mac, link->mac, 6);
	set_modes(w, &next);
	if (!next.up)
		w->link_refused = false;
	if (mtu_ok(w, next.mtu)) {
		update(w, &next);
		return;
	}
	/* the kernel's own limits for a tap device can't be set: keep ours here, nobody is asked */
	next.mtu = w->now.mtu;
	update(w, &next);
	w->stats.refused++;
	revert_mtu(t, link->mtu, -ERANGE);
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

static uint16_t set_list(uint8_t (*to)[6], const uint8_t (*from)[6], uint32_t n)
{
	if (n > KNIT_RXLIST_MAX)
		n = 0; /* all of them are asked for */
	memset(to, 0, sizeof(*to) * KNIT_RXLIST_MAX);
	memcpy(to, from, sizeof(*to) * n);
	qsort(to, n, sizeof(*to), by_address);
	return n;
}

static void log_over(const struct knit_tap_iface *t, const char *what, uint32_t n)
{
	log_warn("%s: %u %s addresses, more than the listed %d: asking for all", t->name, n, what,
		 KNIT_RXLIST_MAX);
}

void knit_tap_req_addrs(struct knit_tap_iface *t, const struct knit_nl_addrs *addrs)
{
	bool over_uc = addrs->n_uc > KNIT_RXLIST_MAX, over_mc = addrs->n_mc > KNIT_RXLIST_MAX;
	struct knit_tap_watch *w = &t->watch;
	struct knit_wanted next = w->now;

	if (over_uc && !w->over_uc)
		log_over(t, "unicast", addrs->n_uc);
	if (over_mc && !w->over_mc)
		log_over(t, "multicast", addrs->n_mc);
	w->over_uc = over_uc;
	w->over_mc = over_mc;
	next.n_uc = set_list(next.uc, addrs->uc, addrs->n_uc);
	next.n_mc = set_list(next.mc, addrs->mc, addrs->n_mc);
	set_modes(w, &next);
	update(w, &next);
}

static void fill(struct knit_tap_watch *w, enum knit_req_kind kind, struct knit_req *req)
{
	const struct knit_wanted *now = &w->now;

	memset(req, 0, sizeof(*req));
	req->kind = kind;
	req->seq = knit_req_issue(&w->track, kind);
	switch (kind) {
	case KNIT_REQ_LINK:
		req->value = now->up;
		break;
	case KNIT_REQ_MTU:
		req->value = now->mtu;
		break;
	case KNIT_REQ_MAC:
		memcpy(req->mac, now->mac, 6);
		memcpy(w->posted_mac, now->mac, 6);
		break;
	case KNIT_REQ_PROMISC:
		req->value = now->promisc;
		break;
	case KNIT_REQ_ALLMULTI:
		req->value = now->allmulti;
		break;
	default: /* RXLIST: nothing, the handler reads the lists */
		break;
	}
	w->posted_value[kind] = req->value;
}

/* Puts what changed into req_q, at most one request of a kind at a time. */
static void post(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	enum knit_req_kind kind;
	uint32_t n = 0;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		if (!(w->dirty & BIT(kind)) || w->track.pending[kind])
			continue;
		if (knit_ring_reserve(&w->req_q, 1) == 0)
			break; /* the handler sleeps; what it answers brings us back here */
		fill(w, kind, knit_ring_entry(&w->req_q, w->req_q.prod));
		knit_ring_submit(&w->req_q, 1);
		w->dirty &= ~BIT(kind);
		w->retry &= ~BIT(kind);
		w->stats.posted++;
		n++;
	}
	if (n == 0)
		return;
	knit_doorbell_open(t->kni->handler_doorbell);
	if (knit_ring_data_wanted(&w->req_q))
		knit_doorbell_ring(t->kni->handler_doorbell);
}

/* Nothing is wrong with the value: the handler, or the port, was busy or slow. */
static bool passes(int why)
{
	return why == -EAGAIN || why == -EBUSY || why == -ETIMEDOUT;
}

static void refused(struct knit_tap_iface *t, const struct knit_req *answer)
{
	struct knit_tap_watch *w = &t->watch;

	w->stats.refused++;
	if (passes(answer->result)) {
		w->retry |= BIT(answer->kind);
		w->unsure |= BIT(answer->kind);
		return;
	}
	switch (answer->kind) {
	case KNIT_REQ_LINK:
		if (w->posted_value[KNIT_REQ_LINK] && w->now.up) {
			w->link_refused = true;
			log_warn("%s: up was refused (%s): it has no carrier", t->name,
				 strerror(-answer->result));
		}
		break;
	case KNIT_REQ_MTU:
		revert_mtu(t, w->posted_value[KNIT_REQ_MTU], answer->result);
		break;
	case KNIT_REQ_MAC:
		revert_mac(t, w->posted_mac, answer->result);
		break;
	default:
		log_warn("%s: %s was refused (%s)", t->name, kind_names[answer->kind],
			 strerror(-answer->result));
	}
}

static void accepted(struct knit_tap_iface *t, const struct knit_req *answer)
{
	struct knit_tap_watch *w = &t->watch;

	w->unsure &= ~BIT(answer->kind);
	switch (answer->kind) {
	case KNIT_REQ_LINK:
		w->link_refused = false;
		break;
	case KNIT_REQ_MTU:
		w->accepted_mtu = w->posted_value[KNIT_REQ_MTU];
		break;
	case KNIT_REQ_MAC:
		memcpy(w->accepted_mac, w->posted_mac, 6);
		break;
	}
}

/* What is on its way will be told anyway. */
static void tell_all(struct knit_tap_watch *w)
{
	enum knit_req_kind kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		if (!w->track.pending[kind])
			w->dirty |= BIT(kind);
}

static void take_answers(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_req answer;
	uint32_t n, i;

	n = knit_ring_peek(&w->resp_q, KNIT_REQ_RING);
	for (i = 0; i < n; i++) {
		knit_req_load(&answer, knit_ring_entry(&w->resp_q, w->resp_q.cons + i));
		if (knit_req_wants_state(&answer)) {
			tell_all(w);
			continue;
		}
		if (knit_req_match(&w->track, &answer) != KNIT_MATCH_OK)
			continue;
		w->stats.answered++;
		if (answer.result == 0)
			accepted(t, &answer);
		else
			refused(t, &answer);
	}
	if (n)
		knit_ring_release(&w->resp_q, n);
	w->stats.late = w->track.late;
	w->stats.duplicate = w->track.duplicate;
	w->stats.unknown = w->track.unknown;
}

/* Interfaces of rte_kni_alloc have a handler even if nobody claimed that role: their creator. */
static bool has_handler(const struct rte_kni *kni)
{
	return kni->legacy || knit_owner_pid(&kni->handler) != 0;
}

/* Another handler is told what the one before it did not answer. */
static void check_handler(struct knit_tap_iface *t)
{
	uint64_t stamp = knit_owner_stamp(&t->kni->handler);
	struct knit_tap_watch *w = &t->watch;
	enum knit_req_kind kind;
	uint32_t pending = 0;

	if (stamp == w->handler_stamp)
		return;
	w->handler_stamp = stamp;
	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		pending |= w->track.pending[kind] ? BIT(kind) : 0;
		knit_req_cancel(&w->track, kind);
	}
	w->unsure |= pending;
	w->dirty |= pending | w->retry;
	w->retry = 0;
}

void knit_tap_req_tick(struct knit_tap_iface *t)
{
	t->watch.dirty |= t->watch.retry;
	t->watch.retry = 0;
}

void knit_tap_req_run(struct knit_tap_iface *t)
{
	take_answers(t);
	check_handler(t);
	if (!t->watch.gone && has_handler(t->kni))
		post(t);
}
