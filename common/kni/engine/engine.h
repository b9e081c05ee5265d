/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ENGINE_H
#define KNIT_ENGINE_H

#include "kni/private.h"
#include "kni/stats.h"

/*
 * An engine plays the kernel side of an interface's queues. It is called in the process that
 * created the interface, by control-plane threads, one call at a time per interface; calls may
 * block for a while but never on a worker or a handler.
 */
struct knit_engine_req_stats {
	/*
	 * Synchronous ones: kmod only. async + sync = answered + timeout + killed + detached +
	 * cancelled + those that are still on their way.
	 */
	uint64_t async;
	uint64_t sync;
	uint64_t timeout;
	uint64_t killed;    /* synchronous requests whose caller was killed */
	uint64_t detached;  /* synchronous requests that ended with their handler */
	uint64_t cancelled; /* asynchronous ones that ended with their handler; sent again */
	uint64_t answered;
	uint64_t refused;  /* answers with an error */
	uint64_t reverted; /* kernel values taken back after a refusal */
	uint64_t late;
	uint64_t duplicate;
	uint64_t unknown;
	uint64_t bad_index;   /* kmod: impossible index of a request ring */
	uint64_t rxlist_over; /* kmod: address lists too long to be listed */
};

struct knit_engine_ops {
	const char *name;
	enum knit_engine_kind kind;

	/* 0 if this machine can run it, else a negative errno. log: say why not. */
	int (*available)(bool log);

	/*
	 * Makes the net_device, down, and serves its rings from now on, all pairs without a live
	 * owner. Fills kni->ifindex, the engine_doorbell of every pair and control_doorbell. On
	 * failure nothing is left.
	 */
	int (*create)(struct rte_kni *kni, const struct knit_iface_conf *conf);

	/* Removes the net_device. On return nothing touches the interface's memory any more. */
	void (*destroy)(struct rte_kni *kni);

	/* Serve the pair for a live owner. 0 or a negative errno. */
	int (*bind)(struct rte_kni *kni, uint16_t pair);

	/*
	 * Stop touching the pair's queues and any buffer named there; frames that the kernel sends
	 * to the pair are dropped as tx_no_worker. In force on return.
	 */
	void (*unbind)(struct rte_kni *kni, uint16_t pair);

	/*
	 * For a process that may not open it itself. kmod: a file that is the owner of that pair,
	 * or with KNIT_MAX_PAIRS the handler, until its last copy is closed; doorbell is that
	 * process's; take: from the one that has the pair. tap: the file of the pair's queue. The
	 * file, or a negative errno.
	 */
	int (*open_role)(struct rte_kni *kni, uint32_t role, uint32_t doorbell, bool take);

	/* Carrier, and speed in Mbit/s (UINT32_MAX: unknown) with duplex, as the port has them. */
	int (*set_link)(struct rte_kni *kni, bool up, uint32_t speed, bool full_duplex);

	void (*stats)(const struct rte_kni *kni, uint16_t pair, struct knit_engine_stats *out);
	void (*req_stats)(const struct rte_kni *kni, struct knit_engine_req_stats *out);
};

extern const struct knit_engine_ops knit_kmod_engine;
extern const struct knit_engine_ops knit_tap_engine;

#endif
