// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* An emulated machine with two CPUs and more than ten threads that want them. */
#define PATIENCE_MS 120000

struct seen {
	uint64_t id;
	struct knit_ioc_stats stats;
};

struct round {
	struct plan plan;
	struct dice dice;
	int file; /* only to read counters */
	pid_t villain, traffic, links;
	struct seen seen[MAX_IDS];
	struct knit_ioc_stats *sum;
	bool failed;
};

static void plan_make(struct plan *p, uint32_t round, uint32_t duration)
{
	static const uint32_t sizes[] = { 128, 128, 256, 1024, 64 };
	static const uint32_t spoils[] = { 4, 12, 40 };
	static const uint32_t few[] = { 0, KNIT_FEAT_CSUM, KNIT_FEAT_SG, KNIT_FEAT_VLAN };
	struct dice d = dice_of(control->seed, round, 0);

	*p = (struct plan){ .round = round, .duration = duration };
	p->ring_size = PICK(&d, sizes);
	p->n_pairs = 1 + below(&d, 4);
	p->features = one_in(&d, 5) ? PICK(&d, few) : control->features;
	p->flags = KNIT_CREATE_CARRIER | below(&d, 2) * KNIT_CREATE_ASYNC |
		   below(&d, 2) * KNIT_CREATE_ATTACHED;
	p->spoil = PICK(&d, spoils);
	p->huge = one_in(&d, 4);
	p->scribble = one_in(&d, 2);
	p->obedient = !one_in(&d, 3);
	/* all reasons to reject are seen in any case */
	if (round == 0) {
		p->features = control->features;
		p->obedient = true;
		p->scribble = false;
	}
	if (p->ring_size < KNIT_RING_MIN_SG && p->features & KNIT_FEAT_SG)
		p->ring_size = KNIT_RING_MIN_SG;
	printf("# round %u: ring %u, %u pairs, features %#x, flags %#x, spoils 1 of %u%s%s%s\n",
	       round, p->ring_size, p->n_pairs, p->features, p->flags, p->spoil,
	       p->huge ? ", hugepages" : "", p->scribble ? ", scribbles" : "",
	       p->obedient ? ", answers well" : "");
	fflush(stdout);
}

static void fail(struct round *r, const char *why)
{
	printf("not ok round %u: %s\n", r->plan.round, why);
	fflush(stdout);
	r->failed = true;
}

static void add_pair(struct knit_ioc_stats *sum, const struct knit_ioc_stats *s)
{
#define X(name, text) sum->name += s->name;
	KNIT_KMOD_PAIR_STATS(X)
	KNIT_KMOD_HANDOVER_STATS(X)
#undef X
}

static void add_requests(struct knit_ioc_stats *sum, const struct knit_ioc_stats *s)
{
#define X(name, text) sum->name += s->name;
	KNIT_KMOD_REQ_STATS(X)
#undef X
}

static void keep(struct round *r, struct seen *seen)
{
	add_pair(r->sum, &seen->stats);
	add_requests(r->sum, &seen->stats);
	memset(seen, 0, sizeof(*seen));
}

/* What an interface counted last is its final number, as far as anybody saw it. */
static void look(struct round *r, struct seen *seen, uint64_t id)
{
	struct knit_ioc_stats all = { 0 }, one;
	uint32_t pair;

	for (pair = 0; stats(r->file, id, pair, &one); pair++) {
		add_pair(&all, &one);
		if (pair == 0)
			add_requests(&all, &one);
	}
	if (pair == 0)
		return;
	if (seen->id != id)
		keep(r, seen);
	seen->id = id;
	seen->stats = all;
}

static void look_at_all(struct round *r)
{
	uint64_t id;
	uint32_t i;

	for (i = 0; i < MAX_IDS; i++) {
		id = counted(&control->ids[i]);
		if (id)
			look(r, &r->seen[i], id);
	}
}

static pid_t start(void (*play)(uint32_t round), uint32_t round)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		play(round);
	return pid;
}

static bool is_ready(const void *arg)
{
	const struct round *r = arg;

	return __atomic_load_n(&control->ready, __ATOMIC_ACQUIRE) == r->plan.round + 1 ||
	       waitpid(r->villain, NULL, WNOHANG | __WNOTHREAD) != 0;
}

static void begin(struct round *r)
{
	control->n_ids = 0;
	memset(control->ids, 0, sizeof(control->ids));
	fflush(stdout);
	r->villain = fork();
	if (r->villain < 0)
		die("fork");
	if (r->villain == 0)
		villain(&r->plan);
	if (!wait_until(PATIENCE_MS, is_ready, r))
		fail(r, "the villain does not get ready");
	look_at_all(r);
	if (control->fail)
		fail_traffic();
	r->traffic = start(traffic, r->plan.round);
	r->links = start(links, r->plan.round);
}

static void signal_villains(struct round *r, int sig)
{
	kill(-r->villain, sig);
}

/* Stopped in the middle of anything, killed, or left alone. */
static void interfere(struct round *r)
{
	switch (below(&r->dice, 6)) {
	case 0:
		signal_villains(r, SIGSTOP);
		nap(below(&r->dice, 200000));
		signal_villains(r, SIGCONT);
		break;
	case 1:
		if (one_in(&r->dice, 4))
			kill(control->accomplices[below(&r->dice, ACCOMPLICES)], SIGKILL);
		break;
	default:
		nap(below(&r->dice, 200000));
		break;
	}
}

static void go_on(struct round *r)
{
	uint64_t end = now_ms() + r->plan.duration;

	while (now_ms() < end) {
		interfere(r);
		look_at_all(r);
	}
	if (waitpid(r->villain, NULL, WNOHANG) != 0)
		fail(r, "the villain has ended by itself");
}

static void kill_and_wait(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool are_gone(const void *arg)
{
	const struct round *r = arg;
	struct knit_ioc_stats s;
	uint32_t i;

	for (i = 0; i < MAX_IDS; i++)
		if (control->ids[i] && stats(r->file, control->ids[i], 0, &s))
			return false;
	for (i = 0; i < TARGETS + 8; i++)
		if (index_of(i))
			return false;
	return true;
}

static void end(struct round *r)
{
	uint32_t i;

	signal_villains(r, SIGKILL);
	kill_and_wait(r->villain);
	kill_and_wait(r->traffic);
	kill_and_wait(r->links);
	if (!wait_until(PATIENCE_MS, are_gone, r))
		fail(r, "an interface outlives its creator");
	for (i = 0; i < MAX_IDS; i++)
		keep(r, &r->seen[i]);
}

bool round_run(uint32_t round, uint32_t duration, struct knit_ioc_stats *sum)
{
	struct round r = {
		.dice = dice_of(control->seed, round, 300),
		.file = kni_open(),
		.sum = sum,
	};

	uint64_t start = now_ms(), begun, over;

	plan_make(&r.plan, round, duration);
	begin(&r);
	begun = now_ms();
	go_on(&r);
	over = now_ms();
	end(&r);
	close(r.file);
	printf("# round %u: %lu ms to begin, %lu ms, %lu ms to end; %u interfaces\n", round,
	       (unsigned long)(begun - start), (unsigned long)(over - begun),
	       (unsigned long)(now_ms() - over), control->n_ids);
	fflush(stdout);
	return !r.failed;
}
