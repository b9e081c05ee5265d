/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_H
#define KNIT_WORKER_H

#include "kni/offload/offload.h"
#include "system/rundir/rundir.h"
#include "system/session/secondary.h"
#include "system/topology/topo.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The worker process: one thread, one domain. It takes bursts from inputs, decides where each
 * packet goes and hands them to outputs:
 *
 *   input                   seam              output
 *   port_rx.c, iface_rx.c   forward.c         port_tx.c, iface_tx.c
 *   handoff_rx.c                             handoff_tx.c
 *
 * The last line is for ports with fewer transmit queues than workers (handoff.h): what leaves one
 * worker there is an input of another, with a port for its output.
 *
 * loop.c drives that; between two rounds, where the worker holds no mbuf, it passes a quiescent
 * state, parks (park.c), sleeps (idle.c) or ends. All that a packet meets makes no system call but
 * a doorbell and the driver's own, takes no lock, allocates nothing but mbufs and logs nothing.
 *
 * Everything here belongs to the process's main thread.
 */

#define KNIT_BURST_MAX 256
#define KNIT_MAX_OUTPUTS (1 + KNIT_MAX_PORTS + KNIT_MAX_CONF_IFACES)
#define KNIT_MAX_INPUTS (KNIT_MAX_PORTS * KNIT_MAX_WORKERS + KNIT_MAX_CONF_IFACES)
#define KNIT_MAX_PORT_TAPS 64 /* fds of one net_tap port in this process */

/*
 * Packets on their way from an input to an output, and what all of them together ask of it:
 * computed once per burst, so that an output looks at single packets only if one of them is
 * unusual.
 */
struct knit_burst {
	struct rte_mbuf **m;
	uint32_t n;
	uint32_t max_len; /* pkt_len of the longest */
	uint32_t segs;	  /* all nb_segs or-ed: 1 if there is no chain */
	uint64_t flags;	  /* all ol_flags or-ed */
	uint64_t bytes;
};

enum knit_end {
	KNIT_END_NONE, /* outputs: where the lost go */
	KNIT_END_PORT,
	KNIT_END_IFACE,
	KNIT_END_HANDOFF,
};

/* What leads out. Number 0 drops as NO_IFACE. */
struct knit_output {
	enum knit_end end;
	uint16_t port_id;		      /* PORT */
	uint16_t queue;			      /* PORT: transmit queue; IFACE: pair */
	uint32_t n;			      /* in buf, while a mixed burst is sorted */
	const struct knit_topo_port *port;    /* PORT, HANDOFF */
	struct knit_worker_port_stats *stats; /* PORT */
	struct rte_kni *kni;		      /* IFACE */
	struct knit_handoff *handoff;	      /* HANDOFF */
	const uint32_t *owner_state;	      /* HANDOFF: enum knit_process_state */
	struct knit_offload_port offload;     /* what the way out can do */
	struct rte_mbuf *buf[KNIT_BURST_MAX];
};

/* What packets come from. Outputs are numbers. */
struct knit_input {
	enum knit_end end;
	uint16_t port_id; /* PORT */
	uint16_t queue;	  /* PORT: receive queue; IFACE: pair */
	uint16_t kernel;  /* for frames that the kernel shall have; all, if it equals peer */
	uint16_t peer;	  /* for the others */
	const struct knit_topo_port *port;    /* PORT */
	struct knit_worker_port_stats *stats; /* PORT */
	struct rte_kni *kni;		      /* IFACE */
	struct knit_handoff *handoff;	      /* HANDOFF */
};

/* A net_tap port and its fds in this process, see net_tap.c. */
struct knit_worker_tap {
	const struct knit_topo_port *port;
	uint16_t queue;
	uint32_t starts; /* of the port, when its fds were last looked at */
	uint32_t ahead;	 /* later restarts whose new fds are there already */
	bool again;	 /* foreign: look once more, the new fds may have been on their way */
	uint32_t misses; /* wake-ups in a row that brought no packet */
	unsigned int n;
	int fds[KNIT_MAX_PORT_TAPS];
};

struct knit_worker_idle {
	uint64_t spin_cycles; /* empty rounds for that long before the first sleep */
	uint64_t last_busy;   /* TSC */
	uint32_t timeout_us;
	bool sleeping; /* sleeps after every empty round, until a busy one */
	bool slept;    /* since the last look at park */
	bool armed;    /* interfaces ring when the kernel sends */
	bool pollable; /* every input has a doorbell or an fd */
	unsigned int n_fds;
	struct pollfd
		fds[1 + KNIT_MAX_PORTS]; /* the doorbell, then a queue of each tap that has one */
	struct knit_worker_tap *tap[1 + KNIT_MAX_PORTS];
};

struct knit_worker {
	uint32_t id;
	struct knit_topo_worker *entry;
	struct knit_topo *topo;
	struct rte_rcu_qsbr *qsbr;
	struct knit_worker_stats *stats;
	uint32_t burst;
	uint32_t n_inputs;
	uint32_t n_outputs;
	struct knit_input inputs[KNIT_MAX_INPUTS];
	struct rte_mbuf *rx[KNIT_BURST_MAX];
	uint16_t verdict[KNIT_BURST_MAX];
	/* frames that had to be worked on, on their way out */
	struct rte_mbuf *work[KNIT_BURST_MAX + KNIT_OFFLOAD_MAX_SEGS];
	struct knit_output outputs[KNIT_MAX_OUTPUTS];
	struct knit_worker_idle idle;
	struct knit_secondary secondary;
	uint32_t n_claimed; /* outputs whose pairs are ours */
	bool registered;    /* with qsbr */
	unsigned int n_taps;
	unsigned int n_foreign;
	struct knit_worker_tap taps[KNIT_MAX_PORTS];	/* of inputs */
	struct knit_worker_tap foreign[KNIT_MAX_PORTS]; /* others; thread of net_tap_reaper.c: rw */
};

/*
 * "knit-worker ID: ..." on stderr; returns code, for `return knit_worker_fail(w, KNIT_EXIT_...,
 * ...)`
 */
int knit_worker_fail(const struct knit_worker *w, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* options.c: the command line into w->secondary. -1: go on, else end with that code. */
int knit_worker_options(struct knit_worker *w, int argc, char **argv);

/*
 * attach.c: takes the ends of the domain between knit_secondary_attach and knit_secondary_ready,
 * and gives them back at a burst boundary; unclaim after a failed claim too. enum knit_exit,
 * message printed.
 */
int knit_worker_claim(struct knit_worker *w);
void knit_worker_unclaim(struct knit_worker *w);

/* plan.c: the rules of the topology as inputs and outputs. enum knit_exit, message printed. */
int knit_worker_plan(struct knit_worker *w);

/* loop.c: moves packets until something ends it. enum knit_exit, message printed. */
int knit_worker_run(struct knit_worker *w);

/*
 * net_tap.c: this process's fds of net_tap queues. Each start of such a port gives the process new
 * ones; the old ones must go, see quirks/net_tap_fds.h. Ports that are no inputs are
 * net_tap_reaper.c's. Init: enum knit_exit, message printed.
 */
int knit_net_tap_init(struct knit_worker *w);
bool knit_net_tap_stale(const struct knit_worker *w); /* an input was started anew */
/*
 * Waits until the driver uses the new fds and closes the old. Offline. KNIT_EXIT_OK, or end with
 * that code.
 */
int knit_net_tap_refresh(struct knit_worker *w);
/* The fd on which packets for the worker's queue arrive, -1: can't tell. */
int knit_net_tap_queue_fd(const struct knit_worker_tap *tap);
/* Ports that are no inputs; the thread of net_tap_reaper.c. */
void knit_net_tap_reap(struct knit_worker *w);

/* net_tap_reaper.c. enum knit_exit, message printed */
int knit_net_tap_reaper_start(struct knit_worker *w);
void knit_net_tap_reaper_end(void);

/*
 * park.c: between rounds, online. Returns online and in force. KNIT_EXIT_OK, or end with that
 * code.
 */
int knit_park_check(struct knit_worker *w);

/* idle.c: between rounds, online. */
void knit_idle_init(struct knit_worker *w);
void knit_idle_rebuild(struct knit_worker *w); /* fds changed */
/*
 * After an empty round at TSC now: sleeps if it is time to. Park must be looked at before anything
 * else.
 */
void knit_idle_step(struct knit_worker *w, uint64_t now);
/* After that. */
void knit_idle_awake(struct knit_worker *w);

/* port_rx.c, iface_rx.c, handoff_rx.c: up to w->burst packets to w->rx. Returns b->n. */
uint32_t knit_port_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
uint32_t knit_iface_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
uint32_t knit_handoff_rx(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);

/*
 * port_tx.c, iface_tx.c, handoff_tx.c: takes all of b; what it can't send it frees and counts.
 * Returns how many it sent.
 */
uint32_t knit_port_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
uint32_t knit_iface_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
uint32_t knit_handoff_tx(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);

/*
 * fallback.c: does in software what m asks for and out can't; the frames go to w->work[at...],
 * where there must be room for KNIT_OFFLOAD_MAX_SEGS. Takes m; returns how many frames it became,
 * 0: dropped and counted.
 */
uint32_t knit_worker_fallback(struct knit_worker *w, const struct knit_output *out,
			      struct rte_mbuf *m, uint32_t at);
/* Counts, by rte_errno's reason, a frame that knit_offload_fallback has just dropped. */
void knit_worker_fallback_failed(struct knit_worker *w);

/* Counters have one writer; readers in other processes get whole values. */
static inline void knit_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* Frees the packets of m and counts them under that reason. */
static inline void knit_drop(struct knit_worker *w, enum knit_worker_drop why, struct rte_mbuf **m,
			     uint32_t n)
{
	if (n == 0)
		return;
	rte_pktmbuf_free_bulk(m, n);
	knit_count(&w->stats->drops[why], n);
}

/* Fills in what b->m[0..n-1] ask for together. prefetch: their headers will be read next. */
static __rte_always_inline void knit_burst_sum(struct knit_burst *b, bool prefetch)
{
	uint64_t len, max_len = 0, flags = 0, bytes = 0;
	uint32_t i, segs = 0;
	const struct rte_mbuf *m;

	for (i = 0; i < b->n; i++) {
		m = b->m[i];
		if (prefetch)
			rte_prefetch0(rte_pktmbuf_mtod(m, void *));
		len = m->pkt_len;
		bytes += len;
		max_len = len > max_len ? len : max_len;
		flags |= m->ol_flags;
		segs |= m->nb_segs;
	}
	b->max_len = max_len;
	b->segs = segs;
	b->flags = flags;
	b->bytes = bytes;
}

#endif
