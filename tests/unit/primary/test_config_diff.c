// SPDX-License-Identifier: BSD-3-Clause
#include "command/config_diff.h"
#include "system/config_util.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* Two files: what runs, and what is wanted. */
static struct knit_config *conf_of(const struct config_case *c)
{
	write_case(c);
	return load_valid(file);
}

/* The changes as text, one line each: "port p0 changed mtu start". */
static char *text_of(struct config_diff d)
{
	struct json_object *one, *key;
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);

	ck_assert_uint_eq(json_object_array_length(d.changes), d.n);
	for (i = 0; i < d.n; i++) {
		one = json_object_array_get_idx(d.changes, i);
		json_object_object_get_ex(one, "object", &key);
		fprintf(out, "%s ", json_object_get_string(key));
		json_object_object_get_ex(one, "change", &key);
		fprintf(out, "%s ", json_object_get_string(key));
		if (json_object_object_get_ex(one, "key", &key))
			fprintf(out, "%s ", json_object_get_string(key));
		json_object_object_get_ex(one, "needs", &key);
		fprintf(out, "%s\n", json_object_get_string(key));
	}
	fclose(out);
	json_object_put(d.changes);
	return text;
}

static void differ(const struct config_case *running, const struct config_case *wanted,
		   const char *expected, unsigned int n_start)
{
	struct knit_config *a = conf_of(running), *b = conf_of(wanted);
	struct config_diff d = config_diff(a, b);
	char *text;

	ck_assert_uint_eq(d.n_start, n_start);
	text = text_of(d);
	ck_assert_str_eq(text, expected);
	free(text);
	free(a);
	free(b);
}

static const struct config_case usual = { 0 };

/* Names are the identity: the order in the file is nobody's, nor are indexes in rules. */
START_TEST(same)
{
	const struct config_case turned = {
		.ports = "ports = ({ name = \"p1\"; device = \"0000:01:00.0\"; },"
			 " { name = \"p0\"; device = \"net_null0\"; });",
		.ifaces = "interfaces = ({ name = \"i2\"; }, { name = \"i1\"; port = \"p1\"; },"
			  " { name = \"i0\"; port = \"p0\"; });",
	};

	differ(&usual, &usual, "", 0);
	differ(&usual, &turned, "", 0);
}
END_TEST

START_TEST(values)
{
	const struct config_case other = {
		.eal = "eal = { attach_timeout = 77; memory = 100; };",
		.ports = "ports = ({ name = \"p0\"; device = \"net_null1\"; link_poll = 99; },"
			 " { name = \"p1\"; device = \"0000:01:00.0\"; mtu = 2000; });",
	};

	differ(&usual, &other,
	       "eal changed memory start\neal changed attach_timeout nothing\n"
	       "port p0 changed device restart\nport p0 changed link_poll nothing\n"
	       "port p1 changed mtu pause\n",
	       1);
}
END_TEST

/* What comes and what goes is one change each, whatever it contains. */
START_TEST(objects)
{
	const struct config_case other = {
		.ports = "ports = ({ name = \"p0\"; device = \"net_null0\"; },"
			 " { name = \"p2\"; device = \"0000:01:00.0\"; });",
		.ifaces = "interfaces = ({ name = \"i0\"; port = \"p0\"; }, { name = \"i2\"; });",
		.workers = "workers = ({ id = 3; lcore = 1; forward = ({ mode = \"punt\"; port = "
			   "\"p0\"; }); });",
	};

	differ(&usual, &other,
	       "port p1 removed start\nport p2 added start\ninterface i1 removed pause\n"
	       "worker 0 removed pause\nworker 3 added pause\n",
	       2);
}
END_TEST

START_TEST(rules)
{
	const struct config_case other = {
		.workers = "workers = ({ id = 0; lcore = 1; forward = ({ mode = \"xconnect\"; ports"
			   " = [\"p0\", \"p1\"]; }); });",
	};

	differ(&usual, &other, "worker 0 changed forward pause\n", 0);
}
END_TEST

/* What goes takes with it what names it. */
START_TEST(without)
{
	struct knit_config *a = conf_of(&usual), *b;

	ck_assert_int_eq(a->ifaces[0].port, 0);
	b = config_without(a, 1, 0);
	ck_assert(!b->ports[0].there && b->ports[1].there);
	ck_assert_uint_eq(b->n_ports, a->n_ports);
	ck_assert(b->ifaces[0].there);
	ck_assert_int_eq(b->ifaces[0].port, -1);
	ck_assert_uint_eq(b->workers[0].n_rules, 0);
	free(b);
	b = config_without(a, 0, 1);
	ck_assert(b->ports[0].there && !b->ifaces[0].there);
	ck_assert_uint_eq(b->workers[0].n_rules, 0);
	free(b);
	b = config_without(a, 2, 4);
	ck_assert_uint_eq(b->workers[0].n_rules, 1);
	free(b);
	free(a);
}
END_TEST

/* A NIC can't be made anew. */
START_TEST(again)
{
	const struct config_case other = {
		.ports = "ports = ({ name = \"p0\"; device = \"net_null7\"; },"
			 " { name = \"p1\"; device = \"0000:01:00.0\"; promisc = true; });",
		.ifaces =
			"interfaces = ({ name = \"i0\"; port = \"p0\"; },"
			" { name = \"i1\"; port = \"p1\"; ring_size = 256; }, { name = \"i2\"; });",
	};
	struct knit_config *a = conf_of(&usual), *b = conf_of(&other);
	struct config_diff d = config_diff(a, b);

	ck_assert_uint_eq(d.n_start, 1);
	ck_assert_uint_eq(d.ports_again, 3);
	ck_assert_uint_eq(d.ifaces_again, 2);
	json_object_put(d.changes);
	free(a);
	free(b);
}
END_TEST

KNIT_SUITE(config_diff)
{
	TCase *tc = tcase_create("config_diff");

	tcase_add_checked_fixture(tc, config_setup, config_teardown);
	tcase_add_test(tc, same);
	tcase_add_test(tc, values);
	tcase_add_test(tc, objects);
	tcase_add_test(tc, rules);
	tcase_add_test(tc, without);
	tcase_add_test(tc, again);
	suite_add_tcase(s, tc);
}
