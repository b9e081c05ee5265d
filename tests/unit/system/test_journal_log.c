// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "kni/base/log.h"
#include "system/quirks/journal_log.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Standard error is a file, and JOURNAL_STREAM says that it is the journal; or another one. */
static FILE *journal(bool another)
{
	FILE *file = tmpfile();
	char stream[64];
	struct stat st;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		 (uintmax_t)st.st_ino + another);
	setenv("JOURNAL_STREAM", stream, 1);
	return file;
}

START_TEST(severity)
{
	FILE *file = journal(false);
	char text[200] = "";

	ck_assert(knit_journal_is_log());
	knit_journal_log();
	rte_log_set_level(knit_log_main, RTE_LOG_NOTICE);
	log_err("one");
	log_notice("two %d", 2);
	log_info("three");
	log_err("four\nfive");
	rte_log(RTE_LOG_ERR, knit_log_main, "six, ");
	rte_log(RTE_LOG_ERR, knit_log_main, "seven\n");
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	ck_assert_str_eq(text, "<3>one\n<5>two 2\n<3>four\n<3>five\n<3>six, seven\n");
}
END_TEST

START_TEST(elsewhere)
{
	FILE *before = rte_log_get_stream();

	journal(true);
	ck_assert(!knit_journal_is_log());
	knit_journal_log();
	ck_assert_ptr_eq(rte_log_get_stream(), before);
}
END_TEST

KNIT_SUITE(journal_log)
{
	knit_add_test(s, "lines have their severity", severity, 0);
	knit_add_test(s, "only in the journal", elsewhere, 0);
}
