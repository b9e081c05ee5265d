// SPDX-License-Identifier: BSD-3-Clause
#include "buffer.h"

#include "system/process/exit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *room(struct buffer *b, size_t len)
{
	if (b->size - b->len < len) {
		b->size = 2 * b->size + len + 4096;
		b->text = realloc(b->text, b->size);
	}
	if (b->text == NULL) {
		fputs("knit-exporter: no memory\n", stderr);
		exit(KNIT_EXIT_RESOURCES);
	}
	return b->text + b->len;
}

void buffer_add(struct buffer *b, const char *text)
{
	size_t len = strlen(text);

	memcpy(room(b, len), text, len);
	b->len += len;
}

/* Most of what it prints is numbers, and printf(3) takes four times as long. */
void buffer_add_number(struct buffer *b, uint64_t value)
{
	char digits[20], *first = digits + sizeof(digits);
	size_t len;

	do
		*--first = '0' + value % 10;
	while (value /= 10);
	len = digits + sizeof(digits) - first;
	memcpy(room(b, len), first, len);
	b->len += len;
}

void buffer_add_millionths(struct buffer *b, uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%06u", n / 1000000, (unsigned int)(n % 1000000));
	buffer_add(b, text);
}
