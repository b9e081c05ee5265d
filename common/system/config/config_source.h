/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_SOURCE_H
#define KNIT_CONFIG_SOURCE_H

#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The text of a configuration: one text that joins the file with all files it includes, and a map
 * from the lines of that text to files and lines.
 *
 * Why libconfig does not read the file itself, although it has @include and error positions. With
 * libconfig 1.5:
 *   - an @include of a directory ends the process (flex's fatal error, exit code 2)
 *   - 4294967297 is read as 1, without an error; so is any number of more than 32 bits
 *   - a comment without an end swallows the rest of the file, without an error
 *   - the folder of relative names is set once for all files, not for each including file
 * For a file that configures a router each of these is worse than the code here. Numbers get the
 * suffix of 64 bits, L; a number that does not fit into 64 bits becomes INT64_MAX, which no key
 * allows.
 */
#define KNIT_CONF_MAX_DEPTH 8
#define KNIT_CONF_PATH 256
#define KNIT_CONF_MAX_SIZE (1 << 20) /* bytes of one file */

struct knit_conf_chunk {
	unsigned int first; /* line of the joined text where the chunk begins */
	unsigned int file;
	unsigned int line; /* of that file */
};

struct knit_conf_source {
	char *text;
	uint64_t hash; /* FNV-1a of all files' bytes in the order of inclusion */
	unsigned int errors;
	unsigned int n_files;
	unsigned int n_chunks;
	unsigned int lines; /* of text so far */
	FILE *out;	    /* writes text */
	FILE *err;
	size_t size; /* of text */
	char files[KNIT_MAX_FILES][KNIT_CONF_PATH];
	struct knit_conf_chunk chunks[2 * KNIT_MAX_FILES];
};

struct knit_conf_place {
	const char *file;
	unsigned int index; /* of the file */
	unsigned int line;
};

/*
 * Reads file; says on err what is wrong. 0 or a negative errno. knit_conf_source_free in either
 * case.
 */
int knit_conf_source_read(struct knit_conf_source *src, const char *file, FILE *err);
void knit_conf_source_free(struct knit_conf_source *src);

/* Where a line of the joined text (from 1) comes from. */
struct knit_conf_place knit_conf_source_place(const struct knit_conf_source *src,
					      unsigned int line);

#endif
