// SPDX-License-Identifier: BSD-3-Clause
#include "report.h"

#include <stdio.h>

/* --check: also prints what is good and what could be better, on stdout. */
static bool report;

void preflight_good(const char *what)
{
	if (report)
		printf("ok       %s\n", what);
}

void preflight_note(const char *what, const char *remedy)
{
	if (report)
		printf("note     %s\n         remedy: %s\n", what, remedy);
}

int preflight_missing(const char *what, const char *remedy)
{
	if (report)
		printf("MISSING  %s\n         remedy: %s\n", what, remedy);
	else
		fprintf(stderr, "knit-primary: %s\n    remedy: %s\n", what, remedy);
	return KNIT_EXIT_RESOURCES;
}

int preflight_wrong(const struct preflight_key *key, const char *what, const char *remedy)
{
	char text[600];

	snprintf(text, sizeof(text), "%s:%d: %s: %s", knit_conf_file(key->c, key->at),
		 key->at->line ? key->at->line : 1, key->name, what);
	return preflight_missing(text, remedy);
}

bool preflight_reports(void)
{
	return report;
}

void preflight_report(bool all)
{
	report = all;
}
