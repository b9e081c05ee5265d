/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_H
#define KNIT_CONFIG_H

#include <rte_config.h>

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The configuration file, checked and turned into plain structs. Read by the primary alone; what
 * the others need stands in the topology (topo.h) and in their argument files.
 *
 * knit_config_load either returns a configuration in which every value is in range, every name that
 * is referred to exists and is unique and every limit is kept, or it prints each error it found as
 *     FILE:LINE: ports.[1].rx_desc: found 7: a whole number from 16 to 32768 is expected
 * and returns NULL. It touches nothing but the file. The table of keys (config_keys.c) is also what
 * `knit-primary --help-config` prints and what docs/CONFIG.md is checked against.
 */

#define KNIT_MAX_PORTS RTE_MAX_ETHPORTS
#define KNIT_MAX_CONF_IFACES 64
#define KNIT_MAX_WORKERS 16
#define KNIT_MAX_RULES 64 /* forward entries of one worker */
#define KNIT_DEFAULT_PREFIX "knit"
#define KNIT_NAME 32	  /* of a port, a prefix; final zero included */
#define KNIT_MAX_FILES 32 /* inclusions, the main file counted */

_Static_assert(KNIT_MAX_PORTS <= 64, "a set of ports is the bits of a uint64_t");

enum knit_idle {
	KNIT_IDLE_ADAPTIVE, /* sleeps when there is nothing to do */
	KNIT_IDLE_POLL,	    /* never sleeps */
};

enum knit_rx_spread {
	KNIT_SPREAD_AUTO,   /* rss if the port has it, device for the drivers known to, else none */
	KNIT_SPREAD_RSS,    /* RSS, or an error */
	KNIT_SPREAD_DEVICE, /* several queues, the device picks */
	KNIT_SPREAD_NONE,   /* one receive queue */
};

enum knit_port_driver {
	KNIT_DRIVER_KEEP, /* whatever drives the device now; all that virtual devices know */
	KNIT_DRIVER_VFIO,
	KNIT_DRIVER_IGB_UIO,
	KNIT_DRIVER_UIO_GENERIC,
};

enum knit_forward {
	KNIT_FORWARD_PUNT,     /* port <-> its interface */
	KNIT_FORWARD_XCONNECT, /* two ports, or two interfaces */
};

enum knit_request_mode {
	KNIT_REQUEST_AUTO,  /* synchronous if the drivers of all ports make that safe */
	KNIT_REQUEST_SYNC,  /* the kernel waits for the answer */
	KNIT_REQUEST_ASYNC, /* it does not */
};

/*
 * Ports, interfaces and workers begin with `there`. It is false of an empty place, see
 * config_place.h. knit_config_load leaves no place empty.
 */

/* For messages after the file was read: knit_conf_file names the file. line 0: not in any. */
struct knit_conf_at {
	int line;
	unsigned int file;
};

struct knit_conf_eal {
	char prefix[KNIT_NAME]; /* --file-prefix; letters, digits, - and _ */
	uint32_t lcore;		/* EAL lcore id of the primary, 0..127 */
	char cpus[64];	 /* CPUs it may run on, as taskset takes them; "": the CPU of that number */
	uint32_t memory; /* MiB of hugepages per NUMA node in use; 0: computed */
	uint32_t headroom;	 /* MiB of these beyond what is computed, for what a reload adds */
	uint32_t max_workers;	 /* that a reload can get to; 0: those of the file */
	char huge_dir[128];	 /* "": any mounted hugetlbfs */
	char iova[8];		 /* "auto", "pa" or "va" */
	char log_level[16];	 /* emergency .. debug */
	uint32_t attach_timeout; /* seconds, see docs/FAILURES.md */
	struct knit_conf_at at;
};

enum knit_tx {
	KNIT_TX_AUTO, /* fast where nobody wants offloads */
	KNIT_TX_FULL,
	KNIT_TX_FAST,
};

struct knit_conf_mempool {
	uint32_t data_room; /* bytes of data per mbuf, headroom excluded; 1024..16384 */
	uint32_t extra;	    /* mbufs per worker beyond what its queues can hold */
	uint32_t headroom;  /* and for queues that a reload adds */
};

struct knit_conf_port {
	bool there;
	char name[KNIT_NAME];
	char device[256];	      /* PCI address, or vdev name with its arguments */
	char netns[256];	      /* for vdevs that make a kernel device; "": the caller's */
	enum knit_port_driver driver; /* bound at start, restored at the end */
	bool force;		      /* bind although the kernel uses its interface */
	bool allow_noiommu;
	bool optional; /* the others run without it */
	uint32_t rx_desc;
	uint32_t tx_desc;
	uint32_t mtu;
	bool promisc; /* at start; later the kernel's interface decides */
	enum knit_rx_spread rx_spread;
	uint32_t tx_queues; /* that carry packets; 0: one per worker, as far as the port has them */
	enum knit_tx tx;    /* with the offloads below, or none and the driver's fastest function */
	bool rx_checksum;   /* take these offloads where the port has them */
	bool tx_checksum;
	bool tso;
	bool vlan;
	uint32_t link_poll; /* ms between looks at the link where there is no interrupt */
	struct knit_conf_at at;
};

struct knit_conf_iface {
	bool there;
	char name[IFNAMSIZ];
	int port; /* index in ports, -1: none */
	char engine[8];
	uint32_t mtu; /* 0: the port's (never 0 without a port) */
	uint32_t min_mtu;
	uint32_t max_mtu;
	uint8_t mac[6]; /* all zero: the port's, or random without a port */
	char netns[256];
	int core; /* CPU for its thread (tap: kthread_mode multiple), -1: any */
	uint32_t ring_size;
	enum knit_request_mode requests;
	char handover[8];
	bool merge_datagrams;
	bool big_tcp; /* with an interface that has it, too, or nobody */
	struct knit_conf_at at;
};

struct knit_conf_rule {
	enum knit_forward mode;
	bool ifaces; /* a and b are interfaces, not ports */
	int a;
	int b; /* -1 for punt */
	struct knit_conf_at at;
};

struct knit_conf_worker {
	bool there;
	uint32_t id; /* 0..KNIT_MAX_WORKERS-1 */
	uint32_t lcore;
	char cpus[64];
	bool standby; /* another process is expected to stand by */
	enum knit_idle idle;
	uint32_t burst; /* packets per burst, 4..256 */
	unsigned int n_rules;
	struct knit_conf_rule rules[KNIT_MAX_RULES];
	struct knit_conf_at at;
};

struct knit_conf_control {
	uint32_t lcore;
	char cpus[64];
	struct knit_conf_at at;
};

struct knit_conf_tap {
	bool thread_per_pair; /* kthread_mode = "multiple" */
	bool io_uring;
	char cpus
		[64]; /* CPUs for engine threads without a core of their own; "": any but lcores' */
	struct knit_conf_at at;
};

struct knit_conf_watch {
	uint32_t buffer; /* KiB for each worker, 0: packets can't be watched */
	struct knit_conf_at at;
};

struct knit_config {
	char file[256];
	char included[KNIT_MAX_FILES][256]; /* from 1 on */
	uint64_t hash;			    /* of the file's text: the configuration generation */
	struct knit_conf_eal eal;
	struct knit_conf_mempool mempool;
	struct knit_conf_tap tap;
	struct knit_conf_watch watch;
	struct knit_conf_control control;
	unsigned int n_ports;
	unsigned int n_ifaces;
	unsigned int n_workers;
	struct knit_conf_port ports[KNIT_MAX_PORTS];
	struct knit_conf_iface ifaces[KNIT_MAX_CONF_IFACES];
	struct knit_conf_worker workers[KNIT_MAX_WORKERS];
};

/*
 * Reads and checks a file. Errors go to err, one line each. NULL if there was one. Free with
 * free().
 */
struct knit_config *knit_config_load(const char *file, FILE *err);

static inline unsigned int knit_conf_count_workers(const struct knit_config *c)
{
	unsigned int i, n = 0;

	for (i = 0; i < c->n_workers; i++)
		n += c->workers[i].there;
	return n;
}

/* Workers that there can be until the next start. */
static inline unsigned int knit_conf_most_workers(const struct knit_config *c)
{
	unsigned int n = knit_conf_count_workers(c);

	return c->eal.max_workers > n ? c->eal.max_workers : n;
}

static inline const char *knit_conf_file(const struct knit_config *c, const struct knit_conf_at *at)
{
	return at->file ? c->included[at->file] : c->file;
}

/* The table of keys with types, ranges, defaults and meaning, for people. */
void knit_config_help(FILE *out);

/*
 * A CPU list as taskset takes it ("0", "0,2-3") to a bit set of CPUs 0..1023. False if it is not
 * one or empty.
 */
struct knit_cpu_set {
	uint64_t bits[16];
};
bool knit_cpus_parse(const char *text, struct knit_cpu_set *out);

#endif
