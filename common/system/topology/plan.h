/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PLAN_H
#define KNIT_PLAN_H

#include "system/config/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A plan: who serves what. The primary makes one of the configuration, at start and with each other
 * configuration that comes into force. It is never changed after its number was stored (topo.h).
 *
 * Ports, interfaces and workers are named by their place. Worker w owns, on every port it forwards,
 * receive queue rxq[port] and transmit queue txq[port], on every interface pair[iface], and its
 * pool. -1 means that it has none there. Queues and pairs are numbered in the order of the workers'
 * ids, without a gap. So a configuration has one plan, whatever was in force before.
 *
 * A worker that attaches copies what concerns it. It makes another copy when it is parked and finds
 * that a plan of another number is in force.
 */
struct knit_handoff;

struct knit_plan_rule {
	uint8_t mode;	/* enum knit_forward */
	uint8_t ifaces; /* a and b are interfaces */
	int16_t a;
	int16_t b;
};

struct knit_plan_port {
	bool there;
	uint16_t n_queues;    /* receive queues, one for each worker */
	uint16_t n_tx_queues; /* transmit queues that carry packets: at most as many */
	int16_t iface;	      /* its interface, -1: none */
};

struct knit_plan_iface {
	bool there;
	int16_t port; /* its port, -1: none */
};

struct knit_plan_worker {
	bool there;
	uint32_t n_rules;
	struct knit_plan_rule rules[KNIT_MAX_RULES];
	int16_t rxq[KNIT_MAX_PORTS];
	int16_t txq[KNIT_MAX_PORTS];		      /* -1: none, but there may be an owner */
	int16_t tx_owner[KNIT_MAX_PORTS];	      /* the worker that sends for it; itself; -1 */
	struct knit_handoff *handoff[KNIT_MAX_PORTS]; /* to the owner; NULL: it is its own */
	int16_t pair[KNIT_MAX_CONF_IFACES];
};

struct knit_plan {
	uint32_t number;
	struct knit_plan_port ports[KNIT_MAX_PORTS];
	struct knit_plan_iface ifaces[KNIT_MAX_CONF_IFACES];
	struct knit_plan_worker workers[KNIT_MAX_WORKERS];
};

/*
 * What follows from the configuration alone: rules, and which worker has which queue and pair. No
 * hand-off queues. In c, everything is at its place. Pure logic. -EINVAL with lines on err: two
 * workers do different things with one port or interface, a port with rx_spread "none" has two
 * workers, a port has two interfaces, a rule names what does not exist or punts a port that has no
 * interface.
 */
int knit_plan_make(struct knit_plan *p, const struct knit_config *c, FILE *err);

/* Whether it can be planned; why not goes to err. The order of c does not matter. */
bool knit_plan_fits(const struct knit_config *c, FILE *err);

/*
 * The port has n_tx transmit queues, fewer or as many as receive queues. The first n_tx of its
 * workers, in the order of their ids, own one each; worker number i among them sends through the
 * one that owns queue i % n_tx. Pure logic.
 */
void knit_plan_tx(struct knit_plan *p, unsigned int port, uint16_t n_tx);

/* How many queue pairs an interface has in the plan: workers that serve it. 0 is possible. */
uint16_t knit_plan_pairs(const struct knit_plan *p, unsigned int iface);

/* Whether the worker's domain has a queue on one of the ports, a bit each. */
bool knit_plan_has_queue(const struct knit_plan_worker *w, uint64_t ports);

#endif
