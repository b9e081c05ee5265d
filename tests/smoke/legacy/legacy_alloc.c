// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_test.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <pthread.h>

#define ABSENT_CPU 1023

/* What rte_kni_alloc takes and refuses. */

static struct rte_mempool *pool;

static void handle(struct rte_kni *kni)
{
	rte_kni_handle_request(kni);
}

static struct rte_kni *alloc(const char *name, struct rte_kni_ops *ops)
{
	struct rte_kni_conf conf = { .mbuf_size = 2048 };

	memcpy(conf.name, name, strnlen(name, sizeof(conf.name)));
	return rte_kni_alloc(pool, &conf, ops);
}

static void test_errors(void)
{
	struct rte_kni_conf conf = { .name = "st0" };
	struct rte_kni_ext_conf ext = { .size = sizeof(ext) - 4 };
	struct rte_kni *kni;

	report("alloc NULL pool", rte_kni_alloc(NULL, &conf, NULL) == NULL);
	report("alloc NULL conf", rte_kni_alloc(pool, NULL, NULL) == NULL);
	report("alloc empty name", alloc("", NULL) == NULL);
	report("alloc name the kernel has", alloc("lo", NULL) == NULL);
	report("alloc name with a slash", alloc("a/b", NULL) == NULL);
	report("alloc_ext wrong size", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.size = sizeof(ext);
	ext.offloads = RTE_KNI_OFFLOAD_TSO;
	report("alloc_ext TSO without SG", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = RTE_KNI_OFFLOAD_BIG_TCP;
	report("alloc_ext BIG_TCP without TSO", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = 0x40;
	report("alloc_ext unknown offload", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads |= RTE_KNI_OFFLOAD_SG | RTE_KNI_OFFLOAD_CSUM | RTE_KNI_OFFLOAD_TSO;
	ext.offloads ^= 0x40 | RTE_KNI_OFFLOAD_BIG_TCP;
	report("alloc_ext BIG_TCP in small mbufs",
	       rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = 0;
	ext.n_pairs = 17;
	report("alloc_ext 17 pairs", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.n_pairs = 1;
	ext.queue_size = 100;
	report("alloc_ext queue of 100", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.queue_size = 64;
	ext.offloads = RTE_KNI_OFFLOAD_SG;
	report("alloc_ext SG with a queue of 64",
	       rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = 0;
	ext.engine = "nonsense";
	report("alloc_ext unknown engine", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.engine = NULL;
	conf.force_bind = 1;
	conf.core_id = ABSENT_CPU;
	report("alloc absent CPU", rte_kni_alloc(pool, &conf, NULL) == NULL);
	report("errors left no interface", rte_kni_get("st0") == NULL && !if_nametoindex("st0"));

	kni = alloc("st0", NULL);
	if (!report("alloc", kni != NULL))
		return;
	report("interface is in the kernel", if_nametoindex("st0") != 0);
	report("alloc duplicate name", alloc("st0", NULL) == NULL);
	report("duplicate left the first alone", rte_kni_get("st0") == kni);
	report("get_name", strcmp(rte_kni_get_name(kni), "st0") == 0);
	report("get NULL", rte_kni_get(NULL) == NULL);
	report("get empty", rte_kni_get("") == NULL);
	report("get unknown", rte_kni_get("st9") == NULL);
	report("release", rte_kni_release(kni) == 0);
	report("released interface left the kernel", if_nametoindex("st0") == 0);
	report("get released", rte_kni_get("st0") == NULL);
	report("release twice", rte_kni_release(kni) == -1);
	report("release NULL", rte_kni_release(NULL) == -1);
	report("release what never was", rte_kni_release((struct rte_kni *)8) == -1);
	kni = alloc("st0", NULL);
	report("name is free after release", kni && rte_kni_release(kni) == 0);
}

/* KNI cut it, wherever it came from. */
static void test_names(void)
{
	struct rte_kni *kni = alloc("0123456789abcdef", NULL);

	report("alloc name of 16 characters is cut",
	       kni && strcmp(rte_kni_get_name(kni), "0123456789abcde") == 0);
	report("the kernel has the cut name", if_nametoindex("0123456789abcde") != 0);
	report("a name that is the same when cut is used",
	       alloc("0123456789abcdeX", NULL) == NULL && rte_errno == EEXIST);
	rte_kni_release(kni);
}

static unsigned int mtu_told;

static int change_mtu(uint16_t port_id, unsigned int new_mtu)
{
	mtu_told = new_mtu;
	return 0;
}

/* May it have this MTU? On tap what may not be is put back, and the application is not asked. */
static bool takes_mtu(struct rte_kni *kni, int mtu)
{
	int before = kernel_mtu("st0");

	kernel_set_mtu("st0", mtu);
	WAIT(mtu_told == (unsigned int)mtu || kernel_mtu("st0") == before, handle(kni));
	return mtu_told == (unsigned int)mtu && kernel_mtu("st0") == mtu;
}

static struct rte_kni *alloc_mtu(uint16_t mtu, uint16_t min, uint16_t max)
{
	struct rte_kni_conf conf = {
		.name = "st0", .mbuf_size = 2048, .mtu = mtu, .min_mtu = min, .max_mtu = max
	};
	struct rte_kni_ops ops = { .port_id = UINT16_MAX, .change_mtu = change_mtu };

	mtu_told = 0;
	return rte_kni_alloc(pool, &conf, &ops);
}

/* What is asked for, what comes of it, and which MTUs may then be set. */
static void test_mtu(void)
{
	static const struct {
		const char *name;
		uint16_t mtu, min, max;
		uint16_t is, may, may_not;
	} cases[] = {
		{ "ethdev's limits", 1500, 46, 65535, 1500, 9000, 67 },
		{ "no limits", 1500, 0, 0, 1500, 68, 1501 },
		{ "nothing", 0, 0, 0, 1500, 1400, 9000 },
		{ "jumbo, no limits", 9000, 0, 0, 9000, 1500, 9001 },
		{ "an MTU above its limit", 1500, 68, 1400, 1500, 1400, 1501 },
		{ "an MTU below its limit", 1000, 1280, 9000, 1000, 9000, 999 },
		{ "an MTU that no kernel has", 40, 0, 1500, 68, 1500, 67 },
	};
	struct rte_kni *kni;
	char name[80];
	unsigned int i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		kni = alloc_mtu(cases[i].mtu, cases[i].min, cases[i].max);
		snprintf(name, sizeof(name), "MTU: %s", cases[i].name);
		if (!report(name, kni && kernel_mtu("st0") == cases[i].is))
			continue;
		snprintf(name, sizeof(name), "MTU: %s: %u may be set", cases[i].name, cases[i].may);
		report(name, takes_mtu(kni, cases[i].may));
		snprintf(name, sizeof(name), "MTU: %s: not %u", cases[i].name, cases[i].may_not);
		report(name, !takes_mtu(kni, cases[i].may_not));
		rte_kni_release(kni);
	}
}

#define FEW 511
#define MANY 24

/* The application's own part of the pool: all of it. */
static unsigned int take_all(struct rte_mempool *from, struct rte_mbuf **m)
{
	unsigned int n;

	for (n = 0; n < FEW; n++) {
		m[n] = rte_pktmbuf_alloc(from);
		if (m[n] == NULL)
			break;
	}
	return n;
}

/* More interfaces than the pool has mbufs for, were it for KNI's first offers. */
static void test_short_pool(void)
{
	struct rte_mempool *few = rte_pktmbuf_pool_create("few", FEW, 0, 0, 2176, SOCKET_ID_ANY);
	struct rte_kni_conf conf = { .mbuf_size = 2048 };
	unsigned int i, served = 0;
	struct rte_kni *kni[MANY];
	struct rte_mbuf *m[8], *taken[FEW];
	unsigned int n, n_taken = 0;

	for (i = 0; i < MANY; i++) {
		snprintf(conf.name, sizeof(conf.name), "few%u", i);
		kni[i] = rte_kni_alloc(few, &conf, NULL);
	}
	report("a short pool is not emptied", few && rte_mempool_avail_count(few) > 0);
	for (i = 0; i < MANY; i++) {
		snprintf(conf.name, sizeof(conf.name), "few%u", i);
		kernel_set_flag(conf.name, IFF_UP, true);
		if (i == MANY - 1) /* the log is to tell of this one */
			n_taken = take_all(few, taken);
		n = 0;
		WAIT(rte_kni_update_link(kni[i], 1) >= 0, );
		WAIT((n += rte_kni_rx_burst(kni[i], m + n, 8 - n)) != 0, knit_net_send(conf.name));
		served += n != 0;
		knit_drop_mbufs(m, n);
		rte_kni_release(kni[i]);
	}
	knit_drop_mbufs(taken, n_taken);
	report("and each interface is served", served == MANY);
	report("all of its mbufs are back", rte_mempool_avail_count(few) == FEW);
	rte_mempool_free(few);
}

struct maker {
	const char *prefix;
	unsigned int failures;
};

static void *make_some(void *arg)
{
	struct rte_kni_conf conf = { .mbuf_size = 2048 };
	struct maker *maker = arg;
	struct rte_kni *kni;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		snprintf(conf.name, sizeof(conf.name), "%s%u", maker->prefix, i);
		kni = rte_kni_alloc(pool, &conf, NULL);
		maker->failures +=
			kni == NULL || rte_kni_get(conf.name) != kni || rte_kni_release(kni) != 0;
	}
	return NULL;
}

static void test_threads(void)
{
	struct maker makers[] = { { "sta", 0 }, { "stb", 0 }, { "stc", 0 } };
	unsigned int i, failures = 0;
	pthread_t thread[RTE_DIM(makers)];

	for (i = 0; i < RTE_DIM(makers); i++)
		pthread_create(&thread[i], NULL, make_some, &makers[i]);
	for (i = 0; i < RTE_DIM(makers); i++) {
		pthread_join(thread[i], NULL);
		failures += makers[i].failures;
	}
	report("alloc and release in several threads", failures == 0);
}

/* As many as rte_kni.h says. */
static void test_limit(void)
{
	struct rte_kni *kni[RTE_KNI_MAX_IFACES + 1];
	unsigned int n;
	char name[16];

	for (n = 0; n <= RTE_KNI_MAX_IFACES; n++) {
		snprintf(name, sizeof(name), "stm%u", n);
		kni[n] = alloc(name, NULL);
		if (kni[n] == NULL)
			break;
	}
	report("alloc one more than there may be", n == RTE_KNI_MAX_IFACES && rte_errno == ENOSPC);
	while (n > 0)
		rte_kni_release(kni[--n]);
}

void knit_test_alloc(struct rte_mempool *mempool)
{
	void (*before)(struct rte_kni *) = knit_poll;

	pool = mempool;
	knit_poll = handle;
	test_errors();
	test_names();
	test_mtu();
	test_short_pool();
	test_threads();
	if (on_tap())
		test_limit();
	knit_poll = before;
}
