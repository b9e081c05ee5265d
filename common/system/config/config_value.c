// SPDX-License-Identifier: BSD-3-Clause
#include "config_keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CPUS (16 * 64)

/* isgraph() of the C locale, whatever the locale is */
static bool is_graph(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool all_graph(const char *text)
{
	while (is_graph(*text))
		text++;
	return *text == '\0';
}

bool knit_check_name(const char *text)
{
	size_t len =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");

	return len > 0 && text[len] == '\0';
}

bool knit_check_prefix(const char *text)
{
	return knit_check_name(text) && strlen(text) < KNIT_NAME;
}

/*
 * Beyond the rules for any device, "%" would make the name a pattern, and the names of the sysctl
 * directories that stand for all interfaces are refused when IPv4 is set up on the device.
 */
bool knit_check_ifname(const char *text)
{
	if (text[0] == '\0' || !all_graph(text) || strpbrk(text, "/:%"))
		return false;
	return strcmp(text, ".") != 0 && strcmp(text, "..") != 0 && strcmp(text, "all") != 0 &&
	       strcmp(text, "default") != 0;
}

bool knit_check_path(const char *text)
{
	return text[0] == '/' && all_graph(text);
}

bool knit_check_netns(const char *text)
{
	if (text[0] == '/')
		return knit_check_path(text);
	return text[0] != '\0' && all_graph(text) && !strchr(text, '/') && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0;
}

bool knit_check_device(const char *text)
{
	return isalnum((unsigned char)text[0]) && all_graph(text);
}

bool knit_check_cpus(const char *text)
{
	struct knit_cpu_set set;

	return knit_cpus_parse(text, &set);
}

/* A decimal CPU number at *text, which moves behind it; -1 if there is none. */
static int parse_cpu(const char **text)
{
	int cpu = 0;

	if (!isdigit((unsigned char)**text))
		return -1;
	for (; isdigit((unsigned char)**text); (*text)++) {
		cpu = cpu * 10 + (**text - '0');
		if (cpu >= MAX_CPUS)
			return -1;
	}
	return cpu;
}

bool knit_cpus_parse(const char *text, struct knit_cpu_set *out)
{
	struct knit_cpu_set set = { 0 };
	int first, last;

	do {
		first = last = parse_cpu(&text);
		if (first >= 0 && *text == '-') {
			text++;
			last = parse_cpu(&text);
		}
		if (first < 0 || last < first)
			return false;
		for (; first <= last; first++)
			set.bits[first / 64] |= UINT64_C(1) << (first % 64);
	} while (*text++ == ',');
	if (text[-1] != '\0')
		return false;
	*out = set;
	return true;
}

bool knit_mac_parse(const char *text, uint8_t mac[6])
{
	uint8_t bytes[6];
	size_t i;

	if (strlen(text) != 17)
		return false;
	for (i = 0; i < 6; i++) {
		const char *p = text + i * 3;

		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
		    p[2] != (i < 5 ? ':' : '\0'))
			return false;
		bytes[i] = strtoul(p, NULL, 16);
	}
	if (bytes[0] & 1)
		return false;
	memcpy(mac, bytes, sizeof(bytes));
	return true;
}

/* "a", "b" or "c" */
static void quote_words(const char *const *words, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; *words && len < size; words++) {
		const char *sep = len == 0 ? "" : words[1] ? ", " : " or ";

		len += snprintf(buf + len, size - len, "%s\"%s\"", sep, *words);
	}
}

char *knit_key_expect(const struct knit_key *key, char *buf, size_t size)
{
	switch (key->type) {
	case KNIT_KEY_INT:
	case KNIT_KEY_POW2:
		snprintf(buf, size, "a %s from %lld to %lld",
			 key->type == KNIT_KEY_POW2 ? "power of two" : "whole number",
			 (long long)key->min, (long long)key->max);
		break;
	case KNIT_KEY_ENUM:
	case KNIT_KEY_WORD:
		quote_words(key->values, buf, size);
		break;
	case KNIT_KEY_LIST:
		snprintf(buf, size, "a list ( ) of %lld to %lld groups { }", (long long)key->min,
			 (long long)key->max);
		break;
	case KNIT_KEY_BOOL:
		snprintf(buf, size, "true or false");
		break;
	case KNIT_KEY_TEXT:
		snprintf(buf, size, "%s", key->expect);
		break;
	case KNIT_KEY_MAC:
		snprintf(buf, size, "a unicast MAC address like \"02:00:00:00:00:01\"");
		break;
	case KNIT_KEY_PORT:
		snprintf(buf, size, "the name of one of the ports");
		break;
	case KNIT_KEY_PORT_PAIR:
		snprintf(buf, size, "an array [ ] of the names of two different ports");
		break;
	case KNIT_KEY_IFACE_PAIR:
		snprintf(buf, size, "an array [ ] of the names of two different interfaces");
		break;
	case KNIT_KEY_GROUP:
		snprintf(buf, size, "a group { }");
		break;
	}
	return buf;
}
