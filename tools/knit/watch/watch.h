/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_WATCH_H
#define KNIT_TOOL_WATCH_H

#include "knit/knit.h"
#include "system/command/watch.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What knit trace and knit capture have in common: the words behind the command, the filter, and
 * the records that the primary sends.
 */
struct watch {
	const struct options *o;
	bool journeys;	 /* each packet once */
	uint32_t length; /* bytes of each packet, unless an option says so */
	void *user;
	/* Workers watch. False: after a message, the command ends with an error. */
	bool (*begin)(struct watch *w);
	/* A record; its shape is checked. False: as above. */
	bool (*record)(struct watch *w, const struct knit_watch_record *r);
	/* There is nothing more to read for now. False: as above. */
	bool (*pause)(struct watch *w);
	/* set from begin on */
	struct knit_watch_begin with;
	/* of the records at present */
	const struct knit_watch_records *head;
};

/*
 * argv[1...]: [port NAME | interface NAME | worker ID]... [[where] FILTER]. Until the number of
 * packets is reached, or SIGINT or SIGTERM comes. Prints counts on stderr at the end. An exit code.
 */
int watch_run(struct watch *w, int argc, char **argv);

/* Nanoseconds since 1970 of a step of the record at hand. */
uint64_t watch_time(const struct watch *w, uint64_t tsc);

/* Where it was: "port left", "worker 3" for a queue to or from it. */
void watch_place(const struct watch *w, uint8_t end, uint16_t index, char *text, size_t size);
/* A step in words: "received on port left, queue 0". */
void watch_step(const struct watch *w, const struct knit_watch_step *s, char *text, size_t size);

/* The name of the counter of a drop, and what it means; "?" if there is none of that index. */
const char *watch_drop_name(uint16_t index);

#endif
