// SPDX-License-Identifier: BSD-3-Clause
#include "journal_log.h"

#include <rte_log.h>

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stream(int fd, uintmax_t dev, uintmax_t ino)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

bool knit_journal_is_log(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) == 2 &&
	       (is_stream(STDERR_FILENO, dev, ino) || is_stream(STDOUT_FILENO, dev, ino));
}

/* One call for each line, since rte_log flushes. */
static ssize_t write_line(void *cookie, const char *text, size_t size)
{
	int level = rte_log_cur_msg_loglevel();

	(void)cookie;
	if (level < (int)RTE_LOG_EMERG || level > (int)RTE_LOG_DEBUG)
		level = RTE_LOG_INFO;
	dprintf(STDERR_FILENO, "<%d>%.*s", level - 1, (int)size, text);
	return (ssize_t)size;
}

void knit_journal_log(void)
{
	static const cookie_io_functions_t functions = { .write = write_line };
	static FILE *stream;

	if (stream == NULL && knit_journal_is_log())
		stream = fopencookie(NULL, "w", functions);
	if (stream)
		rte_openlog_stream(stream);
}
