// SPDX-License-Identifier: BSD-3-Clause
#include "pool_size.h"
#include "system/config/cpus.h"

#include <rte_pci.h>

#include <stdio.h>
#include <unistd.h>

#define NODES "/sys/devices/system/node"

static int node_of_cpu(unsigned int cpu)
{
	unsigned int node;
	char path[80];

	for (node = 0; node < KNIT_MAX_NODES; node++) {
		snprintf(path, sizeof(path), NODES "/node%u/cpu%u", node, cpu);
		if (access(path, F_OK) == 0)
			return node;
	}
	return -1;
}

/* The node of the first CPU of the list, or of the lcore. */
static int node_of(uint32_t lcore, const char *cpus)
{
	struct knit_cpu_set set;
	unsigned int cpu = 0;

	knit_cpus_of(lcore, cpus, &set);
	while (!knit_cpus_has(&set, cpu))
		cpu++;
	return node_of_cpu(cpu);
}

/* -1 for a virtual device. */
static int node_of_device(const char *device)
{
	char name[PCI_PRI_STR_SIZE + 1], path[80];
	struct rte_pci_addr pci;
	int node = -1;
	FILE *f;

	if (rte_pci_addr_parse(device, &pci) < 0)
		return -1;
	rte_pci_device_name(&pci, name, sizeof(name));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/numa_node", name);
	f = fopen(path, "r");
	if (f == NULL)
		return -1;
	if (fscanf(f, "%d", &node) != 1)
		node = -1;
	fclose(f);
	return node;
}

static unsigned int count_nodes(void)
{
	unsigned int node, n = 1;
	char path[80];

	for (node = 0; node < KNIT_MAX_NODES; node++) {
		snprintf(path, sizeof(path), NODES "/node%u", node);
		if (access(path, F_OK) == 0)
			n = node + 1;
	}
	return n;
}

void host_nodes_read(const struct knit_config *c, struct host_nodes *m)
{
	unsigned int i;

	m->n_nodes = count_nodes();
	m->primary = node_of(c->eal.lcore, c->eal.cpus);
	for (i = 0; i < c->n_workers; i++)
		m->worker[i] = node_of(c->workers[i].lcore, c->workers[i].cpus);
	for (i = 0; i < c->n_ports; i++)
		m->port[i] = node_of_device(c->ports[i].device);
}
