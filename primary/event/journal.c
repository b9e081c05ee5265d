// SPDX-License-Identifier: BSD-3-Clause
#include "journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal/socket"

static bool is_stream(int fd, uintmax_t dev, uintmax_t ino)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

bool journal_is_log(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) == 2 &&
	       (is_stream(STDERR_FILENO, dev, ino) || is_stream(STDOUT_FILENO, dev, ino));
}

void journal_add(struct journal_entry *e, const char *name, const char *value)
{
	size_t room = sizeof(e->text) - e->len, n;
	char *at = e->text + e->len;

	n = snprintf(at, room, "%s=%s\n", name, value);
	if (n >= room)
		return;
	e->len += n;
	while ((at = strchr(at, '\n')) != NULL && at[1])
		*at = ' ';
}

void journal_add_number(struct journal_entry *e, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	journal_add(e, name, text);
}

bool journal_send(const struct journal_entry *e)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = JOURNAL };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t sent = -1;

	if (fd < 0)
		return false;
	sent = sendto(fd, e->text, e->len, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)&addr, sizeof(addr));
	close(fd);
	return sent >= 0;
}
