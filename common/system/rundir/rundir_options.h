/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_RUNDIR_OPTIONS_H
#define KNIT_RUNDIR_OPTIONS_H

#include "rundir.h"

/* The text of an argument file; see rundir.h. Pure but for err. */

/* Writes it to out. */
void knit_args_print(const struct knit_args *args, FILE *out);

/*
 * Reads it from in, for a program of that name. KNIT_EXIT_OK, or, with a line on err that begins
 * with file, KNIT_EXIT_MISMATCH: other versions than this program's, KNIT_EXIT_FAILURE: not such a
 * file.
 */
enum knit_exit knit_args_parse(struct knit_args *args, FILE *in, const char *file, FILE *err);

#endif
