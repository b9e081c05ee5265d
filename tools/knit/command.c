// SPDX-License-Identifier: BSD-3-Clause
#include "command.h"

#include "knit.h"
#include "system/process/exit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct command_call {
	int fd;
	_Alignas(8) char message[KNIT_COMMAND_MAX];
};

static int connect_command(const struct client *c, int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/run/knit/%s/" KNIT_COMMAND_SOCKET,
		 client_prefix(c));
	do
		ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return 0;
	if (errno == EACCES)
		return fail(KNIT_EXIT_RESOURCES, "%s: %s", addr.sun_path, strerror(errno));
	return fail(KNIT_EXIT_NO_PRIMARY, "%s: %s: the primary starts, ends or is of an older knit",
		    addr.sun_path, strerror(errno));
}

struct command_call *command_call(const struct client *c, uint32_t type, const void *request,
				  size_t len, int *code)
{
	struct knit_command_head head = { .version = KNIT_COMMAND_VERSION, .type = type };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)request, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct command_call *call = calloc(1, sizeof(*call));
	ssize_t sent;

	*code = KNIT_EXIT_FAILURE;
	if (call == NULL) {
		fail(0, "no memory");
		return NULL;
	}
	call->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	*code = call->fd < 0 ? fail(KNIT_EXIT_FAILURE, "socket: %s", strerror(errno))
			     : connect_command(c, call->fd);
	if (*code == 0) {
		do
			sent = sendmsg(call->fd, &msg, MSG_NOSIGNAL);
		while (sent < 0 && errno == EINTR);
		/* An end that was sent instead of an answer can still be read. */
		if (sent >= 0 || errno == EPIPE || errno == ECONNRESET)
			return call;
		*code = fail(KNIT_EXIT_NO_PRIMARY, "the primary takes no command: %s",
			     strerror(errno));
	}
	command_close(call);
	return NULL;
}

int command_fd(const struct command_call *call)
{
	return call->fd;
}

static int end_code(const struct knit_command_end *end, size_t len)
{
	if (len < sizeof(*end))
		return fail(KNIT_EXIT_MISMATCH, "the primary's answer is too short");
	if (end->code)
		fail(0, "%.*s", (int)(len - sizeof(*end)), end->text);
	return end->code;
}

const struct knit_command_head *command_next(struct command_call *call, bool wait, size_t *len,
					     int *code)
{
	struct knit_command_head *head = (struct knit_command_head *)call->message;
	ssize_t n;

	do
		n = recv(call->fd, call->message, sizeof(call->message), wait ? 0 : MSG_DONTWAIT);
	while (n < 0 && errno == EINTR && wait);
	*code = -1;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NULL;
	if (n < 0 || (size_t)n < sizeof(*head)) {
		*code = fail(KNIT_EXIT_NO_PRIMARY, "the primary has ended");
		return NULL;
	}
	if (head->type == KNIT_COMMAND_END) {
		*code = end_code((const struct knit_command_end *)call->message, n);
		return NULL;
	}
	if (head->version != KNIT_COMMAND_VERSION) {
		*code = fail(KNIT_EXIT_MISMATCH, "the primary is of another version of knit");
		return NULL;
	}
	*len = n;
	return head;
}

void command_close(struct command_call *call)
{
	if (call->fd >= 0)
		close(call->fd);
	free(call);
}

/* The parts one behind the other; NULL: *code is the exit code, after a message. */
static char *read_parts(struct command_call *call, int *code)
{
	const struct knit_command_head *head;
	char *text = NULL;
	size_t len, all = 0;
	FILE *out = open_memstream(&text, &all);

	*code = KNIT_EXIT_FAILURE;
	while (out && (head = command_next(call, true, &len, code)) != NULL) {
		if (head->type != KNIT_COMMAND_JSON) {
			*code = fail(KNIT_EXIT_MISMATCH, "the primary's answer is no JSON");
			break;
		}
		fwrite(head + 1, 1, len - sizeof(*head), out);
	}
	if (out)
		fclose(out);
	if (*code == 0)
		return text;
	free(text);
	return NULL;
}

struct json_object *command_json(const struct client *c, uint32_t type, const void *request,
				 size_t len, int *code)
{
	struct command_call *call = command_call(c, type, request, len, code);
	struct json_object *object = NULL;
	char *text;

	if (call == NULL)
		return NULL;
	text = read_parts(call, code);
	command_close(call);
	if (text)
		object = json_tokener_parse(text);
	if (text && !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		object = NULL;
		*code = fail(KNIT_EXIT_FAILURE, "the primary's answer is no object of JSON");
	}
	free(text);
	return object;
}
