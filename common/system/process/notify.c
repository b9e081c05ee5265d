// SPDX-License-Identifier: BSD-3-Clause
#include "notify.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BEAT "WATCHDOG=1"
#define STATUS "STATUS="

/* False: it was not sent, though somebody wants to know. */
static bool send_state(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval patience = { .tv_sec = 5 };
	size_t length = path ? strlen(path) : 0;
	int fd, flags = MSG_NOSIGNAL;
	ssize_t sent;

	if (length < 2 || length >= sizeof(addr.sun_path) || !strchr("/@", path[0]))
		return true;
	memcpy(addr.sun_path, path, length);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* There will be another beat, but no other READY=1. */
	if (strcmp(state, BEAT) == 0 || strncmp(state, STATUS, strlen(STATUS)) == 0)
		flags |= MSG_DONTWAIT;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	sent = sendto(fd, state, strlen(state), flags, (struct sockaddr *)&addr,
		      offsetof(struct sockaddr_un, sun_path) + length);
	close(fd);
	return sent >= 0;
}

void knit_notify(const char *state)
{
	send_state(state);
}

void knit_notify_status(const char *format, ...)
{
	static char last[256];
	char text[sizeof(last)] = STATUS;
	va_list args;

	va_start(args, format);
	vsnprintf(text + strlen(STATUS), sizeof(text) - strlen(STATUS), format, args);
	va_end(args);
	if (strcmp(text, last) == 0)
		return;
	/* systemd is busy: the next call tries again */
	if (send_state(text))
		memcpy(last, text, sizeof(last));
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void knit_beat_init(struct knit_beat *b)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	*b = (struct knit_beat){ 0 };
	if (us && (pid == NULL || atol(pid) == (long)getpid()))
		b->every_ms = atoll(us) / 3000;
}

void knit_beat(struct knit_beat *b)
{
	int64_t now;

	if (b->every_ms <= 0)
		return;
	now = now_ms();
	if (now < b->next_ms)
		return;
	b->next_ms = now + b->every_ms;
	knit_notify(BEAT);
}

int knit_beat_timeout(const struct knit_beat *b, int timeout_ms)
{
	int64_t left;

	if (b->every_ms <= 0)
		return timeout_ms;
	left = b->next_ms - now_ms();
	if (left < 0)
		left = 0;
	return timeout_ms < 0 || left < timeout_ms ? (int)left : timeout_ms;
}
