/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROLE_H
#define KNIT_ROLE_H

#include <stdint.h>

/* What a secondary process is. */
enum knit_role {
	KNIT_ROLE_WORKER,
	KNIT_ROLE_CONTROL,
	KNIT_ROLE_STANDBY, /* of a worker, until it takes over; from then on it is the worker */
};

/* "worker", "control", "standby" */
const char *knit_role_text(enum knit_role role);

/* "knit-worker", "knit-control" */
const char *knit_role_program(enum knit_role role);

/* "worker 3", "control", "standby of worker 3". There is only one control, whatever its id. */
struct knit_role_name {
	char text[32];
};
struct knit_role_name knit_role_name(enum knit_role role, uint32_t id);

#endif
