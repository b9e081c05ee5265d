// SPDX-License-Identifier: BSD-3-Clause
#include "change.h"

#include <rte_cycles.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct change change;
	uint32_t stage; /* enum change_stage, atomic */
	void (*kick_main)(void);
	void (*kick_port)(void);
	void (*kick_command)(void);
} now;

void change_init(void (*kick_main)(void), void (*kick_port)(void), void (*kick_command)(void))
{
	now.kick_command = kick_command;
	now.kick_main = kick_main;
	now.kick_port = kick_port;
}

enum change_stage change_stage(void)
{
	return __atomic_load_n(&now.stage, __ATOMIC_ACQUIRE);
}

struct change *change_in(enum change_stage stage)
{
	return change_stage() == stage ? &now.change : NULL;
}

void change_next(struct change *c, enum change_stage stage)
{
	c->since = rte_get_timer_cycles();
	__atomic_store_n(&now.stage, stage, __ATOMIC_RELEASE);
	if (stage == CHANGE_MAKE || stage == CHANGE_UNMAKE)
		now.kick_main();
	else if (stage == CHANGE_DONE)
		now.kick_command();
	else
		now.kick_port();
}

void change_fail(struct change *c, enum change_stage stage, int result, const char *format, ...)
{
	static const char also[] = "; what was removed for it could not be brought back: ";
	va_list ap;
	size_t at = 0;

	/* What failed first counts, and also that it could not be undone. */
	if (c->reverting) {
		at = RTE_MIN(strlen(c->why), sizeof(c->why) - sizeof(also));
		memcpy(c->why + at, also, sizeof(also));
		at += sizeof(also) - 1;
	} else {
		c->result = result;
	}
	va_start(ap, format);
	vsnprintf(c->why + at, sizeof(c->why) - at, format, ap);
	va_end(ap);
	change_next(c, stage);
}

void change_request_free(struct change_request *asked)
{
	free(asked->without);
	free(asked->wanted);
	free(asked->back);
	*asked = (struct change_request){ 0 };
}

bool change_is_late(const struct change *c, unsigned int ms)
{
	return rte_get_timer_cycles() - c->since > rte_get_timer_hz() / 1000 * ms;
}

void change_end(struct change *c, int ret, const char *why, enum change_stage good,
		enum change_stage bad)
{
	if (ret < 0)
		change_fail(c, bad, ret, "%s", why);
	else
		change_next(c, good);
}

bool change_give(const struct change_request *asked, bool check_only)
{
	if (change_stage() != CHANGE_NONE)
		return false;
	now.change = (struct change){ .asked = *asked,
				      .wanted = asked->without ? asked->without : asked->wanted,
				      .check_only = check_only };
	change_next(&now.change, CHANGE_CHECK);
	return true;
}

/* What is in force belongs to the primary. */
static void settle_pass(struct change *c)
{
	struct knit_config **const all[] = { &c->asked.without, &c->asked.wanted, &c->asked.back };
	unsigned int i;

	for (i = 0; i < RTE_DIM(all); i++)
		if (c->in_force && *all[i] == c->wanted)
			*all[i] = NULL;
}

static void next_pass(struct change *c, struct knit_config *wanted)
{
	const size_t from = offsetof(struct change, plan), to = offsetof(struct change, cost);

	c->wanted = wanted;
	c->pass++;
	memset((char *)c + from, 0, to - from);
	change_next(c, CHANGE_CHECK);
}

void change_finish(struct change *c)
{
	bool first = c->asked.back && c->pass == 0;

	c->cost.parked |= c->parked;
	c->cost.set_up |= c->set_up;
	settle_pass(c);
	if (first && c->in_force) {
		next_pass(c, c->asked.wanted);
	} else if (c->asked.back && c->pass == 1 && !c->in_force) {
		c->reverting = true;
		next_pass(c, c->asked.back);
	} else {
		change_next(c, CHANGE_DONE);
	}
}

const struct change *change_done(void)
{
	return change_in(CHANGE_DONE);
}

void change_forget(void)
{
	change_request_free(&now.change.asked);
	__atomic_store_n(&now.stage, CHANGE_NONE, __ATOMIC_RELEASE);
}
