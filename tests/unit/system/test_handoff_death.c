// SPDX-License-Identifier: BSD-3-Clause
#include "handoff_util.h"
#include "unit.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * One end of an hand-off queue dies at the n-th instruction of its work, for as many n as time
 * allows: a forked process that is stepped through and then killed. After each death the other end
 * goes on, the primary's reset is made, and the dead one's successor carries on.
 */
#define BEFORE 8 /* packets that wait, of which half were taken, when the end begins its work */
#define BURST 3
#define FIRST (0U - 100)

struct end {
	void (*work)(void);
	void (*after)(bool finished);
};

static struct rte_mbuf *burst[BURST];

static void put_burst(void)
{
	knit_handoff_put(handoff, burst, BURST);
}

static void take_burst(void)
{
	struct rte_mbuf *m[BURST];
	unsigned int failed;

	knit_handoff_take(handoff, m, BURST, &failed);
}

static void begin(void (*work)(void))
{
	unsigned int i;

	handoff_start(FIRST);
	ck_assert_uint_eq(handoff_put(0, BEFORE), BEFORE);
	ck_assert_uint_eq(handoff_take(0, BEFORE / 2), BEFORE / 2);
	for (i = 0; work == put_burst && i < BURST; i++)
		burst[i] = handoff_packet(BEFORE + i, 1);
}

/* Runs work for n instructions at most and kills it. How many there were. */
static uint32_t die_in(void (*work)(void), uint32_t n)
{
	pid_t pid = fork();
	uint32_t steps = 0;
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status) && steps < n; steps++) {
		ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	}
	if (WIFEXITED(status))
		return steps;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return steps;
}

/* Both ends live again: packets go through, and in the end nobody misses an mbuf. */
static void works_again(void)
{
	ck_assert_uint_eq(handoff_put(100, 20), 20);
	ck_assert_uint_eq(handoff_take(100, 100), 20);
	ck_assert_uint_eq(handoff_put(0, 0), 0);
	handoff_full(of_producer);
	handoff_full(of_consumer);
}

/* What was submitted is the consumer's until the reset; half a burst is never seen. */
static void after_producer(bool finished)
{
	unsigned int n = handoff_take(BEFORE / 2, 2);

	ck_assert_uint_eq(n, 2);
	n += handoff_take(BEFORE / 2 + 2, 100);
	ck_assert(n == BEFORE / 2 + BURST || (!finished && n == BEFORE / 2));
	knit_handoff_reset(handoff, true);
	handoff_rebuild(of_producer);
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	ck_assert(knit_handoff_claim_producer(handoff));
	works_again();
}

/* As before, but the reset comes at once, with packets waiting that the consumer knows of. */
static void after_producer_at_once(bool finished)
{
	unsigned int n = knit_handoff_reset(handoff, true);

	/* Of which it may have freed some already. */
	ck_assert_uint_le(n, BEFORE + BURST);
	ck_assert(!finished || n == BEFORE / 2 + BURST);
	handoff_rebuild(of_producer);
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	ck_assert(knit_handoff_claim_producer(handoff));
	works_again();
}

/* Entries are released all at once, and not before every one of them has its copy. */
static void released_after_copies(void)
{
	uint32_t consumer = handoff->out.ring.shm->consumer - FIRST;

	if (consumer != BEFORE / 2) {
		ck_assert_uint_eq(consumer, BEFORE / 2 + BURST);
		ck_assert_uint_eq(rte_mempool_in_use_count(of_consumer), BURST);
	}
}

/* Nobody takes packets; the producer goes on until there is no room, and after the reset. */
static void after_consumer(bool finished)
{
	unsigned int n;
	uint64_t lost;

	released_after_copies();
	n = handoff_put(BEFORE, HANDOFF_SIZE);
	ck_assert_uint_ge(n, HANDOFF_SIZE - BEFORE / 2);
	ck_assert(!finished || n == HANDOFF_SIZE - BEFORE / 2 + BURST);
	knit_handoff_reset(handoff, false);
	handoff_rebuild(of_consumer);
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	ck_assert_uint_eq(handoff_take(0, 100), 0);
	works_again();
	lost = knit_handoff_lost(handoff);
	ck_assert_uint_eq(lost, HANDOFF_SIZE);
}

/* Neither was alive: the reset of one domain, then of the other. */
static void after_both(bool finished)
{
	knit_handoff_reset(handoff, true);
	handoff_rebuild(of_producer);
	knit_handoff_reset(handoff, true);
	handoff_rebuild(of_consumer);
	ck_assert(knit_handoff_claim_producer(handoff));
	ck_assert(knit_handoff_claim_consumer(handoff, of_consumer));
	works_again();
}

static const struct end ends[] = {
	{ put_burst, after_producer },
	{ put_burst, after_producer_at_once },
	{ take_burst, after_consumer },
	{ take_burst, after_both },
};

#define DEATHS 100
#define LEAST 10
#define BUDGET_NS 8000000000 /* stepping takes long under a sanitizer, or on a busy machine */

START_TEST(at_any_instruction)
{
	uint64_t end_ns = knit_now_ns() + BUDGET_NS, golden = 0x9e3779b97f4a7c15;
	const struct end *end = &ends[_i];
	uint32_t k, length;

	begin(end->work);
	length = die_in(end->work, UINT32_MAX);
	ck_assert_uint_gt(length, 100);
	end->after(true);
	/* Spread evenly, however many there are. */
	for (k = 0; k < DEATHS && (k < LEAST || knit_now_ns() < end_ns); k++) {
		begin(end->work);
		die_in(end->work, (golden * k >> 32) * length >> 32);
		end->after(false);
	}
}
END_TEST

KNIT_SUITE_EAL(handoff_death, knit_eal_small_pages)
{
	TCase *tcase = tcase_create("at any instruction");

	handoff_make();
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, at_any_instruction, 0, RTE_DIM(ends));
	suite_add_tcase(s, tcase);
}
