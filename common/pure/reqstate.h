/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_REQSTATE_H
#define KNIT_REQSTATE_H

#include "abi/knit_req.h"

/*
 * Request state: what the kernel wants of the port behind an interface, and what of it the handler
 * still has to be told. Pure: the kernel module and the library compile this one source. The caller
 * serialises, but sync, link_refused and track.pending are stored as a whole and may be read at
 * any time.
 *
 * What the two engines do differently. The module makes synchronous requests, and returns the
 * result from a system call; so it is strict about results. It puts a value back later, when it has
 * RTNL. The tap engine learns of a change after the fact; so all its requests are asynchronous, and
 * it puts a value back at once. Its limits are its own, since the kernel's for a tap device cannot
 * be set: it also refuses values itself.
 *
 * Nobody waits for the answer to an asynchronous request. These are level-triggered: a kind is
 * dirty while the port may have something else than what is wanted. At most one request of a kind
 * is on its way. If the caller of a synchronous request gives up it is cancelled: its kind becomes
 * dirty, so the port gets the kernel's value again whatever the handler did.
 *
 *   set     the value changes          -> dirty
 *   async   a request is put on req_q  -> pending, not dirty
 *   sync    likewise, for a value that is wanted only once the answer is a success
 *   answer  success                    -> done
 *           -EAGAIN, -EBUSY, -ETIMEDOUT to an asynchronous request -> dirty again with the next
 *           tick, and unsure: what timed out may still be carried out
 *           refused: up                -> link_refused, until down or a success
 *                    MTU, MAC          -> to be put back in the net_device, if an older value
 *                                         was accepted; then unsure ones are dirty again
 *                    others            -> not requested again until something changes
 *   cancel  nobody waits any more      -> dirty
 *   anew    another handler            -> what was on its way is cancelled, and dirty
 *   state   the handler wants to know  -> everything that is not on its way is dirty
 */
union knit_req_value {
	__u32 value; /* as in struct knit_req */
	__u8 mac[8];
};

/* All bytes of it are compared, and shown to user space. */
static inline union knit_req_value knit_req_value(__u32 value)
{
	union knit_req_value v = { .mac = { 0 } };

	v.value = value;
	return v;
}

static inline union knit_req_value knit_req_mac(const __u8 *mac)
{
	union knit_req_value v = { .mac = { 0 } };

	__builtin_memcpy(v.mac, mac, 6);
	return v;
}

struct knit_reqstate {
	struct knit_req_track track;
	__u32 seq;    /* knit_iface_state_write_begin's */
	__u32 dirty;  /* bit per kind */
	__u32 retry;  /* likewise: with the next tick */
	__u32 unsure; /* likewise: the port may have something else than was accepted last */
	__u32 held;   /* likewise: a synchronous request comes next, no asynchronous one */
	__u32 sync;   /* likewise: the pending one is synchronous */
	__u32 revert; /* likewise: the net_device is to get the accepted value back */
	bool link_refused;
	bool strict; /* the caller's: a result that is none (> 0, < -511) makes an answer unknown */
	__s32 result[KNIT_REQ_COUNT]; /* of the last answer; if synchronous: when sync is clear */
	union knit_req_value sent[KNIT_REQ_COUNT];     /* what the last request carried */
	union knit_req_value accepted[KNIT_REQ_COUNT]; /* last value that no handler refused */
	union knit_req_value refused[KNIT_REQ_COUNT];  /* what revert is about */
	struct knit_iface_state now;		       /* own copy; what the shared block shows */
};

#define KNIT_REQ_BIT(kind) (1u << ((kind)&31))
/* From 512 on the numbers are the kernel's own, and mean something to its system calls. */
#define KNIT_REQ_MAX_RESULT 511

/* first: what the net_device has; counts as accepted, and nothing is dirty. */
void knit_reqstate_init(struct knit_reqstate *s, const struct knit_iface_state *first);
/* Takes next over (all but seq, cancelled_seq and reserved); marks what differs. True: any. */
bool knit_reqstate_set(struct knit_reqstate *s, const struct knit_iface_state *next);
/* The same for one kind, of LINK, MTU and MAC. */
bool knit_reqstate_set_one(struct knit_reqstate *s, enum knit_req_kind kind,
			   const union knit_req_value *value);
/* Shows now to user space. */
void knit_reqstate_show(struct knit_reqstate *s, struct knit_iface_state *shm);
/* The kind of the next asynchronous request, KNIT_REQ_NONE: none. */
enum knit_req_kind knit_reqstate_next(const struct knit_reqstate *s);
/*
 * Fills a request with the wanted value (asynchronous), or with this value (synchronous). None of
 * that kind may be pending.
 */
void knit_reqstate_issue_async(struct knit_reqstate *s, enum knit_req_kind kind,
			       struct knit_req *req);
void knit_reqstate_issue_sync(struct knit_reqstate *s, enum knit_req_kind kind,
			      const union knit_req_value *value, struct knit_req *req);
/* An answer, a private copy. Returns what it matched; only after OK did anything change. */
enum knit_req_match knit_reqstate_answer(struct knit_reqstate *s, const struct knit_req *answer);
/* The engine itself refuses the value that the net_device has; result as in an answer. */
void knit_reqstate_refuse(struct knit_reqstate *s, enum knit_req_kind kind,
			  const union knit_req_value *value, int result);
/* Nobody waits for the synchronous request any more. Its sequence number, 0: none was pending. */
__u32 knit_reqstate_cancel(struct knit_reqstate *s, enum knit_req_kind kind);
/* A synchronous request ends with -ENOTCONN. Returns its sequence number, 0: none was pending. */
__u32 knit_reqstate_anew(struct knit_reqstate *s);
void knit_reqstate_state(struct knit_reqstate *s); /* the handler wants to know everything */
void knit_reqstate_tick(struct knit_reqstate *s);  /* what is to be tried again is dirty now */

/*
 * Is value, which the net_device has, the one that was refused? Then the accepted one, in *back, is
 * to take its place. To be called once per refusal.
 */
bool knit_reqstate_reverts(struct knit_reqstate *s, enum knit_req_kind kind,
			   const union knit_req_value *value, union knit_req_value *back);
/* The net_device has the accepted value again; show it. The port may have left it meanwhile. */
void knit_reqstate_reverted(struct knit_reqstate *s, enum knit_req_kind kind);

#endif
