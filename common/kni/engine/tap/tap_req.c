// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

/*
 * Requests on an engine that learns of a change after the fact: all are asynchronous, and what the
 * handler refuses is taken back where it can be. reqstate.c decides what is requested when.
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

	w->shm = (struct knit_iface_state *)(shm + knit_shm_state_off());
	knit_ring_bind(&w->req_q, shm + knit_shm_req_off(), KNIT_REQ_RING, sizeof(struct knit_req));
	knit_ring_bind(&w->resp_q, shm + knit_shm_resp_off(), KNIT_REQ_RING,
		       sizeof(struct knit_req));
	knit_ring_claim_producer(&w->req_q);
	knit_ring_claim_consumer(&w->resp_q);
}

/* Makes next the interface state, and shows it to the handler. */
static void state_update(struct knit_tap_watch *w, const struct knit_iface_state *next)
{
	if (knit_reqstate_set(&w->reqstate, next))
		knit_reqstate_show(&w->reqstate, w->shm);
}

static void set_modes(const struct knit_tap_watch *w, struct knit_iface_state *next)
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

/*
 * Puts the last accepted value back if the kernel still has the refused one. The interface
 * state changes with it, so the kernel's notification of it brings nothing new.
 */
static void value_revert(struct knit_tap_iface *t, enum knit_req_kind kind)
{
	struct knit_tap_watch *w = &t->watch;
	union knit_req_value value, back;
	struct knit_nl_link link = { 0 };
	int ret = knit_tap_link(t, &link);

	value = kind == KNIT_REQ_MTU ? knit_req_value(link.mtu) : knit_req_mac(link.mac);
	if (!knit_reqstate_reverts(&w->reqstate, kind, &value, &back) || ret < 0)
		return;
	ret = kind == KNIT_REQ_MTU ? knit_tap_set_mtu(t, back.value)
				   : knit_tap_set_mac(t, back.mac);
	log_revert(t, kind, w->reqstate.result[kind], ret);
	if (ret < 0)
		return;
	w->stats.reverted++;
	knit_reqstate_reverted(&w->reqstate, kind);
	knit_reqstate_show(&w->reqstate, w->shm);
}

static void set_link(struct knit_tap_watch *w, const struct knit_nl_link *link,
		     struct knit_iface_state *next)
{
	w->link = *link;
	next->up = !!(link->flags & IFF_UP);
	next->mtu = link->mtu;
	memcpy(next->mac, link->mac, 6);
	set_modes(w, next);
}

void knit_tap_req_first(struct knit_tap_iface *t, const struct knit_nl_link *link)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_iface_state first = { 0 };

	set_link(w, link, &first);
	knit_reqstate_init(&w->reqstate, &first);
	knit_reqstate_show(&w->reqstate, w->shm);
}

void knit_tap_req_link(struct knit_tap_iface *t, const struct knit_nl_link *link)
{
	const union knit_req_value mtu = knit_req_value(link->mtu);
	struct knit_tap_watch *w = &t->watch;
	struct knit_iface_state next = w->reqstate.now;

	set_link(w, link, &next);
	if (mtu_ok(w, next.mtu)) {
		state_update(w, &next);
		return;
	}
	/* the kernel's own limits for a tap device can't be set: ours are kept here */
	next.mtu = w->reqstate.now.mtu;
	state_update(w, &next);
	w->stats.refused++;
	knit_reqstate_refuse(&w->reqstate, KNIT_REQ_MTU, &mtu, -ERANGE);
	value_revert(t, KNIT_REQ_MTU);
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

static uint16_t set_list(uint8_t (*to)[6], const uint8_t (*from)[6], uint32_t n)
{
	if (n > KNIT_RXLIST_MAX)
		n = 0; /* all of them are requested */
	memset(to, 0, sizeof(*to) * KNIT_RXLIST_MAX);
	memcpy(to, from, sizeof(*to) * n);
	qsort(to, n, sizeof(*to), by_address);
	return n;
}

static void log_over(const struct knit_tap_iface *t, const char *what, uint32_t n)
{
	log_warn("%s: %u %s addresses, more than the listed %d: requesting all", t->name, n, what,
		 KNIT_RXLIST_MAX);
}

void knit_tap_req_addrs(struct knit_tap_iface *t, const struct knit_nl_addrs *addrs)
{
	bool over_uc = addrs->n_uc > KNIT_RXLIST_MAX, over_mc = addrs->n_mc > KNIT_RXLIST_MAX;
	struct knit_tap_watch *w = &t->watch;
	struct knit_iface_state next = w->reqstate.now;

	if (over_uc && !w->over_uc)
		log_over(t, "unicast", addrs->n_uc);
	if (over_mc && !w->over_mc)
		log_over(t, "multicast", addrs->n_mc);
	w->over_uc = over_uc;
	w->over_mc = over_mc;
	next.n_uc = set_list(next.uc, addrs->uc, addrs->n_uc);
	next.n_mc = set_list(next.mc, addrs->mc, addrs->n_mc);
	set_modes(w, &next);
	state_update(w, &next);
}

/* Puts what changed into req_q. */
static void submit_requests(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	enum knit_req_kind kind;
	uint32_t n = 0;

	while ((kind = knit_reqstate_next(&w->reqstate)) != KNIT_REQ_NONE) {
		if (knit_ring_reserve(&w->req_q, 1) == 0)
			break; /* the handler sleeps; what it answers brings us back here */
		knit_reqstate_issue_async(&w->reqstate, kind,
					  knit_ring_entry(&w->req_q, w->req_q.prod));
		knit_ring_submit(&w->req_q, 1);
		w->stats.async++;
		n++;
	}
	if (n == 0)
		return;
	knit_doorbell_open(t->kni->handler_doorbell);
	if (knit_ring_data_wanted(&w->req_q))
		knit_doorbell_ring(t->kni->handler_doorbell);
}

/* What is repeated is no news, and what is put back is told then. */
static void log_refusal(const struct knit_tap_iface *t, enum knit_req_kind kind, int why)
{
	const struct knit_reqstate *s = &t->watch.reqstate;

	if (s->retry & KNIT_REQ_BIT(kind) || kind == KNIT_REQ_MTU || kind == KNIT_REQ_MAC)
		return;
	if (kind != KNIT_REQ_LINK)
		log_warn("%s: %s was refused (%s)", t->name, kind_names[kind], strerror(-why));
	else if (s->link_refused)
		log_warn("%s: up was refused (%s): it has no carrier", t->name, strerror(-why));
}

static void answer_take(struct knit_tap_iface *t, const struct knit_req *answer)
{
	struct knit_tap_watch *w = &t->watch;

	if (knit_req_wants_state(answer)) {
		knit_reqstate_state(&w->reqstate);
		return;
	}
	if (knit_reqstate_answer(&w->reqstate, answer) != KNIT_MATCH_OK)
		return;
	w->stats.answered++;
	if (answer->result == 0)
		return;
	w->stats.refused++;
	log_refusal(t, answer->kind, answer->result);
	if (w->reqstate.revert)
		value_revert(t, answer->kind);
}

static void answers_take(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	struct knit_req answer;
	uint32_t n, i;

	n = knit_ring_peek(&w->resp_q, KNIT_REQ_RING);
	for (i = 0; i < n; i++) {
		knit_req_load(&answer, knit_ring_entry(&w->resp_q, w->resp_q.cons + i));
		answer_take(t, &answer);
	}
	if (n)
		knit_ring_release(&w->resp_q, n);
	w->stats.late = w->reqstate.track.late;
	w->stats.duplicate = w->reqstate.track.duplicate;
	w->stats.unknown = w->reqstate.track.unknown;
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

	if (stamp == w->handler_stamp)
		return;
	w->handler_stamp = stamp;
	knit_reqstate_anew(&w->reqstate);
}

void knit_tap_req_tick(struct knit_tap_iface *t)
{
	knit_reqstate_tick(&t->watch.reqstate);
}

void knit_tap_req_run(struct knit_tap_iface *t)
{
	answers_take(t);
	check_handler(t);
	if (!t->watch.deleted && has_handler(t->kni))
		submit_requests(t);
}
