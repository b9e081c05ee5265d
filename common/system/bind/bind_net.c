// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NL_BUF 32768
#define TRIES 20

/* What is looked for, and where its description goes: the first one of each kind. */
struct use {
	uint32_t ifindex;
	char mac[64]; /* as sysfs has it */
	char *what;
	size_t size;
	bool seen; /* that interface, with that address */
};

/* A dump that was interrupted says all of it once more. */
static int use_add(struct use *u, const char *kind, const char *value)
{
	size_t at = strlen(u->what);

	if (strstr(u->what, kind) == NULL)
		snprintf(u->what + at, u->size - at, "%s%s%s%s", at ? ", " : "", kind,
			 value[0] ? " " : "", value);
	return MNL_CB_OK;
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

static bool mac_is(const struct nlattr *attr, const char *mac)
{
	const unsigned char *bytes = mnl_attr_get_payload(attr);
	unsigned int i, len = mnl_attr_get_payload_len(attr);
	char text[64] = "";
	size_t at = 0;

	for (i = 0; i < len && at + 4 < sizeof(text); i++)
		at += sprintf(text + at, "%s%02x", i ? ":" : "", bytes[i]);
	return strcmp(text, mac) == 0;
}

static int use_on_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	char master[32] = "another interface";
	const struct nlattr *attr;
	struct use *u = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || (uint32_t)ifi->ifi_index != u->ifindex)
		return MNL_CB_OK;
	if (ifi->ifi_flags & IFF_UP)
		use_add(u, "is up", "");
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		if (mnl_attr_get_type(attr) == IFLA_ADDRESS)
			u->seen |= mac_is(attr, u->mac);
		if (mnl_attr_get_type(attr) != IFLA_MASTER)
			continue;
		if_indextoname(attr_u32(attr), master);
		use_add(u, "belongs to", master);
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

/* IPv6's link-local addresses come by themselves and go with the interface. */
static int use_on_addr(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *found = NULL;
	char text[INET6_ADDRSTRLEN];
	struct use *u = arg;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) || ifa->ifa_index != u->ifindex ||
	    (ifa->ifa_family == AF_INET6 && ifa->ifa_scope == RT_SCOPE_LINK))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa))
	{
		if (mnl_attr_get_type(attr) == IFA_LOCAL ||
		    (mnl_attr_get_type(attr) == IFA_ADDRESS && !found))
			found = attr;
	}
	ip_text(ifa->ifa_family, found, text, sizeof(text));
	return use_add(u, "has the address", text);
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

/* Not the kernel's own, which come and go with addresses. */
static int use_on_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *dst = NULL;
	char text[INET6_ADDRSTRLEN + 8];
	struct use *u = arg;
	bool here = false;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_table == RT_TABLE_LOCAL ||
	    rtm->rtm_type == RTN_LOCAL || rtm->rtm_protocol == RTPROT_KERNEL)
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
	return use_add(u, "has a route to", text);
}

/* Hands each part of a dump to cb. -EINTR: what is dumped changed meanwhile. */
static int use_dump_once(uint16_t type, unsigned char family, mnl_cb_t cb, struct use *u)
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

static int use_dump(uint16_t type, unsigned char family, mnl_cb_t cb, struct use *u)
{
	int ret, tries = TRIES;

	do {
		ret = use_dump_once(type, family, cb, u);
	} while (ret == -EINTR && --tries > 0);
	return ret;
}

/* What sysfs has of it. Somebody else's may have the same name and number, but not the address. */
static int read_sysfs(const char *ifname, struct use *u)
{
	char path[PATH_MAX], text[16];
	int ret;

	snprintf(path, sizeof(path), "%s/class/net/%s/ifindex", knit_bind_where.sys, ifname);
	ret = knit_sysfs_read(path, text, sizeof(text));
	if (ret < 0)
		return ret == -ENOENT ? -ENODEV : ret;
	if (strtoul(text, NULL, 10) != u->ifindex)
		return -ENODEV;
	snprintf(path, sizeof(path), "%s/class/net/%s/address", knit_bind_where.sys, ifname);
	return knit_sysfs_read(path, u->mac, sizeof(u->mac));
}

int knit_bind_net_used(const char *ifname, char *what, size_t size)
{
	struct use u = { .ifindex = if_nametoindex(ifname), .what = what, .size = size };
	int ret;

	what[0] = '\0';
	if (u.ifindex == 0)
		return -errno;
	ret = read_sysfs(ifname, &u);
	if (ret == 0)
		ret = use_dump(RTM_GETLINK, AF_UNSPEC, use_on_link, &u);
	if (ret == 0 && !u.seen)
		ret = -ENODEV;
	if (ret == 0)
		ret = use_dump(RTM_GETADDR, AF_UNSPEC, use_on_addr, &u);
	if (ret == 0)
		ret = use_dump(RTM_GETROUTE, AF_INET, use_on_route, &u);
	if (ret == 0)
		ret = use_dump(RTM_GETROUTE, AF_INET6, use_on_route, &u);
	return ret < 0 ? ret : what[0] != '\0';
}
