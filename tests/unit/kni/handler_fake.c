// SPDX-License-Identifier: BSD-3-Clause
#include "handler_fake.h"

#include "kni/base/doorbell.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct knit_fake *knit_fake;

struct knit_iface_state *knit_fake_state(void)
{
	return (struct knit_iface_state *)(knit_fake->shm + knit_shm_state_off());
}

static int note(uint32_t value)
{
	knit_fake->calls++;
	knit_fake->value = value;
	if (knit_fake->cancel)
		knit_store_release(&knit_fake_state()->cancelled_seq, knit_fake->cancel);
	return knit_fake->result;
}

static int on_link(void *arg, bool up)
{
	return note(up);
}

static int on_mtu(void *arg, uint32_t mtu)
{
	return note(mtu);
}

static int on_mac(void *arg, const uint8_t mac[6])
{
	memcpy(knit_fake->mac, mac, 6);
	return note(1);
}

static int on_promisc(void *arg, bool on)
{
	return note(10 + on);
}

static int on_allmulti(void *arg, bool on)
{
	return note(20 + on);
}

static int on_rxlist(void *arg, const struct knit_iface_state *w)
{
	return note(w->n_uc * 1000 + w->n_mc);
}

const struct knit_handler_ops knit_fake_ops = {
	.link = on_link,
	.mtu = on_mtu,
	.mac = on_mac,
	.promisc = on_promisc,
	.allmulti = on_allmulti,
	.rxlist = on_rxlist,
};

static void bind_ring(struct knit_ring *r, size_t off)
{
	knit_ring_bind(r, knit_fake->shm + off, KNIT_REQ_RING, sizeof(struct knit_req));
}

static void setup(void)
{
	struct rte_kni *kni;

	knit_fake = mmap(NULL, sizeof(*knit_fake), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(knit_fake, MAP_FAILED);
	ck_assert_uint_le(knit_shm_bytes(KNIT_RING_MIN, 1), sizeof(knit_fake->shm));
	kni = &knit_fake->kni;
	snprintf(kni->name, sizeof(kni->name), "fake0");
	kni->index = 3;
	kni->generation = 1000;
	kni->legacy = true;
	kni->creator_pid = getpid();
	kni->control_doorbell = KNIT_DOORBELL_NONE;
	kni->handler_doorbell = KNIT_DOORBELL_NONE;
	kni->shm = (struct knit_shm_hdr *)knit_fake->shm;
	bind_ring(&kni->req_q, knit_shm_req_off());
	bind_ring(&kni->resp_q, knit_shm_resp_off());
	bind_ring(&knit_fake->req_q, knit_shm_req_off());
	bind_ring(&knit_fake->resp_q, knit_shm_resp_off());
}

static void teardown(void)
{
	munmap(knit_fake, sizeof(*knit_fake));
}

int knit_fake_claim(const struct knit_handler_ops *ops, bool fixed)
{
	struct knit_handler h = { .ops = ops, .doorbell = KNIT_DOORBELL_NONE, .fixed = fixed };

	return knit_handler_claim(&knit_fake->kni, &h);
}

void knit_fake_submit(const struct knit_req *req)
{
	ck_assert_uint_eq(knit_ring_reserve(&knit_fake->req_q, 1), 1);
	memcpy(knit_ring_entry(&knit_fake->req_q, knit_fake->req_q.prod), req, sizeof(*req));
	knit_ring_submit(&knit_fake->req_q, 1);
}

void knit_fake_sync(uint32_t seq, uint16_t kind, uint32_t value)
{
	knit_fake_submit(&(struct knit_req){
		.seq = seq, .kind = kind, .flags = KNIT_REQ_SYNC, .value = value });
}

int knit_fake_answer_to(uint32_t seq)
{
	struct knit_req answer;

	ck_assert_uint_eq(knit_ring_peek(&knit_fake->resp_q, 1), 1);
	memcpy(&answer, knit_ring_entry(&knit_fake->resp_q, knit_fake->resp_q.cons),
	       sizeof(answer));
	knit_ring_release(&knit_fake->resp_q, 1);
	ck_assert_uint_eq(answer.seq, seq);
	return answer.result;
}

void knit_fake_no_answer(void)
{
	ck_assert_uint_eq(knit_ring_peek(&knit_fake->resp_q, 1), 0);
}

int knit_fake_serve(void)
{
	return knit_handler_serve(&knit_fake->kni, 1);
}

int knit_fake_reap(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TCase *knit_fake_add(Suite *s, const TTest *test, int variants)
{
	TCase *tcase = tcase_create(test->name);

	tcase_set_timeout(tcase, 10);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test, 0, variants);
	suite_add_tcase(s, tcase);
	return tcase;
}
