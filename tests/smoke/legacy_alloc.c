// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_test.h"

#include <rte_mbuf.h>

/* What rte_kni_alloc takes and refuses. */

static struct rte_mempool *pool;

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
	report("alloc name of 16 characters", alloc("0123456789abcdef", NULL) == NULL);
	report("alloc name the kernel has", alloc("lo", NULL) == NULL);
	report("alloc name with a slash", alloc("a/b", NULL) == NULL);
	report("alloc_ext wrong size", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.size = sizeof(ext);
	ext.offloads = RTE_KNI_OFFLOAD_TSO;
	report("alloc_ext TSO without SG", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
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
	conf.mtu = 1500;
	conf.max_mtu = 1400;
	report("alloc MTU above its limit", rte_kni_alloc(pool, &conf, NULL) == NULL);
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

void knit_test_alloc(struct rte_mempool *mempool)
{
	pool = mempool;
	test_errors();
}
