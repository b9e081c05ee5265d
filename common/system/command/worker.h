/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMMAND_WORKER_H
#define KNIT_COMMAND_WORKER_H

#include "wire.h"

/*
 * KNIT_COMMAND_WORKER: an order about a worker. Who gives it gets one message, KNIT_COMMAND_OBEYED,
 * when it has been carried out, and then the end; or an end that says why not.
 */
enum knit_worker_order {
	KNIT_WORKER_PARK = 1, /* it stops between two bursts */
	KNIT_WORKER_RESUME,   /* it goes on */
	KNIT_WORKER_RESTART,  /* it ends, and the next one attaches */
	KNIT_WORKER_REPLACE,  /* the process that stands by takes over */
};

#define KNIT_WORKER_WAIT_MAX 3600000

struct knit_command_worker {
	uint32_t order; /* enum knit_worker_order */
	uint32_t id;
	/* restart: within so long the next one must have attached; to KNIT_WORKER_WAIT_MAX */
	uint32_t wait_ms;
};

struct knit_command_obeyed {
	struct knit_command_head head;
	uint32_t pid;
	/* Of a replacement, between the last round of one process and the first of the next one. */
	uint32_t gap_us;
	/* Of a restart; otherwise 0. Milliseconds are counted from the order on. */
	uint32_t left_ms;   /* until the process had ended */
	uint32_t successor; /* its process id; also of a replacement */
	uint32_t attached_ms;
};

#endif
