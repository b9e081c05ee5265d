// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "telemetry.h"

#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/control/pair.h"
#include "kni/engine/engine.h"
#include "primary.h"
#include "system/topology/handoff.h"

#include <rte_cycles.h>
#include <rte_mempool.h>
#include <rte_telemetry.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The commands /knit/... only read. EAL's telemetry threads run them. Every number has one writer
 * elsewhere. Commands cannot be unregistered, and callbacks have no argument. So they read this
 * variable; it is NULL after the primary's data is gone.
 */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct primary *primary;

static int report_names(struct rte_tel_data *d, const char *base, size_t step, unsigned int n)
{
	unsigned int i;

	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	for (i = 0; i < n; i++)
		rte_tel_data_add_array_string(d, base + i * step);
	return 0;
}

static int find_by_name(const char *params, const char *base, size_t step, unsigned int n)
{
	unsigned int i;

	for (i = 0; params && i < n; i++)
		if (strcmp(base + i * step, params) == 0)
			return i;
	return -1;
}

static int report_info(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;

	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "prefix", primary->conf->eal.prefix);
	rte_tel_data_add_dict_string(d, "config", primary->conf->file);
	rte_tel_data_add_dict_string(d, "dpdk", t->dpdk);
	rte_tel_data_add_dict_uint(d, "abi", t->abi_version);
	rte_tel_data_add_dict_uint(d, "tsc_hz", rte_get_tsc_hz());
	rte_tel_data_add_dict_uint(d, "config_hash", t->config_hash);
	rte_tel_data_add_dict_uint(d, "pid", t->primary_pid);
	rte_tel_data_add_dict_uint(d, "control_state", t->control.state);
	rte_tel_data_add_dict_uint(d, "control_pid", t->control.pid);
	rte_tel_data_add_dict_uint(d, "control_served", t->control.served);
	rte_tel_data_add_dict_uint(d, "control_refused", t->control.refused);
	rte_tel_data_add_dict_uint(d, "device_faults",
				   __atomic_load_n(&t->device_faults, __ATOMIC_RELAXED));
	return 0;
}

static int report_ports(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;

	return report_names(d, t->ports[0].name, sizeof(t->ports[0]), t->n_ports);
}

/* Of all workers. */
static void report_port_traffic(struct rte_tel_data *d, unsigned int port)
{
	const struct knit_topo *t = primary->topo;
	struct knit_worker_port_stats sum = { 0 };
	const struct knit_worker_port_stats *s;
	unsigned int i;

	for (i = 0; i < t->n_workers; i++) {
		s = &t->workers[i].stats.port[port];
		sum.rx_packets += s->rx_packets;
		sum.rx_bytes += s->rx_bytes;
		sum.tx_packets += s->tx_packets;
		sum.tx_bytes += s->tx_bytes;
	}
	rte_tel_data_add_dict_uint(d, "rx_packets", sum.rx_packets);
	rte_tel_data_add_dict_uint(d, "rx_bytes", sum.rx_bytes);
	rte_tel_data_add_dict_uint(d, "tx_packets", sum.tx_packets);
	rte_tel_data_add_dict_uint(d, "tx_bytes", sum.tx_bytes);
}

static int report_port(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;
	const struct knit_topo_port *port;
	const struct port *cold;
	char mac[18];
	int i;

	i = find_by_name(params, t->ports[0].name, sizeof(t->ports[0]), t->n_ports);
	if (i < 0)
		return -1;
	port = &t->ports[i];
	cold = &primary->ports[i];
	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", port->mac[0], port->mac[1],
		 port->mac[2], port->mac[3], port->mac[4], port->mac[5]);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "device", port->device);
	rte_tel_data_add_dict_string(d, "driver", port->driver);
	rte_tel_data_add_dict_uint(d, "port_id", port->port_id);
	rte_tel_data_add_dict_uint(d, "queues", port->n_queues);
	rte_tel_data_add_dict_uint(d, "tx_queues", port->n_tx_queues);
	rte_tel_data_add_dict_string(d, "tx", port->tx_fast ? "fast" : "full");
	rte_tel_data_add_dict_uint(d, "mtu", port->mtu);
	rte_tel_data_add_dict_string(d, "mac", mac);
	rte_tel_data_add_dict_uint(d, "admin_up", port->admin_up);
	rte_tel_data_add_dict_uint(d, "absent", cold->absent);
	rte_tel_data_add_dict_uint(d, "removed", port->removed);
	rte_tel_data_add_dict_uint(d, "link_up", port->link_up);
	rte_tel_data_add_dict_uint(d, "link_speed", port->link_speed);
	rte_tel_data_add_dict_uint(d, "link_interrupt", cold->lsc);
	rte_tel_data_add_dict_uint(d, "link_events", cold->link_events);
	rte_tel_data_add_dict_uint(d, "starts", port->starts);
	rte_tel_data_add_dict_uint(d, "promisc",
				   !port->removed && rte_eth_promiscuous_get(cold->id) == 1);
	rte_tel_data_add_dict_uint(d, "allmulti",
				   !port->removed && rte_eth_allmulticast_get(cold->id) == 1);
	rte_tel_data_add_dict_uint(d, "unicast_filters", cold->n_uc);
	rte_tel_data_add_dict_uint(d, "multicast_filters", cold->n_mc);
	report_port_traffic(d, i);
	return 0;
}

static int report_ifaces(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;

	return report_names(d, t->ifaces[0].name, sizeof(t->ifaces[0]), t->n_ifaces);
}

static void report_requests(struct rte_tel_data *d, const struct rte_kni *kni)
{
	struct knit_engine_req_stats r = { 0 };

	kni->engine->req_stats(kni, &r);
	rte_tel_data_add_dict_uint(d, "requests_async", r.async);
	rte_tel_data_add_dict_uint(d, "requests_sync", r.sync);
	rte_tel_data_add_dict_uint(d, "requests_timeout", r.timeout);
	rte_tel_data_add_dict_uint(d, "requests_killed", r.killed);
	rte_tel_data_add_dict_uint(d, "requests_detached", r.detached);
	rte_tel_data_add_dict_uint(d, "requests_cancelled", r.cancelled);
	rte_tel_data_add_dict_uint(d, "requests_answered", r.answered);
	rte_tel_data_add_dict_uint(d, "requests_refused", r.refused);
	rte_tel_data_add_dict_uint(d, "requests_reverted", r.reverted);
	rte_tel_data_add_dict_uint(d, "requests_late", r.late);
	rte_tel_data_add_dict_uint(d, "requests_duplicate", r.duplicate);
	rte_tel_data_add_dict_uint(d, "requests_unknown", r.unknown);
	rte_tel_data_add_dict_uint(d, "requests_bad_index", r.bad_index);
	rte_tel_data_add_dict_uint(d, "rxlist_over", r.rxlist_over);
}

/* Sums over the pairs of an interface. */
struct sums {
	struct knit_engine_stats engine;
	uint64_t user[KNIT_USER_DROPS];
	uint64_t rx_packets, tx_packets, tx_buffers, no_mbuf, held;
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
	s->tx_packets += p->tx.packets;
	s->tx_buffers += p->tx.buffers;
	s->no_mbuf += p->tx.no_mbuf;
	s->held += knit_pair_held(kni, pair);
}

static int report_iface(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;
	const struct rte_kni *kni;
	struct sums s = { 0 };
	unsigned int i;
	int k;

	k = find_by_name(params, t->ifaces[0].name, sizeof(t->ifaces[0]), t->n_ifaces);
	if (k < 0)
		return -1;
	kni = t->ifaces[k].kni;
	for (i = 0; i < kni->n_pairs; i++)
		sums_add_pair(&s, kni, i);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "engine", kni->engine->name);
	rte_tel_data_add_dict_uint(d, "ifindex", kni->ifindex);
	rte_tel_data_add_dict_string(d, "handover", knit_handover_name(kni->handover));
	rte_tel_data_add_dict_uint(d, "pairs", kni->n_pairs);
	rte_tel_data_add_dict_uint(d, "held_mbufs", s.held);
	rte_tel_data_add_dict_uint(d, "to_kernel", s.rx_packets);
	rte_tel_data_add_dict_uint(d, "from_kernel", s.tx_packets);
	rte_tel_data_add_dict_uint(d, "from_kernel_buffers", s.tx_buffers);
	rte_tel_data_add_dict_uint(d, "no_mbuf", s.no_mbuf);
	rte_tel_data_add_dict_uint(d, "engine_to_kernel", s.engine.rx_packets);
	rte_tel_data_add_dict_uint(d, "engine_writes", s.engine.rx_writes);
	rte_tel_data_add_dict_uint(d, "engine_from_kernel", s.engine.tx_packets);
	rte_tel_data_add_dict_uint(d, "engine_calls", s.engine.calls);
	rte_tel_data_add_dict_uint(d, "engine_starved", s.engine.tx_starved);
	rte_tel_data_add_dict_uint(d, "engine_stops", s.engine.tx_stops);
	rte_tel_data_add_dict_uint(d, "engine_wakes", s.engine.tx_wakes);
	rte_tel_data_add_dict_uint(d, "engine_free_full", s.engine.free_full);
	rte_tel_data_add_dict_uint(d, "engine_kicks", s.engine.kicks);
	rte_tel_data_add_dict_uint(d, "engine_kicks_over", s.engine.kicks_over);
	rte_tel_data_add_dict_uint(d, "engine_wakeups", s.engine.wakeups);
#define X(id, name, text, advice) \
	rte_tel_data_add_dict_uint(d, "drop_" #name, s.user[KNIT_USER_DROP_##id]);
	KNIT_USER_DROP_TABLE(X)
#undef X
#define X(id, name, text, advice) \
	rte_tel_data_add_dict_uint(d, "drop_" #name, s.engine.drops[KNIT_ENGINE_DROP_##id]);
	KNIT_ENGINE_DROP_TABLE(X)
#undef X
#define X(id, name, text) \
	rte_tel_data_add_dict_uint(d, "reject_" #name, s.engine.rejects[KNIT_REJECT_##id]);
	KNIT_REJECT_TABLE(X)
#undef X
	report_requests(d, kni);
	return 0;
}

static int report_workers(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;
	unsigned int i;

	rte_tel_data_start_array(d, RTE_TEL_UINT_VAL);
	for (i = 0; i < t->n_workers; i++)
		rte_tel_data_add_array_uint(d, t->workers[i].id);
	return 0;
}

/* The worker's mbufs in hand-off queues: on their way to another worker, or on their way back. */
static uint64_t worker_handoff_held(const struct knit_topo_worker *w)
{
	uint64_t n = 0;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (w->handoff[i])
			n += knit_handoff_held(w->handoff[i]);
	return n;
}

static int report_worker(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo_worker *w;
	const struct knit_worker_stats *s;
	uint64_t rx = 0, tx = 0;
	unsigned long id;
	unsigned int i;
	char *end;

	id = params ? strtoul(params, &end, 10) : 0;
	w = params && *params && *end == '\0' ? knit_topo_worker(primary->topo, id) : NULL;
	if (w == NULL)
		return -1;
	s = &w->stats;
	for (i = 0; i < primary->topo->n_ports; i++) {
		rx += s->port[i].rx_packets;
		tx += s->port[i].tx_packets;
	}
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_uint(d, "state", w->state);
	rte_tel_data_add_dict_uint(d, "pid", w->pid);
	rte_tel_data_add_dict_uint(d, "generation", w->generation);
	rte_tel_data_add_dict_uint(d, "resets", w->resets);
	rte_tel_data_add_dict_uint(d, "lost_mbufs", w->lost_mbufs);
	rte_tel_data_add_dict_uint(d, "numa_node",
				   primary->plan.worker[w - primary->topo->workers]);
	rte_tel_data_add_dict_uint(d, "pool_size", w->pool->size);
	rte_tel_data_add_dict_uint(d, "free_mbufs", rte_mempool_avail_count(w->pool));
	rte_tel_data_add_dict_uint(d, "rx_packets", rx);
	rte_tel_data_add_dict_uint(d, "tx_packets", tx);
	rte_tel_data_add_dict_uint(d, "rounds", s->rounds);
	rte_tel_data_add_dict_uint(d, "busy_rounds", s->busy_rounds);
	rte_tel_data_add_dict_uint(d, "cycles_busy", s->cycles_busy);
	rte_tel_data_add_dict_uint(d, "sleeps", s->sleeps);
	rte_tel_data_add_dict_uint(d, "parks", s->parks);
	rte_tel_data_add_dict_uint(d, "xconnect", s->xconnect);
	rte_tel_data_add_dict_uint(d, "punted", s->punted);
	rte_tel_data_add_dict_uint(d, "injected", s->injected);
	rte_tel_data_add_dict_uint(d, "handed_off", s->handed_off);
	rte_tel_data_add_dict_uint(d, "relayed", s->relayed);
	rte_tel_data_add_dict_uint(d, "handoff_held", worker_handoff_held(w));
#define X(id, name, text, advice) \
	rte_tel_data_add_dict_uint(d, "drop_" #name, s->drops[KNIT_WORKER_DROP_##id]);
	KNIT_WORKER_DROP_TABLE(X)
#undef X
	return 0;
}

#define CALLBACK(name)                                                               \
	static int name(const char *cmd, const char *params, struct rte_tel_data *d) \
	{                                                                            \
		int ret = -1;                                                        \
                                                                                     \
		pthread_mutex_lock(&lock);                                           \
		if (primary)                                                         \
			ret = report_##name(params, d);                              \
		pthread_mutex_unlock(&lock);                                         \
		return ret;                                                          \
	}

CALLBACK(info)
CALLBACK(ports)
CALLBACK(port)
CALLBACK(ifaces)
CALLBACK(iface)
CALLBACK(workers)
CALLBACK(worker)

void primary_telemetry_show(struct primary *p)
{
	pthread_mutex_lock(&lock);
	primary = p;
	pthread_mutex_unlock(&lock);
}

int primary_telemetry_register(void)
{
	int ret;

	ret = rte_telemetry_register_cmd("/knit/info", info, "Versions, prefix and control.");
	ret |= rte_telemetry_register_cmd("/knit/ports", ports, "Names of the ports.");
	ret |= rte_telemetry_register_cmd("/knit/port", port, "State of a port. Parameter: name");
	ret |= rte_telemetry_register_cmd("/knit/interfaces", ifaces, "Names of the interfaces.");
	ret |= rte_telemetry_register_cmd("/knit/interface", iface,
					  "Counters of an interface. Parameter: name");
	ret |= rte_telemetry_register_cmd("/knit/workers", workers, "Ids of the workers.");
	ret |= rte_telemetry_register_cmd("/knit/worker", worker,
					  "State and counters of a worker. Parameter: id");
	return ret ? errno_log(EINVAL, "rte_telemetry_register_cmd") : 0;
}
