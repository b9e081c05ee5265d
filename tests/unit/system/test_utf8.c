// SPDX-License-Identifier: BSD-3-Clause
#include "system/text/utf8.h"
#include "unit.h"

#include <string.h>

#define BAD KNIT_UTF8_BAD

/* The last of a length and the first of the next one; cut short, too long, half of a pair, ... */
static const struct {
	const char *text, *copy;
} texts[] = {
	{ "", "" },
	{ "a \"\\\n\x7f", "a \"\\\n\x7f" },
	{ "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf" },
	{ "\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf" },
	{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
	{ "a\xff"
	  "b",
	  "a" BAD "b" },
	{ "\x80\xbf", BAD BAD },
	{ "\xc3", BAD },
	{ "\xe2\x82", BAD BAD },
	{ "\xe2\x82z", BAD BAD "z" },
	{ "\xc0\xaf", BAD BAD },
	{ "\xe0\x9f\xbf", BAD BAD BAD },
	{ "\xed\xa0\x80", BAD BAD BAD },
	{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
};

START_TEST(copies)
{
	char to[64];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_str_eq(knit_utf8_copy(to, sizeof(to), texts[i].text), texts[i].copy);
}
END_TEST

/* Between characters, however little room there is. */
START_TEST(cuts)
{
	static const char *const want[] = {
		"", "a", "a", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4", ("a\xc3\xa4" BAD)
	};
	char to[16];
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		memset(to, 'x', sizeof(to));
		ck_assert_str_eq(knit_utf8_copy(to, i + 1, "a\xc3\xa4\xff"), want[i]);
		ck_assert_int_eq(to[i + 1], 'x');
	}
}
END_TEST

START_TEST(telemetry)
{
	char to[64];

	knit_telemetry_copy(to, sizeof(to), " az~\x7f\n\x01\"\\\xc3\xa4\xf0\x9f\x98\x80\xff\xc3+");
	ck_assert_str_eq(to, " az~???"
			     "??"
			     "??"
			     "??+");
	memset(to, 'x', sizeof(to));
	ck_assert_str_eq(knit_telemetry_copy(to, 3, "\xc3\xa4z9"), "?z");
	ck_assert_int_eq(to[3], 'x');
	ck_assert_str_eq(knit_telemetry_copy(to, 1, "z"), "");
}
END_TEST

KNIT_SUITE(utf8)
{
	knit_add_test(s, "telemetry", telemetry, 0);
	knit_add_test(s, "copies", copies, 0);
	knit_add_test(s, "cuts", cuts, 0);
}
