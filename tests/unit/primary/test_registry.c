// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/owner.h"
#include "kni/engine/engine.h"
#include "primary.h"
#include "process/registry.h"
#include "system/process/lockfile.h"
#include "unit.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What the primary makes of messages and ends of secondaries in every order: it may have been
 * stopped, and find them all at once. Each test is a process of its own, with a /run of its own.
 */
#define PREFIX "knit-unit-registry"
#define INSTANCE 4711

static struct knit_topo topo;
static struct knit_config conf;
static struct primary primary;
static struct knit_topo_worker *const worker = &topo.workers[0];
static struct rte_kni kni;
static bool serves; /* the engine, the worker's pair */

static int attach_pair(struct rte_kni *k, uint16_t pair)
{
	serves = true;
	return 0;
}

static void detach_pair(struct rte_kni *k, uint16_t pair)
{
	serves = false;
}

static const struct knit_engine_ops engine = { .bind = attach_pair, .unbind = detach_pair };

static void setup(void)
{
	unsigned int i;

	knit_own_run(PREFIX);
	strcpy(conf.eal.prefix, PREFIX);
	primary.conf = &conf;
	primary.topo = &topo;
	primary.plan = &topo.plan[0];
	worker->there = 1;
	topo.plan[0].workers[0].there = true;
	for (i = 0; i < PROCESS_ENTRIES; i++)
		primary.pidfd[i] = -1;
	topo.instance = INSTANCE;
	topo.n_workers = 1;
	topo.n_ifaces = 1;
	topo.ifaces[0].kni = &kni;
	kni.engine = &engine;
	worker->qsbr = rte_zmalloc(NULL, rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	ck_assert_int_eq(rte_rcu_qsbr_init(worker->qsbr, 1), 0);
}

/* A secondary, as the primary sees it. */
struct process {
	enum knit_role role;
	pid_t pid;
	uint64_t start_time;
	int lock;
	int pidfd;
};

static void write_state(const struct process *s, const char *state)
{
	char line[25];

	snprintf(line, sizeof(line), "%-12d%-11s\n", (int)s->pid, state);
	ck_assert_int_eq(pwrite(s->lock, line, 24, 0), 24);
}

static struct process begin(enum knit_role role)
{
	struct process s = { .role = role, .pid = fork() };

	if (s.pid == 0)
		for (;;)
			pause();
	s.start_time = knit_process_start_time(s.pid);
	s.pidfd = syscall(SYS_pidfd_open, s.pid, 0);
	s.lock = knit_lock_open(role == KNIT_ROLE_CONTROL   ? "/run/knit/" PREFIX "/control.lock"
				: role == KNIT_ROLE_STANDBY ? "/run/knit/" PREFIX "/standby-0.lock"
							    : "/run/knit/" PREFIX "/worker-0.lock");
	ck_assert_int_ge(s.lock, 0);
	ck_assert_int_eq(knit_lock_try(s.lock, F_WRLCK), 0);
	write_state(&s, "attaching");
	return s;
}

/* What the kernel does then; the primary does not look yet. */
static void end(struct process *s)
{
	ck_assert_int_eq(kill(s->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(s->pid, NULL, 0), s->pid);
	close(s->lock);
}

static struct knit_msg message(const struct process *s, enum knit_op op)
{
	return (struct knit_msg){ .op = op,
				  .role = s->role,
				  .pid = s->pid,
				  .start_time = s->start_time,
				  .instance = INSTANCE };
}

static int says_attach(const struct process *s)
{
	struct knit_msg m = message(s, KNIT_OP_ATTACH);
	int ret, pidfd = dup(s->pidfd);

	ret = registry_attach(&primary, &m, &pidfd);
	if (pidfd >= 0)
		close(pidfd);
	return ret;
}

static int says_ready(const struct process *s)
{
	struct knit_msg m = message(s, KNIT_OP_READY);

	int ret = registry_ready(&primary, &m);

	return ret < 0 ? ret : 0;
}

static int says_detach(const struct process *s)
{
	struct knit_msg m = message(s, KNIT_OP_DETACH);

	return registry_detach(&primary, &m);
}

static void stores_goodbye(const struct process *s)
{
	if (s->role == KNIT_ROLE_CONTROL)
		topo.control.goodbye = topo.control.generation;
	else if ((pid_t)worker->next.pid == s->pid)
		worker->goodbye[worker->next.generation % 2] = worker->next.generation;
	else
		worker->goodbye[worker->generation % 2] = worker->generation;
}

static struct process serving(enum knit_role role)
{
	struct process s = begin(role);

	ck_assert_int_eq(says_attach(&s), 0);
	ck_assert_int_eq(says_ready(&s), 0);
	write_state(&s, "attached");
	return s;
}

static uint32_t state_of(enum knit_role role)
{
	return role == KNIT_ROLE_CONTROL ? topo.control.state : worker->state;
}

/* The primary sees the end of whoever has the entry. A reset waits only for a worker's death. */
static void sees_end(enum knit_role role)
{
	bool reset = registry_ended(&primary, role == KNIT_ROLE_CONTROL ? CONTROL_ENTRY : 0);

	ck_assert(reset == (role == KNIT_ROLE_WORKER && worker->state == KNIT_PROCESS_DEAD));
}

static void goodbye_late(enum knit_role role)
{
	struct process s = serving(role), next;

	stores_goodbye(&s);
	write_state(&s, "detached");
	end(&s);
	sees_end(role);
	ck_assert_uint_eq(state_of(role), KNIT_PROCESS_FREE);
	ck_assert(role == KNIT_ROLE_CONTROL || !serves);
	ck_assert_int_eq(says_detach(&s), -EPROTO);
	ck_assert_uint_eq(state_of(role), KNIT_PROCESS_FREE);
	ck_assert_uint_eq(primary.restart, 0);
	next = serving(role);
	ck_assert_uint_eq(state_of(role), KNIT_PROCESS_ATTACHED);
	/* Its predecessor's word is not its own. */
	end(&next);
	sees_end(role);
	ck_assert_uint_eq(state_of(role),
			  role == KNIT_ROLE_CONTROL ? KNIT_PROCESS_FREE : KNIT_PROCESS_DEAD);
}

START_TEST(goodbye_read_late)
{
	goodbye_late(KNIT_ROLE_WORKER);
	goodbye_late(KNIT_ROLE_CONTROL);
}
END_TEST

START_TEST(goodbye_in_time)
{
	struct process s = serving(KNIT_ROLE_WORKER);

	ck_assert(serves);
	/* Who did not store it did not say it. */
	ck_assert_int_eq(says_detach(&s), -EPROTO);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_ATTACHED);
	stores_goodbye(&s);
	ck_assert_int_eq(says_detach(&s), 0);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_DETACHING);
	ck_assert(!serves);
	ck_assert_int_eq(says_detach(&s), 0);
	write_state(&s, "detached");
	end(&s);
	sees_end(KNIT_ROLE_WORKER);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_FREE);
	ck_assert_uint_eq(primary.restart, 0);
}
END_TEST

/* It did not get its answer in time, and went again. */
START_TEST(attach_late)
{
	struct process s = begin(KNIT_ROLE_WORKER), next;

	write_state(&s, "detached");
	end(&s);
	ck_assert_int_eq(says_attach(&s), -ESRCH);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_FREE);
	/* Or is on its way out. */
	s = begin(KNIT_ROLE_WORKER);
	ck_assert_int_eq(says_attach(&s), 0);
	write_state(&s, "detached");
	end(&s);
	sees_end(KNIT_ROLE_WORKER);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_FREE);
	ck_assert_int_eq(says_ready(&s), -EPROTO);
	ck_assert_uint_eq(primary.restart, 0);
	next = serving(KNIT_ROLE_WORKER);
	end(&next);
}
END_TEST

START_TEST(killed)
{
	struct process s = serving(KNIT_ROLE_WORKER);

	end(&s);
	sees_end(KNIT_ROLE_WORKER);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_DEAD);
	ck_assert(!serves);
	worker->state = KNIT_PROCESS_FREE;
	s = begin(KNIT_ROLE_WORKER);
	ck_assert_int_eq(says_attach(&s), 0);
	end(&s);
	sees_end(KNIT_ROLE_WORKER);
	ck_assert_uint_eq(primary.restart, 1);
}
END_TEST

/* Of the one that stands by: nothing of the worker is concerned. */
START_TEST(standby)
{
	struct process s = serving(KNIT_ROLE_WORKER), next = serving(KNIT_ROLE_STANDBY), third;

	ck_assert_uint_eq(worker->state, KNIT_PROCESS_ATTACHED);
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_ATTACHED);
	ck_assert_uint_eq(worker->pid, s.pid);
	ck_assert_uint_ne(worker->generation % 2, worker->next.generation % 2);
	third = (struct process){ .role = KNIT_ROLE_STANDBY, .pid = getpid(), .pidfd = s.pidfd };
	ck_assert_int_eq(says_attach(&third), -EBUSY);
	end(&next);
	ck_assert(!registry_ended(&primary, STANDBY_ENTRY(0)));
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_FREE);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_ATTACHED);
	ck_assert(serves);
	next = serving(KNIT_ROLE_STANDBY);
	stores_goodbye(&next);
	ck_assert_int_eq(says_detach(&next), 0);
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_DETACHING);
	ck_assert(serves);
	write_state(&next, "detached");
	end(&next);
	ck_assert(!registry_ended(&primary, STANDBY_ENTRY(0)));
	next = begin(KNIT_ROLE_STANDBY);
	ck_assert_int_eq(says_attach(&next), 0);
	end(&next);
	ck_assert(!registry_ended(&primary, STANDBY_ENTRY(0)));
	ck_assert_uint_eq(primary.restart, 1);
	end(&s);
}
END_TEST

/* Each of the two goes on with its own words, whichever entry it has. */
START_TEST(taken_over)
{
	struct process s = serving(KNIT_ROLE_WORKER), next = serving(KNIT_ROLE_STANDBY);
	uint32_t before = worker->generation, after = worker->next.generation;

	worker->park = 5;
	worker->held = worker->yield = before;
	registry_take_over(&primary, 0);
	ck_assert_uint_eq(worker->pid, next.pid);
	ck_assert_uint_eq(worker->generation, after);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_ATTACHED);
	ck_assert_uint_eq(worker->next.pid, s.pid);
	ck_assert_uint_eq(worker->next.generation, before);
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_DETACHING);
	ck_assert_uint_eq(worker->park | worker->held | worker->yield, 0);
	/* The old one does not know its new place, and says goodbye. */
	stores_goodbye(&s);
	ck_assert_int_eq(says_detach(&s), 0);
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_ATTACHED);
	end(&s);
	ck_assert(!registry_ended(&primary, STANDBY_ENTRY(0)));
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_FREE);
	ck_assert(serves);
	/* A third one comes, and its number is another one. The lock file is free by then. */
	ck_assert_int_eq(unlink("/run/knit/" PREFIX "/standby-0.lock"), 0);
	s = serving(KNIT_ROLE_STANDBY);
	ck_assert_uint_gt(worker->next.generation, after);
	ck_assert_uint_ne(worker->next.generation % 2, after % 2);
	end(&next);
	ck_assert(registry_ended(&primary, 0));
	ck_assert_uint_eq(worker->state, KNIT_PROCESS_DEAD);
	ck_assert_uint_eq(worker->next.state, KNIT_PROCESS_ATTACHED);
	ck_assert(!serves);
	end(&s);
}
END_TEST

KNIT_SUITE_EAL(registry, knit_eal_small_pages)
{
	TCase *tc = tcase_create("registry");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, goodbye_read_late);
	tcase_add_test(tc, goodbye_in_time);
	tcase_add_test(tc, attach_late);
	tcase_add_test(tc, killed);
	tcase_add_test(tc, standby);
	tcase_add_test(tc, taken_over);
	suite_add_tcase(s, tc);
}
