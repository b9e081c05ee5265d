// SPDX-License-Identifier: BSD-3-Clause
#include "hugepages.h"
#include "memory/pool_size.h"
#include "preflight.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

#define MIB (1 << 20)

static int reserve_on(const struct knit_config *c, unsigned int node, size_t needed, size_t *left)
{
	size_t before = hugepages_free(c, node), after;
	size_t missing = hugepages_missing(needed, before, left);
	char what[200], remedy[256];
	int ret = 0;

	if (missing)
		ret = hugepages_add(c, node, missing);
	after = hugepages_free(c, node);
	if (ret == 0 && after >= before + missing) {
		printf("knit-primary: hugepages on NUMA node %u: %zu MiB needed, %zu MiB free, "
		       "%zu MiB of them reserved now\n",
		       node, (needed + MIB - 1) / MIB, after / MIB, (after - before) / MIB);
		return 0;
	}
	hugepages_remedy(c, node, missing, remedy, sizeof(remedy));
	snprintf(what, sizeof(what),
		 "hugepages on NUMA node %u: %zu MiB needed, %zu MiB free, and more can't be "
		 "reserved: %s",
		 node, (needed + MIB - 1) / MIB, after / MIB,
		 ret ? strerror(-ret) : "the memory is in use, or in pieces");
	return preflight_missing(what, ret ? remedy
					   : "reserve them earlier, or at boot: kernel "
					     "parameter hugepages");
}

int preflight_reserve(const struct knit_config *c)
{
	size_t left = hugepages_left(c);
	struct pool_plan plan;
	unsigned int node;
	int ret = 0;

	if (preflight_prefix_runs(c)) {
		printf("knit-primary: a primary with prefix \"%s\" is running and has its "
		       "hugepages\n",
		       c->eal.prefix);
		return 0;
	}
	preflight_plan(c, &plan);
	for (node = 0; node < plan.n_nodes; node++)
		if (plan.bytes[node])
			ret |= reserve_on(c, node, plan.bytes[node], &left);
	return ret;
}
