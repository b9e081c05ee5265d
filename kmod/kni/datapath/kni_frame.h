/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KNI_FRAME_H
#define KNI_FRAME_H

#include "kni_region.h"
#include "pure/frame.h"

/*
 * Between rings and frames: what the kernel's memory and the kernel's stack add to pure/frame.h.
 * Pure: also compiled in user space, for its tests. Nothing here blocks or allocates, and only
 * kni_txbuf_commit commits an index.
 *
 * What stands in shared memory may change at any instant. Each descriptor is read exactly once,
 * into a private copy, and everything below works with that copy. What a pointer points to still
 * belongs to user space: copy it first, then look at it.
 *
 * Bounds. One poll looks at KNIT_PEEK descriptors at most, whatever the indexes say. A piece of len
 * bytes touches at most len / 4096 + 2 pages, and a frame has KNIT_BIG_FRAME_MAX bytes and
 * KNIT_DESC_MAX_SEGS pieces at most: so KNI_RUNS runs hold every frame.
 */
#define KNI_RUNS (KNIT_BIG_FRAME_MAX / 4096 + 2 * KNIT_DESC_MAX_SEGS + 1)

/* Bytes that are contiguous in the kernel. */
struct kni_run {
	void *ptr;
	__u32 len;
};

/* A frame of rx_q. Scratch: valid until the next call. */
struct kni_frame {
	struct knit_desc desc; /* private copy of its first descriptor */
	__u32 len;
	__u32 n_runs;
	enum knit_reject why;
	struct kni_run run[KNI_RUNS]; /* len bytes in all; none of them is empty */
};

/* One poll of rx_q. The caller sets all of it. */
struct kni_iter {
	struct knit_frames rx;
	const struct kni_region_table *mem;
	__u32 *hint;	/* see kni_region_ptr */
	__u32 features; /* KNIT_FEAT_* of the interface */
};

/*
 * Takes the next frame, good or bad: f->why. False: there is nothing more to be taken now. At most
 * KNIT_PEEK calls make a poll. The frame's cookies are on their way back, but not before
 * knit_frames_end.
 */
bool kni_frame_next(struct kni_iter *w, struct kni_frame *f);
/*
 * Are a frame's headers what its descriptor says of its segmentation? The kernel finds them by
 * itself when it cuts, so the two must agree. hdr: a private copy of the first len bytes of
 * frame_len.
 */
bool kni_frame_gso_fits(const struct knit_desc *d, const __u8 *hdr, __u32 len, __u32 frame_len);

/*
 * The place for frames to tx_q, in buffers of alloc_q. Every buffer taken becomes exactly one
 * descriptor of tx_q, so one count serves both rings. Scratch of their consumer and producer.
 */
struct kni_txbuf {
	struct knit_ring *alloc_q;
	struct knit_ring *tx_q;
	const struct kni_region_table *mem;
	__u32 hint;
	__u32 max_segs;	  /* of a frame */
	__u32 buffer_len; /* of the last buffer; what the next ones are thought to have */

	__u32 used;			  /* taken and not committed */
	__u32 rejects[KNIT_REJECT_COUNT]; /* buffers refused; the caller counts and clears them */
	__u32 rejected;			  /* all of them */

	/* After FIT: the frame's place. The caller sets the offload fields of desc[0]. */
	__u32 n;    /* descriptors; their lengths and MORE are set */
	__u32 need; /* after SHORT: entries that must be on offer (and free in tx_q) in all */
	__u32 n_runs;
	struct knit_desc desc[KNIT_DESC_MAX_SEGS];
	struct kni_run run[KNI_RUNS]; /* as many bytes as the frame has, none is empty */
};

enum kni_fit {
	KNI_FIT,
	KNI_SHORT,    /* not now */
	KNI_TOO_LONG, /* not with max_segs of the buffers on offer */
};

/*
 * Finds buffers for a frame of len bytes; takes none of them but bad ones, which go back empty,
 * together with the good ones before them. Looks at KNIT_PEEK buffers at most.
 */
enum kni_fit kni_txbuf_find(struct kni_txbuf *r, __u32 len);
/* Takes what was found: writes its descriptors into tx_q. */
void kni_txbuf_take(struct kni_txbuf *r);
/* Submits to tx_q and releases alloc_q what was taken. True if there was anything. */
bool kni_txbuf_commit(struct kni_txbuf *r);
/* How many buffers there are to be taken, n at most, with room in tx_q. */
__u32 kni_txbuf_ready(struct kni_txbuf *r, __u32 n);

#endif
