// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_req
#include "request.h"
#include "kni/base/log.h"

#include <rte_ether.h>

#include <errno.h>

/* The union of struct knit_req */
#define PAYLOAD 8

struct call {
	const struct rte_kni *kni;
	const struct knit_handler_ops *ops;
	void *arg;
};

static const struct knit_iface_state *state_of(const struct rte_kni *kni)
{
	return (const struct knit_iface_state *)((const char *)kni->shm + knit_shm_state_off());
}

static int call_link(const struct call *c, const struct knit_req *req)
{
	return c->ops->link ? c->ops->link(c->arg, req->value) : 0;
}

static int call_mtu(const struct call *c, const struct knit_req *req)
{
	return c->ops->mtu ? c->ops->mtu(c->arg, req->value) : 0;
}

static int call_mac(const struct call *c, const struct knit_req *req)
{
	return c->ops->mac ? c->ops->mac(c->arg, req->mac) : 0;
}

static int call_promisc(const struct call *c, const struct knit_req *req)
{
	return c->ops->promisc ? c->ops->promisc(c->arg, req->value) : 0;
}

static int call_allmulti(const struct call *c, const struct knit_req *req)
{
	return c->ops->allmulti ? c->ops->allmulti(c->arg, req->value) : 0;
}

static int call_rxlist(const struct call *c, const struct knit_req *req)
{
	struct knit_iface_state state;

	if (c->ops->rxlist == NULL)
		return 0;
	if (!knit_iface_state_read(state_of(c->kni), &state))
		return -EAGAIN;
	return c->ops->rxlist(c->arg, &state);
}

static const struct kind {
	const char *name;
	size_t bytes;
	int (*call)(const struct call *c, const struct knit_req *req);
} kinds[KNIT_REQ_COUNT] = {
#define X(id, label, used, text) [KNIT_REQ_##id] = { #label, used, call_##label },
	KNIT_REQ_TABLE(X)
#undef X
};

static bool all_zero(const void *mem, size_t bytes)
{
	const uint8_t *at = mem;
	uint8_t any = 0;

	while (bytes--)
		any |= *at++;
	return any == 0;
}

static bool payload_ok(const struct knit_req *req)
{
	struct rte_ether_addr mac;

	switch (req->kind) {
	case KNIT_REQ_LINK:
	case KNIT_REQ_PROMISC:
	case KNIT_REQ_ALLMULTI:
		return req->value <= 1;
	case KNIT_REQ_MTU:
		return req->value >= RTE_ETHER_MIN_MTU && req->value <= UINT16_MAX;
	case KNIT_REQ_MAC:
		memcpy(&mac, req->mac, sizeof(mac));
		return rte_is_valid_assigned_ether_addr(&mac);
	}
	return true;
}

int knit_request_check(const struct knit_req *req)
{
	size_t used;

	if (req->seq == 0 || req->kind == KNIT_REQ_NONE || req->kind >= KNIT_REQ_COUNT)
		return -EINVAL;
	if (req->flags & ~KNIT_REQ_SYNC || req->result != 0)
		return -EINVAL;
	used = kinds[req->kind].bytes;
	if (!all_zero(req->mac + used, PAYLOAD - used) ||
	    !all_zero(req->reserved, sizeof(req->reserved)))
		return -EINVAL;
	return payload_ok(req) ? 0 : -EINVAL;
}

static bool req_cancelled(const struct rte_kni *kni, const struct knit_req *req)
{
	return req->flags & KNIT_REQ_SYNC &&
	       knit_load_acquire(&state_of(kni)->cancelled_seq) == req->seq;
}

/* Puts back what the kernel kept when the caller of a synchronous request gave up. */
static void req_restore(const struct call *c, struct knit_req req)
{
	const char *name = kinds[req.kind].name;
	struct knit_iface_state state;
	int ret = -EAGAIN;

	if (knit_iface_state_read(state_of(c->kni), &state)) {
		switch (req.kind) {
		case KNIT_REQ_LINK:
			req.value = state.up;
			break;
		case KNIT_REQ_MTU:
			req.value = state.mtu;
			break;
		case KNIT_REQ_MAC:
			memcpy(req.mac, state.mac, sizeof(req.mac));
			break;
		case KNIT_REQ_PROMISC:
			req.value = state.promisc;
			break;
		case KNIT_REQ_ALLMULTI:
			req.value = state.allmulti;
			break;
		}
		ret = kinds[req.kind].call(c, &req);
	}
	if (ret < 0)
		log_err("%s: %s: request was cancelled, and restoring the old value failed: %s",
			c->kni->name, name, rte_strerror(-ret));
	else
		log_notice("%s: %s: request was cancelled, old value restored", c->kni->name, name);
}

int knit_request_carry_out(struct rte_kni *kni, const struct knit_req *req,
			   const struct knit_handler_ops *ops, void *arg)
{
	struct call c = { .kni = kni, .ops = ops, .arg = arg };
	int ret;

	if (knit_request_check(req) < 0) {
		log_err("%s: senseless request: number %u, kind %u, flags %#x, value %u", kni->name,
			req->seq, req->kind, req->flags, req->value);
		return -EINVAL;
	}
	if (req_cancelled(kni, req))
		return -ECANCELED;
	ret = ops ? kinds[req->kind].call(&c, req) : 0;
	/*
	 * The contract says 0 or -errno. Old callbacks that return something else mean failure by
	 * it.
	 */
	if (ret > 0)
		ret = -EIO;
	if (ret < 0) {
		log_warn("%s: %s refused: %s", kni->name, kinds[req->kind].name,
			 rte_strerror(-ret));
		return ret;
	}
	if (ops && req_cancelled(kni, req)) {
		req_restore(&c, *req);
		return -ECANCELED;
	}
	return 0;
}
