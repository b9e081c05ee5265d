/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_OPTIONS_H
#define KNIT_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *config;
	bool status; /* --status */
	bool check;  /* --check-config */
};

/* -1: go on. Else the exit code: help was printed, or the command line is wrong. */
int primary_options(int argc, char **argv, struct options *o);

#endif
