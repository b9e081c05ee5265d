// SPDX-License-Identifier: BSD-3-Clause
#include "system/topology/topo.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Too large for a stack. */
static struct knit_config conf;
static struct knit_topo topo;
static struct knit_plan made;
static char said[1024];

static void start(unsigned int n_ports, unsigned int n_ifaces, unsigned int n_workers)
{
	unsigned int i;

	memset(&conf, 0, sizeof(conf));
	memset(&topo, 0, sizeof(topo));
	strcpy(conf.file, "t.cfg");
	conf.hash = 77;
	conf.control.lcore = 9;
	conf.n_ports = n_ports;
	conf.n_ifaces = n_ifaces;
	conf.n_workers = n_workers;
	for (i = 0; i < n_ports; i++) {
		snprintf(conf.ports[i].name, sizeof(conf.ports[i].name), "p%u", i);
		conf.ports[i].there = true;
	}
	for (i = 0; i < n_ifaces; i++) {
		snprintf(conf.ifaces[i].name, sizeof(conf.ifaces[i].name), "k%u", i);
		conf.ifaces[i].port = -1;
		conf.ifaces[i].there = true;
	}
	for (i = 0; i < n_workers; i++) {
		conf.workers[i].id = i;
		conf.workers[i].there = true;
		conf.workers[i].lcore = 1 + i;
		conf.workers[i].burst = 32;
	}
}

static void rule(unsigned int worker, enum knit_forward mode, bool ifaces, int a, int b)
{
	struct knit_conf_worker *w = &conf.workers[worker];

	w->rules[w->n_rules++] = (struct knit_conf_rule){
		.mode = mode, .ifaces = ifaces, .a = a, .b = b, .at = { .line = 100 + w->n_rules }
	};
}

static int plan(void)
{
	FILE *err = fmemopen(said, sizeof(said), "w");
	int ret;

	memset(said, 0, sizeof(said));
	knit_topo_name(&topo, &conf);
	ret = knit_plan_make(&made, &conf, err);
	fclose(err);
	return ret;
}

#define refused_with(...)                                                                \
	do {                                                                             \
		const char *words[] = { __VA_ARGS__ };                                   \
		size_t word;                                                             \
		ck_assert_int_eq(plan(), -EINVAL);                                       \
		for (word = 0; word < sizeof(words) / sizeof(words[0]); word++)          \
			ck_assert_msg(strstr(said, words[word]), "\"%s\" is not in: %s", \
				      words[word], said);                                \
	} while (0)

START_TEST(names_and_links)
{
	start(2, 3, 1);
	strcpy(conf.ports[1].device, "net_tap1,iface=x");
	conf.ifaces[0].port = 1;
	conf.ifaces[2].port = 0;
	conf.workers[0].idle = KNIT_IDLE_POLL;
	rule(0, KNIT_FORWARD_PUNT, false, 1, -1);
	ck_assert_int_eq(plan(), 0);
	ck_assert_str_eq(said, "");
	ck_assert_uint_eq(topo.n_ports, 2);
	ck_assert_uint_eq(topo.n_ifaces, 3);
	ck_assert_uint_eq(topo.n_workers, 1);
	ck_assert_uint_eq(topo.config_hash, 77);
	ck_assert_uint_eq(topo.control.lcore, 9);
	ck_assert_str_eq(topo.ports[0].name, "p0");
	ck_assert_str_eq(topo.ports[1].device, "net_tap1,iface=x");
	ck_assert_str_eq(topo.ifaces[2].name, "k2");
	ck_assert_int_eq(made.ports[0].iface, 2);
	ck_assert_int_eq(made.ports[1].iface, 0);
	ck_assert_int_eq(made.ifaces[0].port, 1);
	ck_assert_int_eq(made.ifaces[1].port, -1);
	ck_assert_uint_eq(topo.workers[0].id, 0);
	ck_assert_uint_eq(topo.workers[0].lcore, 1);
	ck_assert_uint_eq(topo.workers[0].idle, KNIT_IDLE_POLL);
	ck_assert_uint_eq(topo.workers[0].burst, 32);
	ck_assert_uint_eq(made.workers[0].n_rules, 1);
	ck_assert_int_eq(made.workers[0].rules[0].a, 1);
	ck_assert_int_eq(made.workers[0].rules[0].b, -1);
}
END_TEST

START_TEST(only_what_is_served)
{
	unsigned int i;

	start(2, 2, 1);
	conf.ifaces[0].port = 0;
	conf.ifaces[1].port = 1;
	rule(0, KNIT_FORWARD_PUNT, false, 1, -1);
	ck_assert_int_eq(plan(), 0);
	ck_assert_uint_eq(made.ports[0].n_queues, 0);
	ck_assert_uint_eq(made.ports[1].n_queues, 1);
	ck_assert_uint_eq(knit_plan_pairs(&made, 0), 0);
	ck_assert_uint_eq(knit_plan_pairs(&made, 1), 1);
	ck_assert_int_eq(made.workers[0].rxq[1], 0);
	ck_assert_int_eq(made.workers[0].txq[1], 0);
	ck_assert_int_eq(made.workers[0].pair[1], 0);
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		if (i == 1)
			continue;
		ck_assert_int_eq(made.workers[0].rxq[i], -1);
		ck_assert_int_eq(made.workers[0].txq[i], -1);
	}
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		ck_assert(i == 1 || made.workers[0].pair[i] == -1);
}
END_TEST

/* Three workers: p0 by all, p1 by the last two, p2 by the first alone. */
START_TEST(ranks)
{
	start(3, 2, 3);
	conf.ifaces[0].port = 0;
	conf.ifaces[1].port = 1;
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(1, KNIT_FORWARD_PUNT, false, 1, -1);
	rule(1, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(2, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(2, KNIT_FORWARD_PUNT, false, 1, -1);
	ck_assert_int_eq(plan(), 0);
	ck_assert_uint_eq(made.ports[0].n_queues, 3);
	ck_assert_uint_eq(made.ports[1].n_queues, 2);
	ck_assert_uint_eq(made.ports[2].n_queues, 0);
	ck_assert_int_eq(made.workers[0].rxq[0], 0);
	ck_assert_int_eq(made.workers[1].rxq[0], 1);
	ck_assert_int_eq(made.workers[2].rxq[0], 2);
	ck_assert_int_eq(made.workers[0].rxq[1], -1);
	ck_assert_int_eq(made.workers[1].txq[1], 0);
	ck_assert_int_eq(made.workers[2].txq[1], 1);
	ck_assert_int_eq(made.workers[2].pair[0], 2);
	ck_assert_int_eq(made.workers[2].pair[1], 1);
	ck_assert_int_eq(made.workers[0].pair[1], -1);
	ck_assert_uint_eq(knit_plan_pairs(&made, 0), 3);
	ck_assert_uint_eq(knit_plan_pairs(&made, 1), 2);
}
END_TEST

/*
 * Four workers on p0, of which the first does not serve it, so that ranks are not indexes; two
 * transmit queues: ranks 0 and 1 own them, rank 2 sends through rank 0.
 */
START_TEST(fewer_transmit_queues)
{
	unsigned int w;

	start(2, 2, 4);
	conf.ifaces[0].port = 0;
	conf.ifaces[1].port = 1;
	conf.ports[0].tx_queues = 2;
	rule(0, KNIT_FORWARD_PUNT, false, 1, -1);
	for (w = 1; w < 4; w++)
		rule(w, KNIT_FORWARD_PUNT, false, 0, -1);
	ck_assert_int_eq(plan(), 0);
	ck_assert_uint_eq(made.ports[0].n_queues, 3);
	ck_assert_uint_eq(made.ports[0].n_tx_queues, 2);
	ck_assert_int_eq(made.workers[0].tx_owner[0], -1);
	ck_assert_int_eq(made.workers[1].txq[0], 0);
	ck_assert_int_eq(made.workers[1].tx_owner[0], 1);
	ck_assert_int_eq(made.workers[2].txq[0], 1);
	ck_assert_int_eq(made.workers[2].tx_owner[0], 2);
	ck_assert_int_eq(made.workers[3].rxq[0], 2);
	ck_assert_int_eq(made.workers[3].txq[0], -1);
	ck_assert_int_eq(made.workers[3].tx_owner[0], 1);

	/* The port turns out to have one only. */
	knit_plan_tx(&made, 0, 1);
	ck_assert_uint_eq(made.ports[0].n_tx_queues, 1);
	for (w = 1; w < 4; w++) {
		ck_assert_int_eq(made.workers[w].txq[0], w == 1 ? 0 : -1);
		ck_assert_int_eq(made.workers[w].tx_owner[0], 1);
		ck_assert_int_eq(made.workers[w].rxq[0], (int)w - 1);
	}
	ck_assert_uint_eq(made.ports[1].n_tx_queues, 1);
	ck_assert_int_eq(made.workers[0].tx_owner[1], 0);

	/* More than there are workers is as many. */
	conf.ports[0].tx_queues = 16;
	memset(&topo, 0, sizeof(topo));
	ck_assert_int_eq(plan(), 0);
	ck_assert_uint_eq(made.ports[0].n_tx_queues, 3);
	for (w = 1; w < 4; w++)
		ck_assert_int_eq(made.workers[w].tx_owner[0], (int)w);
}
END_TEST

START_TEST(xconnect_serves_both_interfaces)
{
	start(2, 4, 2);
	conf.ifaces[0].port = 0;
	conf.ifaces[1].port = 1;
	rule(0, KNIT_FORWARD_XCONNECT, false, 0, 1);
	rule(1, KNIT_FORWARD_XCONNECT, true, 2, 3);
	rule(1, KNIT_FORWARD_XCONNECT, false, 1, 0); /* the same, seen from the other end */
	ck_assert_int_eq(plan(), 0);
	ck_assert_int_eq(made.workers[0].pair[0], 0);
	ck_assert_int_eq(made.workers[0].pair[1], 0);
	ck_assert_int_eq(made.workers[1].pair[0], 1);
	ck_assert_int_eq(made.workers[1].pair[1], 1);
	ck_assert_int_eq(made.workers[1].rxq[1], 1);
	ck_assert_int_eq(made.workers[0].pair[2], -1);
	ck_assert_int_eq(made.workers[1].pair[2], 0);
	ck_assert_int_eq(made.workers[1].pair[3], 0);
	ck_assert_uint_eq(made.workers[1].rules[0].ifaces, 1);
	ck_assert_uint_eq(made.workers[1].rules[0].mode, KNIT_FORWARD_XCONNECT);
}
END_TEST

START_TEST(refused)
{
	start(2, 2, 2);
	conf.ifaces[0].port = 0;
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(1, KNIT_FORWARD_XCONNECT, false, 0, 1);
	refused_with("t.cfg:101: worker 1", "another rule for \"p0\" than worker 0");

	start(1, 1, 1);
	conf.ifaces[0].port = 0;
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	refused_with("t.cfg:102: worker 0", "\"p0\" is in two rules");

	start(1, 2, 1);
	conf.ifaces[0].port = 0;
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(0, KNIT_FORWARD_XCONNECT, true, 0, 1);
	refused_with("\"k0\" is in two rules");

	start(1, 1, 2);
	conf.ifaces[0].port = 0;
	conf.ports[0].rx_spread = KNIT_SPREAD_NONE;
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	rule(1, KNIT_FORWARD_PUNT, false, 0, -1);
	refused_with("worker 1", "\"p0\"", "found 2 workers");

	start(1, 2, 0);
	conf.ifaces[0].port = 0;
	conf.ifaces[1].port = 0;
	conf.ifaces[1].at.line = 7;
	refused_with("t.cfg:7:", "\"k1\"", "\"p0\"", "\"k0\" already");
}
END_TEST

START_TEST(what_does_not_exist)
{
	start(1, 0, 1);
	rule(0, KNIT_FORWARD_PUNT, false, 0, -1);
	refused_with("punt of port \"p0\": it has no interface");

	start(2, 0, 1);
	rule(0, KNIT_FORWARD_XCONNECT, false, 0, 2);
	refused_with("a rule from 0 to 2");

	start(2, 0, 1);
	rule(0, KNIT_FORWARD_XCONNECT, false, 1, 1);
	refused_with("a rule from 1 to 1");

	start(2, 0, 1);
	rule(0, KNIT_FORWARD_XCONNECT, false, 1, -1);
	refused_with("a rule from 1 to -1");

	start(2, 1, 1);
	rule(0, KNIT_FORWARD_PUNT, false, -1, -1);
	rule(0, KNIT_FORWARD_XCONNECT, true, 0, 1);
	refused_with("t.cfg:101", "t.cfg:102", "a rule from 0 to 1");
}
END_TEST

START_TEST(largest)
{
	unsigned int i, w;

	start(KNIT_MAX_PORTS, KNIT_MAX_CONF_IFACES, KNIT_MAX_WORKERS);
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		conf.ifaces[i].port = i;
		for (w = 0; w < KNIT_MAX_WORKERS; w++)
			rule(w, KNIT_FORWARD_PUNT, false, i, -1);
	}
	ck_assert_int_eq(plan(), 0);
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		ck_assert_uint_eq(made.ports[i].n_queues, KNIT_MAX_WORKERS);
		for (w = 0; w < KNIT_MAX_WORKERS; w++) {
			ck_assert_int_eq(made.workers[w].rxq[i], (int)w);
			ck_assert_int_eq(made.workers[w].pair[i], (int)w);
		}
	}
	ck_assert_ptr_eq(knit_topo_worker(&topo, 12), &topo.workers[12]);
	ck_assert_ptr_null(knit_topo_worker(&topo, 99));
}
END_TEST

KNIT_SUITE(topo)
{
	knit_add_test(s, "names and links", names_and_links, 0);
	knit_add_test(s, "only what is served", only_what_is_served, 0);
	knit_add_test(s, "ranks", ranks, 0);
	knit_add_test(s, "fewer transmit queues", fewer_transmit_queues, 0);
	knit_add_test(s, "xconnect serves both interfaces", xconnect_serves_both_interfaces, 0);
	knit_add_test(s, "refused", refused, 0);
	knit_add_test(s, "what does not exist", what_does_not_exist, 0);
	knit_add_test(s, "largest", largest, 0);
}
