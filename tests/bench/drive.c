// SPDX-License-Identifier: BSD-3-Clause
#include "drive.h"

#include "pass_on.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>

#define PATIENCE 10.0 /* seconds until the first packet */

/*
 * A receiver that sleeps now and then must not wait for a turn when it wakes: the CPU that it left
 * may have gone to somebody who sends without end.
 */
static void urgent(const struct drive *d, bool on)
{
	struct sched_param param = { .sched_priority = on };

	if (d->rest_us &&
	    pthread_setschedparam(pthread_self(), on ? SCHED_FIFO : SCHED_OTHER, &param) != 0)
		fprintf(stderr, "bench-channel: no real-time priority\n");
}

static bool go_on(const struct drive *d, uint64_t start)
{
	return rte_rdtsc() - start < d->cycles && !__atomic_load_n(&d->stop, __ATOMIC_RELAXED);
}

/* Until finish, d->cycles is the time to run. */
static uint64_t begin(struct drive *d)
{
	d->packets = 0;
	d->bytes = 0;
	d->dropped = 0;
	d->cycles = d->seconds * rte_get_tsc_hz();
	return rte_rdtsc();
}

static void finish(struct drive *d, uint64_t start)
{
	d->cycles = rte_rdtsc() - start;
}

static void rest(const struct drive *d)
{
	struct timespec ts = { .tv_nsec = d->rest_us * 1000L };

	if (d->rest_us)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	else
		rte_pause();
}

/* Frames the channel has no room for are offered again, so what is counted is what it can take. */
int drive_send(void *arg)
{
	struct rte_mbuf *mbufs[CHANNEL_BURST];
	struct drive *d = arg;
	uint16_t have = 0;
	uint64_t start;
	uint16_t sent;
	uint16_t i;

	start = begin(d);
	while (go_on(d, start)) {
		if (have == 0 && rte_pktmbuf_alloc_bulk(d->pool, mbufs, CHANNEL_BURST) == 0) {
			for (i = 0; i < CHANNEL_BURST; i++)
				frame_fill(&d->frames, mbufs[i]);
			have = CHANNEL_BURST;
		}
		sent = d->ch[0].tx(&d->ch[0], &mbufs[CHANNEL_BURST - have], have);
		if (sent == 0)
			rest(d);
		have -= sent;
		d->packets += sent;
	}
	finish(d, start);
	d->bytes = d->packets * d->frames.size;
	rte_pktmbuf_free_bulk(&mbufs[CHANNEL_BURST - have], have);
	return 0;
}

static void receive(struct drive *d)
{
	struct rte_mbuf *mbufs[CHANNEL_BURST];
	uint16_t n;
	uint16_t i;

	n = d->ch[0].rx(&d->ch[0], mbufs, CHANNEL_BURST);
	for (i = 0; i < n; i++)
		d->bytes += mbufs[i]->pkt_len;
	rte_pktmbuf_free_bulk(mbufs, n);
	d->packets += n;
	if (n == 0)
		rest(d);
}

/* What queued up before it began is gone when it starts to count. */
int drive_recv(void *arg)
{
	struct drive *d = arg;
	double seconds = d->seconds;
	uint64_t start;

	urgent(d, true);
	d->seconds = PATIENCE;
	start = begin(d);
	while (go_on(d, start) && d->packets == 0)
		receive(d);
	d->seconds = seconds / 4;
	start = begin(d);
	while (go_on(d, start))
		receive(d);
	d->seconds = seconds;
	start = begin(d);
	while (go_on(d, start))
		receive(d);
	finish(d, start);
	urgent(d, false);
	return 0;
}

static uint16_t forward_burst(struct drive *d, struct channel *from, struct channel *to)
{
	struct rte_mbuf *mbufs[CHANNEL_BURST];
	uint16_t sent;
	uint16_t n;
	uint16_t i;

	n = from->rx(from, mbufs, CHANNEL_BURST);
	for (i = 0; i < n; i++) {
		d->bytes += mbufs[i]->pkt_len;
		pass_on(mbufs[i]);
	}
	/* also with nothing to send: knit gives mbufs back in this call */
	sent = to->tx(to, mbufs, n);
	rte_pktmbuf_free_bulk(&mbufs[sent], n - sent);
	d->packets += sent;
	d->dropped += n - sent;
	return n;
}

int drive_forward(void *arg)
{
	struct drive *d = arg;
	unsigned int i;
	uint64_t start;
	uint32_t n;

	urgent(d, true);
	start = begin(d);
	while (go_on(d, start)) {
		for (n = 0, i = 0; i < d->n_ch; i += 2) {
			n += forward_burst(d, &d->ch[i], &d->ch[i + 1]);
			n += forward_burst(d, &d->ch[i + 1], &d->ch[i]);
		}
		if (n == 0 && d->rest_us)
			rest(d);
	}
	finish(d, start);
	urgent(d, false);
	return 0;
}
