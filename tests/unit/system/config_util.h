/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_UTIL_H
#define KNIT_CONFIG_UTIL_H

#include "system/config/config.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef KNIT_SOURCE_ROOT
#define KNIT_SOURCE_ROOT "." /* run in the root of the source */
#endif

/* A file of seven lines. What a case leaves out is taken from valid_case. */
struct config_case {
	const char *eal, *mempool, *tap, *ports, *ifaces, *workers, *control;
	const char *want;    /* behind "FILE:" */
	unsigned int errors; /* lines expected; 0: 1 */
};

static const struct config_case valid_case = {
	.eal = "eal = { };",
	.mempool = "mempool = { };",
	.tap = "tap = { };",
	.ports = "ports = ({ name = \"p0\"; device = \"net_null0\"; },"
		 " { name = \"p1\"; device = \"0000:01:00.0\"; });",
	.ifaces = "interfaces = ({ name = \"i0\"; port = \"p0\"; }, { name = \"i1\"; port = "
		  "\"p1\"; },"
		  " { name = \"i2\"; });",
	.workers = "workers = ({ id = 0; lcore = 1; forward = ({ mode = \"punt\"; port = \"p0\"; "
		   "}); });",
	.control = "control = { lcore = 2; };",
};

/* each test has them anew */
static char dir[64], file[80];

static inline void config_setup(void)
{
	strcpy(dir, "/tmp/knit-config-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/t.cfg", dir);
}

static inline void config_teardown(void)
{
	char other[80];

	snprintf(other, sizeof(other), "%s/inc.cfg", dir);
	unlink(other);
	unlink(file);
	rmdir(dir);
}

static inline void write_text(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_ge(fputs(text, out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

/* What loading printed in *errors, to be freed. */
static inline struct knit_config *load(const char *path, char **errors)
{
	struct knit_config *conf;
	size_t size;
	FILE *err = open_memstream(errors, &size);

	ck_assert_ptr_nonnull(err);
	conf = knit_config_load(path, err);
	fclose(err);
	return conf;
}

static inline struct knit_config *load_valid(const char *path)
{
	struct knit_config *conf;
	char *errors;

	conf = load(path, &errors);
	ck_assert_msg(conf, "refused: %s", errors);
	ck_assert_str_eq(errors, "");
	free(errors);
	return conf;
}

static inline unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static inline void write_case(const struct config_case *c)
{
	char text[4096];

#define LINE(section) (c->section ? c->section : valid_case.section)
	snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s\n%s\n%s\n", LINE(eal), LINE(mempool),
		 LINE(tap), LINE(ports), LINE(ifaces), LINE(workers), LINE(control));
#undef LINE
	write_text(file, text);
}

/* Loads path, expects refusal with this many lines, the first of which begins with "FILE:want". */
static inline void refuse(const char *path, const char *want, unsigned int lines)
{
	struct knit_config *conf;
	char *errors, head[1024];

	conf = load(path, &errors);
	snprintf(head, sizeof(head), "%s:%s", path, want);
	ck_assert_msg(!conf, "accepted, but expected: %s", head);
	ck_assert_msg(strncmp(errors, head, strlen(head)) == 0, "expected: %s\ngot: %s", head,
		      errors);
	ck_assert_msg(count_lines(errors) == lines, "expected %u lines, got: %s", lines, errors);
	free(errors);
}

#endif
