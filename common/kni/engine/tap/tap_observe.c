// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "kni/base/netns.h"
#include "tap.h"

#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * Who would see that frames were merged. Sockets get what was sent in any case, but whoever stands
 * before them would see large frames that did not arrive. The kernel tells nobody when somebody
 * comes, so this asks anew with each tick. What can't be asked counts as nobody, tap.h says what
 * that leaves.
 *
 * All is asked in the namespace where the interface is now, by sockets that live as long as one
 * look, so that none keeps a namespace alive.
 */
#define NL_BUF 32768
#define NL_REQ 256

struct search {
	const char *name;
	uint32_t ifindex;
	bool found;
};

/* Runs cb on each part of the answer. What the kernel can't answer has no parts. */
static void bus_dump(int bus, struct nlmsghdr *nlh, mnl_cb_t cb, struct search *s)
{
	struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	char buf[NL_BUF];
	ssize_t n;

	if (nl == NULL)
		return;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) >= 0) {
		do
			n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		while (n > 0 && mnl_cb_run(buf, n, 0, 0, cb, s) > MNL_CB_STOP);
	}
	mnl_socket_close(nl);
}

static void *put_request(char *buf, uint16_t type, uint16_t flags, size_t header)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(nlh, header);
}

static bool xdp_attached(const struct nlattr *xdp)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, xdp)
	{
		if (mnl_attr_get_type(attr) == IFLA_XDP_ATTACHED)
			return mnl_attr_get_u8(attr) != XDP_ATTACHED_NONE;
	}
	return false;
}

/* The interface's own row says what it belongs to; others name it as what they stand on. */
static int search_on_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	bool upper = false, elsewhere = false, own;
	const struct nlattr *attr;
	struct search *s = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	own = (uint32_t)ifi->ifi_index == s->ifindex;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
	{
		if (mnl_attr_get_type(attr) == IFLA_LINK)
			upper = mnl_attr_get_u32(attr) == s->ifindex;
		else if (mnl_attr_get_type(attr) == IFLA_LINK_NETNSID)
			elsewhere = true;
		else if (own && (mnl_attr_get_type(attr) == IFLA_MASTER ||
				 (mnl_attr_get_type(attr) == IFLA_XDP && xdp_attached(attr))))
			s->found = true;
	}
	s->found |= upper && !elsewhere && !own;
	return MNL_CB_OK;
}

static void search_devices(struct search *s)
{
	char buf[NL_REQ];

	put_request(buf, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	bus_dump(NETLINK_ROUTE, (struct nlmsghdr *)buf, search_on_link, s);
}

static int search_on_qdisc(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
	struct search *s = arg;

	if (nlh->nlmsg_type == RTM_NEWQDISC && (uint32_t)tc->tcm_ifindex == s->ifindex)
		s->found |= tc->tcm_parent == TC_H_INGRESS;
	return MNL_CB_OK;
}

static void search_tc(struct search *s)
{
	char buf[NL_REQ];
	struct tcmsg *tc = put_request(buf, RTM_GETQDISC, NLM_F_DUMP, sizeof(*tc));

	tc->tcm_ifindex = s->ifindex;
	bus_dump(NETLINK_ROUTE, (struct nlmsghdr *)buf, search_on_qdisc, s);
}

static int search_on_netconf(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;
	struct search *s = arg;

	if (nlh->nlmsg_type != RTM_NEWNETCONF)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(struct netconfmsg))
	{
		if (mnl_attr_get_type(attr) == NETCONFA_FORWARDING ||
		    mnl_attr_get_type(attr) == NETCONFA_MC_FORWARDING)
			s->found |= mnl_attr_get_u32(attr) != 0;
	}
	return MNL_CB_STOP;
}

static void search_forwarding(struct search *s)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct netconfmsg *conf;
	char buf[NL_REQ];
	unsigned int i;

	for (i = 0; i < sizeof(families); i++) {
		conf = put_request(buf, RTM_GETNETCONF, NLM_F_ACK, sizeof(*conf));
		conf->ncm_family = families[i];
		mnl_attr_put_u32((struct nlmsghdr *)buf, NETCONFA_IFINDEX, s->ifindex);
		bus_dump(NETLINK_ROUTE, (struct nlmsghdr *)buf, search_on_netconf, s);
	}
}

/* A chain at a hook that received packets pass. */
static int search_on_chain(const struct nlmsghdr *nlh, void *arg)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *sub;
	struct search *s = arg;
	uint32_t hook;

	mnl_attr_for_each(attr, nlh, sizeof(*nfg))
	{
		if (mnl_attr_get_type(attr) != NFTA_CHAIN_HOOK)
			continue;
		mnl_attr_for_each_nested(sub, attr)
		{
			if (mnl_attr_get_type(sub) != NFTA_HOOK_HOOKNUM)
				continue;
			hook = be32toh(mnl_attr_get_u32(sub));
			s->found |= nfg->nfgen_family == NFPROTO_NETDEV
					    ? hook == NF_NETDEV_INGRESS
					    : hook == NF_INET_PRE_ROUTING ||
						      hook == NF_INET_LOCAL_IN ||
						      hook == NF_INET_INGRESS;
		}
	}
	return MNL_CB_OK;
}

static bool file_has_content(const char *path)
{
	FILE *f = fopen(path, "re");
	bool has_content;

	if (f == NULL)
		return false;
	has_content = fgetc(f) != EOF;
	fclose(f);
	return has_content;
}

/* nftables, with it what iptables makes of them; and iptables of old. */
static void search_filters(struct search *s)
{
	const uint16_t get_chains = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
	char buf[NL_REQ];
	struct nfgenmsg *nfg = put_request(buf, get_chains, NLM_F_DUMP, sizeof(*nfg));

	nfg->nfgen_family = NFPROTO_UNSPEC;
	bus_dump(NETLINK_NETFILTER, (struct nlmsghdr *)buf, search_on_chain, s);
	s->found |= file_has_content("/proc/thread-self/net/ip_tables_names") ||
		    file_has_content("/proc/thread-self/net/ip6_tables_names");
}

/* sk RefCnt Type Proto Iface R Rmem User Inode: that listens here to all, or to IP. */
static bool is_packet_socket(const char *line, uint32_t ifindex)
{
	unsigned int proto, iface, running;

	if (sscanf(line, "%*s %*d %*d %x %u %u", &proto, &iface, &running) != 3)
		return false;
	return running && (iface == 0 || iface == ifindex) &&
	       (proto == ETH_P_ALL || proto == ETH_P_IP || proto == ETH_P_IPV6);
}

/* sl local_address ...: the protocol stands where others have the port. */
static bool is_raw_socket(const char *line, uint32_t ifindex)
{
	unsigned int proto;

	return sscanf(line, "%*d: %*[0-9A-F]:%x", &proto) == 1 && proto == IPPROTO_UDP;
}

static void search_file(struct search *s, const char *path, bool (*counts)(const char *, uint32_t))
{
	FILE *f = fopen(path, "re");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		s->found |= counts(line, s->ifindex);
	if (f)
		fclose(f);
}

static void search_sockets(struct search *s)
{
	search_file(s, "/proc/thread-self/net/packet", is_packet_socket);
	search_file(s, "/proc/thread-self/net/raw", is_raw_socket);
	search_file(s, "/proc/thread-self/net/raw6", is_raw_socket);
}

/* NULL: nobody. */
static const char *search_observer(struct search *s)
{
	static const struct {
		void (*run)(struct search *s);
		const char *name;
	} kinds[] = {
		{ search_sockets, "a packet or raw socket" },
		{ search_devices, "a device above it, or an XDP program" },
		{ search_forwarding, "forwarding" },
		{ search_tc, "tc at ingress" },
		{ search_filters, "a packet filter" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		kinds[i].run(s);
		if (s->found)
			return kinds[i].name;
	}
	return NULL;
}

/* ethtool -K NAME gro off is for those who want to see every segment. */
static bool gro_on(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GGRO };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return true;
	memcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	ret = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return ret < 0 || value.data;
}

static uint64_t mac_word(const uint8_t *mac)
{
	uint64_t word = 0;

	memcpy(&word, mac, 6);
	return word;
}

void knit_tap_merge_to(struct knit_tap_iface *t, uint64_t address)
{
	__atomic_store_n(&t->merge_to, address, __ATOMIC_RELAXED);
	__atomic_store_n(&t->kni->merge_udp_to, address, __ATOMIC_RELAXED);
}

/* In the interface's namespace. */
static void iface_search(struct knit_tap_iface *t, const struct knit_nl_link *link)
{
	struct search s = { .name = link->name, .ifindex = link->ifindex };
	const char *by = "ethtool -K gro off";
	bool gro = gro_on(s.name);

	__atomic_store_n(&t->gro, gro, __ATOMIC_RELAXED);
	__atomic_store_n(&t->kni->merge_tcp, gro, __ATOMIC_RELAXED);
	if (!t->merge_datagrams)
		return;
	if (gro)
		by = search_observer(&s);
	knit_tap_merge_to(t, by ? 0 : mac_word(link->mac));
	if (by != t->watch.observer)
		log_info("%s: datagrams are %smerged%s%s", t->name, by ? "not " : "",
			 by ? ": there is " : "", by ? by : "");
	t->watch.observer = by;
}

void knit_tap_observe(struct knit_tap_iface *t, const struct knit_tap_place *place)
{
	int saved;

	if (knit_netns_enter_fd(place->netns, &saved) < 0) {
		knit_tap_merge_to(t, 0);
		return;
	}
	iface_search(t, &place->link);
	knit_netns_leave(&saved);
}
