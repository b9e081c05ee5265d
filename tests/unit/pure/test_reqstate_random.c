// SPDX-License-Identifier: BSD-3-Clause
#include "reqstate_fake.h"

#include <errno.h>

/* A handler with a mind of its own: it never takes some values, and others not always. */
static void random_serve(struct knit_random *random)
{
	static const int results[] = { 0, 0, 0, -EAGAIN, -ETIMEDOUT, -EBUSY, 7, -4095 };
	int result = results[knit_random_next(random) % 8];
	struct knit_req req = fake.queue[0];

	if (req.kind == KNIT_REQ_MTU && req.value % 3 == 1)
		result = -EINVAL;
	serve(req.kind, result);
	if (result == -ETIMEDOUT && req.kind == KNIT_REQ_MTU)
		fake.mtu = req.value; /* it did it all the same */
	if (answer_to(&req, result) == KNIT_MATCH_UNKNOWN)
		answer_to(&req, -EAGAIN);
}

static void random_step(struct knit_random *random)
{
	__u32 mtu = 1000 + knit_random_next(random) % 8000;

	switch (knit_random_next(random) % 8) {
	case 0:
		if (mtu != state.now.mtu)
			set_mtu(mtu);
		break;
	case 1:
		if (!state.track.pending[KNIT_REQ_MTU])
			request_sync(KNIT_REQ_MTU, mtu);
		break;
	case 2:
		knit_reqstate_cancel(&state, KNIT_REQ_MTU);
		break;
	case 3:
		revert(KNIT_REQ_MTU);
		break;
	case 4:
		knit_reqstate_tick(&state);
		break;
	case 5:
		if (fake.n < KNIT_REQ_RING / 2)
			knit_reqstate_anew(&state);
		break;
	default:
		if (fake.n)
			random_serve(random);
		break;
	}
	if (fake.n < KNIT_REQ_RING - KNIT_REQ_COUNT)
		run();
}

/* From now on nothing is only passing. */
static void serve_steadily(void)
{
	struct knit_req req;
	int result;

	while (run()) {
		req = fake.queue[0];
		result = req.kind == KNIT_REQ_MTU && req.value % 3 == 1 ? -EINVAL : 0;
		serve(req.kind, result);
		answer_to(&req, result);
	}
}

START_TEST(random_histories_converge)
{
	struct knit_random random = { 4242 + _i };
	int steps;

	for (steps = 0; steps < 20000; steps++) {
		random_step(&random);
		if (knit_random_next(&random) % 50)
			continue;
		knit_reqstate_cancel(&state, KNIT_REQ_MTU);
		knit_reqstate_tick(&state);
		do
			serve_steadily();
		while (revert(KNIT_REQ_MTU));
		settled(state.now.mtu);
	}
}
END_TEST

KNIT_SUITE(reqstate_random)
{
	add(s, random_histories_converge, 8);
}
