// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include "knit-bind/bind_list.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char text[8192];
static const char *driver = KNIT_VFIO_PCI;

/* What it prints. */
static const char *list(bool json)
{
	struct knit_bind_want want = { .driver = driver };
	FILE *out = tmpfile();
	int had = dup(STDOUT_FILENO);

	fflush(stdout);
	dup2(fileno(out), STDOUT_FILENO);
	ck_assert_int_eq(bind_list(&want, false, json), 0);
	fflush(stdout);
	dup2(had, STDOUT_FILENO);
	close(had);
	rewind(out);
	text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
	fclose(out);
	return text;
}

/* An interface may have any name without slash, colon and white space. */
START_TEST(names_in_json)
{
	bind_fake_file(FAKE_DEVICE("0000:00:01.0") "net/eno1/x", NULL);
	bind_fake_rmdir(FAKE_DEVICE("0000:00:01.0") "net/eno1");
	bind_fake_file(FAKE_DEVICE("0000:00:01.0") "net/a\"b\\c\001d/x", "");
	ck_assert_ptr_nonnull(strstr(list(true), "\"interfaces\": [\"a\\\"b\\\\c\\u0001d\"]"));
	ck_assert_ptr_nonnull(strstr(text, "its interface a\\\"b\\\\c\\u0001d is used"));
}
END_TEST

/* Names that are no UTF-8: cut short, too long, half of a pair, out of range. */
START_TEST(no_text_in_json)
{
	bind_fake_file("proc/77/comm", "\xc3\xa4\xe2\x82\xac \xff\xc3 \xe2\x82\n");
	ck_assert_ptr_nonnull(strstr(list(true), "\"user\": \"\xc3\xa4\xe2\x82\xac "
						 "\\ufffd\\ufffd \\ufffd\\ufffd\""));
	bind_fake_file("proc/77/comm", "\xc0\xaf \xed\xa0\x80 \xf0\x9f\x98\x80 \xf4\x90\x80\x80\n");
	ck_assert_ptr_nonnull(strstr(list(true), "\"user\": \"\\ufffd\\ufffd "
						 "\\ufffd\\ufffd\\ufffd \xf0\x9f\x98\x80 "
						 "\\ufffd\\ufffd\\ufffd\\ufffd\""));
}
END_TEST

/* Nobody has it open yet, but somebody is about to. */
START_TEST(locked)
{
	pid_t other = bind_fake_locker("0000:00:06.0", false);

	driver = KNIT_IGB_UIO;
	ck_assert_ptr_nonnull(strstr(list(false), "(other) has it locked"));
	bind_fake_kill(other);
	ck_assert_ptr_null(strstr(list(false), "(other) has it locked"));
}
END_TEST

START_TEST(more_interfaces_than_shown)
{
	static const char *const paths[] = {
		FAKE_DEVICE("0000:00:07.0") "net/n1/x", FAKE_DEVICE("0000:00:07.0") "net/n2/x",
		FAKE_DEVICE("0000:00:07.0") "net/n3/x", FAKE_DEVICE("0000:00:07.0") "net/n4/x",
		FAKE_DEVICE("0000:00:07.0") "net/n5/x",
	};
	unsigned int i;

	for (i = 0; i < 4; i++)
		bind_fake_file(paths[i], "");
	ck_assert_ptr_null(strstr(list(false), ",..."));
	bind_fake_file(paths[4], "");
	ck_assert_ptr_nonnull(strstr(list(false), ",..."));
}
END_TEST

KNIT_SUITE(bind_list)
{
	TCase *tc = tcase_create("list");

	tcase_add_checked_fixture(tc, bind_fake_setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, names_in_json);
	tcase_add_test(tc, no_text_in_json);
	tcase_add_test(tc, locked);
	tcase_add_test(tc, more_interfaces_than_shown);
	suite_add_tcase(s, tc);
}
