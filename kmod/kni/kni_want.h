/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_WANT_H
#define KNI_WANT_H

#include "abi/knit_req.h"

/*
 * What the kernel wants of the port, and what of it the handler still has to be told. Pure: also
 * compiled in user space, for its tests. The caller serialises (kni_iface.req_lock).
 *
 * Posts are level-triggered: a kind is dirty while the port may have something else than what is
 * wanted. At most one request of a kind is on its way. An ask whose caller gave up is cancelled:
 * its kind becomes dirty, so the port gets the kernel's value again whatever the handler did.
 *
 *   set     the value changes          -> dirty
 *   issue   a request is put on req_q  -> pending, not dirty
 *   answer  matched: success           -> done; refused: caller decides (see kni_req.c)
 *           -EAGAIN, -EBUSY, -ETIMEDOUT to a post: dirty again with the next tick
 *   cancel  nobody waits any more      -> dirty
 *   anew    another handler            -> everything is cancelled, everything is dirty
 */
struct kni_want {
	struct knit_req_track track;
	__u32 seq;		      /* knit_wanted_write_begin's */
	__u32 dirty;		      /* bit per kind */
	__u32 retry;		      /* likewise: with the next tick */
	__u32 asking;		      /* likewise: the pending one is an ask */
	__s32 result[KNIT_REQ_COUNT]; /* of the last answered ask; valid when asking is clear */
	struct knit_wanted now;	      /* own copy; what the shared block shows */
};

#define KNI_KINDS ((1u << KNIT_REQ_COUNT) - 2) /* all of them */

void kni_want_init(struct kni_want *w);
/* Takes next over (all but seq, cancelled_seq and reserved); marks what differs. True: any. */
bool kni_want_set(struct kni_want *w, const struct knit_wanted *next);
/* Shows now to user space. */
void kni_want_show(struct kni_want *w, struct knit_wanted *shm);
/* The next kind that is to be posted, KNIT_REQ_NONE: none. */
enum knit_req_kind kni_want_next(const struct kni_want *w);
/* Fills a request with the wanted value (post), or with the value asked for (ask). */
void kni_want_post(struct kni_want *w, enum knit_req_kind kind, struct knit_req *req);
void kni_want_ask(struct kni_want *w, enum knit_req_kind kind, const void *value,
		  struct knit_req *req);
/* An answer, a private copy. Returns what it matched; only after OK did anything change. */
enum knit_req_match kni_want_answer(struct kni_want *w, const struct knit_req *answer);
/* Nobody waits for the pending ask any more. Returns its sequence number, 0: none was pending. */
__u32 kni_want_cancel(struct kni_want *w, enum knit_req_kind kind);
void kni_want_anew(struct kni_want *w);
void kni_want_tick(struct kni_want *w); /* what is to be tried again is dirty now */

#endif
