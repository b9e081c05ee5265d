// SPDX-License-Identifier: BSD-3-Clause
#include "eal.h"

#include "kni/base/compat.h"
#include "kni/base/log.h"
#include "primary.h"
#include "system/process/eal_paths.h"
#include "system/quirks/journal_log.h"
#include "system/rundir/rundir.h"

#include <rte_eal.h>
#include <rte_pci.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIB (1 << 20)

/*
 * EAL's action, in all releases, by which a secondary has the primary attach or detach any device,
 * with any arguments: net_pcap writes to a file of any name. knit's secondaries never ask for that.
 * Without the action a request of a member of the group does nothing. Those that the primary sends
 * to secondaries need it only there.
 */
#define EAL_HOTPLUG_ACTION "eal_dev_mp_request"

/* -1 after an argument did not fit. Checked once, at the end of the list. */
static int args_error;

static void args_add(struct knit_args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void args_add(struct knit_args *a, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (knit_args_add(a, text) < 0)
		args_error = -1;
}

/* Rounded up to hugepages of 2 MiB. */
static unsigned int node_mib(const struct primary *p, unsigned int node)
{
	if (p->pools.bytes[node] == 0)
		return 0;
	if (p->conf->eal.memory)
		return p->conf->eal.memory;
	return RTE_ALIGN_CEIL(p->pools.bytes[node], 2 * MIB) / MIB;
}

/*
 * --socket-mem equals --socket-limit: EAL allocates no memory after the start. Otherwise a
 * secondary that is stopped would delay each allocation. A limit of 0 means no limit to EAL, hence
 * 1: no page fits into that.
 */
static void print_memory_by_node(const struct primary *p, unsigned int none, char *text,
				 size_t size)
{
	unsigned int node, mib;
	size_t at = 0;

	for (node = 0; node < p->pools.n_nodes && at < size; node++) {
		mib = node_mib(p, node);
		at += snprintf(text + at, size - at, "%s%u", node ? "," : "", mib ? mib : none);
	}
}

/*
 * Every process is given the PCI devices. If there is none, EAL does not even scan the bus. Returns
 * their number.
 */
static unsigned int args_add_devices(struct knit_args *a, const struct primary *p,
				     const struct knit_config *c)
{
	struct rte_pci_addr pci;
	unsigned int i, n = 0;

	for (i = 0; i < c->n_ports; i++) {
		if (p->ports[i].absent || rte_pci_addr_parse(c->ports[i].device, &pci) < 0)
			continue;
		args_add(a, "--allow=%s", c->ports[i].device);
		n++;
	}
	if (n == 0)
		args_add(a, "--no-pci");
	return n;
}

static void args_add_common(struct knit_args *a, const struct primary *p,
			    const struct knit_config *c, uint32_t lcore, const char *cpus)
{
	args_add(a, "--file-prefix=%s", c->eal.prefix);
	if (cpus[0])
		args_add(a, "--lcores=%u@(%s)", lcore, cpus);
	else
		args_add(a, "--lcores=%u@%u", lcore, lcore);
	a->physical = args_add_devices(a, p, c) && rte_eal_iova_mode() == RTE_IOVA_PA;
	if (c->eal.huge_dir[0])
		args_add(a, "--huge-dir=%s", c->eal.huge_dir);
	args_add(a, "--log-level=lib.*:warning");
	/*
	 * EAL would log errors about features that knit does not use: real-time signals
	 * (main_loop_block_signals), flow rules.
	 */
	args_add(a, "--log-level=pmd.net.tap:critical");
	args_add(a, "--log-level=knit.*:%s", c->eal.log_level);
}

int primary_eal_init(const struct primary *p, const char *program, const char *const *log_level)
{
	const struct knit_config *c = p->conf;
	static struct knit_args a;
	char mem[256], limit[256];
	pid_t pid;

	print_memory_by_node(p, 0, mem, sizeof(mem));
	print_memory_by_node(p, 1, limit, sizeof(limit));
	args_add(&a, "%s", program);
	args_add(&a, "--proc-type=primary");
	args_add_common(&a, p, c, c->eal.lcore, c->eal.cpus);
	for (; *log_level; log_level++)
		args_add(&a, "--log-level=%s", *log_level);
	if (strcmp(c->eal.iova, "auto") != 0)
		args_add(&a, "--iova-mode=%s", c->eal.iova);
	args_add(&a, "--socket-mem=%s", mem);
	args_add(&a, "--socket-limit=%s", limit);
	if (args_error) {
		fprintf(stderr, "knit-primary: more EAL arguments than %d\n", KNIT_MAX_ARGS - 1);
		return -E2BIG;
	}
	knit_journal_log();
	if (rte_eal_init(a.argc, a.argv) < 0) {
		fprintf(stderr,
			"knit-primary: EAL: %s (prefix %s, %s MiB of hugepages, by NUMA node)\n",
			rte_strerror(rte_errno), c->eal.prefix, mem);
		pid = knit_eal_remove_files(c->eal.prefix);
		if (pid > 0)
			fprintf(stderr, "knit-primary: process %d has it\n", (int)pid);
		if (pid)
			fprintf(stderr,
				"knit-primary: eal.prefix: \"%s\" is in use by another DPDK "
				"program: choose one that is not\n",
				c->eal.prefix);
		return -EIO;
	}
	knit_journal_log();
	rte_mp_action_unregister(EAL_HOTPLUG_ACTION);
	return 0;
}

void primary_eal_cleanup(const struct knit_config *c)
{
	rte_eal_cleanup();
	knit_eal_remove_files(c->eal.prefix);
}

static int publish_role_args(const struct primary *p, const struct knit_config *c,
			     enum knit_role role, uint32_t id)
{
	uint32_t lcore = c->control.lcore;
	const char *cpus = c->control.cpus;
	struct knit_args a = { 0 };
	char number[16];

	/* A pool's cache belongs to an lcore id: whoever takes over has the same one. */
	if (role != KNIT_ROLE_CONTROL)
		lcore = c->workers[id].lcore;
	if (role == KNIT_ROLE_WORKER)
		cpus = c->workers[id].cpus;
	/* It attaches where it takes no time from the worker, and moves when it is ready. */
	else if (cpus[0] == '\0' && snprintf(number, sizeof(number), "%u", c->control.lcore) > 0)
		cpus = number;
	args_add(&a, "%s", knit_role_program(role));
	args_add(&a, "--proc-type=secondary");
	if (!KNIT_SECONDARY_TELEMETRY)
		args_add(&a, "--no-telemetry");
	args_add_common(&a, p, c, lcore, cpus);
	return args_error ? -E2BIG : knit_rundir_write_args(c->eal.prefix, role, id, &a);
}

int primary_publish_args(const struct primary *p, const struct knit_config *c)
{
	unsigned int i;
	int ret;

	for (i = 0; i < c->n_workers; i++) {
		if (!c->workers[i].there)
			continue;
		ret = publish_role_args(p, c, KNIT_ROLE_WORKER, i);
		if (ret == 0)
			ret = publish_role_args(p, c, KNIT_ROLE_STANDBY, i);
		if (ret < 0)
			return errno_log(ret, "writing a worker's arguments");
	}
	ret = publish_role_args(p, c, KNIT_ROLE_CONTROL, 0);
	return ret < 0 ? errno_log(ret, "writing control's arguments") : 0;
}
