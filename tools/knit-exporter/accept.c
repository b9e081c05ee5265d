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

/* By RFC 9110; who only accepts anything gets the older text, which people can read, too. */
bool exporter_accepts_openmetrics(const char *accept)
{
	double openmetrics = 0, text = 0, q;
	const char *range;
	size_t len;

	while (accept && *accept) {
		len = next_part(&accept, &range, ',');
		accept += *accept == ',';
		q = quality(range, len, "application/openmetrics-text", "1.0.0");
		if (q > openmetrics)
			openmetrics = q;
		q = quality(range, len, "text/plain", "0.0.4");
		if (q > text)
			text = q;
	}
	return openmetrics > 0 && openmetrics >= text;
}
