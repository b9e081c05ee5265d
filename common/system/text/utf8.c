// SPDX-License-Identifier: BSD-3-Clause
#include "utf8.h"

#include <stdint.h>
#include <string.h>

static unsigned int length_by_first(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if ((first & 0xe0) == 0xc0)
		return 2;
	if ((first & 0xf0) == 0xe0)
		return 3;
	return (first & 0xf8) == 0xf0 ? 4 : 0;
}

unsigned int knit_utf8_length(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	unsigned int i, len = length_by_first(bytes[0]);
	uint32_t code;

	if (len < 2)
		return len;
	code = bytes[0] & (0x7f >> len);
	for (i = 1; i < len; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	return code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : len;
}

char *knit_utf8_copy(char *to, size_t size, const char *text)
{
	unsigned int len, put;
	size_t n = 0;

	for (; *text; text += len ? len : 1, n += put) {
		len = knit_utf8_length(text);
		put = len ? len : strlen(KNIT_UTF8_BAD);
		if (n + put >= size)
			break;
		memcpy(to + n, len ? text : KNIT_UTF8_BAD, put);
	}
	to[n] = '\0';
	return to;
}

char *knit_telemetry_copy(char *to, size_t size, const char *text)
{
	unsigned int len;
	size_t n;

	for (n = 0; *text && n + 1 < size; text += len ? len : 1, n++) {
		len = knit_utf8_length(text);
		to[n] = *text;
		if (len != 1 || *text < ' ' || *text == 0x7f || *text == '"' || *text == '\\')
			to[n] = '?';
	}
	to[n] = '\0';
	return to;
}
