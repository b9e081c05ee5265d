// SPDX-License-Identifier: BSD-3-Clause
#include "offload_frames.h"

#include "../../primary/primary.h"

#include "rundir.h"
#include "rundir_lock.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Who is waited for before a port is stopped: workers with a queue there, and whoever is attaching.
 * Each test is a process of its own, with a /run of its own.
 */
#define PREFIX "knit-unit-pause"
#define RUN "/run/knit/" PREFIX

static struct knit_topo topo;
static struct knit_config conf;
static struct primary primary;
static char why[160];

/* The primary's wait: how often, and the worker that stops in the meantime. */
static unsigned int n_waits;
static struct knit_topo_worker *stops;

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	n_waits++;
	if (stops)
		rte_rcu_qsbr_thread_offline(stops->qsbr, 0);
	return 0;
}

bool domain_dead_on(struct primary *p, uint64_t ports)
{
	return false;
}

bool primary_gone_now(const struct port *port)
{
	return false;
}

/* Worker i has a queue on port i, and is on its way round. */
static void setup(void)
{
	struct knit_topo_worker *w;
	unsigned int i, k;

	knit_own_run(PREFIX);
	strcpy(conf.eal.prefix, PREFIX);
	primary.conf = &conf;
	primary.topo = &topo;
	topo.n_ports = 2;
	topo.n_workers = 2;
	for (i = 0; i < 2; i++) {
		w = &topo.workers[i];
		primary.ports[i].topo = &topo.ports[i];
		w->id = i;
		w->state = KNIT_SLOT_ATTACHED;
		w->bell = UINT32_MAX;
		for (k = 0; k < KNIT_MAX_PORTS; k++)
			w->rxq[k] = k == i ? 0 : -1;
		w->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
		ck_assert_int_eq(rte_rcu_qsbr_init(w->qsbr, 1), 0);
		ck_assert_int_eq(rte_rcu_qsbr_thread_register(w->qsbr, 0), 0);
		rte_rcu_qsbr_thread_online(w->qsbr, 0);
	}
}

START_TEST(others_are_not_waited_for)
{
	rte_rcu_qsbr_thread_offline(topo.workers[0].qsbr, 0);
	ck_assert_int_eq(primary_park(&primary, 1 << 0, why, sizeof(why)), 0);
	ck_assert_uint_eq(n_waits, 0);
	ck_assert_uint_ne(topo.workers[0].park, 0);
	ck_assert_uint_eq(topo.workers[1].park, 0);
	primary_resume(&primary);
	ck_assert_uint_eq(topo.workers[0].park, 0);
}
END_TEST

START_TEST(those_concerned_are)
{
	stops = &topo.workers[1];
	ck_assert_int_eq(primary_park(&primary, 1 << 0, why, sizeof(why)), -EBUSY);
	ck_assert_str_eq(why, "worker 0 (process 0) did not stop within 100 ms");
	ck_assert_uint_gt(n_waits, 0);
	ck_assert_uint_eq(topo.workers[0].park, 0);
	ck_assert(primary_still_stuck(&primary, 1 << 0));
	ck_assert(!primary_still_stuck(&primary, 1 << 1));
	stops = &topo.workers[0];
	ck_assert_int_eq(primary_park(&primary, 3, why, sizeof(why)), 0);
	ck_assert_uint_ne(topo.workers[0].park, 0);
	ck_assert_uint_ne(topo.workers[1].park, 0);
}
END_TEST

static int lock_share(const char *path)
{
	int fd = knit_lock_open(path);

	return fd < 0 ? fd : knit_lock_try(fd, F_RDLCK);
}

static int attach_and_stand(int out)
{
	int fd = knit_lock_open(RUN "/worker-1.lock");

	if (knit_lock_try(fd, F_WRLCK) < 0 || lock_share(RUN "/attach.lock") < 0)
		return 1;
	knit_lock_write(fd, KNIT_LOCK_ATTACHING);
	if (write(out, "x", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* Worker 1, between EAL's set-up and READY. */
static pid_t attaching(void)
{
	int pipes[2];
	pid_t pid;
	char c;

	topo.workers[1].state = KNIT_SLOT_FREE;
	rte_rcu_qsbr_thread_offline(topo.workers[0].qsbr, 0);
	ck_assert_int_eq(pipe(pipes), 0);
	pid = fork();
	if (pid == 0)
		_exit(attach_and_stand(pipes[1]));
	ck_assert_int_eq(read(pipes[0], &c, 1), 1);
	return pid;
}

static void kill_it(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static bool lets_in(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(lock_share(RUN "/turnstile.lock") < 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status == 0;
}

START_TEST(nobody_comes_in)
{
	pid_t pid = attaching();
	char expected[80];

	snprintf(expected, sizeof(expected), "worker 1 (process %d) is attaching", (int)pid);
	ck_assert_int_eq(port_pause(&primary, 0, why, sizeof(why)), -EINPROGRESS);
	ck_assert_str_eq(why, expected);
	ck_assert_uint_eq(topo.workers[0].park, 0);
	ck_assert(!lets_in());
	/* It gave up, in good order. */
	kill_it(pid);
	unlink(RUN "/worker-1.lock");
	ck_assert_int_eq(port_pause(&primary, 0, why, sizeof(why)), 0);
	ck_assert_uint_ne(topo.workers[0].park, 0);
	ck_assert(!lets_in());
	ck_assert_int_eq(port_go_on(&primary, 0, 0), 0);
	ck_assert_uint_eq(topo.workers[0].park, 0);
	ck_assert(lets_in());
	ck_assert_uint_eq(primary.restart, 0);
}
END_TEST

/* The lock is free then, and EAL's are not. */
START_TEST(killed_on_its_way_in)
{
	kill_it(attaching());
	ck_assert_int_eq(port_pause(&primary, 0, why, sizeof(why)), -EBUSY);
	ck_assert_uint_eq(topo.workers[0].park, 0);
	ck_assert_uint_eq(primary.restart, 1);
}
END_TEST

Suite *knit_suite_pause(void)
{
	Suite *s = suite_create("pause");
	TCase *tc = tcase_create("pause");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, others_are_not_waited_for);
	tcase_add_test(tc, those_concerned_are);
	tcase_add_test(tc, nobody_comes_in);
	tcase_add_test(tc, killed_on_its_way_in);
	suite_add_tcase(s, tc);
	return s;
}
