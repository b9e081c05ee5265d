// SPDX-License-Identifier: BSD-3-Clause
#include "journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal/socket"

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
