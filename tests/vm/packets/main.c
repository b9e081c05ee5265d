// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The packet path of rte_kni.ko, seen from both its ends, without DPDK.
 * usage: knit-packets [--never-merges] [--kick] PAGE_SIZE [TEST...]
 *   --never-merges   the module can't merge datagrams on this kernel
 *   --kick           serves the pairs itself, instead of ringing the packet thread's doorbell
 */

bool take_frame(struct channel *c, uint16_t ethertype, struct frame *f)
{
	uint64_t end = now_us() + PATIENCE_MS * 1000;

	for (;;) {
		tx_offer(c, RING);
		if (tx_take(c, f)) {
			if (ethertype == 0 || (f->len >= 14 && f->data[12] == ethertype >> 8 &&
					       f->data[13] == (ethertype & 0xff)))
				return true;
			continue;
		}
		if (now_us() > end)
			return false;
		poll(NULL, 0, 1);
	}
}

bool conserved(struct channel *c)
{
	return wait_until(rx_idle, c) && c->wrong_cookies == 0;
}

static void own_network(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare");
	fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		die("disable_ipv6");
	close(fd);
}

static bool wanted(const char *name, char **only)
{
	if (*only == NULL)
		return true;
	for (; *only; only++)
		if (strcmp(*only, name) == 0)
			return true;
	return false;
}

static int run_all(struct world *w, const struct test *t, char **only)
{
	int failed = 0;
	bool ok;

	for (; t->name; t++) {
		if (!wanted(t->name, only))
			continue;
		ok = t->run(w);
		printf("%s packets: %s\n", ok ? "ok" : "not ok", t->name);
		fflush(stdout);
		failed += !ok;
		channel_detach(w->full); /* if it failed in the middle */
		channel_detach(w->bare);
		if (w->big)
			channel_detach(w->big);
	}
	return failed;
}

static int skip_all(const struct test *t, const char *why)
{
	for (; t->name; t++)
		printf("skip packets: %s: %s\n", t->name, why);
	return 0;
}

/* Rows are made only until the others have put a VLAN on top. */
static int run_merging(struct world *w, bool merges, char **only)
{
	if (merges)
		return run_all(w, merge_tests, only) + run_all(w, others_tests, only);
	return run_all(w, never_merged_tests, only) + skip_all(merge_tests, "does not merge here") +
	       skip_all(others_tests, "does not merge here");
}

static int run_big(struct world *w, char **only)
{
	if (w->big == NULL)
		return skip_all(big_tests, "this kernel has none");
	iface_up(w->big, false);
	return run_all(w, big_tests, only);
}

/* Is that the first argument? Then it is taken away. */
static bool option(int *argc, char ***argv, const char *name)
{
	if (*argc < 2 || strcmp((*argv)[1], name) != 0)
		return false;
	(*argv)[1] = (*argv)[0];
	++*argv;
	--*argc;
	return true;
}

int main(int argc, char **argv)
{
	bool merges = !option(&argc, &argv, "--never-merges");
	bool kicks = option(&argc, &argv, "--kick");
	static struct world w;
	size_t page_size;
	int failed;

	if (argc < 2) {
		fprintf(stderr, "usage: %s [--never-merges] [--kick] PAGE_SIZE [TEST...]\n",
			argv[0]);
		return 2;
	}
	page_size = strtoul(argv[1], NULL, 0);
	own_network();
	w.file = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);
	if (w.file < 0)
		die(KNIT_DEV_PATH);
	w.full = channel_new(w.file, "full", KNIT_FEAT_ALL, page_size);
	w.bare = channel_new(w.file, "bare", 0, page_size);
	w.full->kicks = w.bare->kicks = kicks;
	if (info_features(w.file) & KNIT_FEAT_BIG_TCP) {
		w.big = channel_new(w.file, "big", KNIT_FEAT_KNOWN, page_size);
		w.big->kicks = kicks;
	}
	if (info_flags(w.file) & KNIT_INFO_LOOPBACK) {
		failed = run_all(&w, lo_tests, argv + 2);
	} else {
		iface_up(w.full, true);
		iface_up(w.bare, false);
		failed = run_all(&w, rx_tests, argv + 2) + run_all(&w, long_tests, argv + 2) +
			 run_merging(&w, merges, argv + 2) + run_all(&w, napi_tests, argv + 2) +
			 run_all(&w, tx_tests, argv + 2) + run_all(&w, bad_tests, argv + 2) +
			 run_big(&w, argv + 2);
	}
	return failed ? 1 : 0;
}
