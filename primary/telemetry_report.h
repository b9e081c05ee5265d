/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_REPORT_H
#define KNIT_PRIMARY_TELEMETRY_REPORT_H

#include "primary.h"
#include "system/metrics/metrics.h"

#include <rte_telemetry.h>

#include <stddef.h>

/*
 * What telemetry tells of an object, in one of three forms; and what an object is.
 *
 *   dict    all fields, for /knit/port and the like
 *   values  the numbers alone, in the order of the tables, each with a blank before it; "-" if it
 *           is not known now
 *   texts   "NAME=TEXT" for each text, in an array
 */
enum report_form {
	REPORT_DICT,
	REPORT_VALUES,
	REPORT_TEXTS,
};

struct report {
	enum report_form form;
	struct rte_tel_data *d; /* of dict and texts, started */
	char values[RTE_TEL_MAX_SINGLE_STRING_LEN];
	size_t len; /* of values */
	bool drivers_busy;
	unsigned int n_texts;
	size_t texts_len;
};

#define REPORT_UNKNOWN UINT64_MAX /* a dict leaves it out */

void report_number(struct report *r, const char *name, uint64_t value);
void report_text(struct report *r, const char *name, const char *text);

/* The objects of a kind, and what is told about one of them; by enum knit_metric_object. */
struct report_object {
	unsigned int (*count)(const struct primary *p);
	/* room: of 64 bytes at least */
	const char *(*name)(const struct primary *p, unsigned int i, char *room);
	void (*tell)(struct primary *p, unsigned int i, struct report *r);
};

extern const struct report_object report_objects[KNIT_METRIC_OBJECTS];

#endif
