// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include <rte_eal.h>
#include <rte_errno.h>

#define COMMON "knit-unit", "--no-pci", "-l", "0", "--no-telemetry", "--log-level=error"

static void start_eal(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	if (rte_eal_init(argc, argv) < 0)
		knit_unit_fail("EAL", rte_errno);
}

void knit_eal_small_pages(void)
{
	static char *argv[] = { COMMON, "--no-shconf", "--no-huge", "-m", "64", NULL };

	start_eal(argv);
}

void knit_eal_hugepages(void)
{
	static char *argv[] = { COMMON, "--in-memory", "--iova-mode=va", NULL };

	start_eal(argv);
}

void knit_eal_physical(void)
{
	static char *argv[] = { COMMON, "--in-memory", "--iova-mode=pa", NULL };

	start_eal(argv);
}
