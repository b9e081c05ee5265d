/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PROCESS_ORDER_H
#define KNIT_PRIMARY_PROCESS_ORDER_H

#include "primary.h"
#include "system/command/worker.h"

/*
 * Orders of people about a worker, one at a time. The command thread gives an order; the port
 * thread, which alone writes the words that workers obey, carries it out and waits 100 ms at most.
 *
 * park: the worker stops between two bursts, until `resume` or the end of its process. Its
 * successor runs. Operations on ports park and resume it as all others, but it does not run then.
 * restart: it ends as if it had been asked to by a signal, with KNIT_EXIT_RESTART, so that its
 * supervisor starts the next one.
 *
 * replace: process/replace.h. Only this one takes more than one call of order_poll.
 *
 * The answer is 0 or -errno, with the reason in why; nothing has changed then.
 */
struct order_answer {
	int result;
	uint32_t pid;	     /* of the worker when it got the order */
	uint32_t generation; /* likewise */
	uint32_t successor;  /* of a replacement */
	uint32_t gap_us;
	char why[160];
};

/* Main thread, at start. kick wakes the port thread. */
void order_init(void (*kick)(void));
/* Command thread. False: another order is on its way. */
bool order_give(enum knit_worker_order order, unsigned int worker);
/* Command thread: whether the order that was given last has been carried out. */
bool order_done(struct order_answer *answer);
/*
 * Port thread: carries out what was given. Returns whether there is more to do, and soon.
 */
bool order_poll(struct primary *p);

#endif
