// SPDX-License-Identifier: BSD-3-Clause
#include "telemetry_report.h"

#include "event/event.h"
#include "kni/base/compat.h"
#include "kni/base/handover.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "system/metrics/metrics_table.h"
#include "system/topology/handoff.h"
#include "telemetry_memory.h"

#include <rte_cycles.h>
#include <rte_mempool.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

static unsigned int count_system(const struct primary *p)
{
	return 1;
}

static const char *name_system(const struct primary *p, unsigned int i, char *room)
{
	return p->conf->eal.prefix;
}

static void tell_system(struct primary *primary, unsigned int i, struct report *r)
{
	const struct knit_topo *t = primary->topo;

	KNIT_SYSTEM_METRICS(TELL)
}

/* The place of object number n of those that are there, of which there are more than n. */
#define PLACE_OF(kind)                                                               \
	static unsigned int place_of_##kind(const struct primary *p, unsigned int n) \
	{                                                                            \
		unsigned int i = 0;                                                  \
                                                                                     \
		while (!p->topo->kind[i].there || n-- > 0)                           \
			i++;                                                         \
		return i;                                                            \
	}

PLACE_OF(ports)
PLACE_OF(ifaces)
PLACE_OF(workers)

static unsigned int count_ports(const struct primary *p)
{
	return knit_topo_count_ports(p->topo);
}

static const char *name_port(const struct primary *p, unsigned int i, char *room)
{
	return p->topo->ports[place_of_ports(p, i)].name;
}

/* Of all workers. */
static void sum_traffic(const struct knit_topo *t, unsigned int port,
			struct knit_worker_port_stats *sum)
{
	const struct knit_worker_port_stats *s;
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < t->n_workers; i++) {
		s = &t->workers[i].stats.port[port];
		sum->rx_packets += s->rx_packets;
		sum->rx_bytes += s->rx_bytes;
		sum->tx_packets += s->tx_packets;
		sum->tx_bytes += s->tx_bytes;
	}
}

static bool port_removed(const struct port *port)
{
	return __atomic_load_n(&port->topo->removed, __ATOMIC_ACQUIRE);
}

/* Others have the drivers for microseconds, or for as long as a driver takes to restart a port. */
#define DRIVERS_WAIT_MS 100

static bool try_drivers(struct primary *p)
{
	return !__atomic_load_n(&p->links_wait, __ATOMIC_ACQUIRE) &&
	       pthread_mutex_trylock(&p->drivers) == 0;
}

/* False: they are busy for long. The answer does not wait for them again. */
static bool get_drivers(struct primary *p, struct report *r)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int i;

	if (try_drivers(p))
		return true;
	for (i = 0; !r->drivers_busy && i < DRIVERS_WAIT_MS; i++) {
		nanosleep(&ms, NULL);
		if (try_drivers(p))
			return true;
	}
	r->drivers_busy = true;
	return false;
}

/* Not known while the port is being restarted or set, nor when its device is gone. */
static void read_drops(struct primary *p, struct report *r, const struct port *port,
		       uint64_t *drops)
{
	struct rte_eth_stats stats;
	int ret = -1;

	memset(drops, 0xff, KNIT_PORT_DROPS * sizeof(*drops));
	if (!get_drivers(p, r))
		return;
	if (!port_removed(port))
		ret = rte_eth_stats_get(port->id, &stats);
	pthread_mutex_unlock(&p->drivers);
	if (ret || port_removed(port))
		return;
#define X(id, name, member, level, text, advice) drops[KNIT_PORT_DROP_##id] = stats.member;
	KNIT_PORT_DROP_TABLE(X)
#undef X
}

static void tell_port(struct primary *primary, unsigned int n, struct report *r)
{
	unsigned int i = place_of_ports(primary, n);
	const struct knit_topo *t = primary->topo;
	const struct knit_topo_port *port = &t->ports[i];
	const struct knit_plan_port *plan = &knit_topo_plan(t)->ports[i];
	const struct port *cold = &primary->ports[i];
	struct knit_worker_port_stats sum;
	uint64_t drops[KNIT_PORT_DROPS];
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", port->mac[0], port->mac[1],
		 port->mac[2], port->mac[3], port->mac[4], port->mac[5]);
	sum_traffic(t, i, &sum);
	KNIT_PORT_METRICS(TELL)
	if (r->form == REPORT_TEXTS)
		return;
	read_drops(primary, r, cold, drops);
#define X(id, name, member, level, text, advice) \
	report_number(r, "drop_" #name, drops[KNIT_PORT_DROP_##id]);
	KNIT_PORT_DROP_TABLE(X)
#undef X
}

static unsigned int count_ifaces(const struct primary *p)
{
	return knit_topo_count_ifaces(p->topo);
}

static const char *name_iface(const struct primary *p, unsigned int i, char *room)
{
	return p->topo->ifaces[place_of_ifaces(p, i)].name;
}

/* Sums over the pairs of an interface. */
struct sums {
	struct knit_engine_stats engine;
	uint64_t user[KNIT_USER_DROPS];
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_buffers;
	uint64_t no_mbuf, held, rx_queued, tx_queued;
};

static void sums_add_pair(struct sums *s, const struct rte_kni *kni, uint16_t pair)
{
	const struct knit_pair *p = &kni->pair[pair];
	struct knit_engine_stats e = { 0 };
	const uint64_t *from = (const uint64_t *)&e;
	uint64_t *to = (uint64_t *)&s->engine;
	unsigned int i;

	kni->engine->stats(kni, pair, &e);
	for (i = 0; i < sizeof(e) / sizeof(uint64_t); i++)
		to[i] += from[i];
	for (i = 0; i < KNIT_USER_DROPS; i++)
		s->user[i] += p->rx.drops[i] + p->tx.drops[i];
	s->rx_packets += p->rx.packets;
	s->rx_bytes += p->rx.bytes;
	s->tx_packets += p->tx.packets;
	s->tx_bytes += p->tx.bytes;
	s->tx_buffers += p->tx.buffers;
	s->no_mbuf += p->tx.no_mbuf;
	s->held += knit_pair_held(kni, pair);
	s->rx_queued += knit_pair_to_kernel_queued(kni, pair);
	s->tx_queued += knit_pair_from_kernel_queued(kni, pair);
}

/* The engine is asked, which may be a system call: not for texts. */
static void read_iface(const struct rte_kni *kni, struct sums *s,
		       struct knit_engine_req_stats *requests)
{
	unsigned int i;

	for (i = 0; i < kni->n_pairs; i++)
		sums_add_pair(s, kni, i);
	kni->engine->req_stats(kni, requests);
}

static void tell_iface(struct primary *primary, unsigned int n, struct report *r)
{
	unsigned int i = place_of_ifaces(primary, n);
	const struct rte_kni *kni = primary->topo->ifaces[i].kni;
	struct knit_engine_req_stats requests = { 0 };
	struct sums s = { 0 };

	if (r->form != REPORT_TEXTS)
		read_iface(kni, &s, &requests);
	KNIT_IFACE_METRICS(TELL)
#define X(id, name, level, text, advice) \
	report_number(r, "drop_" #name, s.user[KNIT_USER_DROP_##id]);
	KNIT_USER_DROP_TABLE(X)
#undef X
#define X(id, name, level, text, advice) \
	report_number(r, "drop_" #name, s.engine.drops[KNIT_ENGINE_DROP_##id]);
	KNIT_ENGINE_DROP_TABLE(X)
#undef X
#define X(id, name, text) report_number(r, "reject_" #name, s.engine.rejects[KNIT_REJECT_##id]);
	KNIT_REJECT_TABLE(X)
#undef X
	KNIT_REQUEST_METRICS(TELL)
}

static unsigned int count_workers(const struct primary *p)
{
	return knit_topo_count_workers(p->topo);
}

static const char *name_worker(const struct primary *p, unsigned int i, char *room)
{
	snprintf(room, 16, "%u", p->topo->workers[place_of_workers(p, i)].id);
	return room;
}

/* The worker's mbufs in hand-off queues: on their way to another worker, or on their way back. */
static uint64_t worker_handoff_held(const struct knit_plan_worker *plan)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (plan->handoff[i])
			n += knit_handoff_held(plan->handoff[i]);
	return n;
}

static void tell_worker(struct primary *primary, unsigned int n, struct report *r)
{
	unsigned int i = place_of_workers(primary, n);
	const struct knit_topo *t = primary->topo;
	const struct knit_topo_worker *w = &t->workers[i];
	const struct knit_plan_worker *plan = &knit_topo_plan(t)->workers[i];
	const struct knit_worker_stats *s = &w->stats;
	uint64_t rx = 0, tx = 0;
	unsigned int port;

	for (port = 0; port < t->n_ports; port++) {
		rx += s->port[port].rx_packets;
		tx += s->port[port].tx_packets;
	}
	KNIT_WORKER_METRICS(TELL)
#define X(id, name, level, text, advice) \
	report_number(r, "drop_" #name, s->drops[KNIT_WORKER_DROP_##id]);
	KNIT_WORKER_DROP_TABLE(X)
#undef X
}

const struct report_object report_objects[KNIT_METRIC_OBJECTS] = {
	[KNIT_METRICS_SYSTEM] = { count_system, name_system, tell_system },
	[KNIT_METRICS_PORT] = { count_ports, name_port, tell_port },
	[KNIT_METRICS_INTERFACE] = { count_ifaces, name_iface, tell_iface },
	[KNIT_METRICS_WORKER] = { count_workers, name_worker, tell_worker },
	[KNIT_METRICS_NODE] = { telemetry_count_nodes, telemetry_name_node, telemetry_tell_node },
	[KNIT_METRICS_POOL] = { telemetry_count_pools, telemetry_name_pool, telemetry_tell_pool },
};
