// SPDX-License-Identifier: BSD-3-Clause
#include "handler_fake.h"

#include "kni/base/owner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct knit_handler_ops no_ops;

static int die(void *arg, uint32_t mtu)
{
	_exit(7);
}

static int linger(void *arg, uint32_t mtu)
{
	knit_store_release(&knit_fake->in_call, 1);
	while (!knit_load_acquire(&knit_fake->go))
		usleep(1000);
	knit_store_release(&knit_fake->in_call, 0);
	return 0;
}

static const struct knit_handler_ops deadly_ops = { .mtu = die };
static const struct knit_handler_ops slow_ops = { .mtu = linger };

/* Exit code of a child that does it. */
#define IN_CHILD(pid_, do_)            \
	do {                           \
		(pid_) = fork();       \
		if ((pid_) == 0) {     \
			do_;           \
			_exit(0);      \
		}                      \
		ck_assert((pid_) > 0); \
	} while (0)

static void wait_for(const uint32_t *flag)
{
	int i;

	for (i = 0; i < 3000 && !knit_load_acquire(flag); i++)
		usleep(1000);
	ck_assert(knit_load_acquire(flag));
}

START_TEST(others_touch_nothing)
{
	static char before[sizeof(struct knit_fake)];
	pid_t pid;

	/* neither a forked child of the handler, nor of the creator that handles by default */
	knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	if (_i)
		ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	memcpy(before, knit_fake, sizeof(before));
	IN_CHILD(pid, _exit(knit_handler_is_self(&knit_fake->kni) || knit_fake_serve() != 0));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	ck_assert_mem_eq(before, knit_fake, sizeof(before));
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
}
END_TEST

START_TEST(creator_handles_by_default)
{
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	knit_fake->kni.legacy = false;
	ck_assert(!knit_handler_is_self(&knit_fake->kni));
	knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	ck_assert_int_eq(knit_fake_serve(), 0);
	knit_fake->kni.legacy = true;
	ck_assert(knit_handler_is_self(&knit_fake->kni));
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_uint_eq(knit_fake->calls, 1);
	knit_handler_fallback(&knit_fake->kni, NULL, NULL);
	knit_fake_sync(2, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_uint_eq(knit_fake->calls, 1);
}
END_TEST

START_TEST(claims_exclude_each_other)
{
	uint64_t stamp;
	pid_t pid;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), -EBUSY);
	IN_CHILD(pid, _exit(knit_fake_claim(&no_ops, true) != -EBUSY));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	stamp = knit_owner_stamp(&knit_fake->kni.handler);
	ck_assert_int_eq(knit_handler_unclaim(&knit_fake->kni), 0);
	ck_assert_uint_ne(stamp, knit_owner_stamp(&knit_fake->kni.handler));

	/*
	 * without callbacks of its own a live handler can be replaced, on interfaces of
	 * rte_kni_alloc
	 */
	ck_assert_int_eq(knit_fake_claim(&no_ops, false), 0);
	knit_fake->kni.legacy = false;
	IN_CHILD(pid, _exit(knit_fake_claim(&no_ops, true) != -EBUSY));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	knit_fake->kni.legacy = true;
	IN_CHILD(pid, _exit(knit_fake_claim(&no_ops, true) != 0));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
}
END_TEST

START_TEST(only_the_holder_ends_a_role_it_does_not_share)
{
	pid_t pid;

	knit_fake->kni.legacy = false;
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	IN_CHILD(pid, _exit(knit_handler_unclaim(&knit_fake->kni) != -EPERM));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	ck_assert_int_eq(knit_handler_unclaim(&knit_fake->kni), 0);
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 0);
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

/*
 * The child dies inside the callback: the request is still there, and so is the mark that it
 * serves.
 */
static void die_while_serving(uint32_t seq)
{
	pid_t pid;

	knit_fake_sync(seq, KNIT_REQ_MTU, 1300);
	IN_CHILD(pid, _exit(knit_fake_claim(&deadly_ops, true) || knit_fake_serve()));
	ck_assert_int_eq(knit_fake_reap(pid), 7);
	ck_assert_uint_eq(knit_fake->kni.serving, pid);
	knit_fake_no_answer();
}

START_TEST(successor_of_a_dead_handler_sees_the_request_again)
{
	die_while_serving(1);
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
	ck_assert_uint_eq(knit_fake->value, 1300);
}
END_TEST

START_TEST(creator_takes_the_role_back_from_the_dead)
{
	uint64_t stamp;

	knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	die_while_serving(1);
	stamp = knit_owner_stamp(&knit_fake->kni.handler);
	ck_assert_int_eq(knit_fake_serve(), 1);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
	ck_assert_uint_eq(knit_fake->value, 1300);
	ck_assert_uint_ne(stamp, knit_owner_stamp(&knit_fake->kni.handler));
	ck_assert_int_eq(knit_fake_claim(&no_ops, true), 0);
}
END_TEST

START_TEST(creator_leaves_the_living_alone)
{
	pid_t pid;

	knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	IN_CHILD(pid, _exit(knit_fake_claim(&slow_ops, true) || knit_fake_serve() != 1));
	wait_for(&knit_fake->in_call);
	ck_assert_int_eq(knit_fake_serve(), 0);
	usleep(20000); /* longer than it believes its last look */
	ck_assert_int_eq(knit_fake_serve(), 0);
	knit_store_release(&knit_fake->go, 1);
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

START_TEST(a_change_of_handler_waits_for_the_callback)
{
	pid_t pid, helper;

	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	IN_CHILD(pid, _exit(knit_fake_claim(&slow_ops, false) || knit_fake_serve() != 1));
	wait_for(&knit_fake->in_call);
	IN_CHILD(helper, usleep(100000); knit_store_release(&knit_fake->go, 1));
	if (_i)
		ck_assert_int_eq(knit_handler_unclaim(&knit_fake->kni), 0);
	else
		ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	ck_assert_uint_eq(knit_load_acquire(&knit_fake->in_call), 0);
	ck_assert_uint_eq(knit_fake->kni.serving, 0);
	knit_fake_reap(helper);
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
}
END_TEST

START_TEST(a_change_of_handler_gives_up_in_the_end)
{
	pid_t pid;

	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	IN_CHILD(pid, _exit(knit_fake_claim(&slow_ops, false) || knit_fake_serve() != 1));
	wait_for(&knit_fake->in_call);
	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), -EBUSY);
	ck_assert_uint_eq(knit_owner_pid(&knit_fake->kni.handler), 0);
	knit_store_release(&knit_fake->go, 1);
	ck_assert_int_eq(knit_fake_reap(pid), 0);
}
END_TEST

START_TEST(an_index_used_again_has_no_callbacks)
{
	if (_i) {
		knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	} else {
		ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	}
	/*
	 * the next interface of that index: the same owner word by coincidence, another generation
	 */
	knit_fake->kni.generation++;
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	knit_fake_serve();
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

START_TEST(a_claim_made_otherwise_has_no_callbacks)
{
	pid_t pid;

	ck_assert_int_eq(knit_fake_claim(&knit_fake_ops, true), 0);
	IN_CHILD(pid, _exit(knit_handler_unclaim(&knit_fake->kni) != 0));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	/*
	 * as in the middle of knit_handler_claim: this process has the role, but not yet its
	 * callbacks
	 */
	ck_assert_int_eq(knit_owner_claim(&knit_fake->kni.handler), 0);
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	ck_assert_int_eq(knit_fake_serve(), 0);
	ck_assert_uint_eq(knit_fake->calls, 0);
}
END_TEST

/* The role was taken from a handler that then died in the middle of a request. */
START_TEST(nobody_waits_for_the_dead)
{
	uint64_t end = knit_now_ns() + 2000000000;
	pid_t pid;

	knit_handler_fallback(&knit_fake->kni, &knit_fake_ops, NULL);
	IN_CHILD(pid, _exit(0));
	ck_assert_int_eq(knit_fake_reap(pid), 0);
	knit_fake->kni.serving = pid;
	knit_fake_sync(1, KNIT_REQ_MTU, 1300);
	while (knit_fake_serve() == 0)
		ck_assert_uint_lt(knit_now_ns(), end);
	ck_assert_int_eq(knit_fake_answer_to(1), 0);
	ck_assert_uint_eq(knit_fake->kni.serving, 0);
}
END_TEST

/* Between taking pid_gen and storing start_time the word still holds the predecessor's. */
START_TEST(a_start_time_belongs_to_its_claim)
{
	struct knit_owner o = { 0 };
	uint64_t start;

	ck_assert_int_eq(knit_owner_claim(&o), 0);
	ck_assert(knit_owner_alive(&o));
	start = o.start_time;
	o.start_time ^= 1; /* another process had that pid */
	ck_assert(!knit_owner_alive(&o));
	o.pid_gen++; /* claimed anew, not yet finished */
	ck_assert(knit_owner_alive(&o));
	ck_assert_int_eq(knit_owner_claim(&o), -EBUSY);
	ck_assert_uint_eq(o.start_time, start ^ 1); /* who lost has not touched it */
	knit_owner_clear(&o);
	ck_assert(!knit_owner_alive(&o));
}
END_TEST

/*
 * In QEMU's user mode a process reads another start time in its own /proc/PID/stat than other
 * processes do. So no process there finds the owner of a claim alive.
 */
#define NO_QEMU "no-qemu-user"

KNIT_SUITE(handler_role)
{
	knit_fake_add(s, others_touch_nothing, 2);
	knit_fake_add(s, creator_handles_by_default, 1);
	tcase_set_tags(knit_fake_add(s, claims_exclude_each_other, 1), NO_QEMU);
	knit_fake_add(s, only_the_holder_ends_a_role_it_does_not_share, 1);
	knit_fake_add(s, successor_of_a_dead_handler_sees_the_request_again, 1);
	knit_fake_add(s, creator_takes_the_role_back_from_the_dead, 1);
	tcase_set_tags(knit_fake_add(s, creator_leaves_the_living_alone, 1), NO_QEMU);
	knit_fake_add(s, a_change_of_handler_waits_for_the_callback, 2);
	knit_fake_add(s, a_change_of_handler_gives_up_in_the_end, 1);
	knit_fake_add(s, an_index_used_again_has_no_callbacks, 2);
	knit_fake_add(s, a_claim_made_otherwise_has_no_callbacks, 1);
	knit_fake_add(s, nobody_waits_for_the_dead, 1);
	knit_fake_add(s, a_start_time_belongs_to_its_claim, 1);
}
