// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "command.h"

#include "kni/base/log.h"
#include "system/process/exit.h"
#include "system/rundir/rundir.h"
#include "system/rundir/rundir_paths.h"

#include <json-c/json.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Room in a client's socket: for a few of the longest messages. */
#define SEND_BYTES (4 * KNIT_COMMAND_MAX)
/* Bytes of JSON in a message. All of them, some 200 KiB at most, fit into the socket. */
#define JSON_PART (32 << 10)

struct command_client {
	int fd; /* -1: nobody is here */
	pid_t pid;
	uid_t uid;
	const struct command *command; /* NULL: it has asked nothing yet */
	void *data;
	time_t until; /* monotonic: when it must have asked */
	bool full;    /* its socket took no more */
	bool ending;  /* the command is done, the end that follows was not sent yet */
	bool ended;   /* to be closed */
	int32_t code;
	char text[512];
};

static struct {
	struct primary *p;
	const struct command *const *table;
	struct knit_thread thread;
	bool running;
	uint32_t stop;
	uint32_t clients; /* that have asked; read by other threads */
	int listener;
	time_t accept_at; /* monotonic: not before, because no fd was free */
	int wake;	  /* eventfd */
	struct command_client client[KNIT_COMMAND_CLIENTS];
} server = { .listener = -1, .wake = -1 };

static time_t seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool client_send(struct command_client *c, uint32_t type, const struct command_part *parts,
			unsigned int n)
{
	struct knit_command_head head = { .version = KNIT_COMMAND_VERSION, .type = type };
	struct iovec iov[1 + 4] = { { &head, sizeof(head) } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 1 + n };
	unsigned int i;

	for (i = 0; i < n; i++)
		iov[1 + i] = (struct iovec){ (void *)parts[i].data, parts[i].len };
	if (sendmsg(c->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	c->full = errno == EAGAIN || errno == EINTR;
	c->ended = !c->full;
	return false;
}

bool command_send(struct command_client *c, uint32_t type, const struct command_part *parts,
		  unsigned int n)
{
	return !c->ended && !c->ending && n <= 4 && client_send(c, type, parts, n);
}

/* A client that leaves no room for it in time sees that the connection ends without one. */
static void client_send_end(struct command_client *c)
{
	const struct command_part parts[2] = { { &c->code, sizeof(c->code) },
					       { c->text, strlen(c->text) } };

	if (client_send(c, KNIT_COMMAND_END, parts, 2))
		c->ended = true;
}

void command_end(struct command_client *c, int code, const char *format, ...)
{
	va_list args;

	if (c->ended || c->ending)
		return;
	c->ending = true;
	c->code = code;
	c->until = seconds() + KNIT_COMMAND_SECONDS;
	if (format) {
		va_start(args, format);
		vsnprintf(c->text, sizeof(c->text), format, args);
		va_end(args);
	}
	client_send_end(c);
}

void command_end_json(struct command_client *c, struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	struct command_part part;
	size_t left = strlen(text);
	bool sent = true;

	for (; left && sent; left -= part.len, text += part.len) {
		part = (struct command_part){ text, RTE_MIN(left, (size_t)JSON_PART) };
		sent = command_send(c, KNIT_COMMAND_JSON, &part, 1);
	}
	json_object_put(object);
	if (sent)
		command_end(c, KNIT_EXIT_OK, NULL);
	else
		command_end(c, KNIT_EXIT_FAILURE, "the answer does not fit into the socket");
}

void **command_data(struct command_client *c)
{
	return &c->data;
}

pid_t command_pid(const struct command_client *c)
{
	return c->pid;
}

void command_wake(void)
{
	static const uint64_t one = 1;

	if (__atomic_load_n(&server.clients, __ATOMIC_ACQUIRE) &&
	    write(server.wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("command socket: eventfd: %s", strerror(errno));
}

void command_kick(void)
{
	static const uint64_t one = 1;

	if (write(server.wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_warn("command socket: eventfd: %s", strerror(errno));
}

uid_t command_uid(const struct command_client *c)
{
	return c->uid;
}

/* The command is done, even if the client does not know that yet. */
static void client_release(struct command_client *c)
{
	if (c->command == NULL)
		return;
	if (c->command->stop)
		c->command->stop(server.p, c);
	c->command = NULL;
	__atomic_fetch_sub(&server.clients, 1, __ATOMIC_RELEASE);
}

static void client_close(struct command_client *c)
{
	client_release(c);
	close(c->fd);
	*c = (struct command_client){ .fd = -1 };
}

/* Whoever connects meanwhile waits. */
static void accept_later(void)
{
	static bool said;

	server.accept_at = seconds() + 1;
	if (!said)
		log_warn("command socket: accept: %s", strerror(errno));
	said = true;
}

static void client_accept(void)
{
	int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct command_client *c = server.client, spare = { .fd = fd };
	socklen_t len = sizeof(struct ucred);
	struct ucred who = { .uid = (uid_t)-1 };
	int room = SEND_BYTES;

	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		accept_later();
	if (fd < 0)
		return;
	while (c < server.client + KNIT_COMMAND_CLIENTS && c->fd >= 0)
		c++;
	if (c == server.client + KNIT_COMMAND_CLIENTS) {
		command_end(&spare, KNIT_EXIT_RESOURCES,
			    "%d commands run already, which is the most that is possible",
			    KNIT_COMMAND_CLIENTS);
		close(fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	*c = (struct command_client){
		.fd = fd, .pid = who.pid, .uid = who.uid, .until = seconds() + KNIT_COMMAND_SECONDS
	};
}

static const struct command *find_command(uint32_t type)
{
	const struct command *const *at = server.table;

	while (*at && (*at)->type != type)
		at++;
	return *at;
}

static void client_request(struct command_client *c, const void *message, size_t len)
{
	const struct knit_command_head *head = message;
	const struct command *command;

	if (len < sizeof(*head) || head->version != KNIT_COMMAND_VERSION) {
		command_end(c, KNIT_EXIT_MISMATCH,
			    "the primary is of version " KNIT_VERSION
			    ", and its commands are of version %d",
			    KNIT_COMMAND_VERSION);
		return;
	}
	len -= sizeof(*head);
	command = find_command(head->type);
	if (command == NULL || len < command->min || len > command->max) {
		command_end(c, KNIT_EXIT_MISMATCH,
			    "command %u with %zu bytes: the primary (version " KNIT_VERSION
			    ") knows no such command",
			    head->type, len);
		return;
	}
	c->command = command;
	__atomic_fetch_add(&server.clients, 1, __ATOMIC_RELEASE);
	command->start(server.p, c, head + 1, len);
}

/* There is one request; whatever comes after it means that the client has left. */
static void client_receive(struct command_client *c)
{
	static char message[KNIT_COMMAND_MAX] __attribute__((aligned(8)));
	ssize_t len = recv(c->fd, message, sizeof(message), MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0 || c->command || c->ending)
		c->ended = true;
	else
		client_request(c, message, (size_t)len > sizeof(message) ? 0 : (size_t)len);
}

static void client_poll(struct command_client *c)
{
	if (!c->ended && !c->ending && c->command && !c->full && c->command->poll)
		c->command->poll(server.p, c);
	if (c->ending)
		client_release(c);
}

static void client_serve(struct command_client *c, short events, time_t now)
{
	if (events & POLLOUT)
		c->full = false;
	if (events & (POLLIN | POLLHUP | POLLERR))
		client_receive(c);
	client_poll(c);
	if (c->ending && !c->ended && !c->full)
		client_send_end(c);
	if (!c->command && now >= c->until)
		c->ended = true;
	if (c->ended)
		client_close(c);
}

static int next_timeout(void)
{
	const struct command_client *c;
	int ms = server.accept_at ? 1000 : -1, one;
	unsigned int i;

	for (i = 0; i < KNIT_COMMAND_CLIENTS; i++) {
		c = &server.client[i];
		if (c->fd < 0 || (c->full && !c->ending))
			continue;
		one = c->command ? c->command->every_ms : 1000;
		if (one && (ms < 0 || one < ms))
			ms = one;
	}
	return ms;
}

/* Also for all clients: a poll that has nothing to send costs little, and there are few. */
static void serve_once(void)
{
	struct pollfd fds[2 + KNIT_COMMAND_CLIENTS];
	struct command_client *c;
	uint64_t count;
	unsigned int i;

	if (server.accept_at && seconds() >= server.accept_at)
		server.accept_at = 0;
	fds[0] = (struct pollfd){ .fd = server.accept_at ? -1 : server.listener, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = server.wake, .events = POLLIN };
	for (i = 0; i < KNIT_COMMAND_CLIENTS; i++) {
		c = &server.client[i];
		fds[2 + i] = (struct pollfd){ .fd = c->fd,
					      .events = c->full ? POLLIN | POLLOUT : POLLIN };
	}
	if (poll(fds, 2 + KNIT_COMMAND_CLIENTS, next_timeout()) < 0) {
		if (errno != EINTR)
			poll(NULL, 0, 1000);
		return;
	}
	if (read(server.wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_warn("command socket: eventfd: %s", strerror(errno));
	for (i = 0; i < KNIT_COMMAND_CLIENTS; i++)
		if (server.client[i].fd >= 0)
			client_serve(&server.client[i], fds[2 + i].revents, seconds());
	if (fds[0].revents)
		client_accept();
	for (i = 0; server.table[i]; i++)
		if (server.table[i]->round)
			server.table[i]->round(server.p);
}

static uint32_t command_thread(void *arg)
{
	unsigned int i;

	RTE_SET_USED(arg);
	while (!__atomic_load_n(&server.stop, __ATOMIC_ACQUIRE))
		serve_once();
	for (i = 0; i < KNIT_COMMAND_CLIENTS; i++) {
		if (server.client[i].fd < 0)
			continue;
		client_poll(&server.client[i]);
		command_end(&server.client[i], KNIT_EXIT_NO_PRIMARY, "the primary ends");
		client_close(&server.client[i]);
	}
	return 0;
}

static struct knit_path socket_path(const struct primary *p)
{
	return knit_path_file(p->conf->eal.prefix, KNIT_COMMAND_SOCKET);
}

static int listen_there(const struct primary *p)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct knit_path path = socket_path(p);
	int err;

	/* /run/knit, a prefix of 31 characters and the name are far shorter than what fits. */
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.107s", path.text);
	unlink(path.text);
	server.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Nobody can connect before listen, so the mode is right in time. */
	if (server.listener < 0 ||
	    bind(server.listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path.text, p->group ? 0660 : 0600) < 0 ||
	    (p->group && chown(path.text, -1, p->group) < 0) ||
	    listen(server.listener, KNIT_COMMAND_CLIENTS) < 0) {
		err = errno;
		log_err("%s: %s", path.text, strerror(err));
		return -err;
	}
	return 0;
}

int command_start(struct primary *p, const struct command *const *table)
{
	unsigned int i;
	int ret;

	server.p = p;
	server.table = table;
	for (i = 0; i < KNIT_COMMAND_CLIENTS; i++)
		server.client[i].fd = -1;
	server.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (server.wake < 0)
		return errno_log(errno, "eventfd");
	ret = listen_there(p);
	if (ret < 0)
		return ret;
	ret = knit_thread_create(&server.thread, "knit-command", command_thread, NULL);
	if (ret < 0)
		return errno_log(ret, "thread knit-command");
	server.running = true;
	return 0;
}

void command_stop(void)
{
	static const uint64_t one = 1;

	if (server.running) {
		__atomic_store_n(&server.stop, 1, __ATOMIC_RELEASE);
		if (write(server.wake, &one, sizeof(one)) < 0)
			log_warn("command socket: eventfd: %s", strerror(errno));
		knit_thread_join(&server.thread);
		server.running = false;
	}
	if (server.listener >= 0) {
		unlink(socket_path(server.p).text);
		close(server.listener);
	}
	server.listener = -1;
}
