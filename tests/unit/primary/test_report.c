// SPDX-License-Identifier: BSD-3-Clause
#include "preflight/report.h"
#include "system/text/utf8.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Names of programs and interfaces may hold any byte; readers of JSON refuse what is no UTF-8. */
START_TEST(json_is_utf8)
{
	FILE *out = tmpfile();
	int had = dup(STDOUT_FILENO);
	char text[1024];

	fflush(stdout);
	dup2(fileno(out), STDOUT_FILENO);
	preflight_report_json();
	preflight_note("\xc3\xa4 \xff is used", "stop \xe2\x82");
	preflight_report_print(0);
	fflush(stdout);
	dup2(had, STDOUT_FILENO);
	close(had);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	fclose(out);
	ck_assert_str_eq(text,
			 "{\"findings\":[{\"state\":\"note\",\"what\":\"\xc3\xa4 " KNIT_UTF8_BAD
			 " is used\",\"remedy\":\"stop " KNIT_UTF8_BAD KNIT_UTF8_BAD
			 "\"}],\"code\":0}\n");
}
END_TEST

KNIT_SUITE(report)
{
	knit_add_test(s, "json_is_utf8", json_is_utf8, 0);
}
