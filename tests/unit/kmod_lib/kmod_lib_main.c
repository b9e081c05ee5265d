// SPDX-License-Identifier: BSD-3-Clause
#include "kmod_fake.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * EAL starts once in a process, so each way to start it has one of its own: with --no-huge, with
 * hugepages that come and go, and with physical addresses, which needs root.
 */
#define COMMON "knit-unit-kmod-lib", "--no-pci", "-l", "0", "--no-telemetry", "--log-level=error"

static char *no_huge[] = { COMMON, "--no-shconf", "--no-huge", "-m", "64", NULL };
static char *huge[] = { COMMON, "--in-memory", "--iova-mode=va", NULL };
static char *physical[] = { COMMON, "--in-memory", "--iova-mode=pa", NULL };

static const struct way {
	char **argv;
	Suite *(*first)(void);
	Suite *(*second)(void);
} ways[] = {
	{ no_huge, knit_suite_kmod_mem, knit_suite_kmod },
	{ huge, knit_suite_kmod_mem_huge, NULL },
	{ physical, knit_suite_kmod_mem_pa, NULL },
};

static int run(const struct way *way)
{
	SRunner *runner;
	int argc = 0, failed;

	while (way->argv[argc])
		argc++;
	if (rte_eal_init(argc, way->argv) < 0) {
		printf("not ok %s %s: EAL: %s\n", way->argv[0], way->argv[argc - 1],
		       rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	runner = srunner_create(way->first());
	if (way->second)
		srunner_add_suite(runner, way->second());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	rte_eal_cleanup();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
	int status, ret = EXIT_SUCCESS;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		fflush(NULL);
		pid = fork();
		if (pid == 0)
			exit(run(&ways[i]));
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
			ret = EXIT_FAILURE;
	}
	return ret;
}
