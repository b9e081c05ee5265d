// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "handler.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "kni/engine/engine.h"
#include "kni/engine/engine_call.h"
#include "request.h"

#include <rte_cycles.h>

#include <errno.h>
#include <unistd.h>

/* How long a change of handler waits for a callback to return */
#define IDLE_WAIT_MS 3000
/* How often it is looked whether a silent handler is still alive */
#define ALIVE_CHECK_MS 10

struct callbacks {
	const struct knit_handler_ops *ops;
	void *arg;
};

/* By interface; this process's. */
static struct entry {
	uint64_t generation; /* of the interface; another one: the entry is void */
	uint64_t stamp;	     /* of the owner word when this process claimed */
	uint64_t next_check; /* TSC */
	struct callbacks claimed;
	struct callbacks fallback;
	bool reported; /* that the rings are corrupt */
} entries[KNIT_MAX_IFACES];

static struct entry *entry_of(const struct rte_kni *kni)
{
	struct entry *e = &entries[kni->index % KNIT_MAX_IFACES];

	if (e->generation != kni->generation) {
		memset(e, 0, sizeof(*e));
		e->generation = kni->generation;
	}
	return e;
}

static bool is_fallback(const struct rte_kni *kni)
{
	return kni->legacy && kni->creator_pid == (uint32_t)getpid();
}

static void engine_ring(const struct rte_kni *kni)
{
	if (kni->control_doorbell == KNIT_DOORBELL_NONE || knit_doorbell_init() < 0)
		return;
	knit_doorbell_open(kni->control_doorbell);
	knit_doorbell_ring(kni->control_doorbell);
}

/* pid stands in kni->serving: if it is dead it does so no longer. */
static bool evict_dead(struct rte_kni *kni, uint32_t pid)
{
	if (knit_process_start_time((pid_t)pid) != 0)
		return false;
	__atomic_compare_exchange_n(&kni->serving, &pid, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	return true;
}

/* Waits until no other live process is in the middle of a request. */
static bool wait_idle(struct rte_kni *kni)
{
	uint32_t self = getpid(), pid;
	int ms;

	knit_mb();
	for (ms = 0; ms < IDLE_WAIT_MS; ms++) {
		pid = knit_load_acquire(&kni->serving);
		if (pid == 0 || pid == self)
			return true;
		if (!evict_dead(kni, pid))
			usleep(1000);
	}
	log_err("%s: process %u is still in the middle of a request after %d ms", kni->name, pid,
		IDLE_WAIT_MS);
	return false;
}

static bool req_rings_claim(struct rte_kni *kni)
{
	struct entry *e = entry_of(kni);

	if (knit_ring_claim_consumer(&kni->req_q) && knit_ring_claim_producer(&kni->resp_q))
		return true;
	if (!e->reported)
		log_err("%s: indexes of the request rings are corrupt", kni->name);
	e->reported = true;
	return false;
}

int knit_handler_claim(struct rte_kni *kni, const struct knit_handler *h)
{
	struct entry *e = entry_of(kni);
	int ret = -EBUSY;

	if (knit_owner_alive(&kni->handler)) {
		if (!kni->legacy || knit_load(&kni->handler_fixed))
			goto err_busy;
		knit_owner_clear(&kni->handler);
	}
	if (knit_owner_claim(&kni->handler) < 0)
		goto err_busy;
	knit_store(&kni->handler_fixed, h->fixed);
	if (!wait_idle(kni))
		goto err_release;
	ret = -EBADMSG;
	if (!req_rings_claim(kni))
		goto err_release;
	ret = knit_engine_bind_handler(kni, h->doorbell);
	if (ret < 0)
		goto err_release;
	e->claimed = (struct callbacks){ .ops = h->ops, .arg = h->arg };
	e->stamp = knit_owner_stamp(&kni->handler);
	knit_store(&kni->handler_doorbell, h->doorbell);
	engine_ring(kni);
	return 0;

err_release:
	knit_owner_release(&kni->handler);
	return ret;
err_busy:
	log_err("%s: process %d is the handler of its requests", kni->name,
		(int)knit_owner_pid(&kni->handler));
	return -EBUSY;
}

int knit_handler_unclaim(struct rte_kni *kni)
{
	struct entry *e = entry_of(kni);

	if (!kni->legacy && !knit_owner_is_self(&kni->handler))
		return -EPERM;
	memset(&e->claimed, 0, sizeof(e->claimed));
	knit_store(&kni->handler_doorbell, KNIT_DOORBELL_NONE);
	knit_store(&kni->handler_fixed, 0);
	knit_owner_clear(&kni->handler);
	knit_engine_unbind_handler(kni);
	engine_ring(kni);
	return wait_idle(kni) ? 0 : -EBUSY;
}

void knit_handler_fallback(struct rte_kni *kni, const struct knit_handler_ops *ops, void *arg)
{
	entry_of(kni)->fallback = (struct callbacks){ .ops = ops, .arg = arg };
}

bool knit_handler_is_self(const struct rte_kni *kni)
{
	if (knit_owner_pid(&kni->handler) == 0)
		return is_fallback(kni);
	return knit_owner_is_self(&kni->handler);
}

/* /proc is looked at now and then only. True: now. */
static bool alive_check_due(struct rte_kni *kni)
{
	struct entry *e = entry_of(kni);
	uint64_t now = rte_rdtsc();

	if (now < e->next_check)
		return false;
	e->next_check = now + rte_get_tsc_hz() * ALIVE_CHECK_MS / 1000;
	return true;
}

/* Creator: takes the role back if its holder is dead. */
static bool role_take_back(struct rte_kni *kni, uint64_t stamp)
{
	uint32_t pid = stamp >> 32, dead = pid;

	if (!alive_check_due(kni) || knit_owner_alive(&kni->handler))
		return false;
	/* Not knit_owner_clear: a third process may be claiming at this instant. */
	if (!__atomic_compare_exchange_n(&kni->handler.pid_gen, &stamp, (uint32_t)(stamp + 1),
					 false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return false;
	__atomic_compare_exchange_n(&kni->serving, &dead, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
	knit_store(&kni->handler_fixed, 0);
	knit_store(&kni->handler_doorbell, KNIT_DOORBELL_NONE);
	log_notice("%s: handler %u is gone: its creator handles requests again", kni->name, pid);
	engine_ring(kni);
	return true;
}

/*
 * The callbacks to use, if the calling process is the handler. stamp: of the owner word that says
 * so.
 */
static const struct callbacks *role_of_self(struct rte_kni *kni, uint64_t *stamp)
{
	struct entry *e = entry_of(kni);
	uint32_t pid;

	*stamp = knit_owner_stamp(&kni->handler);
	pid = *stamp >> 32;
	if (pid == (uint32_t)getpid())
		return *stamp == e->stamp ? &e->claimed : NULL;
	if (!is_fallback(kni))
		return NULL;
	if (pid != 0 && !role_take_back(kni, *stamp))
		return NULL;
	*stamp = knit_owner_stamp(&kni->handler);
	return *stamp >> 32 ? NULL : &e->fallback;
}

static void serving_leave(struct rte_kni *kni)
{
	uint32_t self = getpid();

	__atomic_compare_exchange_n(&kni->serving, &self, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_RELAXED);
}

static bool serving_take(struct rte_kni *kni)
{
	uint32_t other = 0;

	if (__atomic_compare_exchange_n(&kni->serving, &other, (uint32_t)getpid(), false,
					__ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		return true;
	/* It may have died there after the role was taken from it. The next round gets in then. */
	if (alive_check_due(kni))
		evict_dead(kni, other);
	return false;
}

static bool serving_enter(struct rte_kni *kni, uint64_t stamp)
{
	if (!serving_take(kni))
		return false;
	knit_mb();
	if (knit_owner_stamp(&kni->handler) == stamp)
		return true;
	serving_leave(kni);
	return false;
}

static struct knit_req *req_at(const struct rte_kni *kni, uint32_t i)
{
	return knit_ring_entry(&kni->req_q, kni->req_q.cons + i);
}

/*
 * Which of n requests is the next: whoever waits in the kernel goes first, but not ahead of its own
 * kind, nor of up and down.
 */
static uint32_t req_next(const struct rte_kni *kni, uint32_t n)
{
	uint32_t sync, i;

	for (sync = 0; sync < n && !(req_at(kni, sync)->flags & KNIT_REQ_SYNC); sync++)
		;
	if (sync == n)
		return 0;
	for (i = 0; i < sync; i++)
		if (req_at(kni, i)->kind == KNIT_REQ_LINK ||
		    req_at(kni, i)->kind == req_at(kni, sync)->kind)
			break;
	return i;
}

/*
 * What stands in the ring is the handler's until it releases it. Should it die in here, what it
 * spoils is sent again to its successor.
 */
static void req_bring_forward(struct rte_kni *kni, uint32_t i)
{
	struct knit_req next = *req_at(kni, i);

	for (; i > 0; i--)
		*req_at(kni, i) = *req_at(kni, i - 1);
	*req_at(kni, 0) = next;
}

static bool req_serve(struct rte_kni *kni, const struct callbacks *cb)
{
	uint32_t n = knit_ring_peek(&kni->req_q, KNIT_REQ_RING);
	struct knit_req req, answer;

	if (n == 0 || knit_ring_reserve(&kni->resp_q, 1) == 0)
		return false;
	req_bring_forward(kni, req_next(kni, n));
	knit_req_load(&req, knit_ring_entry(&kni->req_q, kni->req_q.cons));
	answer = (struct knit_req){ .seq = req.seq, .kind = req.kind, .flags = req.flags };
	memcpy(answer.mac, req.mac, sizeof(answer.mac));
	answer.result = knit_request_carry_out(kni, &req, cb->ops, cb->arg);
	memcpy(knit_ring_entry(&kni->resp_q, kni->resp_q.prod), &answer, sizeof(answer));
	knit_ring_submit(&kni->resp_q, 1);
	/* Last: a handler that dies above leaves the request for its successor. */
	knit_ring_release(&kni->req_q, 1);
	return true;
}

/* Handler entry point: the kernel's requests, to the callbacks, and their answers back. */
int knit_handler_serve(struct rte_kni *kni, unsigned int max)
{
	const struct knit_ring_shm *shm = kni->req_q.shm;
	const struct callbacks *cb;
	unsigned int n = 0;
	uint64_t stamp;
	bool good;

	if (shm == NULL || knit_load(&shm->producer) == knit_load(&shm->consumer))
		return 0;
	cb = role_of_self(kni, &stamp);
	if (cb == NULL || !serving_enter(kni, stamp))
		return 0;
	good = req_rings_claim(kni);
	while (good && n < max && req_serve(kni, cb))
		n++;
	serving_leave(kni);
	if (n)
		engine_ring(kni);
	return good ? (int)n : -EBADMSG;
}

int knit_handler_state(struct rte_kni *kni)
{
	static const struct knit_req wish = { .flags = KNIT_REQ_STATE };
	uint64_t stamp;
	int ret = 0;

	if (role_of_self(kni, &stamp) == NULL)
		return -EPERM;
	if (!serving_enter(kni, stamp))
		return -EBUSY;
	if (!req_rings_claim(kni)) {
		ret = -EBADMSG;
	} else if (knit_ring_reserve(&kni->resp_q, 1) == 0) {
		ret = -EAGAIN;
	} else {
		memcpy(knit_ring_entry(&kni->resp_q, kni->resp_q.prod), &wish, sizeof(wish));
		knit_ring_submit(&kni->resp_q, 1);
	}
	serving_leave(kni);
	if (ret == 0)
		engine_ring(kni);
	return ret;
}

bool knit_handler_arm(struct rte_kni *kni)
{
	return knit_ring_arm_data(&kni->req_q);
}

void knit_handler_disarm(struct rte_kni *kni)
{
	knit_ring_disarm_data(&kni->req_q);
}
