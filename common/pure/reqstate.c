// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
#include "reqstate.h"

#include <linux/errno.h>
#include <linux/string.h>

/* What the handler sees of struct knit_iface_state besides the sequence numbers. */
#define SHOWN_FROM offsetof(struct knit_iface_state, up)
#define SHOWN_BYTES (sizeof(struct knit_iface_state) - SHOWN_FROM)

static union knit_req_value value_of(const struct knit_iface_state *now, enum knit_req_kind kind)
{
	union knit_req_value v = { .mac = { 0 } };

	switch (kind) {
	case KNIT_REQ_LINK:
		v.value = now->up;
		break;
	case KNIT_REQ_MTU:
		v.value = now->mtu;
		break;
	case KNIT_REQ_MAC:
		return knit_req_mac(now->mac);
	case KNIT_REQ_PROMISC:
		v.value = now->promisc;
		break;
	case KNIT_REQ_ALLMULTI:
		v.value = now->allmulti;
		break;
	default: /* RXLIST: the handler reads the lists */
		break;
	}
	return v;
}

/* Only what a synchronous request can carry, or can be taken back. */
static void set_value(struct knit_iface_state *now, enum knit_req_kind kind,
		      const union knit_req_value *v)
{
	switch (kind) {
	case KNIT_REQ_LINK:
		now->up = v->value;
		break;
	case KNIT_REQ_MTU:
		now->mtu = v->value;
		break;
	case KNIT_REQ_MAC:
		memcpy(now->mac, v->mac, 6);
		break;
	default:
		break;
	}
}

static bool values_equal(const union knit_req_value *a, const union knit_req_value *b)
{
	return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0; /* all bytes of it */
}

static bool lists_differ(const struct knit_iface_state *a, const struct knit_iface_state *b)
{
	return a->n_uc != b->n_uc || a->n_mc != b->n_mc ||
	       memcmp(a->uc, b->uc, sizeof(a->uc[0]) * a->n_uc) != 0 ||
	       memcmp(a->mc, b->mc, sizeof(a->mc[0]) * a->n_mc) != 0;
}

void knit_reqstate_init(struct knit_reqstate *s, const struct knit_iface_state *first)
{
	unsigned int kind;

	memset(s, 0, sizeof(*s));
	s->now = *first;
	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		s->accepted[kind] = value_of(first, kind);
}

static void kinds_changed(struct knit_reqstate *s, __u32 changed, bool up)
{
	s->dirty |= changed;
	s->revert &= ~changed;
	if (!up)
		knit_store(&s->link_refused, false);
}

bool knit_reqstate_set_one(struct knit_reqstate *s, enum knit_req_kind kind,
			   const union knit_req_value *value)
{
	union knit_req_value old = value_of(&s->now, kind);

	if (values_equal(&old, value))
		return false;
	set_value(&s->now, kind, value);
	kinds_changed(s, KNIT_REQ_BIT(kind), s->now.up);
	return true;
}

bool knit_reqstate_set(struct knit_reqstate *s, const struct knit_iface_state *next)
{
	union knit_req_value old, new;
	unsigned int kind;
	__u32 changed = 0;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		old = value_of(&s->now, kind);
		new = value_of(next, kind);
		if (!values_equal(&old, &new))
			changed |= KNIT_REQ_BIT(kind);
	}
	if (lists_differ(&s->now, next))
		changed |= KNIT_REQ_BIT(KNIT_REQ_RXLIST);
	if (changed == 0)
		return false;
	kinds_changed(s, changed, next->up);
	memcpy((char *)&s->now + SHOWN_FROM, (const char *)next + SHOWN_FROM, SHOWN_BYTES);
	return true;
}

void knit_reqstate_show(struct knit_reqstate *s, struct knit_iface_state *shm)
{
	knit_iface_state_write_begin(shm, &s->seq);
	memcpy((char *)shm + SHOWN_FROM, (const char *)&s->now + SHOWN_FROM, SHOWN_BYTES);
	knit_iface_state_write_end(shm, &s->seq);
}

enum knit_req_kind knit_reqstate_next(const struct knit_reqstate *s)
{
	unsigned int kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		if (s->dirty & ~s->held & KNIT_REQ_BIT(kind) && !s->track.pending[kind])
			return kind;
	return KNIT_REQ_NONE;
}

static void req_fill(struct knit_reqstate *s, enum knit_req_kind kind,
		     const union knit_req_value *v, struct knit_req *req)
{
	memset(req, 0, sizeof(*req));
	req->seq = knit_req_issue(&s->track, kind);
	req->kind = kind;
	memcpy(req->mac, v, sizeof(*v));
	s->sent[kind] = *v;
}

void knit_reqstate_issue_async(struct knit_reqstate *s, enum knit_req_kind kind,
			       struct knit_req *req)
{
	union knit_req_value v = value_of(&s->now, kind);

	req_fill(s, kind, &v, req);
	s->dirty &= ~KNIT_REQ_BIT(kind);
	s->retry &= ~KNIT_REQ_BIT(kind);
}

void knit_reqstate_issue_sync(struct knit_reqstate *s, enum knit_req_kind kind,
			      const union knit_req_value *value, struct knit_req *req)
{
	req_fill(s, kind, value, req);
	req->flags = KNIT_REQ_SYNC;
	knit_store(&s->sync, s->sync | KNIT_REQ_BIT(kind));
}

/* The port has what was sent. */
static void value_accepted(struct knit_reqstate *s, enum knit_req_kind kind)
{
	s->accepted[kind] = s->sent[kind];
	s->unsure &= ~KNIT_REQ_BIT(kind);
	s->retry &= ~KNIT_REQ_BIT(kind);
	if (kind == KNIT_REQ_LINK)
		knit_store(&s->link_refused, false);
}

static void answer_sync(struct knit_reqstate *s, enum knit_req_kind kind, int result)
{
	const __u32 bit = KNIT_REQ_BIT(kind);

	knit_store(&s->sync, s->sync & ~bit);
	if (result == 0) {
		value_accepted(s, kind);
		set_value(&s->now, kind, &s->sent[kind]);
		s->dirty &= ~bit;
		s->revert &= ~bit;
	} else if (result == -ETIMEDOUT) { /* it may still be carried out */
		s->dirty |= bit;
		s->unsure |= bit;
	}
}

/* An older value that was accepted is put back. */
static void value_refused(struct knit_reqstate *s, enum knit_req_kind kind,
			  const union knit_req_value *value)
{
	if (values_equal(value, &s->accepted[kind]))
		return;
	s->refused[kind] = *value;
	s->revert |= KNIT_REQ_BIT(kind) & (KNIT_REQ_BIT(KNIT_REQ_MTU) | KNIT_REQ_BIT(KNIT_REQ_MAC));
}

static void value_refused_async(struct knit_reqstate *s, enum knit_req_kind kind)
{
	const union knit_req_value now = value_of(&s->now, kind);
	const union knit_req_value *sent = &s->sent[kind];

	if (!values_equal(&now, sent)) /* a newer value is dirty already */
		return;
	if (kind == KNIT_REQ_LINK)
		knit_store(&s->link_refused, now.value != 0);
	else
		value_refused(s, kind, sent);
}

static void answer_async(struct knit_reqstate *s, enum knit_req_kind kind, int result)
{
	switch (result) {
	case 0:
		value_accepted(s, kind);
		break;
	case -EAGAIN:
	case -EBUSY:
	case -ETIMEDOUT:
		s->retry |= KNIT_REQ_BIT(kind);
		s->unsure |= KNIT_REQ_BIT(kind);
		break;
	default:
		value_refused_async(s, kind);
		break;
	}
}

enum knit_req_match knit_reqstate_answer(struct knit_reqstate *s, const struct knit_req *answer)
{
	enum knit_req_match match;

	if (s->strict && (answer->result > 0 || answer->result < -KNIT_REQ_MAX_RESULT)) {
		s->track.unknown++;
		return KNIT_MATCH_UNKNOWN;
	}
	match = knit_req_match(&s->track, answer);
	if (match != KNIT_MATCH_OK)
		return match;
	s->result[answer->kind] = answer->result;
	if (s->sync & KNIT_REQ_BIT(answer->kind))
		answer_sync(s, answer->kind, answer->result);
	else
		answer_async(s, answer->kind, answer->result);
	return match;
}

void knit_reqstate_refuse(struct knit_reqstate *s, enum knit_req_kind kind,
			  const union knit_req_value *value, int result)
{
	s->result[kind] = result;
	value_refused(s, kind, value);
}

__u32 knit_reqstate_cancel(struct knit_reqstate *s, enum knit_req_kind kind)
{
	__u32 seq = s->track.pending[kind];

	if (!(s->sync & KNIT_REQ_BIT(kind)))
		return 0;
	knit_req_cancel(&s->track, kind);
	knit_store(&s->sync, s->sync & ~KNIT_REQ_BIT(kind));
	s->dirty |= KNIT_REQ_BIT(kind);
	s->unsure |= KNIT_REQ_BIT(kind);
	return seq;
}

__u32 knit_reqstate_anew(struct knit_reqstate *s)
{
	unsigned int kind;
	__u32 cancelled = 0;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		if (s->sync & KNIT_REQ_BIT(kind)) {
			s->result[kind] = -ENOTCONN;
			cancelled = knit_reqstate_cancel(s, kind);
		} else if (s->track.pending[kind]) {
			s->dirty |= KNIT_REQ_BIT(kind);
			s->unsure |= KNIT_REQ_BIT(kind);
			knit_req_cancel(&s->track, kind);
		}
	}
	knit_reqstate_tick(s);
	return cancelled;
}

void knit_reqstate_state(struct knit_reqstate *s)
{
	unsigned int kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		if (!s->track.pending[kind])
			s->dirty |= KNIT_REQ_BIT(kind);
}

void knit_reqstate_tick(struct knit_reqstate *s)
{
	s->dirty |= s->retry;
	s->retry = 0;
}

bool knit_reqstate_reverts(struct knit_reqstate *s, enum knit_req_kind kind,
			   const union knit_req_value *value, union knit_req_value *back)
{
	const __u32 bit = s->revert & KNIT_REQ_BIT(kind);

	s->revert &= ~bit;
	*back = s->accepted[kind];
	return bit && values_equal(value, &s->refused[kind]);
}

void knit_reqstate_reverted(struct knit_reqstate *s, enum knit_req_kind kind)
{
	const __u32 bit = KNIT_REQ_BIT(kind);

	set_value(&s->now, kind, &s->accepted[kind]);
	s->retry &= ~bit;
	if (s->track.pending[kind] || s->unsure & bit)
		s->dirty |= bit;
}
