// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "knit.h"
#include "system/process/exit.h"

#include <dirent.h>
#include <errno.h>
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

struct client {
	int fd;
	int code;
	char prefix[PREFIX_MAX + 1];
	char answer[ANSWER_MAX];
};

/* A connected socket, or -1 with errno. */
static int connect_to(const char *prefix)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = CLIENT_SECONDS };
	const char *dir = getenv("RUNTIME_DIRECTORY");
	int fd, err;

	/*
	 * Where EAL of the primary, which is root's, has its files. A path that is too long for a
	 * socket has none.
	 */
	if (snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk/%s/dpdk_telemetry.v2",
		     dir ? dir : "/run", prefix) >= (int)sizeof(addr.sun_path)) {
		errno = ENOENT;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
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
	fd = connect_to(entry->d_name);
	if (fd < 0)
		return errno != ENOENT && errno != ECONNREFUSED;
	close(fd);
	return 1;
}

static bool find_prefix(char *prefix)
{
	struct dirent **found = NULL;
	int i, n = scandir(SYSTEMS, &found, is_system, alphasort);

	if (n > 1) {
		fprintf(stderr, "knit: several systems run here; --prefix selects one:");
		for (i = 0; i < n; i++)
			fprintf(stderr, " %s", found[i]->d_name);
		fprintf(stderr, "\n");
	} else {
		strcpy(prefix, n == 1 ? found[0]->d_name : DEFAULT_PREFIX);
	}
	for (i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return n <= 1;
}

static bool no_answer(struct client *c)
{
	c->code = fail(KNIT_EXIT_NO_PRIMARY, "the primary of prefix %s does not answer (%s)",
		       c->prefix, errno == EAGAIN ? "it stands still" : strerror(errno));
	return false;
}

/* As recv, but signals and stops of this process do not end it before its time. */
static ssize_t receive(struct client *c)
{
	time_t start = time(NULL);
	ssize_t len;

	do {
		errno = ECONNRESET; /* 0 bytes: it has ended */
		len = recv(c->fd, c->answer, sizeof(c->answer) - 1, 0);
	} while (len < 0 && errno == EINTR && time(NULL) - start <= CLIENT_SECONDS);
	if (len > 0)
		c->answer[len] = '\0';
	return len;
}

/* The server greets first. */
static bool client_connect(struct client *c)
{
	c->fd = connect_to(c->prefix);
	if (c->fd < 0 && (errno == ENOENT || errno == ECONNREFUSED)) {
		c->code = fail(KNIT_EXIT_NO_PRIMARY, "no primary runs with prefix %s", c->prefix);
		return false;
	}
	if (c->fd < 0 && errno == EACCES) {
		c->code = fail(KNIT_EXIT_RESOURCES, "prefix %s: only root may ask its primary",
			       c->prefix);
		return false;
	}
	if (c->fd < 0)
		return no_answer(c);
	return receive(c) > 0 || no_answer(c);
}

struct client *client_open(const char *prefix, int *code)
{
	struct client *c = calloc(1, sizeof(*c));

	*code = KNIT_EXIT_FAILURE;
	if (c == NULL) {
		fail(0, "no memory");
		return NULL;
	}
	c->fd = -1;
	if (prefix && (strlen(prefix) > PREFIX_MAX || strchr(prefix, '/') || !prefix[0]))
		c->code = fail(KNIT_EXIT_USAGE,
			       "--prefix: found \"%s\": the eal.prefix of a "
			       "system is expected",
			       prefix);
	else if (prefix)
		strcpy(c->prefix, prefix);
	else if (!find_prefix(c->prefix))
		c->code = KNIT_EXIT_USAGE;
	if (c->code == 0 && client_connect(c))
		return c;
	*code = c->code;
	client_close(c);
	return NULL;
}

void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

const char *client_prefix(const struct client *c)
{
	return c->prefix;
}

int client_code(const struct client *c)
{
	return c->code;
}

/* The answer is an object with one member: the command, and what it says. */
static struct json_object *client_parse(struct client *c, const char *command, enum json_type type)
{
	struct json_object *whole = json_tokener_parse(c->answer), *part = NULL;

	if (!json_object_is_type(whole, json_type_object)) {
		c->code = fail(KNIT_EXIT_FAILURE, "the primary's answer to %s is no JSON", command);
	} else if (json_object_object_get_ex(whole, command, &part) && part) {
		if (json_object_is_type(part, type))
			json_object_get(part);
		else
			c->code = fail(KNIT_EXIT_FAILURE,
				       "the primary's answer to %s is of type "
				       "%s, %s is expected",
				       command, json_type_to_name(json_object_get_type(part)),
				       json_type_to_name(type));
	}
	json_object_put(whole);
	return c->code ? NULL : part;
}

struct json_object *client_ask(struct client *c, const char *command, const char *parameter,
			       enum json_type type)
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
	if (len < 0 || receive(c) <= 0) {
		no_answer(c);
		return NULL;
	}
	return client_parse(c, command, type);
}

struct json_object *client_need(struct client *c, const char *command, enum json_type type)
{
	struct json_object *told = client_ask(c, command, NULL, type);

	if (told == NULL && c->code == 0)
		c->code = fail(KNIT_EXIT_NO_PRIMARY,
			       "prefix %s: who answers knows nothing of %s: the primary starts or "
			       "ends, or it is no knit",
			       c->prefix, command);
	return told;
}

uint64_t field_uint(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_uint64(value) : 0;
}

const char *field_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value
		       ? json_object_get_string(value)
		       : "";
}
