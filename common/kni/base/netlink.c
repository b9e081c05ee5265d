// SPDX-License-Identifier: BSD-3-Clause
#include "netlink.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

#define NL_BUF 32768 /* one link with all its attributes fits with room to spare */
#define NL_REQ 256
#define NL_EVENT_SPACE (1 << 20)       /* socket buffer: thousands of link changes */
#define IFLA_ALLMULTI_ATTR 61	       /* IFLA_ALLMULTI; headers before Linux 6.0 don't have it */
#define IFLA_GSO_IPV4_MAX_SIZE_ATTR 63 /* since Linux 6.3; older ones pass over it */

int knit_nl_open(struct knit_nl *nl, bool events)
{
	unsigned int group = events ? RTMGRP_LINK : 0;
	int space = NL_EVENT_SPACE;
	int one = 1;
	int err;

	nl->seq = 0;
	nl->sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | (events ? SOCK_NONBLOCK : 0));
	if (nl->sock == NULL)
		return -errno;
	if (mnl_socket_bind(nl->sock, group, MNL_SOCKET_AUTOPID) < 0)
		goto err_close_sock;
	nl->portid = mnl_socket_get_portid(nl->sock);
	/*
	 * both optional: without them a dump is longer, a storm of changes ends in a
	 * resynchronisation
	 */
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	if (!events)
		return 0;
	setsockopt(knit_nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &space, sizeof(space));
	/* Not without CAP_NET_BROADCAST: who is elsewhere is looked at regularly in any case. */
	mnl_socket_setsockopt(nl->sock, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one));
	return 0;

err_close_sock:
	err = errno;
	knit_nl_close(nl);
	return -err;
}

void knit_nl_close(struct knit_nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

int knit_nl_fd(const struct knit_nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

uint64_t knit_nl_netns(const struct knit_nl *nl)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;
	struct stat st;
	int fd;

	if (getsockopt(knit_nl_fd(nl), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0)
		return cookie;
	fd = ioctl(knit_nl_fd(nl), SIOCGSKNS);
	if (fd < 0)
		return 0;
	cookie = fstat(fd, &st) == 0 ? st.st_ino : 0;
	close(fd);
	return cookie;
}

/* What is left of the answer to a request that was given up. */
static bool is_old(const struct knit_nl *nl, const void *buf, ssize_t n)
{
	const struct nlmsghdr *nlh = buf;

	return n >= (ssize_t)sizeof(*nlh) && nlh->nlmsg_seq != nl->seq;
}

/*
 * Sends a request and runs cb on each part of the answer; libmnl turns an error answer into errno.
 * After an error parts of the answer may still come.
 */
static int nl_request(struct knit_nl *nl, struct nlmsghdr *nlh, mnl_cb_t cb, void *arg)
{
	char buf[NL_BUF] __attribute__((aligned(8)));
	ssize_t n;
	int ret;

	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		ret = MNL_CB_OK;
		n = mnl_socket_recvfrom(nl->sock, buf, sizeof(buf));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n >= 0 && !is_old(nl, buf, n))
			ret = mnl_cb_run(buf, n, nl->seq, nl->portid, cb, arg);
	} while (ret > MNL_CB_STOP);
	return ret < 0 ? -errno : 0;
}

static int on_nsid(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	int *nsid = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct rtgenmsg))
	{
		if (mnl_attr_get_type(attr) == NETNSA_NSID && mnl_attr_get_payload_len(attr) >= 4)
			*nsid = (int)mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

static int talk_nsid(struct knit_nl *nl, uint16_t type, int netns_fd, int *nsid)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(nlh, NETNSA_FD, netns_fd);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(nlh, NETNSA_NSID, (uint32_t)NETNSA_NSID_NOT_ASSIGNED);
	return nl_request(nl, nlh, type == RTM_GETNSID ? on_nsid : NULL, nsid);
}

int knit_nl_nsid(struct knit_nl *nl, int netns_fd, int *nsid)
{
	int ret = talk_nsid(nl, RTM_NEWNSID, netns_fd, NULL);

	if (ret < 0 && ret != -EEXIST)
		return ret;
	*nsid = NETNSA_NSID_NOT_ASSIGNED;
	ret = talk_nsid(nl, RTM_GETNSID, netns_fd, nsid);
	return ret == 0 && *nsid < 0 ? -ENOENT : ret;
}

static struct ifinfomsg *put_link(struct nlmsghdr *nlh, uint16_t type, uint32_t ifindex)
{
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return ifi;
}

static void parse_attr(const struct nlattr *attr, struct knit_nl_link *link)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		if (len > 0 && len <= sizeof(link->name))
			memcpy(link->name, mnl_attr_get_payload(attr), len - 1);
		break;
	case IFLA_MTU:
		if (len >= 4)
			link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (len == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attr), len);
		break;
	case IFLA_MASTER:
		if (len >= 4)
			link->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_PROMISCUITY:
		if (len >= 4)
			link->promiscuity = mnl_attr_get_u32(attr);
		break;
	case IFLA_ALLMULTI_ATTR:
		if (len >= 4)
			link->allmulti = mnl_attr_get_u32(attr);
		break;
	}
}

static bool parse_link(const struct nlmsghdr *nlh, struct knit_nl_link *link)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	/* a bridge announces its ports under AF_BRIDGE, with fewer attributes */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC)
		return false;
	memset(link, 0, sizeof(*link));
	link->ifindex = ifi->ifi_index;
	link->flags = ifi->ifi_flags;
	link->allmulti = !!(ifi->ifi_flags & IFF_ALLMULTI);
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		parse_attr(attr, link);
	}
	return true;
}

static int link_on_answer(const struct nlmsghdr *nlh, void *arg)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		parse_link(nlh, arg);
	return MNL_CB_OK;
}

int knit_nl_link_get(struct knit_nl *nl, uint32_t ifindex, const char *name,
		     struct knit_nl_link *out)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	int ret;

	memset(out, 0, sizeof(*out));
	put_link(nlh, RTM_GETLINK, ifindex);
	if (ifindex == 0)
		mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	ret = nl_request(nl, nlh, link_on_answer, out);
	if (ret == 0 && out->ifindex == 0)
		ret = -ENODEV;
	return ret;
}

int knit_nl_link_mtu(struct knit_nl *nl, uint32_t ifindex, uint32_t mtu)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	put_link(nlh, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return nl_request(nl, nlh, NULL, NULL);
}

int knit_nl_link_move(struct knit_nl *nl, uint32_t ifindex, int netns_fd, const char *name)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	put_link(nlh, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, netns_fd);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nl_request(nl, nlh, NULL, NULL);
}

int knit_nl_link_gso_max_segs(struct knit_nl *nl, uint32_t ifindex, uint32_t segs)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	put_link(nlh, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(nlh, IFLA_GSO_MAX_SEGS, segs);
	return nl_request(nl, nlh, NULL, NULL);
}

int knit_nl_link_gso_max_size(struct knit_nl *nl, uint32_t ifindex, uint32_t bytes)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	put_link(nlh, RTM_NEWLINK, ifindex);
	mnl_attr_put_u32(nlh, IFLA_GSO_MAX_SIZE, bytes);
	mnl_attr_put_u32(nlh, IFLA_GSO_IPV4_MAX_SIZE_ATTR, bytes);
	return nl_request(nl, nlh, NULL, NULL);
}

int knit_nl_link_del(struct knit_nl *nl, uint32_t ifindex)
{
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);

	put_link(nlh, RTM_DELLINK, ifindex);
	return nl_request(nl, nlh, NULL, NULL);
}

struct addrs_arg {
	struct knit_nl_addrs *out;
	uint32_t ifindex;
};

static int on_neigh(const struct nlmsghdr *nlh, void *arg)
{
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct addrs_arg *a = arg;
	const uint8_t *mac;

	if (nlh->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(nlh) < sizeof(*ndm) ||
	    (uint32_t)ndm->ndm_ifindex != a->ifindex || !(ndm->ndm_flags & NTF_SELF))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
	{
		if (mnl_attr_get_type(attr) != NDA_LLADDR || mnl_attr_get_payload_len(attr) != 6)
			continue;
		mac = mnl_attr_get_payload(attr);
		if (mac[0] & 1) {
			if (a->out->n_mc < KNIT_RXLIST_MAX)
				memcpy(a->out->mc[a->out->n_mc], mac, 6);
			a->out->n_mc++;
		} else {
			if (a->out->n_uc < KNIT_RXLIST_MAX)
				memcpy(a->out->uc[a->out->n_uc], mac, 6);
			a->out->n_uc++;
		}
	}
	return MNL_CB_OK;
}

int knit_nl_addrs_get(struct knit_nl *nl, uint32_t ifindex, struct knit_nl_addrs *out)
{
	struct addrs_arg arg = { .out = out, .ifindex = ifindex };
	char req[NL_REQ];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(req);
	struct ndmsg *ndm;

	memset(out, 0, sizeof(*out));
	nlh->nlmsg_type = RTM_GETNEIGH;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	ndm = mnl_nlmsg_put_extra_header(nlh, sizeof(*ndm));
	ndm->ndm_family = AF_BRIDGE;
	ndm->ndm_ifindex = ifindex;
	return nl_request(nl, nlh, on_neigh, &arg);
}

struct event_arg {
	void (*cb)(int nsid, uint32_t ifindex, void *arg);
	void *arg;
	int nsid;
};

static int link_on_event(const struct nlmsghdr *nlh, void *arg)
{
	const struct event_arg *e = arg;
	struct knit_nl_link link;

	if ((nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK) &&
	    parse_link(nlh, &link))
		e->cb(e->nsid, link.ifindex, e->arg);
	return MNL_CB_OK;
}

/* The number comes beside the message, and none with those of the socket's own namespace. */
static int nsid_of(struct msghdr *msg)
{
	struct cmsghdr *c;
	int nsid;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_NETLINK || c->cmsg_type != NETLINK_LISTEN_ALL_NSID)
			continue;
		memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
		return nsid;
	}
	return KNIT_NSID_OWN;
}

int knit_nl_events(struct knit_nl *nl, void (*cb)(int nsid, uint32_t ifindex, void *arg), void *arg)
{
	char buf[NL_BUF] __attribute__((aligned(8)));
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct event_arg e = { .cb = cb, .arg = arg };
	struct msghdr msg;
	ssize_t n;

	for (;;) {
		msg = (struct msghdr){ .msg_iov = &iov,
				       .msg_iovlen = 1,
				       .msg_control = control,
				       .msg_controllen = sizeof(control) };
		n = recvmsg(knit_nl_fd(nl), &msg, 0);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -ENOBUFS;
		e.nsid = nsid_of(&msg);
		mnl_cb_run(buf, n, 0, 0, link_on_event, &e);
	}
}
