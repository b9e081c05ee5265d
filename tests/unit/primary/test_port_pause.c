// SPDX-License-Identifier: BSD-3-Clause
#include "change/change_poll.h"
#include "kni/base/doorbell.h"
#include "port/port_op.h"
#include "port/port_pause.h"
#include "port/port_removal.h"
#include "port_thread.h"
#include "primary.h"
#include "process/channel.h"
#include "process/park.h"
#include "recovery/bus_master.h"
#include "recovery/domain_reset.h"
#include "system/process/lockfile.h"
#include "system/rundir/rundir.h"
#include "unit.h"

#include <rte_eal.h>
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
 * And what the port thread does in the meantime. Each test is a process of its own, with a /run of
 * its own.
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

bool port_is_removed(const struct port *port)
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
	primary.plan = &topo.plan[0];
	topo.n_ports = 2;
	topo.n_workers = 2;
	for (i = 0; i < 2; i++) {
		w = &topo.workers[i];
		primary.ports[i].topo = &topo.ports[i];
		w->id = i;
		w->there = 1;
		w->state = KNIT_PROCESS_ATTACHED;
		w->doorbell = UINT32_MAX;
		for (k = 0; k < KNIT_MAX_PORTS; k++)
			topo.plan[0].workers[i].rxq[k] = k == i ? 0 : -1;
		w->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
		ck_assert_int_eq(rte_rcu_qsbr_init(w->qsbr, 1), 0);
		ck_assert_int_eq(rte_rcu_qsbr_thread_register(w->qsbr, 0), 0);
		rte_rcu_qsbr_thread_online(w->qsbr, 0);
	}
}

START_TEST(others_are_not_waited_for)
{
	rte_rcu_qsbr_thread_offline(topo.workers[0].qsbr, 0);
	ck_assert_int_eq(park_workers(&primary, 1 << 0, why, sizeof(why)), 0);
	ck_assert_uint_eq(n_waits, 0);
	ck_assert_uint_ne(topo.workers[0].park, 0);
	ck_assert_uint_eq(topo.workers[1].park, 0);
	park_resume(&primary);
	ck_assert_uint_eq(topo.workers[0].park, 0);
}
END_TEST

/* What people have parked stays so, until its process ends. */
START_TEST(held_ones_stay)
{
	struct knit_topo_worker *w = &topo.workers[0];

	rte_rcu_qsbr_thread_offline(w->qsbr, 0);
	rte_rcu_qsbr_thread_offline(topo.workers[1].qsbr, 0);
	w->generation = 3;
	ck_assert_int_eq(park_worker(&primary, 0, why, sizeof(why)), 0);
	ck_assert_uint_eq(topo.workers[1].park, 0);
	w->held = 3;
	ck_assert_int_eq(park_workers(&primary, 3, why, sizeof(why)), 0);
	park_resume(&primary);
	ck_assert_uint_ne(w->park, 0);
	ck_assert_uint_eq(topo.workers[1].park, 0);
	w->generation = 4;
	park_resume(&primary);
	ck_assert_uint_eq(w->park, 0);
}
END_TEST

START_TEST(those_concerned_are)
{
	stops = &topo.workers[1];
	ck_assert_int_eq(park_workers(&primary, 1 << 0, why, sizeof(why)), -EBUSY);
	ck_assert_str_eq(why, "worker 0 (process 0) did not stop within 100 ms");
	ck_assert_uint_gt(n_waits, 0);
	ck_assert_uint_eq(topo.workers[0].park, 0);
	ck_assert(park_still_stuck(&primary, 1 << 0));
	ck_assert(!park_still_stuck(&primary, 1 << 1));
	stops = &topo.workers[0];
	ck_assert_int_eq(park_workers(&primary, 3, why, sizeof(why)), 0);
	ck_assert_uint_ne(topo.workers[0].park, 0);
	ck_assert_uint_ne(topo.workers[1].park, 0);
}
END_TEST

static int lock_share(const char *path)
{
	int fd = knit_lock_open(path);

	return fd >= 0 && knit_lock_try(fd, F_RDLCK) < 0 ? -1 : fd;
}

/* Worker 1 comes in when somebody writes to it. */
static int attach_and_stand(int in, int out)
{
	int fd = knit_lock_open(RUN "/worker-1.lock"), share = -1;
	char c = 'x';

	/* Check's handler would end the test. */
	signal(SIGTERM, SIG_DFL);
	if (knit_lock_try(fd, F_WRLCK) == 0)
		share = lock_share(RUN "/attach.lock");
	if (share < 0)
		return 1;
	knit_lock_write(fd, KNIT_LOCK_ATTACHING);
	if (write(out, &c, 1) != 1 || read(in, &c, 1) != 1)
		return 1;
	knit_lock_write(fd, KNIT_LOCK_ATTACHED);
	close(share);
	for (;;)
		pause();
}

static int to_attaching;

/* Worker 1, between EAL's set-up and READY. */
static pid_t attaching(void)
{
	int in[2], out[2];
	pid_t pid;
	char c;

	topo.workers[1].state = KNIT_PROCESS_FREE;
	rte_rcu_qsbr_thread_offline(topo.workers[0].qsbr, 0);
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	pid = fork();
	if (pid == 0)
		_exit(attach_and_stand(in[0], out[1]));
	ck_assert_int_eq(read(out[0], &c, 1), 1);
	to_attaching = in[1];
	return pid;
}

static void comes_in(void)
{
	ck_assert_int_eq(write(to_attaching, "x", 1), 1);
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
		_exit(lock_share(RUN "/gate.lock") < 0);
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

/* The port thread, with what it would call and whom it would answer. */
static rte_mp_t deliver;
static unsigned int n_tries, n_given_up;
static unsigned int n_answers;
static struct knit_msg answers[4];

int rte_mp_action_register(const char *name, rte_mp_t action)
{
	deliver = action;
	return 0;
}

void rte_mp_action_unregister(const char *name)
{
}

int rte_mp_reply(struct rte_mp_msg *msg, const char *peer)
{
	unsigned int i = __atomic_load_n(&n_answers, __ATOMIC_RELAXED);

	memcpy(&answers[i], msg->param, sizeof(answers[0]));
	__atomic_store_n(&n_answers, i + 1, __ATOMIC_RELEASE);
	return 0;
}

int port_op(struct primary *p, struct knit_msg *m)
{
	int ret = port_pause(p, m->port, m->text, sizeof(m->text));

	__atomic_fetch_add(&n_tries, 1, __ATOMIC_RELEASE);
	return ret < 0 ? ret : port_go_on(p, m->port, 0);
}

void port_op_give_up(const struct primary *p, struct knit_msg *m)
{
	m->result = -EBUSY;
	n_given_up++;
}

bool domain_reset_dead(struct primary *p)
{
	return true;
}

bool port_removal_release(struct primary *p)
{
	return true;
}

bool change_poll(struct primary *p)
{
	return false;
}

void channel_clear(struct primary *p)
{
}

void channel_clear_for(struct primary *p, const char *peer)
{
}

void channel_poll(struct primary *p)
{
}

void bus_master_keep(const struct primary *p, unsigned int i, pid_t pid)
{
}

int bus_master_fd(void)
{
	return -1;
}

void bus_master_poll(struct primary *p)
{
}

bool bus_master_recover(struct primary *p)
{
	return true;
}

static void asks(enum knit_op op)
{
	struct rte_mp_msg msg = { .len_param = sizeof(struct knit_msg) };
	struct knit_msg m = { .op = op };

	memcpy(msg.param, &m, sizeof(m));
	ck_assert_int_eq(deliver(&msg, "peer"), 0);
}

/* Check's time limit ends it. */
static void wait_until(const unsigned int *counter, unsigned int n)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < n)
		usleep(1000);
}

static void start_service(void)
{
	unsigned int i;

	for (i = 0; i < PROCESS_ENTRIES; i++)
		primary.pidfd[i] = -1;
	conf.eal.attach_timeout = 30;
	ck_assert_int_eq(knit_doorbell_init(), 0);
	ck_assert_int_eq(port_thread_start(&primary), 0);
}

static void is_answer(unsigned int i, enum knit_op op, int result, const char *text)
{
	ck_assert_uint_eq(answers[i].op, op);
	ck_assert_int_eq(answers[i].result, result);
	ck_assert_str_eq(answers[i].text, text);
}

START_TEST(operations_wait_in_order)
{
	attaching();
	start_service();
	asks(KNIT_OP_MTU);
	asks(KNIT_OP_LINK);
	wait_until(&n_tries, 2);
	asks(KNIT_OP_SYNC);
	wait_until(&n_answers, 1);
	is_answer(0, KNIT_OP_SYNC, 0, "");
	ck_assert(!lets_in());
	comes_in();
	wait_until(&n_answers, 3);
	is_answer(1, KNIT_OP_MTU, 0, "");
	is_answer(2, KNIT_OP_LINK, 0, "");
	ck_assert(lets_in());
	port_thread_stop(&primary);
}
END_TEST

START_TEST(operations_do_not_wait_for_ever)
{
	snprintf(why, sizeof(why), "worker 1 (process %d) is attaching", (int)attaching());
	start_service();
	asks(KNIT_OP_MTU);
	wait_until(&n_answers, 1);
	is_answer(0, KNIT_OP_MTU, -EBUSY, why);
	ck_assert_uint_eq(n_given_up, 1);
	ck_assert_uint_gt(n_tries, 1);
	ck_assert(lets_in());
	ck_assert_uint_eq(primary.restart, 0);
	port_thread_stop(&primary);
}
END_TEST

KNIT_SUITE_EAL(port_pause, knit_eal_small_pages)
{
	TCase *tc = tcase_create("pause");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, others_are_not_waited_for);
	tcase_add_test(tc, held_ones_stay);
	tcase_add_test(tc, those_concerned_are);
	tcase_add_test(tc, nobody_comes_in);
	tcase_add_test(tc, killed_on_its_way_in);
	tcase_add_test(tc, operations_wait_in_order);
	tcase_add_test(tc, operations_do_not_wait_for_ever);
	suite_add_tcase(s, tc);
}
