// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <stdio.h>
#include <string.h>

/* Playground: so many pieces, of so many pages each. */
#define PIECES 16

/* Also the innocent's, whose pair and handler are not to be had. */
static uint64_t any_id(struct dice *d)
{
	return one_in(d, 20) ? counted(&control->innocent_id) : some_id(d);
}

static int some_fd(const struct stage *s, struct dice *d)
{
	const int fds[] = { -1,
			    s->doorbells[0],
			    s->doorbells[1],
			    s->doorbells[2],
			    s->doorbells[2],
			    s->file,
			    s->other[0],
			    0,
			    -2,
			    12345 };

	return PICK(d, fds);
}

static unsigned int info(const struct stage *s, struct dice *d, union any_arg *arg)
{
	arg->info = (struct knit_ioc_info){ .size = sizeof(arg->info) };
	return KNIT_IOC_INFO;
}

static unsigned int memory(const struct stage *s, struct dice *d, union any_arg *arg)
{
	static const uint64_t page_sizes[] = {
		PAGE, PAGE, PAGE, PAGE, PAGE, 2 << 20, 1 << 30, 0, 1
	};
	const size_t piece = s->play_len / PIECES;
	struct knit_ioc_mem *m = &arg->mem;
	__u64 *field;

	*m = (struct knit_ioc_mem){
		.size = sizeof(*m),
		.addr = (uintptr_t)s->play + below(d, PIECES) * piece,
		.len = piece,
		.page_size = PICK(d, page_sizes),
	};
	if (one_in(d, 8))
		m->len = (1 + below(d, 2 * PIECES)) * PAGE;
	if (one_in(d, 8)) {
		field = PICK(d, ((__u64 *[]){ &m->addr, &m->len, &m->page_size }));
		*field = edge(d);
		/* what the kernel may write to must not be ours */
		if (field == &m->addr && *field < 1ull << 47)
			*field |= 1ull << 47;
	}
	m->flags = one_in(d, 50) ? edge(d) : 0;
	return one_in(d, 2) ? KNIT_IOC_MEM_ADD : KNIT_IOC_MEM_DEL;
}

/* The buffers of all frames: gone for a moment. The caller adds them again. */
static unsigned int buffers(const struct stage *s, struct dice *d, union any_arg *arg)
{
	arg->mem = (struct knit_ioc_mem){
		.size = sizeof(arg->mem),
		.addr = (uintptr_t)s->buffers,
		.len = s->buffers_len,
		.page_size = s->plan->huge ? 2 << 20 : PAGE,
	};
	return KNIT_IOC_MEM_DEL;
}

static void some_name(struct dice *d, char *name)
{
	static const char *const odd[] = {
		"default", "all", "lo",		"hk%d",		  ".", "..", "a/b", "a b", "",
		"hk0",	   "a:b", "hk\xff\x01", "hk-fifteen-long"
	};

	if (one_in(d, 4))
		snprintf(name, 16, "%s", PICK(d, odd));
	else
		snprintf(name, 16, PREFIX "%u", TARGETS + below(d, 6));
	if (one_in(d, 30))
		memset(name, 'x', 16);
}

static void spoil_create(struct dice *d, struct knit_ioc_create *c)
{
	static const uint32_t rings[] = { 0, 1, 63, 64, 127, 32768, 65536, -1u, 96 };
	uint32_t *const fields[] = {
		&c->flags,   &c->ring_size, &c->n_pairs, &c->features, &c->mtu,
		&c->min_mtu, &c->max_mtu,   &c->core_id, &c->ifindex,  &c->reserved[below(d, 4)]
	};

	switch (below(d, 5)) {
	case 0:
		c->shm += one_in(d, 2) ? 64 * below(d, 1000) : edge(d);
		break;
	case 1:
		c->ring_size = PICK(d, rings);
		break;
	case 2:
		c->n_pairs = below(d, KNIT_MAX_PAIRS + 2);
		break;
	case 3:
		c->mac[below(d, 6)] = edge(d);
		break;
	default:
		*PICK(d, fields) = edge(d);
		break;
	}
}

/* On the block of another: both kernel sides believe to have it alone. */
static unsigned int create(const struct stage *s, struct dice *d, union any_arg *arg)
{
	const struct target *t = &s->target[below(d, TARGETS)];
	struct knit_ioc_create *c = &arg->create;

	*c = (struct knit_ioc_create){
		.size = sizeof(*c),
		.flags = below(d, KNIT_CREATE_FLAGS + 1),
		.shm = (uintptr_t)t->shm,
		.ring_size = t->ring_size,
		.n_pairs = t->n_pairs,
		.features = one_in(d, 2) ? control->features : below(d, KNIT_FEAT_KNOWN + 1),
		.netns_fd = one_in(d, 5) ? some_fd(s, d) : -1,
		.mtu = 1500,
		.min_mtu = 68,
		.max_mtu = 65535,
		.packet_doorbell_fd = s->doorbells[0],
		.request_doorbell_fd = s->doorbells[1],
	};
	some_name(d, c->name);
	if (one_in(d, 10))
		c->packet_doorbell_fd = some_fd(s, d);
	if (one_in(d, 10))
		c->request_doorbell_fd = some_fd(s, d);
	if (one_in(d, 4))
		spoil_create(d, c);
	return KNIT_IOC_CREATE;
}

static bool is_target(const struct stage *s, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < TARGETS; i++)
		if (id == s->target[i].id)
			return true;
	return false;
}

static unsigned int release(const struct stage *s, struct dice *d, union any_arg *arg)
{
	uint64_t id = any_id(d);

	/* what frames go through is to live a while */
	if (is_target(s, id) && !one_in(d, 10))
		id = roll(d);
	arg->id = (struct knit_ioc_id){ .size = sizeof(arg->id), .id = id };
	arg->id.flags = one_in(d, 20) ? edge(d) : 0;
	return KNIT_IOC_RELEASE;
}

static unsigned int attach(const struct stage *s, struct dice *d, union any_arg *arg)
{
	struct knit_ioc_attach *a = &arg->attach;
	const bool off = one_in(d, 3);

	*a = (struct knit_ioc_attach){
		.size = sizeof(*a),
		.role = one_in(d, 3) ? KNIT_ATTACH_HANDLER : KNIT_ATTACH_PAIR,
		.id = any_id(d),
		.doorbell_fd = off ? -1 : some_fd(s, d),
	};
	if (a->role == KNIT_ATTACH_PAIR)
		a->pair = below(d, s->plan->n_pairs + 1);
	if (one_in(d, 15))
		*PICK(d, ((uint32_t *[]){ &a->role, &a->pair, &a->flags, &a->reserved })) = edge(d);
	return off ? KNIT_IOC_DETACH : KNIT_IOC_ATTACH;
}

static unsigned int carrier(const struct stage *s, struct dice *d, union any_arg *arg)
{
	arg->link = (struct knit_ioc_link){
		.size = sizeof(arg->link),
		.flags = below(d, KNIT_LINK_FLAGS + 1) | (one_in(d, 3) ? 0 : KNIT_LINK_UP),
		.id = some_id(d),
		.speed = edge(d),
		.before = one_in(d, 20),
	};
	return KNIT_IOC_SET_LINK;
}

static unsigned int counters(const struct stage *s, struct dice *d, union any_arg *arg)
{
	arg->stats = (struct knit_ioc_stats){
		.size = sizeof(arg->stats),
		.pair = one_in(d, 5) ? edge(d) : below(d, KNIT_MAX_PAIRS),
		.id = any_id(d),
	};
	return KNIT_IOC_STATS;
}

/* Mostly such that something is done. */
static unsigned int kick(const struct stage *s, struct dice *d, union any_arg *arg)
{
	arg->kick = (struct knit_ioc_kick){
		.size = sizeof(arg->kick),
		.id = one_in(d, 4) ? any_id(d) : s->target[below(d, TARGETS)].id,
		.pair = one_in(d, 10) ? edge(d) : below(d, s->plan->n_pairs),
	};
	if (one_in(d, 20))
		*PICK(d, ((uint32_t *[]){ &arg->kick.flags, &arg->kick.reserved })) = edge(d);
	return KNIT_IOC_KICK;
}

/* The caller's idea of the struct's size, and what is behind it. */
static void spoil_size(struct dice *d, union any_arg *arg)
{
	const uint32_t sizes[] = { 0,
				   3,
				   4,
				   5,
				   arg->size - 8,
				   arg->size - 1,
				   arg->size + 1,
				   arg->size + 8,
				   PAGE - 1,
				   PAGE,
				   PAGE + 1,
				   0x7fffffff,
				   -1u };

	if (one_in(d, 3))
		arg->bytes[arg->size + below(d, 64)] = 1;
	arg->size = PICK(d, sizes);
}

unsigned int arg_make(const struct stage *s, struct dice *d, union any_arg *arg)
{
	static unsigned int (*const makers[])(const struct stage *, struct dice *,
					      union any_arg *) = {
		info,	 memory,   memory, memory, memory, buffers, create,
		release, release,  attach, attach, attach, attach,  carrier,
		carrier, counters, kick,   kick,   kick,   kick,
	};
	unsigned int cmd;

	memset(arg, 0, sizeof(*arg));
	cmd = PICK(d, makers)(s, d, arg);
	if (one_in(d, 15))
		spoil_size(d, arg);
	if (one_in(d, 50))
		arg->bytes[below(d, 128)] ^= 1u << below(d, 8);
	if (one_in(d, 50))
		cmd ^= 1u << below(d, 32);
	return cmd;
}
