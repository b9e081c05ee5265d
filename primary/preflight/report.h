/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_REPORT_H
#define KNIT_PREFLIGHT_REPORT_H

#include "system/config/config.h"
#include "system/process/exit.h"

#include <stdbool.h>

/*
 * Reports of the checks before a start. A start prints only what is missing, on stderr. --check
 * also prints what is good and what could be better, all on stdout. Main thread.
 */
void preflight_report(bool all);

void preflight_good(const char *what);
/* Works, but could be better. */
void preflight_note(const char *what, const char *remedy);
int preflight_missing(const char *what, const char *remedy);

/* The same for a value of the configuration: "FILE:LINE: KEY: what". */
struct preflight_key {
	const struct knit_config *c;
	const struct knit_conf_at *at;
	char name[40];
};
int preflight_wrong(const struct preflight_key *key, const char *what, const char *remedy);

/* Whether this is --check. */
bool preflight_reports(void);

#endif
