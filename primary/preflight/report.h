/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_REPORT_H
#define KNIT_PREFLIGHT_REPORT_H

#include "system/config/config.h"
#include "system/process/exit.h"

#include <stdbool.h>

/*
 * Reports of the checks before a start. A start prints only what is missing, on stderr. --check
 * also prints what is good and what could be better, all on stdout; with --json as one object,
 * which preflight_report_print prints. Main thread.
 *
 *   { "findings": [ { "state": "ok" | "note" | "missing", "what": "...", "remedy": "...",
 *                     "steps": [ { "run": ["modprobe", "tun"] },
 *                                { "write": "/sys/...", "value": "512" } ] } ],
 *     "code": 4 }
 *
 * "remedy" is not there if all is well, nor are "steps" if there is nothing that a program can do.
 */
void preflight_report(bool all);
void preflight_report_json(void);
void preflight_report_print(int code);

/*
 * What would mend the thing that is reported next: a program with its arguments, up to NULL, or a
 * value for a file; several are for one after the other. Only what nobody can miss: no step takes
 * anything away from another program.
 */
void preflight_run(const char *program, ...) __attribute__((sentinel));
void preflight_write(const char *path, const char *value);

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
