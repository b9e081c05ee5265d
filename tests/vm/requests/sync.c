// SPDX-License-Identifier: BSD-3-Clause
#include "requests.h"

#include "abi/knit_shm.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINK KNIT_REQ_LINK
#define MTU KNIT_REQ_MTU
#define MAC KNIT_REQ_MAC

void test_allowed(struct iface *i)
{
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
	EXPECT(i->plan->port.value[MTU] == 3000);
	EXPECT(set_mac(i->name, 9) == 0);
	EXPECT(i->plan->port.mac[5] == 9);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(i->plan->port.value[LINK] == 1);
	EXPECT(i->plan->sync == 3);
	EXPECT(set_mac(i->name, 10) == 0); /* while it is up */
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 3000 && get_mac(i->name) == 10);
	EXPECT(iface_stats(i).req_sync == 4 && iface_stats(i).req_refused == 0);
}

void test_refused(struct iface *i)
{
	handler_attach(i);
	EXPECT(agree(i));
	i->plan->result[MTU] = -EINVAL;
	i->plan->result[MAC] = -EACCES;
	i->plan->result[LINK] = -EIO;
	EXPECT(set_mtu(i->name, 3000) == -EINVAL);
	EXPECT(set_mac(i->name, 9) == -EACCES);
	EXPECT(set_up(i->name, 1) == -EIO);
	EXPECT(get_mtu(i->name) == 1500 && get_mac(i->name) == 1);
	EXPECT(!(get_flags(i->name) & IFF_UP));
	EXPECT(agree(i));
	EXPECT(iface_stats(i).req_refused == 3);
	i->plan->result[LINK] = 0;
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(agree(i));
}

void test_down_does_not_wait(struct iface *i)
{
	unsigned int ms;

	handler_attach(i);
	EXPECT(set_up(i->name, 1) == 0);
	handler_signal(i, SIGSTOP);
	EXPECT(timed(i, set_up, 0, &ms) == 0);
	EXPECT(ms < SOON_MS);
	EXPECT(i->plan->port.value[LINK] == 1);
	handler_signal(i, SIGCONT);
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[LINK] == 0);
}

/* Twice: the second comes while the request that restores the first is still on its way. */
void test_unanswered(struct iface *i)
{
	struct op op, other;
	int k;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	for (k = 0; k < 2; k++) {
		op = op_start(i, set_mtu, 3000 + k);
		wait_for_sync(i, 1);
		other = op_start(i, unrelated, 500 + k);
		EXPECT(op_end(&op) == -ETIME);
		EXPECT(op.ms > SYNC_LEAST_MS && op.ms < SYNC_MOST_MS);
		EXPECT(op_end(&other) == 0);
		EXPECT(other.ms < SYNC_MOST_MS);
		printf("# synchronous %u ms, unrelated %u ms\n", op.ms, other.ms);
		EXPECT(get_mtu(i->name) == 1500);
	}
	EXPECT(iface_stats(i).req_timeout == 2);
	handler_signal(i, SIGCONT);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 1500);
	EXPECT(i->plan->sync == 1);
	EXPECT(iface_stats(i).req_late == 1 && iface_stats(i).req_unknown == 0);
	EXPECT(set_mtu(i->name, 3000) == 0);
}

/* It finds out that it was cancelled and leaves the port alone. */
void test_late(struct iface *i)
{
	unsigned int ms;

	handler_attach(i);
	EXPECT(agree(i));
	i->plan->delay_ms = 3500;
	EXPECT(timed(i, set_mac, 9, &ms) == -ETIME);
	EXPECT(ms > SYNC_LEAST_MS && ms < SYNC_MOST_MS);
	i->plan->delay_ms = 0;
	EXPECT(agree(i));
	EXPECT(get_mac(i->name) == 1);
	EXPECT(i->plan->sync == 1 && iface_stats(i).req_late == 1);
	EXPECT(i->plan->seen[MAC] == 2); /* at attach, and the repair, which there was no need of */
}

/* It doesn't look, and changes the port after the time-out: that is put right. */
void test_late_and_blind(struct iface *i)
{
	handler_attach(i);
	EXPECT(agree(i));
	i->plan->blind = true;
	i->plan->delay_ms = 3500;
	EXPECT(set_up(i->name, 1) == -ETIME);
	i->plan->delay_ms = 0;
	EXPECT(agree(i));
	EXPECT(!(get_flags(i->name) & IFF_UP));
	EXPECT(i->plan->seen[LINK] == 3); /* at attach, the request, its repair */
	EXPECT(iface_stats(i).req_late == 1);
}

void test_caller_killed(struct iface *i)
{
	struct op op;
	unsigned int start;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	op = op_start(i, set_mtu, 3000);
	wait_for_sync(i, 1);
	start = now_ms();
	kill(op.pid, SIGKILL);
	EXPECT(op_end(&op) == -1000);
	EXPECT(now_ms() - start < SOON_MS);
	EXPECT(iface_stats(i).req_killed == 1 && iface_stats(i).req_timeout == 0);
	handler_signal(i, SIGCONT);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 1500);
	EXPECT(iface_stats(i).req_late == 1);
}

/* The next one finds the request, sees that it was cancelled, and is told what the kernel wants. */
void test_handler_killed(struct iface *i)
{
	struct op op;

	handler_attach(i);
	EXPECT(agree(i));
	i->plan->delay_ms = 10000;
	op = op_start(i, set_mtu, 3000);
	wait_for_sync(i, 1);
	handler_kill(i);
	EXPECT(op_end(&op) == -ENOTCONN);
	EXPECT(op.ms < SOON_MS);
	EXPECT(iface_stats(i).req_detached == 1);
	i->plan->delay_ms = 0;
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 1500);
	EXPECT(iface_stats(i).req_late >= 1);
	EXPECT(set_mtu(i->name, 3000) == 0);
}

static int detach_handler(const struct iface *i)
{
	struct knit_ioc_attach a = { .size = sizeof(a),
				     .role = KNIT_ATTACH_HANDLER,
				     .doorbell_fd = -1 };

	a.id = i->id;
	return ioctl(i->creator, KNIT_IOC_DETACH, &a) < 0 ? -errno : 0;
}

void test_handler_detached(struct iface *i)
{
	struct op op;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	op = op_start(i, set_up, 1);
	wait_for_sync(i, 1);
	EXPECT(detach_handler(i) == 0);
	EXPECT(op_end(&op) == -ENOTCONN);
	EXPECT(op.ms < SOON_MS);
	EXPECT(!(get_flags(i->name) & IFF_UP));
	handler_kill(i);
	handler_attach(i);
	EXPECT(agree(i));
}

/* Up waits behind a down that nobody answers. Without a handler it succeeds, and is sent later. */
void test_handler_detached_before_turn(struct iface *i)
{
	struct op op;

	handler_attach(i);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	EXPECT(set_up(i->name, 0) == 0);
	op = op_start(i, set_up, 1);
	wait_for_sync(i, 2);
	EXPECT(detach_handler(i) == 0);
	EXPECT(op_end(&op) == 0);
	EXPECT(op.ms < SOON_MS);
	EXPECT(get_flags(i->name) & IFF_UP);
	EXPECT(iface_stats(i).req_detached == 1);
	handler_kill(i);
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[LINK] == 1);
}

/* run() checks that release does not wait either. */
void test_released_while_waiting(struct iface *i)
{
	struct op op;

	handler_attach(i);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	op = op_start(i, set_mtu, 3000);
	wait_for_sync(i, 2);
	iface_release(i);
	EXPECT(op_end(&op) == -ENODEV);
	EXPECT(op.ms < SOON_MS);
}

void test_nobody_attached(struct iface *i)
{
	unsigned int ms;

	EXPECT(timed(i, set_mtu, 3000, &ms) == -ENOTCONN);
	EXPECT(ms < SOON_MS);
	EXPECT(timed(i, set_mac, 9, &ms) == -ENOTCONN);
	EXPECT(ms < SOON_MS);
	EXPECT(timed(i, set_up, 1, &ms) == 0);
	EXPECT(ms < SOON_MS);
	EXPECT(set_up(i->name, 0) == 0);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(iface_stats(i).req_async == 0 && iface_stats(i).req_sync == 0);
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[LINK] == 1 && i->plan->seen[LINK] == 1);
	EXPECT(i->plan->sync == 0);
}

void test_up_refused_later(struct iface *i)
{
	iface_link(i, true, 1000);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(wait_for(has_carrier, i, SOON_MS));
	i->plan->result[LINK] = -EIO;
	handler_attach(i);
	EXPECT(settle(i));
	EXPECT(get_flags(i->name) & IFF_UP);
	EXPECT(wait_for(has_none, i, SOON_MS));
	EXPECT(iface_stats(i).req_refused == 1);
	iface_link(i, true, 1000); /* the port has it, but is not to be used */
	EXPECT(has_none(i));
	handler_kill(i);
	i->plan->result[LINK] = 0;
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(wait_for(has_carrier, i, SOON_MS));
}

void test_junk_answers(struct iface *i)
{
	struct knit_ioc_stats s;

	i->plan->junk = true;
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
	i->plan->result[MTU] = -EPERM;
	EXPECT(set_mtu(i->name, 4000) == -EPERM);
	i->plan->result[MTU] = 0;
	EXPECT(agree(i));
	s = iface_stats(i);
	EXPECT(s.req_answered == 8); /* six kinds at attach and two synchronous */
	EXPECT(s.req_unknown == 8 * 5 && s.req_duplicate == 8);
	i->plan->result[MTU] = 7; /* no answer at all, however often */
	EXPECT(set_mtu(i->name, 4000) == -ETIME);
	EXPECT(get_mtu(i->name) == 3000);
}

void test_spoiled_indexes(struct iface *i)
{
	struct knit_ring_shm *resp = (void *)((char *)i->shm + knit_shm_resp_off());
	struct knit_ring_shm *req = (void *)((char *)i->shm + knit_shm_req_off());
	const uint64_t one = 1;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	knit_store(&resp->producer, 0xdead);
	EXPECT(write(i->request_doorbell, &one, sizeof(one)) == sizeof(one));
	EXPECT(set_mtu(i->name, 3000) == -ETIME);
	EXPECT(iface_stats(i).req_bad_index >= 1);
	handler_kill(i);
	handler_start(i);
	EXPECT(i->plan->attached == -EBADMSG);
	handler_kill(i);
	knit_store(&resp->producer, 0);
	knit_store(&resp->consumer, 0);
	knit_store(&req->producer, 7);
	knit_store(&req->consumer, 7);
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
}

/* Answered by the creator, of whom all that is expected is that it looks now and then. */
void test_creator_answers(struct iface *i)
{
	unsigned int ms, end;
	struct op op;

	EXPECT(!creator_serve(i)); /* no request before something changes */
	EXPECT(timed(i, set_mtu, 3000, &ms) == -ETIME);
	EXPECT(ms > SYNC_LEAST_MS && ms < SYNC_MOST_MS);
	end = now_ms() + 3000;
	while (!agree(i) && now_ms() < end)
		;
	while (creator_serve(i))
		;
	op = op_start(i, set_mtu, 4000);
	end = now_ms() + 3000;
	while (i->plan->port.value[MTU] != 4000 && (int)(end - now_ms()) > 0)
		creator_serve(i);
	EXPECT(op_end(&op) == 0);
	EXPECT(op.ms < SYNC_LEAST_MS);
	EXPECT(get_mtu(i->name) == 4000);
}

/* Since told_before; the kernel may change the list of addresses by itself, which is one more. */
static uint64_t told_before;

static bool is_told(const void *arg)
{
	return iface_stats(arg).req_async >= told_before + 6;
}

/* Who asks for nothing is told what changed. */
void test_changes_only(struct iface *i)
{
	unsigned int end = now_ms() + 2 * SOON_MS;
	struct op op;

	EXPECT(!creator_serve(i));
	op = op_start(i, set_up, 1);
	while (i->plan->sync == 0 && (int)(end - now_ms()) > 0)
		creator_serve(i);
	EXPECT(op_end(&op) == 0 && i->plan->sync == 1);
	EXPECT(set_flag(i->name, IFF_ALLMULTI, true) == 0);
	while (i->plan->seen[KNIT_REQ_ALLMULTI] == 0 && (int)(end - now_ms()) > 0)
		creator_serve(i);
	EXPECT(i->plan->seen[KNIT_REQ_ALLMULTI] == 1);
	EXPECT(i->plan->seen[MTU] + i->plan->seen[MAC] + i->plan->seen[KNIT_REQ_PROMISC] == 0);
}

/* Another takes its role; when that one dies the creator has it again, and requests everything. */
void test_creator_replaced(struct iface *i)
{
	struct iface first = *i;

	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
	first.handler = 0;
	handler_attach(&first);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 4000) == 0);
	handler_kill(i); /* the replaced one: nobody cares */
	EXPECT(set_mtu(i->name, 5000) == 0);
	handler_kill(&first);
	told_before = iface_stats(i).req_async;
	EXPECT(told_before >= 2 * 6);
	EXPECT(!creator_serve(i));
	i->plan->port.value[MTU] = 0;
	handler_state(i);
	EXPECT(wait_for(is_told, i, SOON_MS));
	while (creator_serve(i))
		;
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[MTU] == 5000);
}

static bool has_seen_rxlist(const void *arg)
{
	const struct iface *i = arg;

	return knit_load(&i->plan->seen[KNIT_REQ_RXLIST]) != 0;
}

/* One died after it answered and before it rang: the next one's answers are heard all the same. */
void test_answers_left_behind(struct iface *i)
{
	i->plan->mute = true;
	handler_attach(i);
	EXPECT(wait_for(has_seen_rxlist, i, 5000));
	handler_kill(i);
	i->plan->mute = false;
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
	EXPECT(iface_stats(i).req_late >= 5);
}

/* Handlers come and go, and one that never answered leaves requests behind. */
void test_restarted(struct iface *i)
{
	int k;

	EXPECT(set_up(i->name, 1) == 0);
	i->plan->silent = true;
	for (k = 0; k < 20; k++) {
		handler_attach(i);
		handler_kill(i);
	}
	EXPECT(iface_stats(i).req_async <= KNIT_REQ_RING);
	i->plan->silent = false;
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(set_mtu(i->name, 3000) == 0);
	EXPECT(agree(i));
}
