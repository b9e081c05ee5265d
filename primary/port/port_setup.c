// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "port_setup.h"

#include "kni/base/compat.h"
#include "kni/base/log.h"
#include "kni/offload/offload.h"
#include "memory/pool.h"
#include "port_driver.h"
#include "port_offload.h"
#include "port_tap.h"
#include "primary.h"

#include <rte_ethdev.h>

#include <errno.h>
#include <stdio.h>

#define RSS_TYPES (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)

static bool one_queue_only(const struct knit_conf_port *c, const struct rte_eth_dev_info *info,
			   const struct knit_driver *driver)
{
	bool rss = info->flow_type_rss_offloads & RSS_TYPES;

	switch (c->rx_spread) {
	case KNIT_SPREAD_NONE:
		return true;
	case KNIT_SPREAD_RSS:
		return !rss;
	case KNIT_SPREAD_DEVICE:
		return !driver->device_spread;
	case KNIT_SPREAD_AUTO:
		break;
	}
	return !rss && !driver->device_spread;
}

/*
 * Whether RSS spreads flows over several queues. A device that spreads them itself uses RSS only if
 * the configuration says so.
 */
static bool uses_rss(const struct knit_conf_port *c, const struct rte_eth_dev_info *info)
{
	if (!(info->flow_type_rss_offloads & RSS_TYPES) || c->rx_spread == KNIT_SPREAD_NONE)
		return false;
	return c->rx_spread == KNIT_SPREAD_RSS ||
	       !knit_driver_find(info->driver_name)->device_spread;
}

/* Gives the reason, in the name of c, to the caller of port_setup_choose. */
#define REFUSE(code, ...)                                          \
	do {                                                       \
		int n_ = snprintf(why, len, "port %s: ", c->name); \
		snprintf(why + n_, len - (size_t)n_, __VA_ARGS__); \
		return code;                                       \
	} while (0)

static int check_queues(const struct knit_conf_port *c, unsigned int n,
			const struct rte_eth_dev_info *info, const struct knit_driver *driver,
			char *why, size_t len)
{
	unsigned int most = info->max_rx_queues;

	if (driver->max_queues && driver->max_queues < most)
		most = driver->max_queues;
	if (driver->primary_only) {
		REFUSE(-ENOTSUP,
		       "driver %s moves packets in the process that made the port only, and "
		       "workers are other ones: no worker could use it",
		       info->driver_name);
	}
	if (n > 1 && (driver->hands_on || one_queue_only(c, info, driver))) {
		REFUSE(-ENOTSUP, "%u workers forward it, but driver %s can serve one only: it %s",
		       n, info->driver_name,
		       driver->hands_on ? "passes mbufs on between processes"
					: "can't spread received packets over queues");
	}
	if (n > most) {
		REFUSE(-ENOTSUP, "%u workers forward it, but driver %s has %u receive queues", n,
		       info->driver_name, most);
	}
	return 0;
}

/*
 * If there are fewer transmit queues than workers, the other workers send through hand-off queues.
 */
static int choose_tx_queues(const struct knit_conf_port *c, struct knit_plan *plan, unsigned int i,
			    const struct rte_eth_dev_info *info, const struct knit_driver *driver,
			    char *why, size_t len)
{
	unsigned int most = info->max_tx_queues;

	if (driver->max_queues && driver->max_queues < most)
		most = driver->max_queues;
	if (c->tx_queues > most)
		REFUSE(-EINVAL, "tx_queues: found %u: driver %s has %u", c->tx_queues,
		       info->driver_name, most);
	if (plan->ports[i].n_tx_queues > most)
		knit_plan_tx(plan, i, most);
	return 0;
}

/* Later ones, which the kernel wants, are refused by port_op.c. */
static int check_mtu(const struct knit_config *all, unsigned int i,
		     const struct rte_eth_dev_info *info, char *why, size_t len)
{
	const struct knit_conf_port *c = &all->ports[i];
	uint16_t max = port_offload_max_mtu(all, i, info);

	if (c->mtu >= info->min_mtu && c->mtu <= max)
		return 0;
	if (max < knit_driver_max_mtu(info) && c->mtu > max)
		REFUSE(-EINVAL, "mtu %u: tx = \"fast\" and mempool.data_room %u allow at most %u",
		       c->mtu, all->mempool.data_room, max);
	REFUSE(-EINVAL, "mtu %u: driver %s allows %u to %u", c->mtu, info->driver_name,
	       info->min_mtu, max);
}

/* The MTU in force stays: the kernel may have changed it. Another one in the file counts. */
static uint16_t choose_mtu(const struct primary *p, unsigned int i, const struct knit_conf_port *c)
{
	const struct port *port = &p->ports[i];

	return port->started && port->conf->mtu == c->mtu ? port->topo->mtu : c->mtu;
}

int port_setup_choose(const struct primary *p, unsigned int i, const struct knit_config *c,
		      struct knit_plan *plan, struct port_setup *s, char *why, size_t len)
{
	const struct knit_conf_port *conf = &c->ports[i];
	const struct knit_driver *driver;
	struct rte_eth_dev_info info;
	struct port_offloads o;
	int ret;

	ret = rte_eth_dev_info_get(p->ports[i].id, &info);
	if (ret < 0) {
		snprintf(why, len, "port %s: rte_eth_dev_info_get: %s", conf->name,
			 rte_strerror(-ret));
		return ret;
	}
	driver = knit_driver_find(info.driver_name);
	ret = check_queues(conf, plan->ports[i].n_queues, &info, driver, why, len);
	if (ret == 0)
		ret = choose_tx_queues(conf, plan, i, &info, driver, why, len);
	if (ret == 0)
		ret = check_mtu(c, i, &info, why, len);
	if (ret < 0)
		return ret;
	port_offload_choose(c, i, &info, plan->ports[i].n_queues > 1, &o);
	*s = (struct port_setup){
		.rx_offloads = o.rx,
		.tx_offloads = o.tx,
		.fast = o.fast,
		.rss = plan->ports[i].n_queues > 1 && uses_rss(conf, &info),
		.n_rx = plan->ports[i].n_queues,
		.n_tx = driver->paired ? plan->ports[i].n_queues : plan->ports[i].n_tx_queues,
		.rx_desc = conf->rx_desc,
		.tx_desc = conf->tx_desc,
		.mtu = choose_mtu(p, i, conf),
	};
	return 0;
}

bool port_setup_differs(const struct port_setup *a, const struct port_setup *b)
{
	return a->rx_offloads != b->rx_offloads || a->tx_offloads != b->tx_offloads ||
	       a->fast != b->fast || a->rss != b->rss || a->n_rx != b->n_rx || a->n_tx != b->n_tx ||
	       a->rx_desc != b->rx_desc || a->tx_desc != b->tx_desc || a->mtu != b->mtu;
}

/* Everything that can select a burst function is fixed here and never changes, see port_start. */
int port_configure(struct port *port, const struct port_setup *s)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	uint16_t mtu = s->mtu;
	int ret;

	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret < 0)
		return errno_log(ret, "rte_eth_dev_info_get");
	if (knit_driver_find(info.driver_name)->tap)
		mtu = RTE_MIN(mtu, PORT_TAP_ETHDEV_MTU);
	conf.rxmode.offloads = s->rx_offloads;
	conf.txmode.offloads = s->tx_offloads;
	conf.intr_conf.lsc = port->lsc;
	if (s->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & RSS_TYPES;
	}
	ret = knit_eth_configure(port->id, RTE_MAX(s->n_rx, 1), RTE_MAX(s->n_tx, 1), &conf, mtu);
	return ret < 0 ? errno_log(ret, "rte_eth_dev_configure") : 0;
}

static void tell_setup(struct port *port)
{
	const struct port_setup *s = &port->setup;

	port->topo->tx_capa = s->tx_offloads;
	port->topo->tx_fast = s->fast;
	port->topo->rx_partial = knit_offload_none_is_partial(port->topo->driver);
	port->topo->mtu = s->mtu;
}

int port_queue_setup(struct primary *p, unsigned int i, unsigned int w, struct rte_mempool *pool)
{
	const struct knit_plan_worker *worker = &p->plan->workers[w];
	struct port *port = &p->ports[i];
	int socket = rte_eth_dev_socket_id(port->id);
	int ret, txq = worker->txq[i];

	if (worker->rxq[i] < 0)
		return 0;
	/* The driver needs a transmit queue for each receive queue. Nobody uses this one. */
	if (txq < 0 && knit_driver_find(port->topo->driver)->paired)
		txq = worker->rxq[i];
	/* The receive queue comes first: net_tap copies its fd to the transmit queue. */
	ret = rte_eth_rx_queue_setup(port->id, worker->rxq[i], port->rx_desc, socket, NULL, pool);
	if (ret < 0)
		return errno_log(ret, "rte_eth_rx_queue_setup");
	if (txq < 0)
		return 0;
	ret = rte_eth_tx_queue_setup(port->id, txq, port->tx_desc, socket, NULL);
	if (ret < 0)
		return errno_log(ret, "rte_eth_tx_queue_setup");
	return 0;
}

/*
 * Without a worker. ethdev gives a port a queue of each kind at least, and net_tap's processes can
 * neither attach nor follow a start if one of them was not set up. Nobody uses these. Their mbufs
 * are of a pool of their own, which no worker's death concerns.
 */
static int set_up_unused_queues(struct port *port)
{
	int ret, socket = rte_eth_dev_socket_id(port->id);
	struct rte_mempool *pool = primary_pool_unused();

	if (pool == NULL)
		return -ENOMEM;
	ret = rte_eth_rx_queue_setup(port->id, 0, POOL_UNUSED_DESC, socket, NULL, pool);
	if (ret < 0)
		return errno_log(ret, "rte_eth_rx_queue_setup");
	ret = rte_eth_tx_queue_setup(port->id, 0, POOL_UNUSED_DESC, socket, NULL);
	return ret < 0 ? errno_log(ret, "rte_eth_tx_queue_setup") : 0;
}

int port_setup_queues(struct primary *p, unsigned int i)
{
	unsigned int w;
	int ret = 0;

	for (w = 0; w < KNIT_MAX_WORKERS && ret == 0; w++)
		if (p->topo->workers[w].state != KNIT_PROCESS_DEAD)
			ret = port_queue_setup(p, i, w, p->topo->workers[w].pool);
	if (ret == 0 && p->ports[i].setup.n_rx == 0 &&
	    knit_driver_find(p->topo->ports[i].driver)->tap)
		ret = set_up_unused_queues(&p->ports[i]);
	return ret;
}

int port_set_up(struct primary *p, unsigned int i)
{
	const struct knit_plan_port *plan = &p->plan->ports[i];
	struct port *port = &p->ports[i];
	int ret;

	if (plan->n_tx_queues < plan->n_queues)
		log_notice("port %s: %u workers send through %u transmit queues", port->topo->name,
			   plan->n_queues, plan->n_tx_queues);
	ret = port_configure(port, &port->setup);
	if (ret < 0)
		return ret;
	tell_setup(port);
	port->rx_desc = port->setup.rx_desc;
	port->tx_desc = port->setup.tx_desc;
	rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &port->rx_desc, &port->tx_desc);
	return port_setup_queues(p, i);
}
