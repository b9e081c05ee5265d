// SPDX-License-Identifier: BSD-3-Clause
#include "config_util.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(test_minimal)
{
	struct knit_config *conf;

	write_case(&valid_case);
	conf = load_valid(file);
	ck_assert_str_eq(conf->file, file);
	ck_assert_str_eq(conf->eal.prefix, "knit");
	ck_assert_str_eq(conf->eal.iova, "auto");
	ck_assert_str_eq(conf->eal.log_level, "notice");
	ck_assert_uint_eq(conf->eal.lcore, 0);
	ck_assert_uint_eq(conf->mempool.data_room, 2048);
	ck_assert_uint_eq(conf->mempool.extra, 4096);
	ck_assert(!conf->tap.thread_per_pair);
	ck_assert_uint_eq(conf->control.lcore, 2);
	ck_assert_uint_eq(conf->n_ports, 2);
	ck_assert_str_eq(conf->ports[1].device, "0000:01:00.0");
	ck_assert_uint_eq(conf->ports[1].rx_desc, 512);
	ck_assert_uint_eq(conf->ports[1].tx_desc, 512);
	ck_assert_uint_eq(conf->ports[1].mtu, 1500);
	ck_assert_uint_eq(conf->ports[1].link_poll, 200);
	ck_assert_int_eq(conf->ports[1].rx_spread, KNIT_SPREAD_AUTO);
	ck_assert_int_eq(conf->ports[1].at.line, 4);
	ck_assert(!conf->ports[1].promisc);
	ck_assert(conf->ports[1].rx_checksum && conf->ports[1].tx_checksum);
	ck_assert(conf->ports[1].tso && conf->ports[1].vlan);
	ck_assert_int_eq(conf->ports[1].tx, KNIT_TX_AUTO);
	ck_assert_uint_eq(conf->n_ifaces, 3);
	ck_assert_int_eq(conf->ifaces[1].port, 1);
	ck_assert_uint_eq(conf->ifaces[1].mtu, 0);
	ck_assert_uint_eq(conf->ifaces[1].min_mtu, 68);
	ck_assert_uint_eq(conf->ifaces[1].max_mtu, 9000);
	ck_assert_uint_eq(conf->ifaces[1].ring_size, 1024);
	ck_assert_int_eq(conf->ifaces[1].core, -1);
	ck_assert_int_eq(conf->ifaces[1].requests, KNIT_REQUEST_AUTO);
	ck_assert_str_eq(conf->ifaces[1].engine, "auto");
	ck_assert_int_eq(conf->ifaces[2].port, -1);
	ck_assert_uint_eq(conf->ifaces[2].mtu, 1500);
	ck_assert_uint_eq(conf->n_workers, 1);
	ck_assert_uint_eq(conf->workers[0].burst, 32);
	ck_assert_int_eq(conf->workers[0].idle, KNIT_IDLE_ADAPTIVE);
	ck_assert_uint_eq(conf->workers[0].n_rules, 1);
	ck_assert_int_eq(conf->workers[0].rules[0].mode, KNIT_FORWARD_PUNT);
	ck_assert_int_eq(conf->workers[0].rules[0].a, 0);
	ck_assert_int_eq(conf->workers[0].rules[0].b, -1);
	ck_assert_int_eq(conf->workers[0].rules[0].at.line, 6);
	free(conf);
}
END_TEST

START_TEST(test_values)
{
	static const struct config_case c = {
		.eal = "eal = { prefix = \"e-1\"; memory = 0x200L; cpus = \"0,2-3\"; iova = "
		       "\"va\"; };",
		.mempool = "mempool = { data_room = 16384; extra = 0; };",
		.tap = "tap = { kthread_mode = \"multiple\"; cpus = \"1\"; };",
		.ports = "ports = ({ name = \"p0\"; device = \"net_null0\"; tx = \"fast\"; "
			 "tso = false; promisc "
			 "= true; "
			 "rx_spread = \"none\"; netns = \"/run/netns/x\"; mtu = 65521; }, "
			 "{ name = \"p1\"; device = \"net_null1\"; });",
		.ifaces = "interfaces = ({ name = \"i0\"; mac = \"02:0A:0b:00:00:FF\"; netns = "
			  "\"ns\"; "
			  "core = 1023; ring_size = 32768; requests = \"synchronous\"; "
			  "engine = \"tap\"; mtu = 9000; },"
			  "{ name = \"i1\"; mac = \"00:00:00:00:00:00\"; });",
		.workers = "workers = ({ id = 15; lcore = 127; idle = \"poll\"; burst = 256; "
			   "forward = ("
			   "{ mode = \"xconnect\"; ports = [\"p1\", \"p0\"]; },"
			   "{ mode = \"xconnect\"; interfaces = [\"i0\", \"i1\"]; }); });",
	};
	const uint8_t mac[6] = { 2, 0x0a, 0x0b, 0, 0, 0xff };
	struct knit_config *conf;

	write_case(&c);
	conf = load_valid(file);
	ck_assert_str_eq(conf->eal.prefix, "e-1");
	ck_assert_uint_eq(conf->eal.memory, 512);
	ck_assert_str_eq(conf->eal.cpus, "0,2-3");
	ck_assert_str_eq(conf->eal.iova, "va");
	ck_assert_uint_eq(conf->mempool.data_room, 16384);
	ck_assert_uint_eq(conf->mempool.extra, 0);
	ck_assert(conf->tap.thread_per_pair);
	ck_assert_str_eq(conf->tap.cpus, "1");
	ck_assert(!conf->ports[0].tso && conf->ports[0].vlan && conf->ports[0].promisc);
	ck_assert_int_eq(conf->ports[0].tx, KNIT_TX_FAST);
	ck_assert_int_eq(conf->ports[0].rx_spread, KNIT_SPREAD_NONE);
	ck_assert_str_eq(conf->ports[0].netns, "/run/netns/x");
	ck_assert_uint_eq(conf->ports[0].mtu, 65521);
	ck_assert_mem_eq(conf->ifaces[0].mac, mac, 6);
	ck_assert_str_eq(conf->ifaces[0].netns, "ns");
	ck_assert_int_eq(conf->ifaces[0].core, 1023);
	ck_assert_uint_eq(conf->ifaces[0].ring_size, 32768);
	ck_assert_int_eq(conf->ifaces[0].requests, KNIT_REQUEST_SYNC);
	ck_assert_str_eq(conf->ifaces[0].engine, "tap");
	ck_assert_uint_eq(conf->ifaces[0].mtu, 9000);
	ck_assert_uint_eq(conf->workers[0].id, 15);
	ck_assert_uint_eq(conf->workers[0].lcore, 127);
	ck_assert_int_eq(conf->workers[0].idle, KNIT_IDLE_POLL);
	ck_assert_uint_eq(conf->workers[0].n_rules, 2);
	ck_assert_int_eq(conf->workers[0].rules[0].mode, KNIT_FORWARD_XCONNECT);
	ck_assert_int_eq(conf->workers[0].rules[0].a, 1);
	ck_assert_int_eq(conf->workers[0].rules[0].b, 0);
	ck_assert(!conf->workers[0].rules[0].ifaces);
	ck_assert_int_eq(conf->workers[0].rules[1].a, 0);
	ck_assert_int_eq(conf->workers[0].rules[1].b, 1);
	ck_assert(conf->workers[0].rules[1].ifaces);
	free(conf);
}
END_TEST

START_TEST(test_old_spellings)
{
	struct knit_config *conf;

	write_case(&(struct config_case){
		.ifaces = "interfaces = ({ name = \"a\"; port = \"p0\"; requests = \"ask\"; }, "
			  "{ name = \"b\"; requests = \"post\"; });" });
	conf = load_valid(file);
	ck_assert_int_eq(conf->ifaces[0].requests, KNIT_REQUEST_SYNC);
	ck_assert_int_eq(conf->ifaces[1].requests, KNIT_REQUEST_ASYNC);
	free(conf);
}
END_TEST

START_TEST(test_include)
{
	char inc[96], *errors, head[256];
	struct knit_config *conf;

	snprintf(inc, sizeof(inc), "%s/inc.cfg", dir);
	write_case(
		&(struct config_case){ .ports = "  @include \"inc.cfg\" # beside this file",
				       .tap = "# @include \"none\"\n/*\n@include \"none\"\n*/" });
	write_text(inc, "# comment\nports = ({ name = \"p0\";\ndevice = \"net_null0\"; },\n"
			"{ name = \"p1\"; device = \"net_null1\"; });");
	conf = load_valid(file);
	ck_assert_uint_eq(conf->n_ports, 2);
	ck_assert_int_eq(conf->ports[0].at.line, 2);
	ck_assert_int_eq(conf->ports[1].at.line, 4);
	ck_assert_int_eq(conf->workers[0].at.line, 9);
	ck_assert_str_eq(knit_conf_file(conf, &conf->ports[1].at), inc);
	ck_assert_str_eq(knit_conf_file(conf, &conf->workers[0].at), file);
	ck_assert_str_eq(knit_conf_file(conf, &conf->control.at), file);
	ck_assert_int_eq(conf->control.at.line, 10);
	free(conf);

	/* an error in the included file is named there, one behind it in the main file */
	write_text(inc, "ports = ({ name = \"p0\";\nmtu = 1;\ndevice = \"net_null0\"; },\n"
			"{ name = \"p1\"; device = \"net_null1\"; });");
	conf = load(file, &errors);
	snprintf(head, sizeof(head), "%s:2: ports.[0].mtu: found 1: ", inc);
	ck_assert_ptr_null(conf);
	ck_assert_msg(strncmp(errors, head, strlen(head)) == 0, "%s", errors);
	free(errors);

	write_text(inc, "ports = ({ name = \"p0\"; device = \"net_null0\"; });\n");
	refuse(file, "8: interfaces.[1].port: found \"p1\": the name of one of the ports", 1);

	write_text(inc, "@include \"inc.cfg\"\n");
	conf = load(file, &errors);
	snprintf(head, sizeof(head), "%s:1: @include: found \"%s\": at most 7 levels", inc, inc);
	ck_assert_ptr_null(conf);
	ck_assert_msg(strncmp(errors, head, strlen(head)) == 0, "%s", errors);
	free(errors);
}
END_TEST

/* In front of each file, and of no other text; lines are counted as without. */
START_TEST(test_byte_order_mark)
{
	char inc[96], *errors, head[256];
	struct knit_config *conf;

	snprintf(inc, sizeof(inc), "%s/inc.cfg", dir);
	write_case(&(struct config_case){ .eal = "\xef\xbb\xbf"
						 "eal = { prefix = \"b\"; };",
					  .mempool = "# \xef\xbb\xbf \xe2\x80\x9c",
					  .ports = "@include \"inc.cfg\"" });
	write_text(inc, "\xef\xbb\xbf"
			"ports = ({ name = \"p0\"; device = \"net_null0\"; },\n"
			"{ name = \"p1\"; device = \"net_null1\"; });");
	conf = load_valid(file);
	ck_assert_str_eq(conf->eal.prefix, "b");
	ck_assert_int_eq(conf->ports[0].at.line, 1);
	ck_assert_int_eq(conf->ports[1].at.line, 2);
	free(conf);

	write_text(inc, "\xef\xbb\xbf");
	refuse(file, "5: interfaces.[0].port: found \"p0\"", 3);

	/* a main file that only includes, each with its mark */
	write_case(&valid_case);
	ck_assert_int_eq(rename(file, inc), 0);
	write_text(file, "\xef\xbb\xbf@include \"inc.cfg\"\r\n");
	free(load_valid(file));

	write_text(inc, "\xff\xfe");
	conf = load(file, &errors);
	snprintf(head, sizeof(head), "%s:1: syntax: found \"\xff\" (ff): ", inc);
	ck_assert_ptr_null(conf);
	ck_assert_msg(strncmp(errors, head, strlen(head)) == 0, "%s", errors);
	free(errors);
}
END_TEST

START_TEST(test_hash)
{
	char inc[96];
	struct knit_config *conf;
	uint64_t first, fnv = UINT64_C(0xcbf29ce484222325);
	FILE *in;
	int c;

	write_case(&valid_case);
	conf = load_valid(file);
	first = conf->hash;
	free(conf);
	in = fopen(file, "r");
	while ((c = getc(in)) != EOF)
		fnv = (fnv ^ c) * UINT64_C(0x100000001b3);
	fclose(in);
	ck_assert_uint_eq(first, fnv);

	snprintf(inc, sizeof(inc), "%s/inc.cfg", dir);
	write_case(&(struct config_case){ .tap = "@include \"inc.cfg\"" });
	write_text(inc, "tap = { };");
	conf = load_valid(file);
	fnv = conf->hash;
	free(conf);
	write_text(inc, "tap = {  };");
	conf = load_valid(file);
	ck_assert_uint_ne(conf->hash, fnv);
	free(conf);
}
END_TEST

START_TEST(test_cpus)
{
	static const char *const bad[] = {
		"",   ",",    "1,",    ",1",   "a",	 "1-", "-1",  "3-1", "1 ",
		" 1", "1--2", "1-2-3", "1024", "0-1024", "+1", "0x1", "1;2", "99999999999999999999"
	};
	struct knit_cpu_set set = { { 7 } };
	unsigned int i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!knit_cpus_parse(bad[i], &set), "accepted \"%s\"", bad[i]);
	ck_assert_uint_eq(set.bits[0], 7);
	ck_assert(knit_cpus_parse("0,2-3,64,1023", &set));
	ck_assert_uint_eq(set.bits[0], 0xd);
	ck_assert_uint_eq(set.bits[1], 1);
	ck_assert_uint_eq(set.bits[15], UINT64_C(1) << 63);
	ck_assert(knit_cpus_parse("0-1023", &set));
	for (i = 0; i < 16; i++)
		ck_assert_uint_eq(set.bits[i], UINT64_MAX);
}
END_TEST

START_TEST(test_demo)
{
	struct knit_config *conf = load_valid(KNIT_SOURCE_ROOT "/config/demo.cfg");
	unsigned int i;

	ck_assert_str_eq(conf->eal.prefix, "knit-demo");
	ck_assert_uint_eq(conf->n_ports, 2);
	ck_assert_uint_eq(conf->n_ifaces, 2);
	ck_assert_str_eq(conf->ports[0].name, "left");
	ck_assert_str_eq(conf->ports[0].device, "net_tap0,iface=left0");
	ck_assert_str_eq(conf->ports[1].netns, "right");
	for (i = 0; i < 2; i++) {
		ck_assert_uint_eq(conf->ports[i].rx_desc, 32);
		ck_assert_int_eq(conf->ifaces[i].port, i);
		ck_assert_str_eq(conf->ifaces[i].netns, "middle");
		ck_assert_int_eq(conf->workers[0].rules[i].a, i);
	}
	ck_assert_str_eq(conf->ifaces[0].name, "kni-left");
	ck_assert_str_eq(conf->ifaces[1].name, "kni-right");
	ck_assert_uint_eq(conf->n_workers, 1);
	ck_assert_uint_eq(conf->workers[0].n_rules, 2);
	free(conf);
}
END_TEST

KNIT_SUITE(config)
{
	TCase *tc = tcase_create("config");

	tcase_add_checked_fixture(tc, config_setup, config_teardown);
	tcase_add_test(tc, test_minimal);
	tcase_add_test(tc, test_values);
	tcase_add_test(tc, test_old_spellings);
	tcase_add_test(tc, test_include);
	tcase_add_test(tc, test_byte_order_mark);
	tcase_add_test(tc, test_hash);
	tcase_add_test(tc, test_cpus);
	tcase_add_test(tc, test_demo);
	suite_add_tcase(s, tc);
}
