// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include "abi/knit_req.h"

#include <pthread.h>
#include <string.h>

static enum knit_req_match answer(struct knit_req_track *t, __u32 seq, __u16 kind)
{
	struct knit_req req = { .seq = seq, .kind = kind };

	return knit_req_match(t, &req);
}

START_TEST(answer_matches_its_request)
{
	struct knit_req_track t = { 0 };
	__u32 mtu = knit_req_issue(&t, KNIT_REQ_MTU);
	__u32 mac = knit_req_issue(&t, KNIT_REQ_MAC);

	ck_assert_uint_ne(mtu, 0);
	ck_assert_uint_ne(mac, mtu);
	ck_assert_uint_eq(t.pending[KNIT_REQ_MTU], mtu);
	ck_assert_int_eq(answer(&t, mac, KNIT_REQ_MAC), KNIT_MATCH_OK);
	ck_assert_uint_eq(t.pending[KNIT_REQ_MAC], 0);
	ck_assert_uint_eq(t.pending[KNIT_REQ_MTU], mtu);
	ck_assert_int_eq(answer(&t, mtu, KNIT_REQ_MTU), KNIT_MATCH_OK);
	ck_assert_uint_eq(t.late + t.duplicate + t.unknown, 0);
}
END_TEST

START_TEST(late_answer_is_not_the_next_ones)
{
	struct knit_req_track t = { 0 };
	__u32 old = knit_req_issue(&t, KNIT_REQ_MTU);
	__u32 new;

	knit_req_cancel(&t, KNIT_REQ_MTU);
	new = knit_req_issue(&t, KNIT_REQ_MTU);
	ck_assert_int_eq(answer(&t, old, KNIT_REQ_MTU), KNIT_MATCH_LATE);
	ck_assert_uint_eq(t.pending[KNIT_REQ_MTU], new);
	ck_assert_int_eq(answer(&t, new, KNIT_REQ_MTU), KNIT_MATCH_OK);
	ck_assert_uint_eq(t.late, 1);
	ck_assert_uint_eq(t.duplicate + t.unknown, 0);
}
END_TEST

START_TEST(cancel_without_request_is_nothing)
{
	struct knit_req_track t = { 0 };
	__u32 seq = knit_req_issue(&t, KNIT_REQ_MTU);

	knit_req_cancel(&t, KNIT_REQ_MTU);
	knit_req_cancel(&t, KNIT_REQ_MTU);
	knit_req_cancel(&t, KNIT_REQ_LINK);
	ck_assert_int_eq(answer(&t, seq, KNIT_REQ_MTU), KNIT_MATCH_LATE);
	ck_assert_int_eq(answer(&t, 0, KNIT_REQ_LINK), KNIT_MATCH_UNKNOWN);
}
END_TEST

START_TEST(second_answer_is_a_duplicate)
{
	struct knit_req_track t = { 0 };
	__u32 seq = knit_req_issue(&t, KNIT_REQ_PROMISC);

	ck_assert_int_eq(answer(&t, seq, KNIT_REQ_PROMISC), KNIT_MATCH_OK);
	ck_assert_int_eq(answer(&t, seq, KNIT_REQ_PROMISC), KNIT_MATCH_DUPLICATE);
	knit_req_issue(&t, KNIT_REQ_PROMISC);
	ck_assert_int_eq(answer(&t, seq, KNIT_REQ_PROMISC), KNIT_MATCH_DUPLICATE);
	ck_assert_uint_ne(t.pending[KNIT_REQ_PROMISC], 0);
	ck_assert_uint_eq(t.duplicate, 2);
	ck_assert_uint_eq(t.late + t.unknown, 0);
}
END_TEST

/* No answer to another request may end one that is on its way. */
START_TEST(unknown_answers)
{
	struct knit_req_track t = { 0 };
	__u32 seq = knit_req_issue(&t, KNIT_REQ_MTU);
	const struct {
		__u32 seq;
		__u16 kind;
	} wrong[] = {
		{ 0, KNIT_REQ_MTU },
		{ seq, KNIT_REQ_NONE },
		{ seq, KNIT_REQ_MAC },
		{ seq, KNIT_REQ_COUNT },
		{ seq, 0xffff },
		{ seq + 1, KNIT_REQ_MTU },
		{ seq - 1, KNIT_REQ_RXLIST },
		{ 0xffffffff, KNIT_REQ_MTU },
	};
	unsigned int n = sizeof(wrong) / sizeof(wrong[0]);
	unsigned int i;

	for (i = 0; i < n; i++) {
		ck_assert_msg(answer(&t, wrong[i].seq, wrong[i].kind) == KNIT_MATCH_UNKNOWN,
			      "row %u", i);
		ck_assert_uint_eq(t.unknown, i + 1);
	}
	ck_assert_uint_eq(t.late + t.duplicate, 0);
	ck_assert_int_eq(answer(&t, seq, KNIT_REQ_MTU), KNIT_MATCH_OK);
}
END_TEST

START_TEST(sequence_skips_zero)
{
	struct knit_req_track t = { .next_seq = 0xfffffffd };
	__u32 before = t.next_seq;
	__u32 seq;
	int i;

	for (i = 0; i < 5; i++) {
		seq = knit_req_issue(&t, KNIT_REQ_MTU);
		ck_assert_uint_ne(seq, 0);
		ck_assert_uint_ne(seq, before);
		ck_assert_int_eq(answer(&t, before, KNIT_REQ_MTU),
				 i ? KNIT_MATCH_DUPLICATE : KNIT_MATCH_UNKNOWN);
		ck_assert_int_eq(answer(&t, seq, KNIT_REQ_MTU), KNIT_MATCH_OK);
		before = seq;
	}
	ck_assert_uint_eq(before, 3);
}
END_TEST

START_TEST(random_answers_end_no_request)
{
	struct knit_random random = { 77 };
	struct knit_req_track t = { 0 };
	__u32 seq[KNIT_REQ_COUNT];
	unsigned int kind;
	__u32 wrong;
	int i;

	for (kind = KNIT_REQ_NONE + 1; kind < KNIT_REQ_COUNT; kind++)
		seq[kind] = knit_req_issue(&t, kind);
	for (i = 0; i < 1000000; i++) {
		kind = knit_random_next(&random) % 16;
		wrong = knit_random_next(&random) >> (knit_random_next(&random) % 64);
		if (kind != KNIT_REQ_NONE && kind < KNIT_REQ_COUNT && wrong == seq[kind])
			continue;
		if (answer(&t, wrong, kind) != KNIT_MATCH_UNKNOWN)
			ck_abort_msg("answer %u to kind %u was accepted", wrong, kind);
	}
	for (kind = KNIT_REQ_NONE + 1; kind < KNIT_REQ_COUNT; kind++)
		ck_assert_int_eq(answer(&t, seq[kind], kind), KNIT_MATCH_OK);
}
END_TEST

START_TEST(payload_fits)
{
	struct knit_req req;

#define X(id, name, bytes, text)           \
	ck_assert_uint_le((size_t)(bytes), \
			  offsetof(struct knit_req, reserved) - offsetof(struct knit_req, value));
	KNIT_REQ_TABLE(X)
#undef X
	ck_assert_uint_ge(sizeof(req.mac), 6);
	ck_assert_uint_gt(KNIT_REQ_RING, KNIT_REQ_COUNT);
}
END_TEST

static struct knit_iface_state state;
static __u32 own_seq;

static void wanted_reset(void)
{
	memset(&state, 0, sizeof(state));
	own_seq = 0;
}

/* Every field tells the round, so that a mixture of two rounds shows. */
static void write_round(struct knit_iface_state *w, __u32 round)
{
	knit_iface_state_write_begin(w, &own_seq);
	w->up = round;
	w->mtu = round;
	memset(w->mac, round & 0xff, sizeof(w->mac));
	w->promisc = round;
	w->allmulti = round;
	w->n_uc = round % (KNIT_RXLIST_MAX + 1);
	w->n_mc = w->n_uc;
	memset(w->uc, round & 0xff, sizeof(w->uc));
	memset(w->mc, round & 0xff, sizeof(w->mc));
	knit_iface_state_write_end(w, &own_seq);
}

static void assert_one_round(const struct knit_iface_state *w)
{
	const __u8 byte = w->up & 0xff;
	const __u8 *uc = &w->uc[0][0];
	const __u8 *mc = &w->mc[0][0];
	size_t i;

	ck_assert_uint_eq(w->mtu, w->up);
	ck_assert_uint_eq(w->promisc, w->up);
	ck_assert_uint_eq(w->allmulti, w->up);
	ck_assert_uint_eq(w->n_uc, w->up % (KNIT_RXLIST_MAX + 1));
	ck_assert_uint_eq(w->n_mc, w->n_uc);
	for (i = 0; i < sizeof(w->mac); i++)
		ck_assert_uint_eq(w->mac[i], byte);
	for (i = 0; i < sizeof(w->uc); i++)
		if (uc[i] != byte || mc[i] != byte)
			ck_abort_msg("torn: round %u, byte %zu is of another", w->up, i);
}

START_TEST(iface_state_is_read_as_written)
{
	struct knit_iface_state copy;

	wanted_reset();
	ck_assert(knit_iface_state_read(&state, &copy));
	assert_one_round(&copy);
	write_round(&state, 4711);
	ck_assert(knit_iface_state_read(&state, &copy));
	ck_assert_uint_eq(copy.up, 4711);
	assert_one_round(&copy);
	ck_assert_uint_eq(state.seq, 2);
}
END_TEST

START_TEST(iface_state_of_dead_writer)
{
	struct knit_iface_state copy;

	wanted_reset();
	knit_iface_state_write_begin(&state, &own_seq);
	ck_assert(!knit_iface_state_read(&state, &copy));
	knit_iface_state_write_end(&state, &own_seq);
	ck_assert(knit_iface_state_read(&state, &copy));
}
END_TEST

/* What others write over seq is gone with the next change. */
START_TEST(wanted_survives_a_spoiled_seq)
{
	struct knit_iface_state copy;

	wanted_reset();
	write_round(&state, 1);
	state.seq = 0x80000001;
	ck_assert(!knit_iface_state_read(&state, &copy));
	write_round(&state, 2);
	ck_assert(knit_iface_state_read(&state, &copy));
	ck_assert_uint_eq(copy.up, 2);
	ck_assert_uint_eq(state.seq, 4);
}
END_TEST

/* Every byte arrives. That each is read once only the code of the compiler can show. */
START_TEST(load_copies_all)
{
	struct knit_req from, to;
	unsigned int i;

	memset(&to, 0, sizeof(to));
	memset(&from, 0, sizeof(from));
	for (i = 0; i < sizeof(from); i++)
		((__u8 *)&from)[i] = i + 1;
	knit_req_load(&to, &from);
	ck_assert_mem_eq(&to, &from, sizeof(to));
}
END_TEST

START_TEST(iface_state_counts_are_capped)
{
	struct knit_iface_state copy;

	wanted_reset();
	state.n_uc = KNIT_RXLIST_MAX + 1;
	state.n_mc = 0xffff;
	ck_assert(knit_iface_state_read(&state, &copy));
	ck_assert_uint_eq(copy.n_uc, KNIT_RXLIST_MAX);
	ck_assert_uint_eq(copy.n_mc, KNIT_RXLIST_MAX);
}
END_TEST

#ifndef __SANITIZE_THREAD__ /* a sequence lock is a race by design, and that is all it would say */
static void *write_rounds(void *arg)
{
	struct knit_random random = { 5 };
	const bool *stop = arg;
	uint64_t until;
	__u32 round;

	for (round = 1; !__atomic_load_n(stop, __ATOMIC_RELAXED); round++) {
		write_round(&state, round);
		/* long enough for a reader now and then, short enough to tear it most times */
		until = knit_now_ns() + knit_random_next(&random) % 2000;
		while (knit_now_ns() < until)
			;
	}
	return NULL;
}

START_TEST(iface_state_is_never_torn)
{
	struct knit_iface_state copy;
	unsigned int rounds = 0;
	unsigned int read = 0;
	bool stop = false;
	pthread_t writer;
	__u32 last = 0;

	wanted_reset();
	ck_assert_int_eq(pthread_create(&writer, NULL, write_rounds, &stop), 0);
	while (read < 20000 || rounds < 1000) {
		if (!knit_iface_state_read(&state, &copy))
			continue;
		assert_one_round(&copy);
		read++;
		rounds += copy.up != last;
		last = copy.up;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(writer, NULL);
}
END_TEST
#endif

KNIT_SUITE(req)
{
	knit_add_test(s, "answer matches its request", answer_matches_its_request, 0);
	knit_add_test(s, "late answer is not the next one's", late_answer_is_not_the_next_ones, 0);
	knit_add_test(s, "cancel without request", cancel_without_request_is_nothing, 0);
	knit_add_test(s, "second answer is a duplicate", second_answer_is_a_duplicate, 0);
	knit_add_test(s, "unknown answers", unknown_answers, 0);
	knit_add_test(s, "sequence skips zero", sequence_skips_zero, 0);
	knit_add_test(s, "random answers end no request", random_answers_end_no_request, 20);
	knit_add_test(s, "payload fits", payload_fits, 0);
	knit_add_test(s, "state is read as written", iface_state_is_read_as_written, 0);
	knit_add_test(s, "state of a dead writer", iface_state_of_dead_writer, 0);
	knit_add_test(s, "state counts are capped", iface_state_counts_are_capped, 0);
	knit_add_test(s, "snapshot survives a spoiled seq", wanted_survives_a_spoiled_seq, 0);
	knit_add_test(s, "load copies all", load_copies_all, 0);
#ifndef __SANITIZE_THREAD__
	knit_add_test(s, "state is never torn", iface_state_is_never_torn, 120);
#endif
}
