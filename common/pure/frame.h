/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_FRAME_H
#define KNIT_FRAME_H

#include "abi/knit_shm.h"

/*
 * The part of an engine that reads descriptors from user space. It takes the frames of rx_q one
 * after the other, checks them and gives their cookies back in free_q. It also checks the buffers
 * of alloc_q. Pure: the kernel module and the library compile this one source. Nothing here blocks
 * or allocates, and only knit_frames_end commits an index.
 *
 * Shared memory may change at any instant. Each descriptor is read exactly once, into a private
 * copy, and every check works with that copy.
 *
 * Each engine has its own way to turn an address into a pointer. It does so between two calls:
 *
 *	knit_chain_begin(frames, &c, &first);
 *	while (knit_chain_next(frames, &c, &d))
 *		if (!(pointer of d.addr, for d.len bytes))
 *			c.why = KNIT_REJECT_BAD_ADDR;
 *	if (!knit_chain_end(frames, &c))
 *		no more frames now;
 *
 * If c.why is NONE then, the engine checks the frame as a whole: knit_desc_check_frame,
 * knit_frame_check_features, and the needs of its own way into the kernel.
 */

#define KNIT_PEEK 256	    /* descriptors that one poll looks at, at most */
#define KNIT_MIN_BUFFER 256 /* smallest buffer taken from alloc_q */

KNIT_ASSERT(KNIT_PEEK > 2 * KNIT_DESC_MAX_SEGS, "a poll gets past a chain");
KNIT_ASSERT(KNIT_DESC_MAX_LEN < (1ull << 32) / KNIT_PEEK, "a length does not overflow");

/* One poll of rx_q's consumer, who is free_q's producer. The caller sets the first part. */
struct knit_frames {
	struct knit_ring *rx_q;
	struct knit_ring *free_q;
	bool short_ok; /* frames may be shorter than a header, even empty */

	__u32 n; /* descriptors there */
	/*
	 * Taken: their cookies are put into free_q. Right after a frame it may be set back to what
	 * it was before; then the next poll finds that frame again.
	 */
	__u32 at;
	__u32 room; /* in free_q */
};

/* One frame while it is taken. */
struct knit_chain {
	struct knit_desc *first; /* private copy of its first descriptor: its offload fields */
	__u32 end;		 /* first descriptor behind what was read of it */
	__u32 len;		 /* bytes, up to and with the last piece */
	bool more;		 /* its last descriptor was not read */
	enum knit_reject why;	 /* the first fault; also the engine's to set */
};

/* How many descriptors there are; 0: no call of end is needed. */
static inline __u32 knit_frames_begin(struct knit_frames *f)
{
	f->at = 0;
	f->n = knit_ring_peek(f->rx_q, KNIT_PEEK);
	if (f->n)
		f->room = knit_ring_reserve(f->free_q, f->n);
	return f->n;
}

static inline void knit_chain_begin(const struct knit_frames *f, struct knit_chain *c,
				    struct knit_desc *first)
{
	c->first = first;
	c->end = f->at;
	c->len = 0;
	c->more = true;
	c->why = KNIT_REJECT_NONE;
}

/*
 * The next piece of the frame that has bytes, into d. False: there is none. Of a frame that is bad
 * only the cookies still matter.
 */
static inline bool knit_chain_next(const struct knit_frames *f, struct knit_chain *c,
				   struct knit_desc *d)
{
	struct knit_desc local; /* one that stays in registers */
	bool is_first;

	while (c->more && c->end != f->n) {
		knit_desc_load(&local, knit_ring_entry(f->rx_q, f->rx_q->cons + c->end));
		*d = local;
		is_first = c->end == f->at;
		if (is_first)
			*c->first = local;
		/* not visible before knit_frames_end */
		if (c->end < f->room)
			*(struct knit_desc *)knit_ring_entry(f->free_q, f->free_q->prod + c->end) =
				(struct knit_desc){ .cookie = local.cookie };
		c->end++;
		c->more = local.flags & KNIT_DESC_MORE;
		if (c->why == KNIT_REJECT_NONE)
			c->why = knit_desc_check_seg(&local, is_first && !f->short_ok);
		if (c->why == KNIT_REJECT_NONE && local.len) {
			c->len += local.len;
			return true;
		}
	}
	return false;
}

/*
 * Takes the frame, good or bad. False: nothing is taken, since there is no descriptor, or the chain
 * may go on behind what this poll looks at. So each call takes at least one descriptor or ends the
 * poll.
 */
static inline bool knit_chain_end(struct knit_frames *f, struct knit_chain *c)
{
	__u32 segs = c->end - f->at;

	if (c->more) {
		if (segs == 0 || (f->n == KNIT_PEEK && segs <= KNIT_DESC_MAX_SEGS))
			return false;
		/* user space submits whole frames: the end of this one will never come */
		c->why = KNIT_REJECT_BAD_CHAIN;
	}
	if (segs > KNIT_DESC_MAX_SEGS)
		c->why = KNIT_REJECT_BAD_CHAIN;
	f->at = c->end;
	return true;
}

/*
 * How many cookies are lost because free_q had no room, which only an owner who spoils his own
 * indexes can cause.
 */
static inline __u32 knit_frames_lost(const struct knit_frames *f)
{
	return f->at > f->room ? f->at - f->room : 0;
}

/* Commits: rx_q is released, then free_q submitted. */
static inline void knit_frames_end(struct knit_frames *f)
{
	__u32 n = f->at - knit_frames_lost(f);

	if (f->at)
		knit_ring_release(f->rx_q, f->at);
	if (n)
		knit_ring_submit(f->free_q, n);
}

/*
 * What needs more than these KNIT_FEAT_*. d is the first descriptor of a frame of len bytes, and
 * passed knit_desc_check_frame.
 */
static inline enum knit_reject knit_frame_check_features(const struct knit_desc *d, __u32 len,
							 __u32 features)
{
	__u8 gso = d->gso_type & KNIT_GSO_TYPE;

	if (len > KNIT_FRAME_MAX && !(features & KNIT_FEAT_BIG_TCP))
		return KNIT_REJECT_BAD_LEN;
	if (d->flags & KNIT_DESC_CSUM_PARTIAL && !(features & KNIT_FEAT_CSUM))
		return KNIT_REJECT_BAD_FLAGS;
	if (gso && !(features & (gso == KNIT_GSO_UDP_L4 ? KNIT_FEAT_USO : KNIT_FEAT_TSO)))
		return KNIT_REJECT_BAD_GSO;
	return KNIT_REJECT_NONE;
}

/* A buffer of alloc_q; its address is the engine's to check. */
static inline enum knit_reject knit_buffer_check(const struct knit_desc *d)
{
	if (d->flags || d->reserved)
		return KNIT_REJECT_BAD_FLAGS;
	if (d->len < KNIT_MIN_BUFFER || d->len > KNIT_DESC_MAX_LEN)
		return KNIT_REJECT_BAD_LEN;
	return KNIT_REJECT_NONE;
}

#endif
