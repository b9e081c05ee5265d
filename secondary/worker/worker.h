/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_H
#define KNIT_WORKER_H

#include "kni/offload/offload.h"
#include "system/process/notify.h"
#include "system/rundir/rundir.h"
#include "system/session/secondary.h"
#include "system/topology/topo.h"

#include <rte_mbuf.h>

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The worker process: one thread, one domain. It receives bursts from inputs, decides where each
 * packet goes, and sends them to outputs. Each step is one file in datapath/:
 *
 *   inputs                  decision          outputs
 *   port_rx.c, iface_rx.c   forward.c         port_tx.c, iface_tx.c
 *   handoff_rx.c                              handoff_tx.c
 *
 * Hand-off queues are for ports with fewer transmit queues than workers (topology/handoff.h). A
 * queue is an output of one worker and an input of another. The second worker sends the packets to
 * the port.
 *
 * The plan (plan.c) gives each input and output its function. loop.c calls these steps. Between two
 * rounds the worker holds no mbuf. Only there it passes a quiescent state, parks (park.c), sleeps
 * (idle.c), begins to watch packets (watch.c) or ends. The packet path takes no lock, writes no
 * log, allocates nothing but mbufs, and makes no system call but a doorbell's, the driver's and
 * those that do an engine's part (kni/kick.h).
 *
 * All structs belong to the process's main thread.
 */

#define KNIT_BURST_MAX 256
#define KNIT_MAX_OUTPUTS (1 + KNIT_MAX_PORTS + KNIT_MAX_CONF_IFACES)
#define KNIT_MAX_INPUTS (KNIT_MAX_PORTS * KNIT_MAX_WORKERS + KNIT_MAX_CONF_IFACES)
#define KNIT_MAX_PORT_TAPS 128 /* fds of one net_tap port here, up to 32 for each start */

/* Instead of an exit code: another process is the worker now, and this one touches nothing. */
#define KNIT_WORKER_REPLACED (-1)

enum knit_end {
	KNIT_END_NONE, /* output 0: drops */
	KNIT_END_PORT,
	KNIT_END_IFACE,
	KNIT_END_HANDOFF,
	KNIT_ENDS
};

struct knit_burst;
struct knit_watcher;
struct knit_worker;

/* Where packets are sent. Output 0 drops them and counts NO_IFACE. */
struct knit_output {
	/* see datapath.h; what it returns is added to the counter of the input's kind */
	uint32_t (*send)(struct knit_worker *w, struct knit_output *out, struct knit_burst *b);
	uint64_t *sent[KNIT_ENDS];
	enum knit_end end;
	uint16_t port_id;		      /* PORT */
	uint16_t queue;			      /* PORT: transmit queue; IFACE: pair */
	uint32_t n;			      /* in buf, while a mixed burst is sorted */
	const struct knit_topo_port *port;    /* PORT, HANDOFF */
	struct knit_worker_port_stats *stats; /* PORT */
	struct rte_kni *kni;		      /* IFACE */
	struct knit_handoff *handoff;	      /* HANDOFF */
	const uint32_t *owner_state;	      /* HANDOFF: enum knit_process_state */
	struct knit_offload_port offload;     /* what the output can do */
	struct rte_mbuf *buf[KNIT_BURST_MAX];
};

/* Where packets come from. kernel and peer are indexes of outputs. */
struct knit_input {
	uint32_t (*receive)(struct knit_worker *w, struct knit_input *in, struct knit_burst *b);
	enum knit_end end;
	uint16_t port_id; /* PORT */
	uint16_t queue;	  /* PORT: receive queue; IFACE: pair */
	uint16_t kernel;  /* output of frames to the kernel; of all, if it equals peer */
	uint16_t peer;	  /* output of all other frames */
	const struct knit_topo_port *port;    /* PORT */
	struct knit_worker_port_stats *stats; /* PORT */
	struct rte_kni *kni;		      /* IFACE */
	struct knit_handoff *handoff;	      /* HANDOFF */
};

/* A net_tap port and its fds in this process, see net_tap.c. */
struct knit_worker_tap {
	const struct knit_topo_port *port;
	uint16_t queue;
	uint16_t n_queues;	/* of the port */
	uint32_t starts;	/* of the port, at the last search for its fds */
	uint32_t ahead;		/* later restarts whose fds were found with an earlier one's */
	unsigned int per_start; /* fewest fds that a start of the port brought; 0: not known */
	bool again;		/* port without an input: search again, new fds may still arrive */
	uint32_t misses;	/* wake-ups in a row that brought no packet */
	int queue_fd;		/* becomes readable when the queue has packets; -1: not known */
	unsigned int n;
	int fds[KNIT_MAX_PORT_TAPS];
};

/* An interface that this process reads itself. */
struct knit_worker_own {
	const struct knit_kick *kick;
	int fd;		     /* -1: the device is gone */
	unsigned int misses; /* wake-ups without a packet, since the last one */
};

struct knit_worker_pair {
	struct rte_kni *kni;
	uint16_t pair;
};

struct knit_worker_idle {
	uint64_t spin_cycles; /* of empty rounds before the first sleep */
	uint64_t last_busy;   /* TSC */
	uint32_t timeout_us;
	bool sleeping; /* sleeps after every empty round, until a busy one */
	bool slept;    /* since the last park check */
	bool armed;    /* interfaces ring the doorbell when the kernel sends */
	bool pollable; /* every input has a doorbell or an fd */
	unsigned int n_fds;
	unsigned int n_tap_fds; /* the first ones behind the doorbell */
	/*
	 * The doorbell, the queue's fd of each net_tap port that has one, the fd of each interface
	 * that this process reads itself
	 */
	struct pollfd fds[1 + KNIT_MAX_PORTS + KNIT_MAX_IFACES];
	struct knit_worker_tap *tap[1 + KNIT_MAX_PORTS];
	struct knit_worker_own own[1 + KNIT_MAX_PORTS + KNIT_MAX_IFACES];
};

struct knit_worker {
	uint32_t id;
	struct knit_topo_worker *entry;
	struct knit_topo *topo;
	struct knit_plan plan; /* a copy of that which this process follows */
	const struct knit_plan_worker *mine;
	struct rte_rcu_qsbr *qsbr;
	struct knit_worker_stats *stats;
	uint64_t next_look;	      /* TSC: when the loop looks at what changes seldom */
	struct knit_watcher *watcher; /* NULL: nobody watches packets, see datapath/watch.h */
	uint32_t burst;
	uint32_t n_inputs;
	uint32_t n_outputs;
	struct knit_input inputs[KNIT_MAX_INPUTS];
	struct rte_mbuf *rx[KNIT_BURST_MAX];
	uint16_t verdict[KNIT_BURST_MAX];
	/* frames to be sent, after the software fallback or unchanged */
	struct rte_mbuf *work[KNIT_BURST_MAX + KNIT_OFFLOAD_MAX_SEGS];
	struct knit_output outputs[KNIT_MAX_OUTPUTS];
	struct knit_worker_idle idle;
	struct knit_beat beat;
	struct knit_secondary secondary;
	bool behind;	 /* another plan is in force */
	bool unfinished; /* the last try to follow it was broken off by a park */
	uint32_t n_claims;
	struct knit_worker_pair claims[KNIT_MAX_CONF_IFACES]; /* pairs that this process has */
	uint32_t n_doorbells;
	uint32_t doorbells[2 * KNIT_MAX_OUTPUTS]; /* that it may ring */
	bool registered;			  /* with qsbr */
	uint32_t n_prepared;
	struct knit_worker_pair prepared[KNIT_MAX_CONF_IFACES]; /* for a take-over */
	const struct rte_mempool *pool; /* of the domain, when that was prepared */
	bool promote;			/* it took over, and has not the worker's lock yet */
	unsigned int n_taps;
	unsigned int n_unused_taps;
	struct knit_worker_tap taps[KNIT_MAX_PORTS]; /* of inputs */
	/* of no input; belong to the thread of net_tap_reaper.c */
	struct knit_worker_tap unused_taps[KNIT_MAX_PORTS];
};

/* A counter has one writer. Readers in other processes never see half a value. */
static inline void knit_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

#endif
