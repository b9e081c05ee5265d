// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define NL_BUF 32768

/* What is looked for, and where its description goes: the first one found. */
struct use {
	uint32_t ifindex;
	char *what;
	size_t size;
	bool found;
};

static int say(struct use *u, const char *kind, const char *value)
{
	snprintf(u->what, u->size, "%s%s%s", kind, value[0] ? " " : "", value);
	u->found = true;
	return MNL_CB_OK;
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

static int on_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	char master[IF_NAMESIZE];
	const struct nlattr *attr;
	struct use *u = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) ||
	    (uint32_t)ifi->ifi_index != u->ifindex || u->found)
		return MNL_CB_OK;
	if (ifi->ifi_flags & IFF_UP)
		return say(u, "is up", "");
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		if (mnl_attr_get_type(attr) != IFLA_MASTER)
			continue;
		if (if_indextoname(attr_u32(attr), master))
			say(u, "belongs to", master);
		else
			say(u, "belongs to another interface", "");
	}
	return MNL_CB_OK;
}

static void ip_text(int family, const struct nlattr *attr, char *text, size_t size)
{
	size_t len = family == AF_INET ? 4 : 16;

	text[0] = '\0';
	if (attr && mnl_attr_get_payload_len(attr) >= len)
		inet_ntop(family, mnl_attr_get_payload(attr), text, size);
}

/* Link-local addresses come by themselves and go with the interface. */
static int on_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *found = NULL;
	char text[INET6_ADDRSTRLEN];
	struct use *u = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) || ifa->ifa_index != u->ifindex ||
	    ifa->ifa_scope == RT_SCOPE_LINK || u->found)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
		    (mnl_attr_get_type(attr) == IFA_ADDRESS && !found))
			found = attr;
	}
	ip_text(ifa->ifa_family, found, text, sizeof(text));
	return say(u, "has the address", text);
}

static bool nexthop_there(const struct nlattr *attr, uint32_t ifindex)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	while (left >= (int)sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) &&
	       hop->rtnh_len <= left) {
		if ((uint32_t)hop->rtnh_ifindex == ifindex)
			return true;
		left -= RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
	return false;
}

/* The kernel's own, of addresses and multicast, are in the local table. */
static int on_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *dst = NULL;
	char text[INET6_ADDRSTRLEN + 8];
	struct use *u = arg;
	bool here = false;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_table == RT_TABLE_LOCAL ||
	    rtm->rtm_type == RTN_LOCAL || u->found)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
	{
		if (mnl_attr_get_type(attr) == RTA_DST)
			dst = attr;
		else if (mnl_attr_get_type(attr) == RTA_OIF)
			here |= attr_u32(attr) == u->ifindex;
		else if (mnl_attr_get_type(attr) == RTA_MULTIPATH)
			here |= nexthop_there(attr, u->ifindex);
	}
	if (!here)
		return MNL_CB_OK;
	ip_text(rtm->rtm_family, dst, text, INET6_ADDRSTRLEN);
	snprintf(text + strlen(text), 8, text[0] ? "/%u" : "default", rtm->rtm_dst_len);
	return say(u, "has a route to", text);
}

/* Hands each part of a dump to cb. */
static int dump(uint16_t type, unsigned char family, mnl_cb_t cb, struct use *u)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buf[NL_BUF];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *gen;
	int ret = -1;
	ssize_t n;

	if (sock == NULL)
		return -errno;
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = 1;
	gen = mnl_nlmsg_put_extra_header(nlh, sizeof(*gen));
	gen->rtgen_family = family;
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) >= 0) {
		do {
			n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
			ret = n < 0 ? -1
				    : mnl_cb_run(buf, n, 1, mnl_socket_get_portid(sock), cb, u);
		} while (ret > MNL_CB_STOP);
	}
	ret = ret < 0 ? -errno : 0;
	mnl_socket_close(sock);
	return ret;
}

int knit_bind_net_used(const char *ifname, char *what, size_t size)
{
	struct use u = { .ifindex = if_nametoindex(ifname), .what = what, .size = size };
	int ret;

	if (u.ifindex == 0)
		return -errno;
	ret = dump(RTM_GETLINK, AF_UNSPEC, on_link, &u);
	if (ret == 0 && !u.found)
		ret = dump(RTM_GETADDR, AF_UNSPEC, on_addr, &u);
	if (ret == 0 && !u.found)
		ret = dump(RTM_GETROUTE, AF_INET, on_route, &u);
	if (ret == 0 && !u.found)
		ret = dump(RTM_GETROUTE, AF_INET6, on_route, &u);
	return ret < 0 ? ret : u.found;
}
