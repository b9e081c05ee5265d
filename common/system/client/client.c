// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "system/process/exit.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SYSTEMS "/run/knit"
#define DEFAULT_PREFIX "knit"
#define PREFIX_MAX 31
#define ANSWER_MAX (256 << 10) /* DPDK's own limit is 16 KiB, of newer versions less than this */

struct knit_client {
	int fd;
	int code;
	int64_t deadline; /* ms, of the monotonic clock */
	char prefix[PREFIX_MAX + 1];
	char error[512];
	char answer[ANSWER_MAX];
};

static bool fail(struct knit_client *c, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool fail(struct knit_client *c, int code, const char *format, ...)
{
	va_list args;

	c->code = code;
	va_start(args, format);
	vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	return false;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void knit_client_limit(struct knit_client *c, int ms)
{
	c->deadline = now_ms() + ms;
}

static int ms_left(const struct knit_client *c)
{
	int64_t ms = c->deadline - now_ms();

	return ms > 0 ? (int)ms : 0;
}

/*
 * A connected socket, or -1 with errno. The path is where EAL of a primary that root started has
 * its files. One that is too long for a socket has none.
 */
static int connect_to(const char *prefix, int ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1 };
	const char *dir = getenv("RUNTIME_DIRECTORY");
	int fd, err;

	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk/%s/dpdk_telemetry.v2",
		     dir ? dir : "/run", prefix) >= (int)sizeof(addr.sun_path)) {
		errno = ENOENT;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	do
		err = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	while (err < 0 && errno == EINTR);
	if (err == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* The folder of a system whose primary runs, if not well. A killed one leaves its folder. */
static int is_system(const struct dirent *entry)
{
	int fd;

	if (entry->d_name[0] == '.' || strlen(entry->d_name) > PREFIX_MAX)
		return 0;
	fd = connect_to(entry->d_name, 0);
	if (fd < 0)
		return errno != ENOENT && errno != ECONNREFUSED;
	close(fd);
	return 1;
}

static void list(struct knit_client *c, const char *name)
{
	size_t len = strlen(c->error);

	snprintf(c->error + len, sizeof(c->error) - len, " %s", name);
}

static bool find_prefix(struct knit_client *c)
{
	struct dirent **found = NULL;
	int i, n = scandir(SYSTEMS, &found, is_system, alphasort);

	strcpy(c->prefix, DEFAULT_PREFIX);
	if (n > 1)
		fail(c, KNIT_EXIT_USAGE, "several systems run here; --prefix selects one:");
	for (i = 0; i < n; i++) {
		if (n == 1)
			strcpy(c->prefix, found[i]->d_name);
		else
			list(c, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	return n <= 1;
}

static bool no_answer(struct knit_client *c)
{
	return fail(c, KNIT_EXIT_NO_PRIMARY, "the primary of prefix %s does not answer (%s)",
		    c->prefix, errno == EAGAIN ? "it stands still" : strerror(errno));
}

/* What came before a signal or a stop of this process counts, however late it is then. */
static bool receive(struct knit_client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t len = -1;
	int ready;

	do
		ready = poll(&p, 1, ms_left(c));
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		errno = EAGAIN;
	if (ready > 0) {
		errno = ECONNRESET; /* 0 bytes: it has ended */
		len = recv(c->fd, c->answer, sizeof(c->answer) - 1, MSG_DONTWAIT);
	}
	if (len <= 0)
		return no_answer(c);
	c->answer[len] = '\0';
	return true;
}

/* The server greets first. */
static void connect_client(struct knit_client *c)
{
	c->fd = connect_to(c->prefix, ms_left(c));
	if (c->fd < 0 && (errno == ENOENT || errno == ECONNREFUSED))
		fail(c, KNIT_EXIT_NO_PRIMARY, "no primary runs with prefix %s", c->prefix);
	else if (c->fd < 0 && errno == EACCES)
		fail(c, KNIT_EXIT_RESOURCES,
		     "prefix %s: only root may ask its primary, and members of its --group",
		     c->prefix);
	else if (c->fd < 0)
		no_answer(c);
	else
		receive(c);
}

struct knit_client *knit_client_open(const char *prefix, int ms)
{
	struct knit_client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->fd = -1;
	knit_client_limit(c, ms);
	if (prefix && (strlen(prefix) > PREFIX_MAX || strchr(prefix, '/') || !prefix[0]))
		fail(c, KNIT_EXIT_USAGE,
		     "--prefix: found \"%s\": the eal.prefix of a system is expected", prefix);
	else if (prefix)
		strcpy(c->prefix, prefix);
	else
		find_prefix(c);
	if (c->code == 0)
		connect_client(c);
	return c;
}

void knit_client_close(struct knit_client *c)
{
	if (c && c->fd >= 0)
		close(c->fd);
	free(c);
}

const char *knit_client_prefix(const struct knit_client *c)
{
	return c->prefix;
}

int knit_client_code(const struct knit_client *c)
{
	return c->code;
}

const char *knit_client_error(const struct knit_client *c)
{
	return c->error;
}

/* The answer is an object with one member: the command, and what it says. */
static struct json_object *parse(struct knit_client *c, const char *command, enum json_type type)
{
	struct json_object *whole = json_tokener_parse(c->answer), *part = NULL;

	if (!json_object_is_type(whole, json_type_object)) {
		fail(c, KNIT_EXIT_FAILURE, "the primary's answer to %s is no JSON", command);
	} else if (json_object_object_get_ex(whole, command, &part) && part) {
		if (json_object_is_type(part, type))
			json_object_get(part);
		else
			fail(c, KNIT_EXIT_FAILURE,
			     "the primary's answer to %s is of type %s, %s is expected", command,
			     json_type_to_name(json_object_get_type(part)),
			     json_type_to_name(type));
	}
	json_object_put(whole);
	return c->code ? NULL : part;
}

struct json_object *knit_client_ask(struct knit_client *c, const char *command,
				    const char *parameter, enum json_type type)
{
	char text[256];
	ssize_t len;

	if (c->code)
		return NULL;
	snprintf(text, sizeof(text), "%s%s%s", command, parameter ? "," : "",
		 parameter ? parameter : "");
	do
		len = send(c->fd, text, strlen(text), MSG_NOSIGNAL);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		no_answer(c);
	if (len < 0 || !receive(c))
		return NULL;
	return parse(c, command, type);
}

struct json_object *knit_client_need(struct knit_client *c, const char *command,
				     const char *parameter, enum json_type type)
{
	struct json_object *told = knit_client_ask(c, command, parameter, type);

	if (told == NULL && c->code == 0)
		fail(c, KNIT_EXIT_NO_PRIMARY,
		     "prefix %s: who answers knows nothing of %s: the primary starts or ends, or "
		     "it is no knit",
		     c->prefix, command);
	return told;
}
