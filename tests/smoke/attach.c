// SPDX-License-Identifier: BSD-3-Clause
/*
 * A secondary that has the primary attach a device, by EAL's own request.
 * usage: knit-attach DEVICE EAL-OPTION...     0: attached, 1: not, 2: EAL does not start
 */
#include <rte_dev.h>
#include <rte_eal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2 || rte_eal_init(argc - 1, argv + 1) < 0)
		return 2;
	ret = rte_eal_hotplug_add("vdev", argv[1], "");
	printf("attach %s: %d\n", argv[1], ret);
	fflush(stdout);
	rte_eal_cleanup();
	return ret != 0;
}
