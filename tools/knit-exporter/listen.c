// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"
#include "system/process/exit.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

static int fail(int code, const char *text, const char *why)
{
	fprintf(stderr, "knit-exporter: --listen %s: %s\n", text, why);
	return -code;
}

/* ADDRESS:PORT or [ADDRESS]:PORT, both numbers, or NULL. */
static struct addrinfo *parse(const char *text)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool six = len > 2 && text[0] == '[' && text[len - 1] == ']';
	struct addrinfo *found;
	char address[128], *end;

	if (len == 0 || len >= sizeof(address) || (memchr(text, ':', len) && !six) ||
	    colon[1] < '0' || colon[1] > '9' || strtoul(colon + 1, &end, 10) > UINT16_MAX || *end)
		return NULL;
	snprintf(address, sizeof(address), "%.*s", (int)(six ? len - 2 : len), text + six);
	return getaddrinfo(address, colon + 1, &hints, &found) ? NULL : found;
}

static int open_socket(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err;
	static const int one = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static void read_name(int fd, char *name, size_t size)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	char host[128], port[16];

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(name, size, "?");
	else
		snprintf(name, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

int exporter_listen(const char *text, char *name, size_t size)
{
	struct addrinfo *a = parse(text);
	int fd;

	if (a == NULL)
		return fail(KNIT_EXIT_USAGE, text,
			    "an address and a port are expected, as 127.0.0.1:9845 or "
			    "[::1]:9845");
	fd = open_socket(a);
	freeaddrinfo(a);
	if (fd < 0)
		return fail(KNIT_EXIT_RESOURCES, text, strerror(errno));
	read_name(fd, name, size);
	return fd;
}
