/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_METRICS_H
#define KNIT_METRICS_H

#include <stddef.h>

/* Of the rows in kni/drops.h, which explains them. */
enum knit_drop_level {
	KNIT_DROP_NORMAL,
	KNIT_DROP_LOSS,
	KNIT_DROP_FAULT,
};

/* The tables of metrics_table.h as data, without the values. */
enum knit_metric_type {
	KNIT_METRIC_COUNTER, /* never goes back while the primary runs */
	KNIT_METRIC_GAUGE,
	KNIT_METRIC_TEXT,   /* a label of knit_<object>_info */
	KNIT_METRIC_NUMBER, /* an identity: in telemetry alone */
	KNIT_METRIC_MBITS,  /* gauge, in Mbit/s: its metric has bytes; UINT32_MAX: not known */
	KNIT_METRIC_CYCLES, /* counter, in TSC cycles: its metric has seconds */
	KNIT_METRIC_MICROS, /* counter, in microseconds: its metric has seconds */
};

enum knit_metric_object {
	KNIT_METRICS_SYSTEM,
	KNIT_METRICS_PORT,
	KNIT_METRICS_INTERFACE,
	KNIT_METRICS_WORKER,
	KNIT_METRICS_NODE,
	KNIT_METRICS_POOL,
	KNIT_METRIC_OBJECTS, /* telemetry has those above */
	KNIT_METRICS_EXPORTER = KNIT_METRIC_OBJECTS,
	KNIT_METRIC_KINDS,
};

/* A row. Rows of one metric stand together, and have different reasons. */
struct knit_metric {
	const char *name;   /* in telemetry */
	const char *metric; /* without knit_ and the object, and without _total */
	const char *unit;   /* "": none */
	const char *help;
	const char *reason; /* of a way to lose packets, else NULL: the label of that name */
	const char *advice; /* with it, and level */
	enum knit_drop_level level;
	enum knit_metric_type type;
};

struct knit_metrics {
	const char *word;   /* in OpenMetrics: a part of the name, and the label; "": no label */
	const char *plural; /* in telemetry: as in /knit/values */
	const struct knit_metric *row;
	size_t n;
};

/* By enum knit_metric_object. */
extern const struct knit_metrics knit_metrics[KNIT_METRIC_KINDS];

#endif
