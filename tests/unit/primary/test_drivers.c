// SPDX-License-Identifier: BSD-3-Clause
#include "iface.h"
#include "primary.h"
#include "telemetry_report.h"
#include "unit.h"

#include <string.h>
#include <time.h>

/* Who gets the drivers: telemetry, or the main thread, which reads links. */
static struct knit_topo topo;
static struct primary p;

static void setup(void)
{
	static struct knit_config conf;

	memset(&p, 0, sizeof(p));
	memset(&topo, 0, sizeof(topo));
	topo.n_ports = 1;
	topo.ports[0].there = 1;
	topo.plan[0].ports[0].iface = -1;
	p.conf = &conf;
	p.topo = &topo;
	p.ports[0].topo = &topo.ports[0];
	p.ports[0].conf = &conf.ports[0];
	p.ports[0].id = 7; /* no such device: it has no counters */
	pthread_mutex_init(&p.drivers, NULL);
}

static bool telemetry_finds_them_busy(void)
{
	static struct report r;

	r = (struct report){ .form = REPORT_VALUES };
	report_objects[KNIT_METRICS_PORT].tell(&p, 0, &r);
	return r.drivers_busy;
}

START_TEST(links_find_them_busy)
{
	ck_assert(primary_link_update(&p, 0));
	pthread_mutex_lock(&p.drivers);
	ck_assert(!primary_link_update(&p, 0));
	pthread_mutex_unlock(&p.drivers);
	ck_assert(primary_link_update(&p, 0));
}
END_TEST

/* However often telemetry is asked, it leaves them alone for as long. */
START_TEST(links_go_first)
{
	ck_assert(!telemetry_finds_them_busy());
	p.links_wait = true;
	ck_assert(telemetry_finds_them_busy());
	p.links_wait = false;
	ck_assert(!telemetry_finds_them_busy());
	ck_assert_int_eq(pthread_mutex_trylock(&p.drivers), 0);
	ck_assert(telemetry_finds_them_busy());
	pthread_mutex_unlock(&p.drivers);
}
END_TEST

static void *links_are_read(void *arg)
{
	const struct timespec soon = { .tv_nsec = 20000000 };

	nanosleep(&soon, NULL);
	__atomic_store_n(&p.links_wait, false, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(then_telemetry)
{
	pthread_t thread;

	p.links_wait = true;
	ck_assert_int_eq(pthread_create(&thread, NULL, links_are_read, NULL), 0);
	while (telemetry_finds_them_busy())
		; /* a busy machine; the test has a time limit */
	pthread_join(thread, NULL);
	ck_assert(!p.links_wait);
}
END_TEST

KNIT_SUITE(drivers)
{
	knit_add_fixture_test(s, "links_find_them_busy", links_find_them_busy, 0, setup, NULL);
	knit_add_fixture_test(s, "links_go_first", links_go_first, 0, setup, NULL);
	knit_add_fixture_test(s, "then_telemetry", then_telemetry, 0, setup, NULL);
}
