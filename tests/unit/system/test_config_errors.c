// SPDX-License-Identifier: BSD-3-Clause
#include "config_util.h"
#include "unit.h"

#include <sys/stat.h>

#define PORTS(text) .ports = "ports = (" text ");"
#define P0 "{ name = \"p0\"; device = \"net_null0\"; }, "
#define P1 "{ name = \"p1\"; device = \"net_null1\"; }"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define PORT(text) PORTS("{ name = \"p0\"; device = \"net_null0\"; " text " }, " P1)
#define IFACES(text) .ifaces = "interfaces = (" text ");"
#define IFACE(text) IFACES("{ port = \"p0\"; " text " }")
#define WORKERS(text) .workers = "workers = (" text ");"
#define WORKER(text) WORKERS("{ id = 0; lcore = 1; " text " }")
#define PUNT_P0 "{ mode = \"punt\"; port = \"p0\"; }"
#define FORWARD(text) WORKER("forward = (" text ");")

static const struct config_case error_cases[] = {
	/* syntax */
	{ .eal = "eal = { lcore = ; };", .want = "1: syntax: found syntax error: " },
	{ .mempool = "mempool = { extra = 1; extra = 2; };",
	  .want = "2: syntax: found duplicate setting name: a key may be given once" },
	{ .tap = "tap = [1, \"x\"];",
	  .want = "3: syntax: found mismatched element type in array: " },
	{ .eal = "/* eal = { };", .want = "1: comment: found the end of the file: " },
	{ .control = "control = { lcore = 2; cpus = \"0; };", .want = "7: string: found the end" },
	{ .mempool = "mempool = {\xc2\xa0"
		     "extra = 1; };",
	  .want = "2: syntax: found \"\xc2\xa0\" (c2 a0): outside of strings and comments only" },
	{ .eal = "eal = { cpus = \xe2\x80\x9c"
		 "0\xe2\x80\x9d; };",
	  .want = "1: syntax: found \"\xe2\x80\x9c\" (e2 80 9c): ",
	  .errors = 2 },
	{ .tap = "\xef\xbb\xbftap = { };",
	  .want = "3: syntax: found \"\xef\xbb\xbf\" (ef bb bf): " },
	{ .eal = "\xff\xfe", .want = "1: syntax: found \"\xff\" (ff): ", .errors = 2 },
	{ .tap = "@include \"no-such.cfg\"", .want = "3: @include: found \"" },
	{ .tap = "@include no-such.cfg", .want = "3: @include: found no name: " },

	/* unknown keys */
	{ .mempool = "mempol = { };",
	  .want = "2: mempol: found an unknown key: did you mean \"mempool\"?" },
	{ PORT("rx_dsc = 64;"),
	  .want = "4: ports.[0].rx_dsc: found an unknown key: did you mean \"rx_desc\"?" },
	{ .control = "control = { lcore = 2; colour = 1; };",
	  .want = "7: control.colour: found an unknown key: one of lcore, cpus is expected" },
	{ FORWARD("{ mode = \"punt\"; prt = \"p0\"; port = \"p0\"; }"),
	  .want = "6: workers.[0].forward.[0].prt: found an unknown key: did you mean \"port\"?" },

	/* missing */
	{ .workers = "", .want = "1: workers: found nothing: a list ( ) of 1 to 16 groups" },
	{ .workers = "workers = ();",
	  .want = "6: workers: found a list ( ) of 0: a list ( ) of 1 to 16" },
	{ .control = "", .want = "1: control: found nothing: a group { } is expected" },
	{ .control = "control = { };",
	  .want = "7: control.lcore: found nothing: a whole number from 0 to 127" },
	{ WORKER(""),
	  .want = "6: workers.[0].forward: found nothing: a list ( ) of 1 to 64 groups" },
	{ PORTS(P0 "{ name = \"p1\"; }"),
	  .want = "4: ports.[1].device: found nothing: a PCI address" },
	{ FORWARD("{ port = \"p0\"; }"),
	  .want = "6: workers.[0].forward.[0].mode: found nothing: \"punt\" or \"xconnect\"" },

	/* wrong types */
	{ .eal = "eal = 5;", .want = "1: eal: found 5: a group { } is expected" },
	{ .eal = "eal = ({ });", .want = "1: eal: found a list ( ) of 1: a group { } is expected" },
	{ .workers = "workers = { };",
	  .want = "6: workers: found a group { }: a list ( ) of 1 to 16" },
	{ PORTS(P0 P1 ", 7"), .want = "4: ports.[2]: found 7: a group { } is expected" },
	{ PORT("mtu = \"1500\";"),
	  .want = "4: ports.[0].mtu: found \"1500\": a whole number from 68 to 65521" },
	{ PORT("mtu = 1500.0;"), .want = "4: ports.[0].mtu: found 1500: a whole number" },
	{ PORT("tso = 1;"), .want = "4: ports.[0].tso: found 1: true or false is expected" },
	{ PORT("rx_spread = true;"),
	  .want = "4: ports.[0].rx_spread: found true: \"auto\", \"rss\", " },
	{ .eal = "eal = { huge_dir = 5; };", .want = "1: eal.huge_dir: found 5: an absolute path" },
	{ IFACE("name = \"i0\"; mac = 5;"),
	  .want = "5: interfaces.[0].mac: found 5: a unicast MAC" },
	{ FORWARD("{ mode = \"xconnect\"; ports = \"p0\"; }"),
	  .want = "6: workers.[0].forward.[0].ports: found \"p0\": an array [ ] of the names" },

	/* ranges */
	{ .eal = "eal = { lcore = 128; };",
	  .want = "1: eal.lcore: found 128: a whole number from 0 to 127" },
	{ .eal = "eal = { lcore = -1; };",
	  .want = "1: eal.lcore: found -1: a whole number from 0 to 127" },
	{ .eal = "eal = { memory = 4294967297; };",
	  .want = "1: eal.memory: found 4294967297: a whole number from 0 to 1048576" },
	{ .eal = "eal = { memory = 0x100000200; };", .want = "1: eal.memory: found 4294967808: " },
	{ .eal = "eal = { memory = 0x10000000000000001; };",
	  .want = "1: eal.memory: found a number that is too large: " },
	{ .eal = "eal = { memory = 99999999999999999999; };",
	  .want = "1: eal.memory: found a number that is too large: " },
	{ .eal = "eal = { iova = \"dc\"; };",
	  .want = "1: eal.iova: found \"dc\": \"auto\", \"pa\" or \"va\"" },
	{ .eal = "eal = { log_level = \"loud\"; };",
	  .want = "1: eal.log_level: found \"loud\": \"emergency\"" },
	{ .mempool = "mempool = { data_room = 1023; };",
	  .want = "2: mempool.data_room: found 1023: a whole number from 1024 to 16384" },
	{ .mempool = "mempool = { data_room = 16385; };",
	  .want = "2: mempool.data_room: found 16385: " },
	{ .tap = "tap = { kthread_mode = \"many\"; };",
	  .want = "3: tap.kthread_mode: found \"many\": \"single\" or \"multiple\" is expected" },
	{ PORT("rx_desc = 7;"),
	  .want = "4: ports.[0].rx_desc: found 7: a whole number from 16 to 32768" },
	{ PORT("tx_desc = 32769;"), .want = "4: ports.[0].tx_desc: found 32769: a whole number" },
	{ IFACE("name = \"i0\"; ring_size = 100;"),
	  .want = "5: interfaces.[0].ring_size: found 100: a power of two from 128 to 32768" },
	{ IFACE("name = \"i0\"; ring_size = 64;"),
	  .want = "5: interfaces.[0].ring_size: found 64: " },
	{ IFACE("name = \"i0\"; ring_size = 65536;"),
	  .want = "5: interfaces.[0].ring_size: found 65536: " },
	{ IFACE("name = \"i0\"; big_tcp = true;"), .mempool = "mempool = { data_room = 3026; };",
	  .want = "5: interfaces.[0].big_tcp: found true: false is expected for the interface of a "
		  "port: " },
	{ IFACES("{ name = \"i0\"; port = \"p0\"; }, { name = \"i1\"; engine = \"tap\"; "
		 "big_tcp = true; }"),
	  .mempool = "mempool = { data_room = 3026; };",
	  .want = "5: interfaces.[1].big_tcp: found true: false is expected with engine = "
		  "\"tap\": " },
	{ IFACES("{ name = \"i0\"; port = \"p0\"; }, { name = \"i1\"; big_tcp = true; }"),
	  .mempool = "mempool = { data_room = 3025; };",
	  .want = "5: interfaces.[1].big_tcp: found true: mempool.data_room of at least 3026 is "
		  "expected with it, and it is 3025; " },
	{ IFACES("{ name = \"i0\"; }, { name = \"i1\"; big_tcp = true; }"),
	  .mempool = "mempool = { data_room = 16384; };",
	  FORWARD("{ mode = \"xconnect\"; interfaces = [\"i0\", \"i1\"]; }"),
	  .want = "6: workers.[0].forward.[0].interfaces: found [\"i0\", \"i1\"]: both or none "
		  "with big_tcp = true are expected, and only \"i1\" has it" },
	{ IFACE("name = \"i0\"; core = 1024;"),
	  .want = "5: interfaces.[0].core: found 1024: a whole number from -1 to 1023" },
	{ WORKER("burst = 3; forward = (" PUNT_P0 ");"),
	  .want = "6: workers.[0].burst: found 3: a whole number from 4 to 256" },
	{ WORKERS("{ id = 16; lcore = 1; forward = (" PUNT_P0 "); }"),
	  .want = "6: workers.[0].id: found 16: a whole number from 0 to 15" },

	/* strings */
	{ .eal = "eal = { prefix = \"\"; };",
	  .want = "1: eal.prefix: found \"\": a name of 1 to 31 letters" },
	{ .eal = "eal = { prefix = \"a b\"; };", .want = "1: eal.prefix: found \"a b\": a name" },
	{ .eal = "eal = { prefix = \"abcdefghijklmnopqrstuvwxyz012345\"; };",
	  .want = "1: eal.prefix: found \"abcdefghijklmnopqrstuvwxyz012345\": a name" },
	{ .eal = "eal = { prefix = \"a\\nb\"; };",
	  .want = "1: eal.prefix: found \"a\\x0ab\": a name" },
	{ .eal = "eal = { huge_dir = \"dev\"; };",
	  .want = "1: eal.huge_dir: found \"dev\": an absolute path" },
	{ .eal = "eal = { cpus = \"1-\"; };", .want = "1: eal.cpus: found \"1-\": a list of CPUs" },
#define TAP(name) PORTS("{ name = \"p0\"; device = \"net_tap0,iface=" name "\"; }, " P1)
	{ TAP("sixteen-letters-,remote=eth0"),
	  .want = "4: ports.[0].device: found \"net_tap0,iface=sixteen-letters-,remote=eth0\": "
		  "after iface= the name of a network device is expected, 1 to 15" },
	{ TAP(""), .want = "4: ports.[0].device: found \"net_tap0,iface=\": after iface=" },
	{ TAP("a/b"), .want = "4: ports.[0].device: found \"net_tap0,iface=a/b\": after" },
	{ TAP("all"), .want = "4: ports.[0].device: found \"net_tap0,iface=all\": after" },
	{ PORTS("{ name = \"p0\"; device = \"net null\"; }, " P1),
	  .want = "4: ports.[0].device: found \"net null\": a PCI address" },
	{ IFACE("name = \"\";"),
	  .want = "5: interfaces.[0].name: found \"\": the name of a network" },
	{ IFACE("name = \"sixteen-letters-\";"),
	  .want = "5: interfaces.[0].name: found \"sixteen-letters-\"" },
	{ IFACE("name = \"..\";"), .want = "5: interfaces.[0].name: found \"..\": " },
	{ IFACE("name = \"a/b\";"), .want = "5: interfaces.[0].name: found \"a/b\": " },
	{ IFACE("name = \"a:b\";"), .want = "5: interfaces.[0].name: found \"a:b\": " },
	{ IFACE("name = \"a b\";"), .want = "5: interfaces.[0].name: found \"a b\": " },
	{ IFACE("name = \"kni%d\";"), .want = "5: interfaces.[0].name: found \"kni%d\": " },
	{ IFACE("name = \"all\";"), .want = "5: interfaces.[0].name: found \"all\": " },
	{ IFACE("name = \"i0\"; netns = \"a/b\";"),
	  .want = "5: interfaces.[0].netns: found \"a/b\": the name" },
	{ IFACE("name = \"i0\"; netns = \"..\";"),
	  .want = "5: interfaces.[0].netns: found \"..\": " },
	{ IFACE("name = \"i0\"; mac = \"2:0:0:0:0:1\";"),
	  .want = "5: interfaces.[0].mac: found \"2:0:0:0:0:1\": a unicast MAC address" },
	{ IFACE("name = \"i0\"; mac = \"02:00:00:00:00:0g\";"),
	  .want = "5: interfaces.[0].mac: found " },
	{ IFACE("name = \"i0\"; mac = \"01:00:00:00:00:01\";"),
	  .want = "5: interfaces.[0].mac: found " },
	{ IFACE("name = \"i0\"; mac = \"02:00:00:00:00:01:02\";"),
	  .want = "5: interfaces.[0].mac: found " },

	/* duplicates */
	{ PORTS(P0 "{ name = \"p0\"; device = \"net_null1\"; }"), .ifaces = "",
	  .want = "4: ports.[1].name: found \"p0\": names must be unique, and ports.[0]",
	  .errors = 2 },
	{ PORTS(P0 "{ name = \"p1\"; device = \"net_null0,size=64\"; }"),
	  .want = "4: ports.[1].device: found \"net_null0,size=64\": devices must be unique" },
	{ PORTS("{ name = \"p0\"; device = \"01:00.0\"; }, { name = \"p1\"; device = "
		"\"pci:0000:01:00.0\"; }"),
	  .want = "4: ports.[1].device: found \"pci:0000:01:00.0\": devices must be unique" },
	{ PORTS(P0 "{ name = \"p1\"; device = \"vdev:net_null0\"; }"),
	  .want = "4: ports.[1].device: found \"vdev:net_null0\": devices must be unique" },
	{ IFACES("{ name = \"i0\"; port = \"p0\"; }, { name = \"i0\"; netns = \"b\"; }"),
	  .want = "5: interfaces.[1].name: found \"i0\": names must be unique, and "
		  "interfaces.[0]" },
	{ IFACES("{ name = \"i0\"; port = \"p0\"; }, { name = \"i1\"; port = \"p0\"; }"),
	  .want = "5: interfaces.[1].port: found \"p0\": a port has one interface, and "
		  "interfaces.[0]" },
	{ WORKERS("{ id = 0; lcore = 1; forward = (" PUNT_P0 "); },"
		  "{ id = 0; lcore = 3; forward = (" PUNT_P0 "); }"),
	  .want = "6: workers.[1].id: found 0: ids must be unique, and workers.[0]" },
	{ WORKERS("{ id = 0; lcore = 1; forward = (" PUNT_P0 "); },"
		  "{ id = 1; lcore = 1; forward = (" PUNT_P0 "); }"),
	  .want = "6: workers.[1].lcore: found 1: lcore ids must be unique, and workers.[0] has "
		  "1" },
	{ WORKERS("{ id = 0; lcore = 0; forward = (" PUNT_P0 "); }"),
	  .want = "6: workers.[0].lcore: found 0: lcore ids must be unique, and eal has 0" },
	{ .control = "control = { lcore = 1; };",
	  .want = "7: control.lcore: found 1: lcore ids must be unique, and workers.[0] has 1" },

	/* limits that depend on others */
	{ IFACE("name = \"i0\"; min_mtu = 1500; max_mtu = 1400;"),
	  .want = "5: interfaces.[0].min_mtu: found 1500: at most max_mtu, 1400, is expected" },
	{ IFACE("name = \"i0\"; mtu = 1600; max_mtu = 1500;"),
	  .want = "5: interfaces.[0].mtu: found 1600: the MTU is 1600, min_mtu 68 to max_mtu "
		  "1500" },
	{ IFACE("name = \"i0\"; mtu = 1000; min_mtu = 1280;"),
	  .want = "5: interfaces.[0].mtu: found 1000: " },
	{ PORT("mtu = 9001;"), IFACE("name = \"i0\";"),
	  .want = "5: interfaces.[0].mtu: found nothing: the MTU is 9001, min_mtu 68 to max_mtu "
		  "9000" },
	{ PORTS("{ name = \"p0\"; device = \"net_ring0\"; }"), IFACE("name = \"i0\";"),
	  WORKERS("{ id = 0; lcore = 1; forward = (" PUNT_P0 "); },"
		  "{ id = 1; lcore = 3; forward = (" PUNT_P0 "); }"),
	  .want = "4: ports.[0].device: found \"net_ring0\": this driver hands mbufs on" },
	{ PORTS("{ name = \"p0\"; device = \"net_memif0,zero-copy=yes\"; }"),
	  IFACE("name = \"i0\";"),
	  WORKERS("{ id = 0; lcore = 1; forward = (" PUNT_P0 "); },"
		  "{ id = 1; lcore = 3; forward = (" PUNT_P0 "); }"),
	  .want = "4: ports.[0].device: found \"net_memif0,zero-copy=yes\": this driver" },

	{ PORTS("{ name = \"p0\"; device = \"net_pcap0,iface=eth0\"; netns = \"blue\"; }"),
	  IFACE("name = \"i0\";"), FORWARD(PUNT_P0),
	  .want = "4: ports.[0].netns: found \"blue\": none is expected: workers open the "
		  "device of net_pcap" },
	{ PORTS("{ name = \"p0\"; device = \"eth_pcap0,rx_pcap=/a,tx_iface=eth0\"; "
		"netns = \"blue\"; }"),
	  IFACE("name = \"i0\";"), FORWARD(PUNT_P0), .want = "4: ports.[0].netns: found \"blue\"" },
	{ PORTS("{ name = \"p0\"; device = \"net_pcap0,rx_pcap=in.pcap\"; }"),
	  IFACE("name = \"i0\";"), FORWARD(PUNT_P0),
	  .want = "4: ports.[0].device: found \"net_pcap0,rx_pcap=in.pcap\": absolute paths" },
	{ PORTS("{ name = \"p0\"; device = \"net_pcap0,rx_pcap=/" FIFTY "/,iface=e\"; }"),
	  IFACE("name = \"i0\";"), FORWARD(PUNT_P0),
	  .want = "4: ports.[0].device: found \"net_pcap0,rx_pcap=/" FIFTY
		  "/,iface=e\": at most 63 "
		  "characters of arguments are expected, not 68" },

	/* references and rules */
	{ IFACES("{ name = \"i0\"; port = \"p0\"; }, { name = \"i1\"; port = \"p9\"; }"),
	  .want = "5: interfaces.[1].port: found \"p9\": the name of one of the ports" },
	{ FORWARD("{ mode = \"punt\"; port = \"p9\"; }"),
	  .want = "6: workers.[0].forward.[0].port: found \"p9\": the name of one of the ports" },
	{ FORWARD("{ mode = \"xconnect\"; ports = [\"p0\", \"p9\"]; }"),
	  .want = "6: workers.[0].forward.[0].ports: found [\"p0\", \"p9\"]: an array [ ] of "
		  "the names of "
		  "two different ports is expected, and nothing is named \"p9\"" },
	{ FORWARD("{ mode = \"xconnect\"; interfaces = [\"i0\", \"i9\"]; }"),
	  .want = "6: workers.[0].forward.[0].interfaces: found [\"i0\", \"i9\"]: " },
	{ FORWARD("{ mode = \"xconnect\"; ports = [\"p0\", \"p0\"]; }"),
	  .want = "6: workers.[0].forward.[0].ports: found [\"p0\", \"p0\"]: an array [ ] of "
		  "the names of "
		  "two different ports is expected" },
	{ FORWARD("{ mode = \"xconnect\"; interfaces = [\"i0\"]; }"),
	  .want = "6: workers.[0].forward.[0].interfaces: found [\"i0\"]: an array [ ] of the "
		  "names of two" },
	{ FORWARD("{ mode = \"xconnect\"; }"),
	  .want = "6: workers.[0].forward.[0].ports: found nothing: xconnect needs the names" },
	{ FORWARD("{ mode = \"xconnect\"; port = \"p0\"; ports = [\"p0\", \"p1\"]; }"),
	  .want = "6: workers.[0].forward.[0].port: found \"p0\": xconnect takes ports or "
		  "interfaces" },
	{ FORWARD("{ mode = \"xconnect\"; ports = [\"p0\", \"p1\"]; interfaces = [\"i0\", "
		  "\"i1\"]; }"),
	  .want = "6: workers.[0].forward.[0].interfaces: found [\"i0\", \"i1\"]: either ports "
		  "or" },
	{ FORWARD("{ mode = \"punt\"; }"),
	  .want = "6: workers.[0].forward.[0].port: found nothing: punt needs the name of a port" },
	{ FORWARD("{ mode = \"punt\"; port = \"p0\"; ports = [\"p0\", \"p1\"]; }"),
	  .want = "6: workers.[0].forward.[0].ports: found [\"p0\", \"p1\"]: punt takes port" },
	{ IFACES("{ name = \"i1\"; port = \"p1\"; }"),
	  .want = "6: workers.[0].forward.[0].port: found \"p0\": a port with an interface is "
		  "expected" },
	{ FORWARD(PUNT_P0 ", " PUNT_P0),
	  .want = "6: workers.[0].forward.[1].port: found \"p0\": a port may be used once per "
		  "worker, and "
		  "forward.[0] has \"p0\"" },
	{ FORWARD(PUNT_P0 ", { mode = \"xconnect\"; ports = [\"p1\", \"p0\"]; }"),
	  .want = "6: workers.[0].forward.[1].ports: found [\"p1\", \"p0\"]: a port may be used "
		  "once" },
	{ FORWARD("{ mode = \"xconnect\"; interfaces = [\"i1\", \"i2\"]; },"
		  "{ mode = \"xconnect\"; interfaces = [\"i2\", \"i0\"]; }"),
	  .want = "6: workers.[0].forward.[1].interfaces: found [\"i2\", \"i0\"]: an interface "
		  "may be used "
		  "once per worker, and forward.[0] has \"i2\"" },
	{ FORWARD(PUNT_P0 ", { mode = \"xconnect\"; interfaces = [\"i0\", \"i2\"]; }"),
	  .want = "6: workers.[0].forward.[1].interfaces: found [\"i0\", \"i2\"]: an interface "
		  "may be used" },
};

START_TEST(test_error)
{
	const struct config_case *c = &error_cases[_i];

	write_case(c);
	refuse(file, c->want, c->errors ? c->errors : 1);
}
END_TEST

START_TEST(test_unreadable)
{
	char path[400], text[16] = "eal = { };\n";
	FILE *out;

	refuse(file, "0: file: found No such file or directory: a readable file", 1);
	refuse(dir, "0: file: found Is a directory: a readable file", 1);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	refuse(file, "0: file: found something that is not a regular file: ", 1);
	unlink(file);

	out = fopen(file, "w");
	fwrite(text, 1, sizeof(text), out); /* zeros at its end */
	fclose(out);
	refuse(file, "0: file: found a zero byte: ", 1);
	out = fopen(file, "w");
	fwrite("\xff\xfe\na\0", 1, 5, out);
	fclose(out);
	refuse(file, "0: file: found text in UTF-16: a readable file in UTF-8 of at most", 1);
	ck_assert_int_eq(truncate(file, (1 << 20) + 1), 0);
	refuse(file, "0: file: found a file larger than 1 MiB: ", 1);

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	refuse(path, "0: file: found a path of 399 characters: at most 255", 1);
	write_text(file, "");
	refuse(file, "1: workers: found nothing: ", 3);
}
END_TEST

START_TEST(test_nothing_to_forward)
{
	struct config_case c = { .ports = "", .ifaces = "", FORWARD("{ mode = \"xconnect\"; }") };

	write_case(&c);
	refuse(file, "1: ports: found nothing: at least one port or interface is expected", 2);
}
END_TEST

START_TEST(test_all_errors)
{
	static const struct config_case c = {
		.eal = "eal = { lcor = 1; memory = -1; };",
		PORT("mtu = 5; vlan = 2;"),
		IFACES("{ name = \"i0\"; port = \"p0\"; ring_size = 63; }"),
		.control = "control = { };",
	};

	write_case(&c);
	refuse(file, "1: eal.lcor: found an unknown key: did you mean \"lcore\"?\n", 6);
}
END_TEST

START_TEST(test_too_many)
{
	char text[8192] = "ports = (", item[64];
	int i;

	for (i = 0; i <= KNIT_MAX_PORTS; i++) {
		snprintf(item, sizeof(item), "%s{ name = \"p%d\"; device = \"net_null%d\"; }",
			 i ? ", " : "", i, i);
		strcat(text, item);
	}
	strcat(text, ");");
	write_case(&(struct config_case){ .ports = text });
	refuse(file, "4: ports: found a list ( ) of 33: a list ( ) of 0 to 32 groups", 1);
}
END_TEST

START_TEST(test_include_directory)
{
	char want[160], text[128];
	int i;

	snprintf(text, sizeof(text), "@include \"%s\"", dir);
	write_case(&(struct config_case){ .tap = text });
	snprintf(want, sizeof(want), "3: @include: found \"%s\", Is a directory: a readable", dir);
	refuse(file, want, 1);

	/* many that fail must not run over the map of lines */
	write_text(file, "");
	for (i = 0; i < 200; i++) {
		FILE *out = fopen(file, "a");

		fputs("@include \"none\"\n", out);
		fclose(out);
	}
	snprintf(want, sizeof(want), "1: @include: found \"%s/none\", No such file", dir);
	refuse(file, want, 200);
}
END_TEST

KNIT_SUITE(config_errors)
{
	TCase *tc = tcase_create("config_errors");

	tcase_add_checked_fixture(tc, config_setup, config_teardown);
	tcase_add_loop_test(tc, test_error, 0, sizeof(error_cases) / sizeof(error_cases[0]));
	tcase_add_test(tc, test_unreadable);
	tcase_add_test(tc, test_nothing_to_forward);
	tcase_add_test(tc, test_all_errors);
	tcase_add_test(tc, test_too_many);
	tcase_add_test(tc, test_include_directory);
	suite_add_tcase(s, tc);
}
