// SPDX-License-Identifier: BSD-3-Clause
#include "config_read.h"

#include <stdarg.h>
#include <string.h>

#define MAX_FOUND 120 /* characters of a value in a message */

/* Text that grows up to the size of its buffer. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = t->len + n < t->size ? t->len + n : t->size - 1;
}

/* Quoted, on one line whatever is in it, and not longer than a message should be. */
static void add_quoted(struct text *t, const char *s)
{
	size_t end = t->len + 80;

	add(t, "\"");
	for (; *s && t->len < end; s++) {
		unsigned char c = *s;

		if (c < ' ' || c == 0x7f)
			add(t, "\\x%02x", c);
		else
			add(t, "%c", c);
	}
	add(t, *s ? "...\"" : "\"");
}

static void add_setting(struct text *t, const config_setting_t *setting)
{
	int i, n;

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		if (config_setting_get_int64(setting) == INT64_MAX)
			add(t, "a number that is too large");
		else
			add(t, "%lld", config_setting_get_int64(setting));
		break;
	case CONFIG_TYPE_FLOAT:
		add(t, "%g", config_setting_get_float(setting));
		break;
	case CONFIG_TYPE_BOOL:
		add(t, config_setting_get_bool(setting) ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		add_quoted(t, config_setting_get_string(setting));
		break;
	case CONFIG_TYPE_GROUP:
		add(t, "a group { }");
		break;
	case CONFIG_TYPE_LIST:
		add(t, "a list ( ) of %d", config_setting_length(setting));
		break;
	default:
		n = config_setting_length(setting);
		add(t, "[");
		for (i = 0; i < n && i < 3; i++) {
			add(t, i ? ", " : "");
			add_setting(t, config_setting_get_elem(setting, i));
		}
		add(t, n > 3 ? ", ...]" : "]");
	}
}

static void add_path(struct text *t, const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (!parent)
		return;
	add_path(t, parent);
	if (t->len > 0)
		add(t, ".");
	if (config_setting_name(setting))
		add(t, "%s", config_setting_name(setting));
	else
		add(t, "[%d]", config_setting_index(setting));
}

/*
 * The parser has read on to the next token when it meets the end of a string in a list or array,
 * so that such a line may be too high; the list's own is right.
 */
static unsigned int line_of(const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);

	if (parent && config_setting_type(setting) == CONFIG_TYPE_STRING &&
	    !config_setting_name(setting))
		return line_of(parent);
	return config_setting_source_line(setting);
}

/* "FILE:LINE: path.of.key: found X: " */
static void print_head(struct knit_conf_load *load, const config_setting_t *at, const char *key,
		       const char *found)
{
	struct knit_conf_place place = knit_conf_source_place(load->src, line_of(at));
	char buf[256] = "";
	struct text path = { buf, sizeof(buf), 0 };

	add_path(&path, at);
	if (key)
		add(&path, "%s%s", path.len > 0 ? "." : "", key);
	if (!config_setting_parent(at))
		place.line = 1; /* the file as a whole */
	fprintf(load->err, "%s:%u: %s: found %s: ", place.file, place.line, buf, found);
	load->errors++;
}

void knit_conf_error(struct knit_conf_load *load, const config_setting_t *group, const char *key,
		     const char *fmt, ...)
{
	const config_setting_t *at = key ? config_setting_get_member(group, key) : group;
	char buf[MAX_FOUND] = "";
	struct text found = { buf, sizeof(buf), 0 };
	va_list ap;

	if (at)
		add_setting(&found, at);
	else
		add(&found, "nothing");
	print_head(load, at ? at : group, at ? NULL : key, buf);
	va_start(ap, fmt);
	vfprintf(load->err, fmt, ap);
	va_end(ap);
	fputc('\n', load->err);
}

void knit_conf_error_found(struct knit_conf_load *load, const config_setting_t *at,
			   const char *found, const char *fmt, ...)
{
	va_list ap;

	print_head(load, at, NULL, found);
	va_start(ap, fmt);
	vfprintf(load->err, fmt, ap);
	va_end(ap);
	fputc('\n', load->err);
}
