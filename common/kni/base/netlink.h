/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_NETLINK_H
#define KNIT_NETLINK_H

#include "abi/knit_req.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct mnl_socket;

/*
 * What knit asks of rtnetlink. A socket belongs to the network namespace in which it was opened,
 * and keeps that alive.
 * Requests block while somebody holds the kernel's RTNL lock, so no thread that answers requests
 * of the kernel may use them. One thread at a time per socket. All return 0 or a negative errno
 * and log nothing.
 */
struct knit_nl {
	struct mnl_socket *sock;
	uint32_t portid;
	uint32_t seq;
};

struct knit_nl_link {
	uint32_t ifindex;
	uint32_t flags; /* IFF_* */
	uint32_t mtu;
	uint32_t promiscuity; /* how many users switched it on: tcpdump, a bridge, ip link */
	uint32_t allmulti;    /* likewise; 1 or 0 on kernels that don't tell the count */
	uint32_t master;      /* ifindex of the bridge, bond or the like that it is part of; 0 */
	uint8_t mac[6];
	char name[IFNAMSIZ];
};

/* Addresses that an interface shall receive besides its own. Counts may exceed the arrays. */
struct knit_nl_addrs {
	uint32_t n_uc;
	uint32_t n_mc;
	uint8_t uc[KNIT_RXLIST_MAX][6];
	uint8_t mc[KNIT_RXLIST_MAX][6];
};

/*
 * events: non-blocking, for knit_nl_events only; subscribed to changes of links in its namespace
 * and, with CAP_NET_BROADCAST there, in all namespaces that have a number in it. It does not keep
 * those alive.
 */
int knit_nl_open(struct knit_nl *nl, bool events);
void knit_nl_close(struct knit_nl *nl);
int knit_nl_fd(const struct knit_nl *nl);

/* Which namespace the socket is in. Only kernels before Linux 5.14 use a value twice. */
uint64_t knit_nl_netns(const struct knit_nl *nl);

/*
 * The number (nsid) that the namespace netns_fd has in the socket's namespace. Assigns one if there
 * is none; it lasts as long as both namespaces.
 */
int knit_nl_nsid(struct knit_nl *nl, int netns_fd, int *nsid);

/* By index, or by name if ifindex is 0. -ENODEV: none. */
int knit_nl_link_get(struct knit_nl *nl, uint32_t ifindex, const char *name,
		     struct knit_nl_link *out);
int knit_nl_link_mtu(struct knit_nl *nl, uint32_t ifindex, uint32_t mtu);
/* Moves it to netns_fd under that name. -EEXIST: the name is taken, perhaps by this interface. */
int knit_nl_link_move(struct knit_nl *nl, uint32_t ifindex, int netns_fd, const char *name);
/* Longest GSO frame in segments; the kernel cuts longer ones itself. */
int knit_nl_link_gso_max_segs(struct knit_nl *nl, uint32_t ifindex, uint32_t segs);
/* Longest GSO frame in bytes, of IPv6 and, where the kernel knows it, of IPv4. */
int knit_nl_link_gso_max_size(struct knit_nl *nl, uint32_t ifindex, uint32_t bytes);
int knit_nl_link_del(struct knit_nl *nl, uint32_t ifindex);

/* There is no event for these lists: poll. */
int knit_nl_addrs_get(struct knit_nl *nl, uint32_t ifindex, struct knit_nl_addrs *out);

/*
 * Hands each waiting change to cb: of a link in the namespace of that number, KNIT_NSID_OWN for the
 * socket's own. -ENOBUFS: changes were lost, look at every link anew.
 */
#define KNIT_NSID_OWN (-1)
int knit_nl_events(struct knit_nl *nl, void (*cb)(int nsid, uint32_t ifindex, void *arg),
		   void *arg);

#endif
