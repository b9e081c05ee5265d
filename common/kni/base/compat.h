/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMPAT_H
#define KNIT_COMPAT_H

/* The one place that knows DPDK versions. Everything else is written for the newest names. */

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include <pthread.h>

/*
 * A control thread: it runs on the CPUs of the process, except those of its lcores. name: 15
 * characters at most. 0 or a negative errno.
 */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
#include <rte_thread.h>

struct knit_thread {
	rte_thread_t id;
};

static inline int knit_thread_create(struct knit_thread *t, const char *name,
				     uint32_t (*fn)(void *), void *arg)
{
	return -rte_thread_create_control(&t->id, name, fn, arg);
}

static inline void knit_thread_join(struct knit_thread *t)
{
	rte_thread_join(t->id, NULL);
}
#else
struct knit_thread {
	pthread_t id;
};

static inline int knit_thread_create(struct knit_thread *t, const char *name,
				     uint32_t (*fn)(void *), void *arg)
{
	return -rte_ctrl_thread_create(&t->id, name, NULL, (void *(*)(void *))(void (*)(void))fn,
				       arg);
}

static inline void knit_thread_join(struct knit_thread *t)
{
	pthread_join(t->id, NULL);
}
#endif

#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define RTE_TEL_UINT_VAL RTE_TEL_U64_VAL
#define rte_tel_data_add_array_uint rte_tel_data_add_array_u64
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

/*
 * rte_eth_tx_prepare for any driver. 25.11 calls what the driver has without a look, and in a
 * secondary nothing stands in for drivers that have none.
 */
static inline uint16_t knit_tx_prepare(uint16_t port, uint16_t queue, struct rte_mbuf **m,
				       uint16_t n)
{
#if RTE_VERSION >= RTE_VERSION_NUM(25, 3, 0, 0)
	if (rte_eth_fp_ops[port].tx_pkt_prepare == NULL)
		return n;
#endif
	return rte_eth_tx_prepare(port, queue, m, n);
}

#endif
