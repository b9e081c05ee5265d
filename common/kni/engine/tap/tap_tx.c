// SPDX-License-Identifier: BSD-3-Clause
#include "tap.h"

#include <rte_branch_prediction.h>

#include <errno.h>
#include <sys/uio.h>

/*
 * kernel -> tx_q. Each frame is read straight into buffers of alloc_q, as many as it is thought to
 * need, with a bounce buffer behind them; what ends up there is copied into further buffers. Frames
 * that are thought to need one buffer are read many at once. A buffer taken from alloc_q becomes
 * exactly one descriptor of tx_q, so one count serves both rings, even where a frame that was read
 * among others takes its further buffers from behind theirs.
 */

/* Buffers offered to a frame thought to be big: 64 KiB in 2 KiB pieces and a bit */
#define OFFER 40
/* Buffers between two commits */
#define STEP 16
/*
 * A frame of more buffers than this is a big one; after BIG_RUN small ones in a row none is
 * expected.
 */
#define BIG 4
#define BIG_RUN 16

/* One poll. */
struct tx_poll {
	const struct knit_region_table *mem;
	uint32_t used; /* buffers of alloc_q, and descriptors of tx_q, that are not yet committed */
	uint32_t done; /* and that are */
};

/* Buffers on offer, and the frame that was read into them. */
struct offer {
	uint8_t *data[OFFER];
	uint32_t len[OFFER];
	uint32_t n;
	uint32_t bytes; /* of all */
};

static void tx_commit(struct knit_tap_pair *p, struct tx_poll *v)
{
	if (v->used == 0)
		return;
	knit_ring_submit(&p->tx_q, v->used);
	knit_ring_release(&p->alloc_q, v->used);
	v->done += v->used;
	v->used = 0;
	/* (F) for both flags at once */
	if (unlikely(knit_ring_data_wanted(&p->tx_q) || knit_load(&p->alloc_q.shm->need_space)))
		knit_doorbell_ring(p->user_doorbell);
}

/* Buffers with frames, or parts of one, that are not yet in tx_q. */
static uint32_t buffers_filled(const struct knit_tap_pair *p)
{
	return p->held.segs + p->n_got - p->next_got;
}

/* How many of n further buffers there are, with room for their return. */
static uint32_t buffers_count(struct knit_tap_pair *p, const struct tx_poll *v, uint32_t n)
{
	uint32_t taken = v->used + buffers_filled(p);
	uint32_t have = knit_ring_peek(&p->alloc_q, taken + n);
	uint32_t room = knit_ring_reserve(&p->tx_q, taken + n);

	have = have < room ? have : room;
	return have > taken ? have - taken : 0;
}

static void tx_put(struct knit_tap_pair *p, struct tx_poll *v, const struct knit_desc *d)
{
	*(struct knit_desc *)knit_ring_entry(&p->tx_q, p->tx_q.prod + v->used) = *d;
	v->used++;
}

/*
 * A private copy of the i-th buffer not yet used, blank but for its place and its cookie, and its
 * pointer. NULL if it is a bad one; if it is the next in line its cookie goes back at once, with a
 * length that no frame has.
 */
static uint8_t *buffer_take(struct knit_tap_pair *p, struct tx_poll *v, uint32_t i,
			    struct knit_desc *d)
{
	uint32_t at = p->alloc_q.cons + v->used + buffers_filled(p) + i;
	enum knit_reject why;
	uint8_t *data = NULL;

	knit_desc_load(d, knit_ring_entry(&p->alloc_q, at));
	why = knit_buffer_check(d);
	if (likely(why == KNIT_REJECT_NONE)) {
		data = knit_region_ptr(v->mem, &p->region, d->addr, d->len);
		why = KNIT_REJECT_BAD_ADDR;
	}
	*d = (struct knit_desc){ .addr = d->addr, .len = d->len, .cookie = d->cookie };
	if (unlikely(data == NULL && i == 0)) {
		p->stats->rejects[why]++;
		tx_put(p, v, &(struct knit_desc){ .cookie = d->cookie });
	}
	return data;
}

/* Buffers that the next frame is thought to need. */
static uint32_t frame_predict_buffers(const struct knit_tap_pair *p)
{
	uint32_t n = p->big_run ? OFFER : p->last_segs;

	return n < p->iface->max_segs ? n : p->iface->max_segs;
}

static void pair_starve(struct knit_tap_pair *p, uint32_t need)
{
	if (p->starved == 0)
		p->stats->tx_starved++;
	p->starved = need;
}

/* Collects up to n buffers into held.d and o; stops before a bad one. */
static void make_offer(struct knit_tap_pair *p, struct tx_poll *v, uint32_t n, struct offer *o)
{
	struct knit_desc *d;

	o->n = 0;
	o->bytes = 0;
	n = buffers_count(p, v, n);
	while (o->n < n) {
		d = &p->held.d[o->n];
		o->data[o->n] = buffer_take(p, v, o->n, d);
		if (unlikely(o->data[o->n] == NULL)) {
			if (o->n)
				return;
			n--;
			continue;
		}
		o->len[o->n] = d->len;
		o->bytes += d->len;
		o->n++;
	}
}

static ssize_t read_frame(struct knit_tap_pair *p, const struct offer *o, struct virtio_net_hdr *vh)
{
	struct iovec iov[OFFER + 2];
	uint32_t i;

	iov[0] = (struct iovec){ vh, sizeof(*vh) };
	for (i = 0; i < o->n; i++)
		iov[i + 1] = (struct iovec){ o->data[i], o->len[i] };
	iov[o->n + 1] = (struct iovec){ p->bounce, KNIT_TAP_BOUNCE };
	return readv(p->fd, iov, o->n + 2);
}

/*
 * Fills d, of the buffer at data where the frame begins, from the header; false if frame or header
 * make no sense.
 */
static bool desc_set_offloads(struct knit_tap_pair *p, const struct virtio_net_hdr *vh,
			      struct knit_desc *d, uint8_t *data, uint32_t len)
{
	uint32_t have = len < d->len ? len : d->len, cut = 0;
	uint32_t features = p->iface->features;

	if (len < KNIT_ETH_HLEN || len > KNIT_FRAME_MAX || !knit_vnet_to_desc(vh, d, data, have))
		return false;
	if (d->flags & KNIT_DESC_CSUM_PARTIAL && !(features & KNIT_FEAT_CSUM))
		return false;
	if (features & KNIT_FEAT_VLAN)
		cut = knit_vnet_strip_vlan(d, data, have);
	d->addr += cut;
	d->len = have - cut;
	return knit_desc_check_frame(d, len - cut) == KNIT_REJECT_NONE;
}

/* Gives up the frame that is held. Of one that was read alone the buffers are still on offer. */
static void frame_give_up(struct knit_tap_pair *p, struct tx_poll *v)
{
	struct knit_tap_held *h = &p->held;
	uint32_t i, n = h->segs;

	h->segs = 0;
	h->spill = 0;
	for (i = 0; !h->alone && i < n; i++)
		tx_put(p, v, &(struct knit_desc){ .cookie = h->d[i].cookie });
}

/* Copies what spilled into further buffers, as far as there are. True: all of it has a place. */
static bool place_spill(struct knit_tap_pair *p, struct tx_poll *v)
{
	struct knit_tap_held *h = &p->held;
	struct knit_desc *d;
	uint8_t *data;
	uint32_t n;

	while (h->spill) {
		if (unlikely(h->segs >= p->iface->max_segs)) {
			frame_give_up(p, v);
			p->stats->drops[KNIT_ENGINE_DROP_TX_TOO_LONG]++;
			return true;
		}
		if (buffers_count(p, v, 1) == 0)
			return false;
		d = &h->d[h->segs];
		data = buffer_take(p, v, 0, d);
		if (unlikely(data == NULL))
			continue;
		n = h->spill < d->len ? h->spill : d->len;
		memcpy(data, h->bounce + h->copied, n);
		d->len = n;
		h->segs++;
		h->copied += n;
		h->spill -= n;
	}
	return true;
}

static void submit_frame(struct knit_tap_pair *p, struct tx_poll *v)
{
	struct knit_tap_held *h = &p->held;
	uint32_t i;

	for (i = 0; i < h->segs; i++) {
		if (i + 1 < h->segs)
			h->d[i].flags |= KNIT_DESC_MORE;
		p->stats->tx_bytes += h->d[i].len;
		tx_put(p, v, &h->d[i]);
	}
	p->stats->tx_packets += h->segs != 0;
	h->segs = 0;
}

/* Lengths of the buffers that were read into directly; the rest is in the bounce buffer. */
static void set_lengths(struct knit_tap_pair *p, const struct offer *o, uint32_t len)
{
	struct knit_tap_held *h = &p->held;
	uint32_t left = len < o->len[0] ? 0 : len - o->len[0];

	for (h->segs = 1; h->segs < o->n && left; h->segs++) {
		h->d[h->segs].len = left < o->len[h->segs] ? left : o->len[h->segs];
		left -= h->d[h->segs].len;
	}
	h->spill = left;
	h->copied = 0;
}

/* With the frame in place: sends it on, or keeps it until alloc_q has enough. */
static bool complete_frame(struct knit_tap_pair *p, struct tx_poll *v)
{
	struct knit_tap_held *h = &p->held;

	if (unlikely(h->spill) && !place_spill(p, v)) {
		pair_starve(p, 1);
		return false;
	}
	if (h->segs > BIG)
		p->big_run = BIG_RUN;
	else if (p->big_run)
		p->big_run--;
	p->last_segs = h->segs ? h->segs : 1;
	submit_frame(p, v);
	return true;
}

/* Completes the frames that were read together. False: buffers are wanted for the rest. */
static bool complete_got(struct knit_tap_pair *p, struct tx_poll *v)
{
	const struct knit_tap_got *g;

	while (p->next_got != p->n_got) {
		g = &p->got[p->next_got++];
		p->held.d[0] = g->d;
		p->held.segs = 1;
		p->held.spill = g->spill;
		p->held.copied = 0;
		p->held.bounce = p->bounce + (size_t)g->slot * KNIT_TAP_BOUNCE;
		p->held.alone = false;
		if (!complete_frame(p, v))
			return false;
		if (v->used >= STEP)
			tx_commit(p, v);
	}
	return true;
}

static void note_error(struct knit_tap_pair *p, int err)
{
	if (err == EBADFD)
		p->dead = true;
	p->readable = err == EINTR || err == ECANCELED;
}

/*
 * A frame of len bytes was read into the buffer of d, at data, and bounce buffer slot behind it.
 * False: it is dropped, and the buffer is free for the next one.
 */
static bool got_add(struct knit_tap_pair *p, const struct virtio_net_hdr *vh,
		    const struct knit_desc *d, uint8_t *data, uint32_t slot, uint32_t len)
{
	struct knit_tap_got *g = &p->got[p->n_got];
	uint32_t room = d->len;

	g->d = *d;
	g->slot = slot;
	g->spill = len > room ? len - room : 0;
	if (unlikely(g->spill >= KNIT_TAP_BOUNCE || !desc_set_offloads(p, vh, &g->d, data, len))) {
		p->stats->drops[KNIT_ENGINE_DROP_TX_BAD_FRAME]++;
		return false;
	}
	if (unlikely(g->spill && p->iface->max_segs == 1)) {
		p->stats->drops[KNIT_ENGINE_DROP_TX_TOO_LONG]++;
		return false;
	}
	p->n_got++;
	return true;
}

/*
 * What was read into the buffers of o. Buffers are used in their order: if a read before this one
 * brought no frame, this one's moves to the buffer of that.
 */
static void got_all(struct knit_tap_pair *p, struct knit_tap_io *io, const struct offer *o,
		    const struct virtio_net_hdr *vh, uint32_t n)
{
	const uint32_t header = sizeof(*vh);
	uint32_t i, len, have, to = 0;

	for (i = 0; i < n; i++) {
		if (io->op[i].result < 0)
			continue;
		len = (uint32_t)io->op[i].result < header ? 0 : io->op[i].result - header;
		have = len < o->len[i] ? len : o->len[i];
		if (unlikely(to != i)) {
			if (o->len[to] != o->len[i]) {
				p->stats->drops[KNIT_ENGINE_DROP_TX_BAD_FRAME]++;
				continue;
			}
			memcpy(o->data[to], o->data[i], have);
		}
		to += got_add(p, &vh[i], &p->held.d[to], o->data[to], i, len);
	}
}

/*
 * Reads up to n frames at once, each into one buffer. False: nothing more to do now. The next time
 * it asks for as many as there were, and one that tells that there is no more.
 */
static bool read_many(struct knit_tap_pair *p, struct tx_poll *v, struct knit_tap_io *io,
		      uint32_t n)
{
	struct virtio_net_hdr vh[KNIT_TAP_READS];
	struct iovec iov[KNIT_TAP_READS][3];
	struct offer o;
	uint32_t i;

	make_offer(p, v, n, &o);
	if (unlikely(o.n == 0)) {
		pair_starve(p, 1);
		return false;
	}
	for (i = 0; i < o.n; i++) {
		iov[i][0] = (struct iovec){ &vh[i], sizeof(vh[i]) };
		iov[i][1] = (struct iovec){ o.data[i], o.len[i] };
		iov[i][2] =
			(struct iovec){ p->bounce + (size_t)i * KNIT_TAP_BOUNCE, KNIT_TAP_BOUNCE };
		knit_tap_io_add(io, p->fd, false, iov[i], 3);
	}
	knit_tap_io_run(io, &p->stats->calls);
	p->next_got = 0;
	p->n_got = 0;
	got_all(p, io, &o, vh, o.n);
	p->expected = io->op[o.n - 1].result < 0 ? p->n_got + 1 : 2 * o.n;
	if (io->op[o.n - 1].result < 0)
		note_error(p, -io->op[o.n - 1].result);
	if (unlikely(!complete_got(p, v))) {
		p->readable = true; /* for the thread: the rest waits here, not in the kernel */
		return false;
	}
	return p->readable && !p->dead;
}

/* Reads one frame. False: nothing more to do now. */
static bool one_frame(struct knit_tap_pair *p, struct tx_poll *v)
{
	struct virtio_net_hdr vh;
	struct offer o;
	ssize_t n;
	uint32_t len;

	make_offer(p, v, frame_predict_buffers(p), &o);
	if (unlikely(o.n == 0)) {
		pair_starve(p, 1);
		return false;
	}
	p->stats->calls++;
	n = read_frame(p, &o, &vh);
	if (n < 0) {
		note_error(p, errno);
		return false;
	}
	len = n < (ssize_t)sizeof(vh) ? 0 : n - sizeof(vh);
	if (unlikely(len >= o.bytes + KNIT_TAP_BOUNCE ||
		     !desc_set_offloads(p, &vh, &p->held.d[0], o.data[0], len))) {
		p->stats->drops[KNIT_ENGINE_DROP_TX_BAD_FRAME]++;
		return true;
	}
	if (unlikely(len > o.len[0] && p->iface->max_segs == 1)) {
		p->stats->drops[KNIT_ENGINE_DROP_TX_TOO_LONG]++;
		return true;
	}
	p->held.bounce = p->bounce;
	p->held.alone = true;
	set_lengths(p, &o, len);
	return complete_frame(p, v);
}

/* Reads the next frames, at most n. False: nothing more to do now. */
static bool next_frames(struct knit_tap_pair *p, struct tx_poll *v, struct knit_tap_io *io,
			uint32_t n, uint32_t *done)
{
	uint32_t many = knit_tap_io_reads(io);

	if (many == 1 || frame_predict_buffers(p) > 1) {
		*done += 1;
		return one_frame(p, v);
	}
	many = p->expected < many ? p->expected : many;
	many = many < 2 ? 2 : many;
	many = many < n ? many : n;
	*done += many;
	return read_many(p, v, io, many);
}

/* Nobody to give them to: the kernel's frames are read and dropped. */
static bool drop_all(struct knit_tap_pair *p)
{
	struct virtio_net_hdr vh;
	struct iovec iov = { &vh, sizeof(vh) };
	uint32_t i;

	for (i = 0; i < KNIT_TAP_BATCH; i++) {
		p->stats->calls++;
		if (readv(p->fd, &iov, 1) < 0) {
			note_error(p, errno);
			return i != 0;
		}
		p->stats->drops[KNIT_ENGINE_DROP_TX_NO_WORKER]++;
	}
	return true;
}

/* Buffers of frames that are given up go back empty: later ones may be in tx_q before them. */
void knit_tap_tx_forget(struct knit_tap_pair *p)
{
	struct tx_poll v = { 0 };

	p->stats->drops[KNIT_ENGINE_DROP_TX_NO_WORKER] +=
		(p->held.segs != 0) + p->n_got - p->next_got;
	frame_give_up(p, &v);
	while (p->next_got != p->n_got)
		tx_put(p, &v, &(struct knit_desc){ .cookie = p->got[p->next_got++].d.cookie });
	if (v.used) {
		knit_ring_submit(&p->tx_q, v.used);
		knit_ring_release(&p->alloc_q, v.used);
	}
	p->starved = 0;
	p->last_segs = 1;
	p->big_run = 0;
	p->expected = 0;
}

bool knit_tap_tx_arm(struct knit_tap_pair *p)
{
	struct tx_poll v = { 0 };

	knit_store(&p->alloc_q.shm->need_data, 1);
	knit_store(&p->tx_q.shm->need_space, 1);
	knit_mb(); /* (E) for both */
	return buffers_count(p, &v, p->starved) < p->starved;
}

void knit_tap_tx_disarm(struct knit_tap_pair *p)
{
	knit_ring_disarm_data(&p->alloc_q);
	knit_ring_disarm_space(&p->tx_q);
}

/* TX path entry point: what the kernel sends, to the worker of the pair. */
bool knit_tap_tx(struct knit_tap_pair *p, struct knit_tap_io *io,
		 const struct knit_region_table *mem)
{
	uint32_t bad = p->alloc_q.bad_index + p->tx_q.bad_index, done = 0;
	struct tx_poll v = { .mem = mem };
	bool go_on = true;

	if (!p->bound)
		return drop_all(p);
	if (unlikely(p->starved)) {
		if (buffers_count(p, &v, p->starved) < p->starved)
			return false;
		p->starved = 0;
	}
	if (unlikely(p->held.segs))
		go_on = complete_frame(p, &v);
	go_on = go_on && complete_got(p, &v) && p->readable;
	while (go_on && done < KNIT_TAP_BATCH && v.done < KNIT_TAP_TAKE) {
		go_on = next_frames(p, &v, io, KNIT_TAP_BATCH - done, &done);
		if (v.used >= STEP)
			tx_commit(p, &v);
	}
	tx_commit(p, &v);
	p->stats->rejects[KNIT_REJECT_BAD_INDEX] += p->alloc_q.bad_index + p->tx_q.bad_index - bad;
	return true;
}
