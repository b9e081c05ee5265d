/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_SOURCE_H
#define KNIT_CONFIG_SOURCE_H

#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The text of a configuration: the file and what it includes joined to one text without @include,
 * and a map from the lines of that text to files and lines.
 *
 * libconfig's own reading is not used for four reasons: it ends the process when an included name
 * is a directory, it silently cuts numbers to 32 bits, where it looks for included files differs
 * between versions, and a comment that never ends passes unnoticed. So numbers are marked as 64
 * bits wide here; one that does not fit 64 bits becomes INT64_MAX, which no key allows.
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
