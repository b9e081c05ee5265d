/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_EXPORTER_BUFFER_H
#define KNIT_EXPORTER_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Text that grows. Without memory the program ends. */
struct buffer {
	char *text; /* without a final zero; who has the buffer frees it */
	size_t len;
	size_t size;
};

void buffer_add(struct buffer *b, const char *text);
void buffer_add_number(struct buffer *b, uint64_t value);
/* Of n millionths, with all six digits. */
void buffer_add_millionths(struct buffer *b, uint64_t n);

#endif
