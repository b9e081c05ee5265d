// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"

#include <stdlib.h>
#include <string.h>

/* A part of Accept up to the next comma, without blanks around it; moves on. */
static size_t next_part(const char **text, const char **part, char separator)
{
	size_t len;

	*text += strspn(*text, " \t");
	*part = *text;
	len = strcspn(*text, separator == ',' ? "," : ",;");
	*text += len;
	while (len && strchr(" \t", (*part)[len - 1]))
		len--;
	return len;
}

static bool is(const char *part, size_t len, const char *what)
{
	return len == strlen(what) && strncasecmp(part, what, len) == 0;
}

/* One media range with its parameters: its q, 0 if it is of another type or version. */
static double quality(const char *range, size_t len, const char *type, const char *version)
{
	const char *end = range + len, *text = range, *part;
	double q = 1;

	if (!is(range, next_part(&text, &part, ';'), type))
		return 0;
	while (text < end && *text == ';') {
		text++;
		len = next_part(&text, &part, ';');
		if (len > 2 && strncasecmp(part, "q=", 2) == 0)
			q = strtod(part + 2, NULL);
		else if (len > 8 && strncasecmp(part, "version=", 8) == 0 &&
			 !is(part + 8, len - 8, version))
			return 0;
	}
	return q > 0 && q <= 1 ? q : 0;
}

#define TEXT "text/plain"
#define OPENMETRICS "application/openmetrics-text"

/* In the order in which they are preferred. */
static const struct format {
	const char *type;
	const char *version;
	const char *content_type;
} formats[] = {
	{ OPENMETRICS, "1.0.0", OPENMETRICS "; version=1.0.0; charset=utf-8" },
	{ OPENMETRICS, "0.0.1", OPENMETRICS "; version=0.0.1; charset=utf-8" },
	{ TEXT, "0.0.4", TEXT "; version=0.0.4; charset=utf-8" },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

/* By RFC 9110; who only accepts anything gets the older text, which people can read, too. */
const char *exporter_format(const char *accept, bool *openmetrics)
{
	const struct format *best = &formats[FORMATS - 1];
	double q[FORMATS] = { 0 }, this, most = 0;
	const char *range;
	size_t len, i;

	while (accept && *accept) {
		len = next_part(&accept, &range, ',');
		accept += *accept == ',';
		for (i = 0; i < FORMATS; i++) {
			this = quality(range, len, formats[i].type, formats[i].version);
			q[i] = this > q[i] ? this : q[i];
		}
	}
	for (i = 0; i < FORMATS; i++) {
		if (q[i] > most) {
			most = q[i];
			best = &formats[i];
		}
	}
	*openmetrics = best != &formats[FORMATS - 1];
	return best->content_type;
}
