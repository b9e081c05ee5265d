// SPDX-License-Identifier: GPL-2.0
#include "kni_want.h"

#include <linux/errno.h>
#include <linux/string.h>

/* What the handler sees of struct knit_wanted besides the sequence numbers. */
#define SHOWN_FROM offsetof(struct knit_wanted, up)
#define SHOWN_BYTES (sizeof(struct knit_wanted) - SHOWN_FROM)

static union kni_value value_of(const struct knit_wanted *now, enum knit_req_kind kind)
{
	union kni_value v = { .mac = { 0 } };

	switch (kind) {
	case KNIT_REQ_LINK:
		v.value = now->up;
		break;
	case KNIT_REQ_MTU:
		v.value = now->mtu;
		break;
	case KNIT_REQ_MAC:
		memcpy(v.mac, now->mac, 6);
		break;
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

/* Only what can be asked for, or taken back. */
static void set_value(struct knit_wanted *now, enum knit_req_kind kind, const union kni_value *v)
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

static bool same(const union kni_value *a, const union kni_value *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool lists_differ(const struct knit_wanted *a, const struct knit_wanted *b)
{
	return a->n_uc != b->n_uc || a->n_mc != b->n_mc ||
	       memcmp(a->uc, b->uc, sizeof(a->uc[0]) * a->n_uc) != 0 ||
	       memcmp(a->mc, b->mc, sizeof(a->mc[0]) * a->n_mc) != 0;
}

void kni_want_init(struct kni_want *w, const struct knit_wanted *first)
{
	unsigned int kind;

	memset(w, 0, sizeof(*w));
	w->now = *first;
	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		w->accepted[kind] = value_of(first, kind);
}

static void changed_kinds(struct kni_want *w, __u32 changed, bool up)
{
	w->dirty |= changed;
	w->revert &= ~changed;
	if (!up)
		knit_store(&w->link_refused, false);
}

bool kni_want_set_one(struct kni_want *w, enum knit_req_kind kind, const union kni_value *value)
{
	union kni_value old = value_of(&w->now, kind);

	if (same(&old, value))
		return false;
	set_value(&w->now, kind, value);
	changed_kinds(w, KNI_KIND(kind), w->now.up);
	return true;
}

bool kni_want_set(struct kni_want *w, const struct knit_wanted *next)
{
	union kni_value old, new;
	unsigned int kind;
	__u32 changed = 0;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		old = value_of(&w->now, kind);
		new = value_of(next, kind);
		if (!same(&old, &new))
			changed |= KNI_KIND(kind);
	}
	if (lists_differ(&w->now, next))
		changed |= KNI_KIND(KNIT_REQ_RXLIST);
	if (changed == 0)
		return false;
	changed_kinds(w, changed, next->up);
	memcpy((char *)&w->now + SHOWN_FROM, (const char *)next + SHOWN_FROM, SHOWN_BYTES);
	return true;
}

void kni_want_show(struct kni_want *w, struct knit_wanted *shm)
{
	knit_wanted_write_begin(shm, &w->seq);
	memcpy((char *)shm + SHOWN_FROM, (const char *)&w->now + SHOWN_FROM, SHOWN_BYTES);
	knit_wanted_write_end(shm, &w->seq);
}

enum knit_req_kind kni_want_next(const struct kni_want *w)
{
	unsigned int kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		if (w->dirty & ~w->held & KNI_KIND(kind) && !w->track.pending[kind])
			return kind;
	return KNIT_REQ_NONE;
}

static void fill(struct kni_want *w, enum knit_req_kind kind, const union kni_value *v,
		 struct knit_req *req)
{
	memset(req, 0, sizeof(*req));
	req->seq = knit_req_issue(&w->track, kind);
	req->kind = kind;
	memcpy(req->mac, v, sizeof(*v));
	w->sent[kind] = *v;
}

void kni_want_post(struct kni_want *w, enum knit_req_kind kind, struct knit_req *req)
{
	union kni_value v = value_of(&w->now, kind);

	fill(w, kind, &v, req);
	w->dirty &= ~KNI_KIND(kind);
	w->retry &= ~KNI_KIND(kind);
}

void kni_want_ask(struct kni_want *w, enum knit_req_kind kind, const union kni_value *value,
		  struct knit_req *req)
{
	fill(w, kind, value, req);
	req->flags = KNIT_REQ_ASK;
	knit_store(&w->asking, w->asking | KNI_KIND(kind));
}

/* The port has what was sent. */
static void accepted(struct kni_want *w, enum knit_req_kind kind)
{
	w->accepted[kind] = w->sent[kind];
	w->unsure &= ~KNI_KIND(kind);
	w->retry &= ~KNI_KIND(kind);
	if (kind == KNIT_REQ_LINK)
		knit_store(&w->link_refused, false);
}

static void answered_ask(struct kni_want *w, enum knit_req_kind kind, int result)
{
	const __u32 bit = KNI_KIND(kind);

	w->result[kind] = result;
	knit_store(&w->asking, w->asking & ~bit);
	if (result == 0) {
		accepted(w, kind);
		set_value(&w->now, kind, &w->sent[kind]);
		w->dirty &= ~bit;
		w->revert &= ~bit;
	} else if (result == -ETIMEDOUT) { /* it may still be carried out */
		w->dirty |= bit;
		w->unsure |= bit;
	}
}

static void refused_post(struct kni_want *w, enum knit_req_kind kind)
{
	const union kni_value now = value_of(&w->now, kind);
	const union kni_value *sent = &w->sent[kind];

	if (!same(&now, sent)) /* a newer value is dirty already */
		return;
	if (kind == KNIT_REQ_LINK) {
		knit_store(&w->link_refused, now.value != 0);
	} else if (!same(sent, &w->accepted[kind])) {
		w->refused[kind] = *sent;
		w->revert |= KNI_KIND(kind) & (KNI_KIND(KNIT_REQ_MTU) | KNI_KIND(KNIT_REQ_MAC));
	}
}

static void answered_post(struct kni_want *w, enum knit_req_kind kind, int result)
{
	switch (result) {
	case 0:
		accepted(w, kind);
		break;
	case -EAGAIN:
	case -EBUSY:
	case -ETIMEDOUT:
		w->retry |= KNI_KIND(kind);
		w->unsure |= KNI_KIND(kind);
		break;
	default:
		refused_post(w, kind);
		break;
	}
}

enum knit_req_match kni_want_answer(struct kni_want *w, const struct knit_req *answer)
{
	enum knit_req_match match;

	if (answer->result > 0 || answer->result < -KNI_MAX_RESULT) {
		w->track.unknown++;
		return KNIT_MATCH_UNKNOWN;
	}
	match = knit_req_match(&w->track, answer);
	if (match != KNIT_MATCH_OK)
		return match;
	if (w->asking & KNI_KIND(answer->kind))
		answered_ask(w, answer->kind, answer->result);
	else
		answered_post(w, answer->kind, answer->result);
	return match;
}

__u32 kni_want_cancel(struct kni_want *w, enum knit_req_kind kind)
{
	__u32 seq = w->track.pending[kind];

	if (!(w->asking & KNI_KIND(kind)))
		return 0;
	knit_req_cancel(&w->track, kind);
	knit_store(&w->asking, w->asking & ~KNI_KIND(kind));
	w->dirty |= KNI_KIND(kind);
	w->unsure |= KNI_KIND(kind);
	return seq;
}

__u32 kni_want_anew(struct kni_want *w)
{
	unsigned int kind;
	__u32 asked = 0;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++) {
		if (w->asking & KNI_KIND(kind)) {
			w->result[kind] = -ENOTCONN;
			asked = kni_want_cancel(w, kind);
		} else if (w->track.pending[kind]) {
			w->dirty |= KNI_KIND(kind);
			w->unsure |= KNI_KIND(kind);
			knit_req_cancel(&w->track, kind);
		}
	}
	kni_want_tick(w);
	return asked;
}

void kni_want_state(struct kni_want *w)
{
	unsigned int kind;

	for (kind = 1; kind < KNIT_REQ_COUNT; kind++)
		if (!w->track.pending[kind])
			w->dirty |= KNI_KIND(kind);
}

void kni_want_tick(struct kni_want *w)
{
	w->dirty |= w->retry;
	w->retry = 0;
}

bool kni_want_reverts(struct kni_want *w, enum knit_req_kind kind, const union kni_value *value,
		      union kni_value *back)
{
	const __u32 bit = w->revert & KNI_KIND(kind);

	w->revert &= ~bit;
	*back = w->accepted[kind];
	return bit && same(value, &w->refused[kind]);
}

void kni_want_reverted(struct kni_want *w, enum knit_req_kind kind)
{
	const __u32 bit = KNI_KIND(kind);

	set_value(&w->now, kind, &w->accepted[kind]);
	w->retry &= ~bit;
	if (w->track.pending[kind] || w->unsure & bit)
		w->dirty |= bit;
}
