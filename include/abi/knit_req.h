/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_REQ_H
#define KNIT_REQ_H

#include "knit_types.h"

/*
 * Requests: what the kernel wants of the port behind an interface.
 *
 * The engine puts struct knit_req into req_q; whoever is the interface's handler carries it out
 * and puts the same struct, with result filled in, into resp_q. Every request is answered.
 * Somebody waits for the answer to a *synchronous* request. Nobody waits for the answer to an
 * *asynchronous* one; it only tells the engine whether the kernel's value must be taken back.
 *
 * The handler peeks a request, acts, submits the answer and only then releases the request. If it
 * dies in between, its successor sees the request again, so handlers must be idempotent. A new
 * handler is told what its predecessor did not answer and what changed while nobody was attached,
 * so no change is lost. Who must know every attribute asks for it: KNIT_REQ_STATE.
 *
 * columns: identifier, name, bytes of payload used, description
 */
#define KNIT_REQ_TABLE(X)                                                   \
	X(LINK, link, 4, "interface up (1) or down (0)")                    \
	X(MTU, mtu, 4, "MTU in bytes")                                      \
	X(MAC, mac, 6, "unicast address")                                   \
	X(PROMISC, promisc, 4, "promiscuous mode on (1) or off (0)")        \
	X(ALLMULTI, allmulti, 4, "receive all multicast on (1) or off (0)") \
	X(RXLIST, rxlist, 0,                                                \
	  "unicast and multicast filters changed: read them in struct knit_iface_state")

enum knit_req_kind {
	KNIT_REQ_NONE,
#define X(id, name, bytes, text) KNIT_REQ_##id,
	KNIT_REQ_TABLE(X)
#undef X
	KNIT_REQ_COUNT,
};

#define KNIT_REQ_SYNC 0x0001 /* flags: a synchronous request */
/*
 * flags of what a handler puts into resp_q unasked, everything else zero: send an asynchronous
 * request for every attribute.
 */
#define KNIT_REQ_STATE 0x0002

struct knit_req {
	__u32 seq;    /* engine; never 0. The answer repeats it */
	__u16 kind;   /* enum knit_req_kind */
	__u16 flags;  /* KNIT_REQ_SYNC or 0. Its answer repeats it; or KNIT_REQ_STATE */
	__s32 result; /* handler: 0 or -errno. Zero in a request */
	union {
		__u32 value; /* LINK, MTU, PROMISC, ALLMULTI */
		__u8 mac[8]; /* MAC: the first 6 */
	};
	__u32 reserved[11]; /* must be zero */
};

KNIT_ASSERT_SIZE(struct knit_req, 64);
KNIT_ASSERT_OFFSET(struct knit_req, seq, 0);
KNIT_ASSERT_OFFSET(struct knit_req, kind, 4);
KNIT_ASSERT_OFFSET(struct knit_req, flags, 6);
KNIT_ASSERT_OFFSET(struct knit_req, result, 8);
KNIT_ASSERT_OFFSET(struct knit_req, value, 12);
KNIT_ASSERT_OFFSET(struct knit_req, mac, 12);
KNIT_ASSERT_OFFSET(struct knit_req, reserved, 20);

/* How a request or an answer is read that the other side wrote, as knit_desc_load. */
static inline void knit_req_load(struct knit_req *dst, const struct knit_req *src)
{
	knit_load_words(dst, src);
	knit_load_words((char *)dst + 32, (const char *)src + 32);
}

/* Engine: is it no answer, but the handler's wish to be told everything? */
static inline bool knit_req_wants_state(const struct knit_req *answer)
{
	return answer->flags == KNIT_REQ_STATE && answer->seq == 0 && answer->kind == KNIT_REQ_NONE;
}

/*
 * Entries of req_q and of resp_q; more than the kinds there are, so neither can be full for long.
 */
#define KNIT_REQ_RING 64

/*
 * Matching answers to requests, the engine's side. At most one request of a kind is on its way; a
 * newer value waits for the answer to the older one, so a burst of changes costs one round trip
 * more, not a queue of stale values. Private to the engine; the caller serialises, but for a look
 * at pending, which is stored as a whole.
 */
struct knit_req_track {
	__u32 next_seq;
	__u32 pending[KNIT_REQ_COUNT];	 /* sequence number on its way, 0: none */
	__u32 cancelled[KNIT_REQ_COUNT]; /* last one that nobody waits for any more */
	__u32 answered[KNIT_REQ_COUNT];	 /* last one that was answered */
	__u32 late;			 /* answers to cancelled requests */
	__u32 duplicate;		 /* second answers */
	__u32 unknown;			 /* answers to no request */
};

enum knit_req_match {
	KNIT_MATCH_OK,
	KNIT_MATCH_LATE,
	KNIT_MATCH_DUPLICATE,
	KNIT_MATCH_UNKNOWN,
};

/* Returns the sequence number for a new request of that kind. None may be pending. */
static inline __u32 knit_req_issue(struct knit_req_track *t, enum knit_req_kind kind)
{
	if (++t->next_seq == 0)
		t->next_seq = 1;
	knit_store(&t->pending[kind], t->next_seq);
	return t->next_seq;
}

/* Nobody waits for the pending request of that kind any more: its answer will be late. */
static inline void knit_req_cancel(struct knit_req_track *t, enum knit_req_kind kind)
{
	if (t->pending[kind])
		t->cancelled[kind] = t->pending[kind];
	knit_store(&t->pending[kind], 0);
}

/* What is this answer an answer to? Only after KNIT_MATCH_OK may its result be used. */
static inline enum knit_req_match knit_req_match(struct knit_req_track *t,
						 const struct knit_req *answer)
{
	__u16 kind = answer->kind;

	if (answer->seq == 0 || kind == KNIT_REQ_NONE || kind >= KNIT_REQ_COUNT) {
		t->unknown++;
		return KNIT_MATCH_UNKNOWN;
	}
	if (answer->seq == t->pending[kind]) {
		t->answered[kind] = answer->seq;
		knit_store(&t->pending[kind], 0);
		return KNIT_MATCH_OK;
	}
	if (answer->seq == t->answered[kind]) {
		t->duplicate++;
		return KNIT_MATCH_DUPLICATE;
	}
	if (answer->seq == t->cancelled[kind]) {
		t->late++;
		return KNIT_MATCH_LATE;
	}
	t->unknown++;
	return KNIT_MATCH_UNKNOWN;
}

/*
 * More addresses than this are not listed: the engine asks for allmulti or promiscuous mode
 * instead.
 */
#define KNIT_RXLIST_MAX 512

/*
 * Interface state: all that the kernel wants at this moment. Written by the engine alone, under a
 * sequence lock: seq is odd while it writes. Readers use knit_iface_state_read.
 */
struct knit_iface_state {
	__u32 seq;
	__u32 cancelled_seq; /* last request whose caller gave up: its handler restores; no lock */
	__u32 up;
	__u32 mtu;
	__u8 mac[8];
	__u32 promisc;
	__u32 allmulti;
	__u16 n_uc; /* unicast addresses besides mac */
	__u16 n_mc;
	__u32 reserved[7]; /* must be zero */
	__u8 uc[KNIT_RXLIST_MAX][6];
	__u8 mc[KNIT_RXLIST_MAX][6];
};

KNIT_ASSERT_SIZE(struct knit_iface_state, 64 + 2 * 6 * KNIT_RXLIST_MAX);
KNIT_ASSERT_OFFSET(struct knit_iface_state, up, 8);
KNIT_ASSERT_OFFSET(struct knit_iface_state, mac, 16);
KNIT_ASSERT_OFFSET(struct knit_iface_state, promisc, 24);
KNIT_ASSERT_OFFSET(struct knit_iface_state, n_uc, 32);
KNIT_ASSERT_OFFSET(struct knit_iface_state, uc, 64);

/*
 * Engine: brackets every change. seq is the writer's own, private and zero at first: what stands in
 * shared memory is never read back, else whoever spoils it once would leave it odd for ever.
 * Barriers: readers see odd before, and even after, the new content.
 */
static inline void knit_iface_state_write_begin(struct knit_iface_state *w, __u32 *seq)
{
	*seq |= 1;
	knit_store(&w->seq, *seq);
	knit_wmb();
}

static inline void knit_iface_state_write_end(struct knit_iface_state *w, __u32 *seq)
{
	*seq += 1;
	knit_wmb();
	knit_store(&w->seq, *seq);
}

/*
 * Copies a consistent snapshot to out; false after a bounded number of tries if the writer never
 * stood still (or died in the middle). Counts in the copy are capped to the array.
 */
static inline bool knit_iface_state_read(const struct knit_iface_state *w,
					 struct knit_iface_state *out)
{
	__u32 before;
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		before = knit_load_acquire(&w->seq);
		if (before & 1)
			continue;
		__builtin_memcpy(out, w, sizeof(*out));
		knit_rmb();
		if (knit_load(&w->seq) != before)
			continue;
		if (out->n_uc > KNIT_RXLIST_MAX)
			out->n_uc = KNIT_RXLIST_MAX;
		if (out->n_mc > KNIT_RXLIST_MAX)
			out->n_mc = KNIT_RXLIST_MAX;
		return true;
	}
	return false;
}

#endif
