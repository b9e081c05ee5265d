// SPDX-License-Identifier: BSD-3-Clause
#include "journal_log.h"

#include <rte_log.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool knit_journal_is_log(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/*
 * Whole lines, by the thread that writes them: the stream has a buffer for lines. A part of one
 * comes if it is longer than that, or if somebody logs a line in several calls.
 */
static ssize_t write_lines(void *cookie, const char *text, size_t size)
{
	static bool within;
	int level = rte_log_cur_msg_loglevel();
	const char *end = text + size, *next;

	(void)cookie;
	if (level < (int)RTE_LOG_EMERG || level > (int)RTE_LOG_DEBUG)
		level = RTE_LOG_INFO;
	for (; text < end; text = next) {
		next = memchr(text, '\n', end - text);
		next = next ? next + 1 : end;
		if (within)
			dprintf(STDERR_FILENO, "%.*s", (int)(next - text), text);
		else
			dprintf(STDERR_FILENO, "<%d>%.*s", level - 1, (int)(next - text), text);
		within = next[-1] != '\n';
	}
	return (ssize_t)size;
}

void knit_journal_log(void)
{
	static const cookie_io_functions_t functions = { .write = write_lines };
	static FILE *stream;

	if (stream == NULL && knit_journal_is_log()) {
		stream = fopencookie(NULL, "w", functions);
		if (stream)
			setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	}
	if (stream)
		rte_openlog_stream(stream);
}
