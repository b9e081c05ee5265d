/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_REPORT_H
#define KNIT_PREFLIGHT_REPORT_H

#include "system/config/config.h"
#include "system/process/exit.h"

#include <stdbool.h>

/*
 * How the checks before a start tell what they find. A start tells what is missing, on stderr;
 * --check also tells what is there and what could be better, on stdout. Main thread.
 */
void preflight_report(bool all);

void preflight_good(const char *what);
/* Works without, but not as well. */
void preflight_note(const char *what, const char *remedy);
int preflight_missing(const char *what, const char *remedy);

/* The same of what a key of the configuration names: "FILE:LINE: KEY: what". */
struct preflight_key {
	const struct knit_config *c;
	const struct knit_conf_at *at;
	char name[40];
};
int preflight_wrong(const struct preflight_key *key, const char *what, const char *remedy);

/* Whether this is --check. */
bool preflight_reports(void);

#endif
