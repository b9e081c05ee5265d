/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_FORM_H
#define KNIT_PRIMARY_TELEMETRY_FORM_H

#include <rte_telemetry.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What telemetry tells of an object, in one of three forms.
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

/* What X of system/metrics/metrics_table.h does in a function that tells r of an object. */
#define TELL_COUNTER report_number
#define TELL_GAUGE report_number
#define TELL_MBITS report_number
#define TELL_CYCLES report_number
#define TELL_NUMBER report_number
#define TELL_TEXT report_text
#define TELL(name, metric, type, unit, value, help) TELL_##type(r, #name, value);

#endif
