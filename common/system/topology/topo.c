// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "topo.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_memzone.h>
#include <rte_version.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t knit_topo_namespace(const char *kind)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

struct knit_topo *knit_topo_create(void)
{
	const struct rte_memzone *mz;
	struct knit_topo *t;

	mz = rte_memzone_reserve(KNIT_TOPO_MZ, sizeof(*t), SOCKET_ID_ANY, 0);
	if (mz == NULL) {
		log_err("memzone " KNIT_TOPO_MZ ", %zu bytes: %s", sizeof(*t),
			rte_strerror(rte_errno));
		return NULL;
	}
	t = mz->addr;
	memset(t, 0, sizeof(*t));
	t->version = KNIT_TOPO_VERSION;
	t->abi_version = KNIT_ABI_VERSION;
	snprintf(t->dpdk, sizeof(t->dpdk), "%s", rte_version());
	t->primary_pid = getpid();
	t->primary_start = knit_process_start_time(getpid());
	t->net_ns = knit_topo_namespace("net");
	t->mount_ns = knit_topo_namespace("mnt");
	t->instance = rte_rdtsc() ^ (uint64_t)t->primary_pid << 48;
	return t;
}

static bool number_fits(const char *what, uint32_t found, uint32_t expected)
{
	if (found == expected)
		return true;
	fprintf(stderr,
		"knit: %s of the primary: found %" PRIu32 ": this program expects %" PRIu32 "\n",
		what, found, expected);
	return false;
}

static bool text_fits(const char *what, const char *found, const char *expected)
{
	if (strcmp(found, expected) == 0)
		return true;
	fprintf(stderr, "knit: %s of the primary: found \"%s\": this program has \"%s\"\n", what,
		found, expected);
	return false;
}

/*
 * A pool knows its driver only by an index, and each process numbers drivers in the order it
 * loaded them.
 */
static bool pool_ops_fit(const struct knit_topo *t)
{
	const char *mine = "none";

	if (t->pool_ops >= 0 && (uint32_t)t->pool_ops < rte_mempool_ops_table.num_ops)
		mine = rte_mempool_get_ops(t->pool_ops)->name;
	if (strcmp(mine, t->pool_ops_name) == 0)
		return true;
	fprintf(stderr,
		"knit: mempool driver number %" PRId32
		": found \"%s\" in the primary: this program has "
		"\"%s\" there (both must load the same mempool drivers in the same order)\n",
		t->pool_ops, t->pool_ops_name, mine);
	return false;
}

struct knit_topo *knit_topo_attach(void)
{
	const struct rte_memzone *mz = rte_memzone_lookup(KNIT_TOPO_MZ);
	struct knit_topo *t;
	uint32_t magic;

	if (mz == NULL) {
		fprintf(stderr,
			"knit: the primary has no topology (memzone " KNIT_TOPO_MZ "): it is not "
			"knit-primary, or is still starting\n");
		return NULL;
	}
	t = mz->addr;
	magic = __atomic_load_n(&t->magic, __ATOMIC_ACQUIRE);
	if (magic != KNIT_TOPO_MAGIC) {
		fprintf(stderr,
			"knit: the topology of the primary: found %s: a complete one is expected\n",
			magic ? "something else in its place" : "one that is still being filled");
		return NULL;
	}
	if (!number_fits("topology version", t->version, KNIT_TOPO_VERSION) ||
	    !number_fits("ABI version", t->abi_version, KNIT_ABI_VERSION) ||
	    !text_fits("DPDK version", t->dpdk, rte_version()) || !pool_ops_fit(t))
		return NULL;
	return t;
}

void knit_topo_name_port(struct knit_topo_port *port, const struct knit_conf_port *c)
{
	snprintf(port->name, sizeof(port->name), "%s", c->name);
	snprintf(port->device, sizeof(port->device), "%s", c->device);
	port->port_id = UINT16_MAX;
}

void knit_topo_name_worker(struct knit_topo_worker *w, const struct knit_conf_worker *c)
{
	w->id = c->id;
	w->lcore = c->lcore;
	snprintf(w->cpus, sizeof(w->cpus), "%s", c->cpus);
	w->standby = c->standby;
	w->idle = c->idle;
	w->burst = c->burst;
	__atomic_store_n(&w->there, c->there, __ATOMIC_RELEASE);
}

void knit_topo_name(struct knit_topo *t, const struct knit_config *c)
{
	unsigned int i;

	t->config_hash = c->hash;
	t->n_ports = c->n_ports;
	t->n_ifaces = c->n_ifaces;
	t->n_workers = c->n_workers;
	t->control.lcore = c->control.lcore;
	for (i = 0; i < c->n_ports; i++)
		knit_topo_name_port(&t->ports[i], &c->ports[i]);
	for (i = 0; i < c->n_ifaces; i++)
		snprintf(t->ifaces[i].name, sizeof(t->ifaces[i].name), "%s", c->ifaces[i].name);
	for (i = 0; i < c->n_workers; i++)
		knit_topo_name_worker(&t->workers[i], &c->workers[i]);
}

#define COUNT(kind)                                                                \
	unsigned int knit_topo_count_##kind(const struct knit_topo *t)             \
	{                                                                          \
		unsigned int i, n = 0;                                             \
                                                                                   \
		for (i = 0; i < RTE_DIM(t->kind); i++)                             \
			n += __atomic_load_n(&t->kind[i].there, __ATOMIC_ACQUIRE); \
		return n;                                                          \
	}

COUNT(ports)
COUNT(ifaces)
COUNT(workers)

struct knit_topo_worker *knit_topo_worker(struct knit_topo *t, uint32_t id)
{
	return id < KNIT_MAX_WORKERS && t->workers[id].there ? &t->workers[id] : NULL;
}
