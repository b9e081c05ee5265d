// SPDX-License-Identifier: BSD-3-Clause
#include "telemetry_form.h"

#include "kni/base/compat.h"
#include "system/text/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void report_number(struct report *r, const char *name, uint64_t value)
{
	size_t room = sizeof(r->values) - r->len;
	int len;

	if (r->form == REPORT_DICT && value != REPORT_UNKNOWN)
		rte_tel_data_add_dict_uint(r->d, name, value);
	if (r->form != REPORT_VALUES)
		return;
	if (value == REPORT_UNKNOWN)
		len = snprintf(r->values + r->len, room, " -");
	else
		len = snprintf(r->values + r->len, room, " %" PRIu64, value);
	r->len += (size_t)len < room ? (size_t)len : room;
}

void report_text(struct report *r, const char *name, const char *text)
{
	char line[RTE_TEL_MAX_STRING_LEN], clean[RTE_TEL_MAX_STRING_LEN];
	size_t len;

	if (r->form == REPORT_DICT)
		rte_tel_data_add_dict_string(r->d, name,
					     knit_telemetry_copy(clean, sizeof(clean), text));
	if (r->form != REPORT_TEXTS)
		return;
	len = snprintf(line, sizeof(line), "%s=", name);
	knit_telemetry_copy(line + len, sizeof(line) - len, text);
	rte_tel_data_add_array_string(r->d, line);
	r->n_texts++;
	r->texts_len += strlen(line);
}
