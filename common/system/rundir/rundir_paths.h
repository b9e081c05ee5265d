/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_RUNDIR_PATHS_H
#define KNIT_RUNDIR_PATHS_H

#include "rundir.h"

#include <stddef.h>

/* Names of the files in rundir.h. */

#define KNIT_PATH_MAX 128
#define KNIT_FILE_ATTACH "attach.lock"
#define KNIT_FILE_GATE "gate.lock"
#define KNIT_FILE_BOUND "bound"

struct knit_path {
	char text[KNIT_PATH_MAX];
};

static inline struct knit_path knit_path_dir(const char *prefix)
{
	struct knit_path p;

	snprintf(p.text, sizeof(p.text), KNIT_RUNDIR "/%.31s", prefix);
	return p;
}

static inline struct knit_path knit_path_file(const char *prefix, const char *name)
{
	struct knit_path p;

	snprintf(p.text, sizeof(p.text), KNIT_RUNDIR "/%.31s/%.60s", prefix, name);
	return p;
}

/* kind: "args" or "lock" */
static inline struct knit_path knit_path_role(const char *prefix, enum knit_role role, uint32_t id,
					      const char *kind)
{
	struct knit_path p;

	if (role == KNIT_ROLE_CONTROL)
		snprintf(p.text, sizeof(p.text), KNIT_RUNDIR "/%.31s/control.%.4s", prefix, kind);
	else if (role == KNIT_ROLE_STANDBY)
		snprintf(p.text, sizeof(p.text), KNIT_RUNDIR "/%.31s/standby-%u.%.4s", prefix, id,
			 kind);
	else
		snprintf(p.text, sizeof(p.text), KNIT_RUNDIR "/%.31s/worker-%u.%.4s", prefix, id,
			 kind);
	return p;
}

#endif
