// SPDX-License-Identifier: BSD-3-Clause
#include "shared/offload_frames.h"
#include "system/handoff_util.h"

#include <rte_eal.h>
#include <rte_errno.h>

#include <stdio.h>
#include <stdlib.h>

/* No hugepages, no files, no devices: mbufs from anonymous memory are all that is needed. */
static int start_eal(void)
{
	char *argv[] = {
		"knit-unit-offload", "--no-huge",      "--no-pci",	    "-m", "64", "-l", "0",
		"--no-shconf",	     "--no-telemetry", "--log-level=error", NULL
	};

	return rte_eal_init((int)RTE_DIM(argv) - 1, argv);
}

static bool make_pools(void)
{
	pool = rte_pktmbuf_pool_create("pool", 1024, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, 0);
	small = rte_pktmbuf_pool_create("small", 128, 0, 0, RTE_PKTMBUF_HEADROOM + 1024, 0);
	return pool && small && handoff_make();
}

int main(void)
{
	SRunner *runner;
	int failed;

	if (start_eal() < 0 || !make_pools()) {
		fprintf(stderr, "EAL or pools: %s\n", rte_strerror(rte_errno));
		return EXIT_FAILURE;
	}
	runner = srunner_create(knit_suite_offload());
	srunner_add_suite(runner, knit_suite_offload_gso());
	srunner_add_suite(runner, knit_suite_kni_burst());
	srunner_add_suite(runner, knit_suite_exchange());
	srunner_add_suite(runner, knit_suite_exchange_death());
	srunner_add_suite(runner, knit_suite_pool_plan());
	srunner_add_suite(runner, knit_suite_bell());
	srunner_add_suite(runner, knit_suite_pause());
	srunner_add_suite(runner, knit_suite_slot());
	srunner_add_suite(runner, knit_suite_worker_port());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	rte_eal_cleanup();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
