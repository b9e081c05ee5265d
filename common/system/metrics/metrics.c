// SPDX-License-Identifier: BSD-3-Clause
#include "metrics.h"

#include "metrics_table.h"

#define ROW(name_, metric_, type_, unit_, value_, help_) \
	{ .name = #name_,                                \
	  .metric = #metric_,                            \
	  .unit = unit_,                                 \
	  .help = help_,                                 \
	  .type = KNIT_METRIC_##type_ },
#define LOSS(name_, metric_, unit_, level_, help_, reason_, advice_) \
	{ .name = name_ #reason_,                                    \
	  .metric = metric_,                                         \
	  .unit = unit_,                                             \
	  .help = help_,                                             \
	  .reason = #reason_,                                        \
	  .advice = advice_,                                         \
	  .level = KNIT_DROP_##level_,                               \
	  .type = KNIT_METRIC_COUNTER },
#define DROP(id, name, level, text, advice) \
	LOSS("drop_", "dropped_packets", "packets", level, text, name, advice)
#define PORT_DROP(id, name, member, level, text, advice) DROP(id, name, level, text, advice)
#define REJECT(id, name, text) \
	LOSS("reject_", "rejected_entries", "entries", FAULT, text, name, KNIT_REJECT_ADVICE)

static const struct knit_metric system_rows[] = { KNIT_SYSTEM_METRICS(ROW) };
static const struct knit_metric port_rows[] = { KNIT_PORT_METRICS(ROW)
							KNIT_PORT_DROP_TABLE(PORT_DROP) };
static const struct knit_metric iface_rows[] = { KNIT_IFACE_METRICS(ROW) KNIT_USER_DROP_TABLE(
	DROP) KNIT_ENGINE_DROP_TABLE(DROP) KNIT_REJECT_TABLE(REJECT) KNIT_REQUEST_METRICS(ROW) };
static const struct knit_metric worker_rows[] = { KNIT_WORKER_METRICS(ROW)
							  KNIT_WORKER_DROP_TABLE(DROP) };
static const struct knit_metric node_rows[] = { KNIT_NODE_METRICS(ROW) };
static const struct knit_metric pool_rows[] = { KNIT_POOL_METRICS(ROW) };
static const struct knit_metric exporter_rows[] = { KNIT_EXPORTER_METRICS(ROW) };

#define TABLE(rows) .row = rows, .n = sizeof(rows) / sizeof((rows)[0])

const struct knit_metrics knit_metrics[KNIT_METRIC_KINDS] = {
	[KNIT_METRICS_SYSTEM] = { "", "system", TABLE(system_rows) },
	[KNIT_METRICS_PORT] = { "port", "ports", TABLE(port_rows) },
	[KNIT_METRICS_INTERFACE] = { "interface", "interfaces", TABLE(iface_rows) },
	[KNIT_METRICS_WORKER] = { "worker", "workers", TABLE(worker_rows) },
	[KNIT_METRICS_NODE] = { "node", "nodes", TABLE(node_rows) },
	[KNIT_METRICS_POOL] = { "pool", "pools", TABLE(pool_rows) },
	[KNIT_METRICS_EXPORTER] = { "", "exporter", TABLE(exporter_rows) },
};
