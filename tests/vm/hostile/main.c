// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 120000
/* On a busy machine little happens in a round: until all was seen, that many times more. */
#define REPEATS 3

struct options {
	uint32_t rounds;
	uint32_t duration; /* ms, of a round */
	bool loopback;	   /* the module is in a loopback mode: nobody can be innocent */
};

static int failures;

static bool check(const char *name, bool holds)
{
	printf("%s %s\n", holds ? "ok" : "not ok", name);
	failures += !holds;
	return holds;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || *end || end == text) {
		fprintf(stderr, "knit-hostile: '%s' is not a number\n", text);
		exit(2);
	}
	return n;
}

static void parse(int argc, char **argv, struct options *o)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--loopback") == 0)
			o->loopback = true;
		else if (strcmp(argv[i], "--fail") == 0)
			control->fail = true;
		else if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0)
			o->rounds = number(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			control->seed = number(argv[++i]);
		else if (i + 1 < argc && strcmp(argv[i], "--duration") == 0)
			o->duration = number(argv[++i]);
		else
			break;
	}
	if (i < argc) {
		fprintf(stderr,
			"usage: knit-hostile [--rounds N] [--duration MS] [--seed N] [--loopback] "
			"[--fail]\n");
		exit(2);
	}
}

static bool innocent_is_ready(const void *arg)
{
	return counted(&control->innocent_id) != 0;
}

static pid_t innocent_start(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		innocent();
	if (!check("innocent: begins", wait_until(PATIENCE_MS, innocent_is_ready, NULL)))
		exit(1);
	return pid;
}

static void innocent_end(pid_t pid)
{
	int status;

	__atomic_store_n(&control->innocent_stop, 1, __ATOMIC_RELAXED);
	waitpid(pid, &status, 0);
	printf("# innocent: %lu frames to the kernel, %lu from it\n",
	       (unsigned long)control->to_kernel, (unsigned long)control->from_kernel);
	if (!check("innocent: nothing lost, nothing changed", !control->wrong && status == 0))
		printf("# %s\n", control->why);
	check("innocent: frames went both ways", control->to_kernel && control->from_kernel);
}

static void report(const struct knit_ioc_stats *s)
{
	printf("# %lu calls (%lu of them good, %lu failed allocations), %lu frames, %lu buffers, "
	       "%lu answers, %lu scribbles, %lu packets sent, %lu changes\n",
	       (unsigned long)control->calls, (unsigned long)control->calls_good,
	       (unsigned long)control->failed, (unsigned long)control->frames,
	       (unsigned long)control->buffers, (unsigned long)control->answers,
	       (unsigned long)control->scribbles, (unsigned long)control->sent,
	       (unsigned long)control->changes);
#define X(name, text) printf("#   %-16s %12lu  %s\n", #name, (unsigned long)s->name, text);
	KNIT_KMOD_PAIR_STATS(X)
	KNIT_KMOD_REQ_STATS(X)
	KNIT_KMOD_HANDOVER_STATS(X)
#undef X
}

static bool silent(const char *name, bool good)
{
	return good;
}

/* Every reason was seen, and so was everything that hides behind not being rejected. */
static bool judge_counters(const struct knit_ioc_stats *s, bool loopback,
			   bool (*judge)(const char *name, bool good))
{
	bool all = true;

#define X(id, name, text) all &= judge("rejects: " #name, s->name > 0);
	KNIT_REJECT_TABLE(X)
#undef X
	all &= judge("frames that were not rejected", s->rx_packets > 0);
	all &= judge("frames towards the port", s->tx_packets > 0);
	all &= judge("answers that were none", s->req_unknown > 0);
	all &= judge("answers twice or late", s->req_duplicate + s->req_late > 0);
	all &= judge("answers that were good", s->req_answered > 0);
	all &= judge("calls that succeeded", control->calls_good > 0);
	if (control->fail)
		all &= judge("allocations that failed", control->failed > 0);
	if (control->fail && !loopback) /* between rings nothing is allocated */
		all &= judge("frames without memory", s->rx_no_memory > 0);
	if (!loopback)
		all &= judge("queues were stopped and woken", s->tx_stops > 0 && s->tx_wakes > 0);
	if (!loopback)
		all &= judge("pairs were kicked", s->kicks > 0 && s->kicks_over > 0);
	return all;
}

static bool nothing_pinned(const void *arg)
{
	return vmstat("nr_foll_pin_acquired") == vmstat("nr_foll_pin_released");
}

static uint32_t features_served(void)
{
	struct knit_ioc_info info = { .size = sizeof(info) };
	int fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0 || call(fd, KNIT_IOC_INFO, &info))
		die(KNIT_DEV_PATH);
	close(fd);
	return info.features;
}

int main(int argc, char **argv)
{
	struct options o = { .rounds = 8, .duration = 3000 };
	struct knit_ioc_stats sum = { 0 };
	pid_t good = 0;
	uint32_t i;

	control = shared_memory(sizeof(*control), false);
	if (getrandom(&control->seed, sizeof(control->seed), 0) < 0)
		die("getrandom");
	parse(argc, argv, &o);
	control->loopback = o.loopback;
	control->features = features_served();
	printf("# seed %lu\n", (unsigned long)control->seed);
	fflush(stdout);
	if (!o.loopback)
		good = innocent_start();
	fail_spare();
	for (i = 0;
	     i < o.rounds || (i < REPEATS * o.rounds && !judge_counters(&sum, o.loopback, silent));
	     i++)
		failures += !round_run(i, o.duration, &sum);
	if (good)
		innocent_end(good);
	report(&sum);
	judge_counters(&sum, o.loopback, check);
	check("end: no page is pinned", wait_until(PATIENCE_MS, nothing_pinned, NULL));
	return failures ? 1 : 0;
}
