// SPDX-License-Identifier: BSD-3-Clause
#include "offload_frames.h"

#include "../../primary/primary.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <errno.h>
#include <poll.h>

/* Who is waited for before a port is stopped. Each test is a process of its own. */
static struct knit_topo topo;
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

/* Worker i has a queue on port i, and is on its way round. */
static void setup(void)
{
	struct knit_topo_worker *w;
	unsigned int i, k;

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

Suite *knit_suite_pause(void)
{
	Suite *s = suite_create("pause");
	TCase *tc = tcase_create("pause");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, others_are_not_waited_for);
	tcase_add_test(tc, those_concerned_are);
	suite_add_tcase(s, tc);
	return s;
}
