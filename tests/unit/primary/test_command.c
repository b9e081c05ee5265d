// SPDX-License-Identifier: BSD-3-Clause
#include "command/command.h"
#include "command/watch.h"
#include "system/rundir/rundir_paths.h"
#include "system/topology/watch.h"
#include "unit.h"

#include <rte_memzone.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/*
 * The server of the command socket with clients that are odd, slow or many; and the primary's part
 * of a watch, where the test is the workers. Each test is a process of its own, with a /run of its
 * own.
 */
#define PREFIX "knit-unit-command"
#define WORKERS 3
#define FLOOD KNIT_COMMAND_TYPES /* a command of this file */

static struct knit_topo topo;
static struct knit_config conf;
static struct primary primary;
static unsigned int stopped;

/* Sends until the client's socket is full, then ends. */
static void flood_start(struct primary *p, struct command_client *c, const void *request,
			size_t len)
{
	static char text[KNIT_COMMAND_MAX / 2];
	const struct command_part part = { text, sizeof(text) };

	while (command_send(c, FLOOD, &part, 1))
		;
	command_end(c, KNIT_EXIT_TAKEN, "this is %s", "the end");
}

static void flood_stop(struct primary *p, struct command_client *c)
{
	__atomic_fetch_add(&stopped, 1, __ATOMIC_RELEASE);
}

static const struct command flood_command = {
	.type = FLOOD, .max = 0, .start = flood_start, .stop = flood_stop
};
static const struct command *const table[] = { &watch_command, &flood_command, NULL };

static void setup(void)
{
	const struct rte_memzone *mz;
	unsigned int i;

	knit_own_run(PREFIX);
	strcpy(conf.eal.prefix, PREFIX);
	conf.n_workers = WORKERS;
	for (i = 0; i < WORKERS; i++)
		conf.workers[i].there = true;
	conf.watch.buffer = 128;
	primary.conf = &conf;
	primary.topo = &topo;
	topo.n_workers = WORKERS;
	topo.n_ports = 2;
	strcpy(topo.ports[1].name, "right");
	mz = rte_memzone_reserve(KNIT_WATCH_MZ, knit_watch_bytes(&conf), SOCKET_ID_ANY, 0);
	ck_assert_ptr_nonnull(mz);
	memset(mz->addr, 0, mz->len);
	topo.watch = mz->addr;
	knit_watch_init(topo.watch, &conf);
	for (i = 0; i < WORKERS; i++) {
		topo.workers[i].id = i;
		topo.workers[i].there = 1;
		topo.workers[i].doorbell = UINT32_MAX;
	}
	ck_assert_int_eq(command_start(&primary, table), 0);
}

static int connect_client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.100s",
		 knit_path_file(PREFIX, KNIT_COMMAND_SOCKET).text);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static int ask(uint32_t type, const void *request, size_t len)
{
	const struct knit_command_head head = { KNIT_COMMAND_VERSION, type };
	struct iovec iov[2] = { { (void *)&head, sizeof(head) }, { (void *)request, len } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int fd = connect_client();

	ck_assert_int_gt(sendmsg(fd, &msg, MSG_NOSIGNAL), 0);
	return fd;
}

static _Alignas(8) char message[KNIT_COMMAND_MAX];

static const struct knit_command_head *receive(int fd, size_t *len)
{
	ssize_t n = recv(fd, message, sizeof(message), 0);

	*len = n > 0 ? (size_t)n : 0;
	return n > 0 ? (const struct knit_command_head *)(const void *)message : NULL;
}

/* Reads up to the end: its code, or -1. */
static int end_of(int fd, unsigned int *n)
{
	const struct knit_command_head *head;
	size_t len;

	*n = 0;
	while ((head = receive(fd, &len)) != NULL) {
		if (head->type == KNIT_COMMAND_END)
			return ((const struct knit_command_end *)(const void *)head)->code;
		++*n;
	}
	return -1;
}

/* The end arrives behind all that was sent, though there was no room for it at first. */
START_TEST(end_behind_a_full_socket)
{
	unsigned int n;
	int fd = ask(FLOOD, NULL, 0);

	/* the command is over for the server long before the client reads */
	while (__atomic_load_n(&stopped, __ATOMIC_ACQUIRE) == 0)
		poll(NULL, 0, 1);
	ck_assert_int_eq(end_of(fd, &n), KNIT_EXIT_TAKEN);
	ck_assert_uint_gt(n, 1);
	ck_assert_str_eq(message + sizeof(struct knit_command_end), "this is the end");
	command_stop();
}
END_TEST

/* One that never reads is left, and only then. */
START_TEST(never_reads)
{
	struct pollfd gone = { .events = 0 };
	time_t start = time(NULL);

	gone.fd = ask(FLOOD, NULL, 0);
	ck_assert_int_eq(poll(&gone, 1, 15000), 1);
	ck_assert(gone.revents & POLLHUP);
	ck_assert_int_ge(time(NULL) - start, KNIT_COMMAND_SECONDS - 1);
	ck_assert_uint_eq(stopped, 1);
	command_stop();
}
END_TEST

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + t.tv_nsec / 1e9;
}

/* Without a free fd it waits, and does not go round all the time. */
START_TEST(no_fd_is_free)
{
	struct rlimit limit = { .rlim_cur = 64, .rlim_max = 64 }, before;
	double start;
	unsigned int n;
	int fd, one, last = -1;

	getrlimit(RLIMIT_NOFILE, &before);
	limit.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		last = fd;
	close(last);
	one = connect_client();
	start = cpu_seconds();
	poll(NULL, 0, 1500);
	ck_assert(cpu_seconds() - start < 0.3);
	setrlimit(RLIMIT_NOFILE, &before);
	fd = ask(FLOOD, NULL, 0);
	ck_assert_int_eq(end_of(fd, &n), KNIT_EXIT_TAKEN);
	close(one);
	command_stop();
}
END_TEST

static struct knit_watch_ring *ring(unsigned int worker)
{
	return topo.watch->ring[worker];
}

/* A record of the present watch, of that length; as a worker writes it. False: there is no room. */
static bool put(unsigned int worker, uint32_t len)
{
	struct knit_watch_ring *r = ring(worker);
	uint32_t size = RTE_ALIGN_CEIL(sizeof(struct knit_watch_record) + len, 8);
	uint32_t at = r->head & (r->bytes - 1), end = r->bytes - at;
	uint64_t used = r->head - __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
	struct knit_watch_record *record = (void *)(r->data + at);

	if (used + (size > end ? size + end : size) > r->bytes)
		return false;
	if (size > end) {
		record->size = end;
		record->serial = 0;
		record = (void *)r->data;
	}
	*record = (struct knit_watch_record){ .size = size,
					      .serial = topo.watch->serial,
					      .len = len,
					      .captured = len,
					      .end = KNIT_WATCH_PORT,
					      .direction = KNIT_WATCH_RX };
	__atomic_store_n(&r->head, r->head + (size > end ? size + end : size), __ATOMIC_RELEASE);
	return true;
}

static const struct knit_watch_request all = { .snaplen = 64,
					       .share = 10,
					       .directions = KNIT_WATCH_RX | KNIT_WATCH_TX };

static int watch(uint64_t limit)
{
	struct knit_watch_request r = all;
	const struct knit_command_head *head;
	unsigned int i;
	size_t len;
	int fd;

	r.limit = limit;
	fd = ask(KNIT_COMMAND_WATCH, &r, sizeof(r));
	head = receive(fd, &len);
	ck_assert_ptr_nonnull(head);
	ck_assert_uint_eq(head->type, KNIT_COMMAND_WATCHING);
	for (i = 0; i < WORKERS; i++)
		ring(i)->following = ring(i)->counted = topo.watch->serial;
	return fd;
}

/* Reads messages until one has records of that worker. Returns how many records there were. */
static unsigned int records_of(int fd, unsigned int worker)
{
	const struct knit_watch_records *m;
	const struct knit_command_head *head;
	unsigned int n = 0;
	size_t len, at;

	do {
		head = receive(fd, &len);
		ck_assert_ptr_nonnull(head);
		ck_assert_uint_eq(head->type, KNIT_COMMAND_WATCHED);
		m = (const struct knit_watch_records *)(const void *)head;
	} while (m->worker != worker || len == sizeof(*m));
	for (at = sizeof(*m); at < len; n++)
		at += *(const uint32_t *)(const void *)(message + at);
	ck_assert_uint_eq(at, len);
	return n;
}

static bool is_idle(void)
{
	return __atomic_load_n(&topo.watch->serial, __ATOMIC_ACQUIRE) == 0;
}

/* A client that left with full rings: they are empty for the next one, of every worker. */
START_TEST(full_rings_are_emptied)
{
	unsigned int i;
	int fd = watch(0);

	for (i = 0; i < WORKERS; i++)
		while (put(i, 1000))
			;
	close(fd);
	while (!is_idle())
		poll(NULL, 0, 1);
	/* and what came behind that */
	topo.watch->serial = 1;
	for (i = 0; i < WORKERS; i++)
		while (put(i, 100))
			;
	topo.watch->serial = 0;
	fd = watch(0);
	for (i = 0; i < WORKERS; i++) {
		ck_assert(put(i, 60));
		ck_assert_uint_eq(records_of(fd, i), 1);
	}
	close(fd);
	command_stop();
}
END_TEST

/* Workers whose rings are always full have their turns, though the client is slow. */
START_TEST(turns)
{
	const struct knit_command_head *head;
	unsigned int i, k, got[WORKERS] = { 0 };
	size_t len;
	int fd = watch(0);

	for (k = 0; k < 100; k++) {
		for (i = 0; i < WORKERS; i++)
			while (put(i, 1400))
				;
		poll(NULL, 0, 2);
		head = receive(fd, &len);
		ck_assert_ptr_nonnull(head);
		got[((const struct knit_watch_records *)(const void *)head)->worker]++;
	}
	for (i = 0; i < WORKERS; i++)
		ck_assert_uint_ge(got[i], 20);
	close(fd);
	command_stop();
}
END_TEST

static void *put_all(void *arg)
{
	unsigned int i;

	for (i = 0; !is_idle(); i++)
		if (!put(i % WORKERS, 1200))
			poll(NULL, 0, 1);
	return NULL;
}

/* As many records as were asked for, though the client reads late; then the end. */
START_TEST(number_of_records)
{
	unsigned int limit, n;
	pthread_t thread;
	int fd;

	for (limit = 1; limit < 2000; limit += 333) {
		fd = watch(limit);
		ck_assert_int_eq(pthread_create(&thread, NULL, put_all, NULL), 0);
		poll(NULL, 0, 20);
		ck_assert_int_eq(end_of(fd, &n), KNIT_EXIT_OK);
		pthread_join(thread, NULL);
		close(fd);
	}
	command_stop();
}
END_TEST

/* Sizes and fields that no record has: counted, and the next good one arrives. */
START_TEST(damaged_records)
{
	const struct knit_watch_records *m = (const struct knit_watch_records *)(void *)message;
	struct knit_watch_record *r = (void *)ring(1)->data;
	int fd = watch(0);
	size_t len;

	ring(1)->bytes = 1u << 31; /* nobody believes it */
	ring(1)->head = 400;
	r->size = 400;
	r->serial = topo.watch->serial;
	r->end = KNIT_WATCH_PORT;
	r->index = 2;
	while (receive(fd, &len) && m->counts.damaged == 0)
		;
	ck_assert_uint_eq(m->counts.damaged, 1);
	ck_assert_uint_eq(len, sizeof(*m));
	ring(1)->head = 408 + 7; /* and an impossible size */
	ring(1)->bytes = 128 << 10;
	while (ring(1)->tail != 415)
		poll(NULL, 0, 1);
	ring(1)->head = 416;
	while (ring(1)->tail != 416)
		poll(NULL, 0, 1);
	ck_assert(put(1, 60));
	ck_assert_uint_eq(records_of(fd, 1), 1);
	close(fd);
	command_stop();
}
END_TEST

/* What a worker counted stays when it leaves. */
START_TEST(counts_of_who_left)
{
	const struct knit_watch_records *m = (const struct knit_watch_records *)(void *)message;
	int fd = watch(0);
	size_t len;

	ring(0)->counts.lost = 7;
	ring(2)->counts.lost = 5;
	ring(2)->following = 0;
	while (receive(fd, &len) && m->counts.lost != 12)
		;
	ck_assert_uint_eq(m->counts.lost, 12);
	close(fd);
	command_stop();
}
END_TEST

static int refused(const struct knit_watch_request *r, size_t len)
{
	unsigned int n;
	int fd = ask(KNIT_COMMAND_WATCH, r, len), code = end_of(fd, &n);

	close(fd);
	return n == 0 ? code : -1;
}

START_TEST(filters_that_do_not_end)
{
	static const struct knit_watch_insn back[2] = { { .code = 5, .k = -1 }, { .code = 6 } },
					    out[2] = { { .code = 5, .k = 1 }, { .code = 6 } },
					    good[2] = { { .code = 5, .k = 0 }, { .code = 6 } };
	struct knit_watch_request *r = calloc(1, sizeof(*r) + sizeof(good));
	size_t len = sizeof(*r) + sizeof(good);
	int fd;

	*r = all;
	r->n_insns = 2;
	memcpy(r->insns, back, sizeof(back));
	ck_assert_int_eq(refused(r, len), KNIT_EXIT_USAGE);
	memcpy(r->insns, out, sizeof(out));
	ck_assert_int_eq(refused(r, len), KNIT_EXIT_USAGE);
	memcpy(r->insns, good, sizeof(good));
	r->directions = 0;
	ck_assert_int_eq(refused(r, len), KNIT_EXIT_USAGE);
	r->directions = KNIT_WATCH_RX;
	fd = ask(KNIT_COMMAND_WATCH, r, len);
	ck_assert_uint_eq(receive(fd, &len)->type, KNIT_COMMAND_WATCHING);
	close(fd);
	free(r);
	command_stop();
}
END_TEST

KNIT_SUITE_EAL(command, knit_eal_small_pages)
{
	knit_add_fixture_test(s, "end behind a full socket", end_behind_a_full_socket, 20, setup,
			      NULL);
	knit_add_fixture_test(s, "never reads", never_reads, 30, setup, NULL);
	knit_add_fixture_test(s, "no fd is free", no_fd_is_free, 30, setup, NULL);
	knit_add_fixture_test(s, "full rings are emptied", full_rings_are_emptied, 20, setup, NULL);
	knit_add_fixture_test(s, "turns", turns, 20, setup, NULL);
	knit_add_fixture_test(s, "number of records", number_of_records, 20, setup, NULL);
	knit_add_fixture_test(s, "damaged records", damaged_records, 20, setup, NULL);
	knit_add_fixture_test(s, "counts of who left", counts_of_who_left, 20, setup, NULL);
	knit_add_fixture_test(s, "filters that do not end", filters_that_do_not_end, 20, setup,
			      NULL);
}
