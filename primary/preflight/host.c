// SPDX-License-Identifier: BSD-3-Clause
#include "hugepages.h"
#include "memory/pool_size.h"
#include "preflight.h"
#include "report.h"
#include "system/bind/bind.h"
#include "system/bind/bind_sysfs.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MIB (1 << 20)
#define GIB (1 << 30)
#define DMA_LIMIT "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit"
/* Hugepage memory that EAL uses for itself, beside the pools. */
#define SPARE_MAPPINGS 64

void preflight_plan(const struct knit_config *c, struct pool_plan *plan)
{
	struct host_nodes nodes;
	unsigned int i;

	host_nodes_read(c, &nodes);
	pool_plan(c, &nodes, plan);
	for (i = 0; c->eal.memory && i < plan->n_nodes; i++)
		if (plan->bytes[i])
			plan->bytes[i] = (size_t)c->eal.memory * MIB;
}

size_t preflight_bytes(const struct pool_plan *plan)
{
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < plan->n_nodes; i++)
		bytes += plan->bytes[i];
	return bytes;
}

static bool uses_vfio(const struct knit_config *c)
{
	unsigned int i;

	for (i = 0; i < c->n_ports; i++)
		if (c->ports[i].driver == KNIT_DRIVER_VFIO)
			return true;
	return false;
}

static bool may_lock_all(void)
{
	unsigned long long caps = 0;
	char line[128];
	FILE *in = fopen("/proc/self/status", "re");

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (in)
		fclose(in);
	return caps >> CAP_IPC_LOCK & 1;
}

/* All memory of EAL is pinned when a device is opened, and counts. */
static int check_memlock(size_t bytes)
{
	struct rlimit limit;
	char what[160];

	if (may_lock_all() || getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur >= bytes) {
		preflight_good("vfio: memory may be pinned");
		return 0;
	}
	snprintf(what, sizeof(what),
		 "vfio pins all packet memory, %zu MiB, and RLIMIT_MEMLOCK allows %" PRIu64 " KiB",
		 bytes / MIB, (uint64_t)limit.rlim_cur / 1024);
	return preflight_missing(what, "ulimit -l unlimited; in a unit LimitMEMLOCK=infinity; or "
				       "the capability CAP_IPC_LOCK");
}

/* Each hugepage is a mapping. */
static int check_mappings(size_t bytes, size_t page)
{
	unsigned long limit, needed = (bytes + page - 1) / page + SPARE_MAPPINGS;
	char text[32], what[200], remedy[256];

	if (knit_sysfs_read(DMA_LIMIT, text, sizeof(text)) < 0)
		return 0;
	limit = strtoul(text, NULL, 10);
	if (limit >= needed)
		return 0;
	snprintf(what, sizeof(what),
		 "vfio may map %lu pieces of memory (dma_entry_limit), %lu may be needed: one for "
		 "each hugepage of %zu KiB",
		 limit, needed, page / 1024);
	snprintf(remedy, sizeof(remedy),
		 "echo %lu >" DMA_LIMIT "; for good: options vfio_iommu_type1 dma_entry_limit=%lu "
		 "in /etc/modprobe.d/knit.conf%s",
		 needed, needed, page < GIB ? "; or only hugepages of 1 GiB" : "");
	snprintf(text, sizeof(text), "%lu", needed);
	preflight_write(DMA_LIMIT, text);
	return preflight_missing(what, remedy);
}

int preflight_vfio(const struct knit_config *c)
{
	struct pool_plan plan;
	int lock, mappings;

	if (!uses_vfio(c))
		return 0;
	preflight_plan(c, &plan);
	lock = check_memlock(preflight_bytes(&plan));
	mappings = check_mappings(preflight_bytes(&plan), hugepages_least(c));
	return lock ? lock : mappings;
}

static int check_node(const struct knit_config *c, unsigned int node, size_t needed, size_t *left)
{
	size_t there = hugepages_free(c, node), missing;
	char what[160], remedy[256];

	snprintf(what, sizeof(what),
		 "hugepages on NUMA node %u: %zu MiB free%s, %zu MiB needed by this file", node,
		 there / MIB, *left ? " and more left by an earlier run" : "",
		 (needed + MIB - 1) / MIB);
	missing = hugepages_missing(needed, there, left);
	if (missing == 0) {
		preflight_good(what);
		return 0;
	}
	hugepages_remedy(c, node, missing, remedy, sizeof(remedy));
	return preflight_missing(what, remedy);
}

static int check_allowed(const struct knit_config *c, size_t needed, size_t left)
{
	char by[2300], what[2500];
	size_t allowed = hugepages_allowed(c, by, sizeof(by));

	if (allowed >= needed || allowed + left >= needed)
		return 0;
	snprintf(what, sizeof(what),
		 "hugepages: %s leaves %zu MiB of them, %zu MiB needed by this file", by,
		 allowed / MIB, (needed + MIB - 1) / MIB);
	return preflight_missing(what, "raise that limit, or lower mempool.extra and the number of "
				       "descriptors");
}

int preflight_memory(const struct knit_config *c)
{
	size_t left = hugepages_left(c);
	struct pool_plan plan;
	unsigned int node;
	int ret;

	preflight_plan(c, &plan);
	ret = check_allowed(c, preflight_bytes(&plan), left);
	for (node = 0; node < plan.n_nodes; node++)
		if (plan.bytes[node])
			ret |= check_node(c, node, plan.bytes[node], &left);
	return ret ? KNIT_EXIT_RESOURCES : 0;
}

void preflight_iommu(void)
{
	struct knit_pci *devs;
	int i, n = knit_pci_scan(&devs), grouped = 0;

	for (i = 0; i < n; i++)
		grouped += devs[i].group >= 0 && !devs[i].noiommu;
	if (n >= 0)
		free(devs);
	if (grouped)
		preflight_good("IOMMU: on");
	else if (n > 0)
		preflight_note("IOMMU: none, or off: vfio-pci does without only with "
			       "allow_noiommu = true, and NICs can reach all memory",
			       "switch it on in the firmware; kernel parameters intel_iommu=on or "
			       "amd_iommu=on, and iommu=pt");
}
