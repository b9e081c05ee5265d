// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "telemetry.h"

#include "kni/base/compat.h"
#include "kni/base/log.h"
#include "primary.h"
#include "telemetry_memory.h"
#include "telemetry_report.h"

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

static int report_names(enum knit_metric_object kind, struct rte_tel_data *d)
{
	const struct report_object *o = &report_objects[kind];
	char room[64];
	unsigned int i;

	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	for (i = 0; i < o->count(primary); i++)
		rte_tel_data_add_array_string(d, o->name(primary, i, room));
	return 0;
}

static int report_one(enum knit_metric_object kind, const char *params, struct rte_tel_data *d)
{
	const struct report_object *o = &report_objects[kind];
	struct report r = { .form = REPORT_DICT, .d = d };
	char room[64];
	unsigned int i;

	for (i = 0; params && i < o->count(primary); i++) {
		if (strcmp(o->name(primary, i, room), params) != 0)
			continue;
		rte_tel_data_start_dict(d);
		o->tell(primary, i, &r);
		return 0;
	}
	return -1;
}

static int report_info(const char *params, struct rte_tel_data *d)
{
	return report_one(KNIT_METRICS_SYSTEM, primary->conf->eal.prefix, d);
}

static int report_ports(const char *params, struct rte_tel_data *d)
{
	return report_names(KNIT_METRICS_PORT, d);
}

static int report_port(const char *params, struct rte_tel_data *d)
{
	return report_one(KNIT_METRICS_PORT, params, d);
}

static int report_ifaces(const char *params, struct rte_tel_data *d)
{
	return report_names(KNIT_METRICS_INTERFACE, d);
}

static int report_iface(const char *params, struct rte_tel_data *d)
{
	return report_one(KNIT_METRICS_INTERFACE, params, d);
}

static int report_workers(const char *params, struct rte_tel_data *d)
{
	const struct knit_topo *t = primary->topo;
	unsigned int i;

	rte_tel_data_start_array(d, RTE_TEL_UINT_VAL);
	for (i = 0; i < t->n_workers; i++)
		if (t->workers[i].there)
			rte_tel_data_add_array_uint(d, t->workers[i].id);
	return 0;
}

static int report_worker(const char *params, struct rte_tel_data *d)
{
	return report_one(KNIT_METRICS_WORKER, params, d);
}

/* "PLURAL" or "PLURAL,FIRST"; the kind, or -1. */
static int parse_kind(const char *params, unsigned int *first)
{
	const char *comma = params ? strchr(params, ',') : NULL;
	size_t len = params ? (comma ? (size_t)(comma - params) : strlen(params)) : 0;
	unsigned int i;

	*first = comma ? strtoul(comma + 1, NULL, 10) : 0;
	for (i = 0; i < KNIT_METRIC_OBJECTS; i++)
		if (len == strlen(knit_metrics[i].plural) &&
		    strncmp(knit_metrics[i].plural, params, len) == 0)
			return i;
	return -1;
}

/* The names of what /knit/values tells of an object of the kind. */
static int report_fields(const char *params, struct rte_tel_data *d)
{
	unsigned int first;
	size_t i;
	int kind;

	kind = parse_kind(params, &first);
	if (kind < 0)
		return -1;
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	for (i = 0; i < knit_metrics[kind].n; i++)
		if (knit_metrics[kind].row[i].type != KNIT_METRIC_TEXT)
			rte_tel_data_add_array_string(d, knit_metrics[kind].row[i].name);
	return 0;
}

/*
 * One text, for programs that ask often: how many objects of the kind there are, how many of them
 * follow from FIRST on, as they fit, and the numbers of each. lock protects r.
 */
static int report_values(const char *params, struct rte_tel_data *d)
{
	static struct report r;
	const struct report_object *o;
	unsigned int first, i, count;
	char text[sizeof(r.values)];
	size_t len = 0;
	int kind;

	kind = parse_kind(params, &first);
	if (kind < 0)
		return -1;
	o = &report_objects[kind];
	count = o->count(primary);
	r = (struct report){ .form = REPORT_VALUES };
	for (i = first; i < count; i++) {
		o->tell(primary, i, &r);
		if (r.len > sizeof(r.values) - sizeof("64 64 "))
			break;
		len = r.len;
	}
	snprintf(text, sizeof(text), "%u %u%.*s", count, i > first ? i - first : 0, (int)len,
		 r.values);
	return rte_tel_data_string(d, text);
}

/*
 * How many objects there are, and then name and texts of those from FIRST on, as many as fit. 24:
 * more texts than an object has.
 */
static int report_texts(const char *params, struct rte_tel_data *d)
{
	struct report r = { .form = REPORT_TEXTS, .d = d };
	const struct report_object *o;
	unsigned int first, i, count;
	char room[64];
	int kind;

	kind = parse_kind(params, &first);
	if (kind < 0)
		return -1;
	o = &report_objects[kind];
	count = o->count(primary);
	snprintf(room, sizeof(room), "%u", count);
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	rte_tel_data_add_array_string(d, room);
	for (i = first; i < count && r.n_texts + 24 < RTE_TEL_MAX_ARRAY_ENTRIES &&
			r.texts_len < RTE_TEL_MAX_SINGLE_STRING_LEN;
	     i++) {
		report_text(&r, "name", o->name(primary, i, room));
		o->tell(primary, i, &r);
	}
	return 0;
}

static int report_memory(const char *params, struct rte_tel_data *d)
{
	unsigned int i;

	if (params && *params)
		return report_one(KNIT_METRICS_NODE, params, d);
	rte_tel_data_start_array(d, RTE_TEL_UINT_VAL);
	for (i = 0; i < telemetry_count_nodes(primary); i++)
		rte_tel_data_add_array_uint(d, telemetry_node(primary, i));
	return 0;
}

static int report_pools(const char *params, struct rte_tel_data *d)
{
	return report_names(KNIT_METRICS_POOL, d);
}

static int report_pool(const char *params, struct rte_tel_data *d)
{
	return report_one(KNIT_METRICS_POOL, params, d);
}

#define CALLBACK(name)                                                               \
	static int name(const char *cmd, const char *params, struct rte_tel_data *d) \
	{                                                                            \
		int ret = -1;                                                        \
                                                                                     \
		pthread_mutex_lock(&lock);                                           \
		if (primary) {                                                       \
			pthread_mutex_lock(&primary->places);                        \
			ret = report_##name(params, d);                              \
			pthread_mutex_unlock(&primary->places);                      \
		}                                                                    \
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
CALLBACK(fields)
CALLBACK(values)
CALLBACK(texts)
CALLBACK(memory)
CALLBACK(pools)
CALLBACK(pool)

void primary_telemetry_show(struct primary *p)
{
	pthread_mutex_lock(&lock);
	primary = p;
	pthread_mutex_unlock(&lock);
}

/* DPDK 20.11 takes less than 64 characters of help. */
#define REGISTER(command, callback, help)                            \
	({                                                           \
		_Static_assert(sizeof(help) <= 64, "too long");      \
		rte_telemetry_register_cmd(command, callback, help); \
	})

int primary_telemetry_register(void)
{
	int ret;

	ret = REGISTER("/knit/info", info, "Versions, prefix and control.");
	ret |= REGISTER("/knit/ports", ports, "Names of the ports.");
	ret |= REGISTER("/knit/port", port, "State of a port. Parameter: name");
	ret |= REGISTER("/knit/interfaces", ifaces, "Names of the interfaces.");
	ret |= REGISTER("/knit/interface", iface, "Counters of an interface. Parameter: name");
	ret |= REGISTER("/knit/workers", workers, "Ids of the workers.");
	ret |= REGISTER("/knit/worker", worker, "State and counters of a worker. Parameter: id");
	ret |= REGISTER("/knit/fields", fields, "What /knit/values tells. Parameter: kind");
	ret |= REGISTER("/knit/values", values, "Numbers of many objects. Parameters: kind, first");
	ret |= REGISTER("/knit/texts", texts, "Texts of many objects. Parameters: kind, first");
	ret |= REGISTER("/knit/memory", memory, "NUMA nodes in use. Parameter: one; its memory");
	ret |= REGISTER("/knit/pools", pools, "Names of the buffer pools.");
	ret |= REGISTER("/knit/pool", pool, "A buffer pool. Parameter: name");
	return ret ? errno_log(EINVAL, "rte_telemetry_register_cmd") : 0;
}
