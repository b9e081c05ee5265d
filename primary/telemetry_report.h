/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_TELEMETRY_REPORT_H
#define KNIT_PRIMARY_TELEMETRY_REPORT_H

#include "primary.h"
#include "system/metrics/metrics.h"
#include "telemetry_form.h"

/* The objects of a kind, and what is told about one of them; by enum knit_metric_object. */
struct report_object {
	unsigned int (*count)(const struct primary *p);
	/* room: of 64 bytes at least */
	const char *(*name)(const struct primary *p, unsigned int i, char *room);
	void (*tell)(struct primary *p, unsigned int i, struct report *r);
};

extern const struct report_object report_objects[KNIT_METRIC_OBJECTS];

#endif
