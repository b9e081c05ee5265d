// SPDX-License-Identifier: BSD-3-Clause
#include "system/config/config_place.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct knit_config conf, before;
static struct knit_places taken;

static void clear(void)
{
	memset(&conf, 0, sizeof(conf));
	memset(&taken, 0, sizeof(taken));
}

static void port(const char *name)
{
	conf.ports[conf.n_ports].there = true;
	strcpy(conf.ports[conf.n_ports++].name, name);
}

static void iface(const char *name, int of)
{
	conf.ifaces[conf.n_ifaces].there = true;
	conf.ifaces[conf.n_ifaces].port = of;
	strcpy(conf.ifaces[conf.n_ifaces++].name, name);
}

static void worker(uint32_t id, bool ifaces, int a, int b)
{
	struct knit_conf_worker *w = &conf.workers[conf.n_workers++];

	*w = (struct knit_conf_worker){ .there = true, .id = id, .n_rules = 1 };
	w->rules[0] = (struct knit_conf_rule){ .ifaces = ifaces, .a = a, .b = b };
}

static int place(void)
{
	FILE *err = fopen("/dev/null", "w");
	int ret = knit_config_place(&conf, &taken, err);

	fclose(err);
	return ret;
}

/* At start: ports and interfaces as in the file, workers by id, with empty places between. */
START_TEST(first)
{
	clear();
	port("left");
	port("right");
	iface("kr", 1);
	worker(5, false, 0, 1);
	worker(2, false, 1, -1);
	ck_assert_int_eq(place(), 0);
	ck_assert_str_eq(conf.ports[0].name, "left");
	ck_assert_int_eq(conf.ifaces[0].port, 1);
	ck_assert_uint_eq(conf.n_workers, 6);
	ck_assert_uint_eq(knit_conf_count_workers(&conf), 2);
	ck_assert(!conf.workers[0].there);
	ck_assert_uint_eq(conf.workers[5].id, 5);
	ck_assert_int_eq(conf.workers[5].rules[0].b, 1);
	ck_assert_int_eq(conf.workers[2].rules[0].a, 1);
	ck_assert_int_eq(conf.workers[2].rules[0].b, -1);
}
END_TEST

/* What exists keeps its place; what is new takes none that is in use, though its owner goes. */
START_TEST(next)
{
	clear();
	port("left");
	port("middle");
	port("right");
	iface("kl", 0);
	iface("kr", 2);
	worker(0, false, 0, 2);
	ck_assert_int_eq(place(), 0);
	before = conf;
	clear();
	knit_places_of(&taken, &before);
	port("new");
	port("right");
	iface("kr", 1);
	iface("kn", 0);
	worker(0, true, 0, 1);
	worker(1, false, 1, 0);
	ck_assert_int_eq(place(), 0);
	ck_assert_uint_eq(conf.n_ports, 4);
	ck_assert(!conf.ports[0].there && !conf.ports[1].there);
	ck_assert_str_eq(conf.ports[2].name, "right");
	ck_assert_str_eq(conf.ports[3].name, "new");
	ck_assert_uint_eq(conf.n_ifaces, 3);
	ck_assert(!conf.ifaces[0].there);
	ck_assert_int_eq(conf.ifaces[0].port, -1);
	ck_assert_int_eq(conf.ifaces[1].port, 2);
	ck_assert_int_eq(conf.ifaces[2].port, 3);
	ck_assert_int_eq(conf.workers[0].rules[0].a, 1);
	ck_assert_int_eq(conf.workers[0].rules[0].b, 2);
	ck_assert_int_eq(conf.workers[1].rules[0].a, 2);
	ck_assert_int_eq(conf.workers[1].rules[0].b, 3);
	before = conf;
	ck_assert_int_eq((knit_places_of(&taken, &before), place()), 0);
	ck_assert_int_eq(memcmp(&conf.ports, &before.ports, sizeof(conf.ports)), 0);
}
END_TEST

START_TEST(full)
{
	char name[8];
	int i;

	clear();
	for (i = 0; i < KNIT_MAX_PORTS; i++)
		snprintf(taken.ports[i], sizeof(taken.ports[i]), "p%d", i);
	for (i = 0; i < KNIT_MAX_PORTS; i++) {
		snprintf(name, sizeof(name), "p%d", KNIT_MAX_PORTS - 1 - i);
		port(name);
	}
	ck_assert_int_eq(place(), 0);
	ck_assert_str_eq(conf.ports[0].name, "p0");
	strcpy(conf.ports[7].name, "new");
	ck_assert_int_eq(place(), -ENOSPC);
	clear();
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		snprintf(taken.ifaces[i], sizeof(taken.ifaces[i]), "k%d", i);
	iface("new", -1);
	ck_assert_int_eq(place(), -ENOSPC);
}
END_TEST

KNIT_SUITE(config_place)
{
	knit_add_test(s, "first", first, 0);
	knit_add_test(s, "next", next, 0);
	knit_add_test(s, "full", full, 0);
}
