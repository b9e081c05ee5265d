/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SECONDARY_H
#define KNIT_SECONDARY_H

#include "system/rundir/rundir.h"
#include "system/topology/topo.h"

#include <errno.h>

/*
 * How every secondary comes and goes. In this order, each step only after the one before succeeded:
 *
 *   knit_secondary_enter    locks, watch over the primary, EAL, topology
 *                           With standby, the role may be KNIT_ROLE_STANDBY from then on, until
 *                           the process takes over
 *   knit_secondary_attach   the primary knows us; what follows is the role's own: claiming its ends
 *   knit_secondary_ready    the primary lets us use them
 *   knit_secondary_detach   all is given up; also after a failure between attach and here
 *   knit_secondary_leave    EAL's clean-up and the locks; at any point after enter was called
 *
 * Signals that shall end the process in good order must be blocked before enter and taken from a
 * signalfd, so that none ends it inside EAL. All return enum knit_exit and have said on stderr
 * what went wrong.
 */
struct knit_secondary {
	const char *prefix;
	enum knit_role role;
	uint32_t id;
	bool standby; /* a worker that stands by if another process is the worker */
	/*
	 * EAL arguments beyond the primary's, from the command line: KNIT_EXTRA_ARGS, nothing else.
	 * Some of the others make EAL end the process, or contradict what the primary decided.
	 */
	int n_extra;
	char **extra;

	struct knit_topo *topo; /* from here on filled by enter */
	bool eal;
	bool replaced; /* another process is the worker now, and nothing is left to be given up */
	uint32_t generation; /* of its registry entry, from attach on */
	struct knit_args args;
};

/* For --help */
#define KNIT_EXTRA_ARGS                                                               \
	"  -d FILE                 loads a driver, or all drivers in a directory\n"   \
	"  --log-level TYPE:LEVEL  as EAL has it; levels are 1 to 8 or their names\n" \
	"  --syslog FACILITY       where EAL logs to\n"                               \
	"  --trace PATTERN         switches trace points on\n"                        \
	"  --trace-dir DIRECTORY   where their records go\n"

/*
 * The exit code for a doorbell that could not be opened: err is what knit_doorbell_open returned.
 */
static inline enum knit_exit knit_secondary_doorbell_exit(int err)
{
	/* The primary, or its engine, is ending or has ended. */
	return err == -ESRCH || err == -ENOENT || err == -EBADF ? KNIT_EXIT_NO_PRIMARY
								: KNIT_EXIT_RESOURCES;
}

int knit_secondary_enter(struct knit_secondary *s);
int knit_secondary_attach(struct knit_secondary *s);
int knit_secondary_ready(struct knit_secondary *s);
void knit_secondary_detach(struct knit_secondary *s);
void knit_secondary_leave(struct knit_secondary *s);

#endif
