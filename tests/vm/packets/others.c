// SPDX-License-Identifier: BSD-3-Clause
#include "rows.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing is put together while somebody but a socket would see it, or pass it on. */

/* What sees packets, or may send them elsewhere; with a name that begins with -: LRO is refused. */
static const struct {
	const char *name, *on, *off;
} others[] = {
	{ "a packet filter at the ingress",
	  "tc qdisc add dev full clsact; tc filter add dev full ingress matchall action pass",
	  "tc qdisc del dev full clsact" },
	{ "-a macvlan", "ip link add mv0 link full type macvlan mode bridge", "ip link del mv0" },
	{ "-an ipvlan", "ip link add iv0 link full type ipvlan mode l2", "ip link del iv0" },
	{ "-a VLAN", "ip link add vl0 link full type vlan id 7", "ip link del vl0" },
	{ "-a bridge", "ip link add br1 type bridge; ip link set full master br1",
	  "ip link del br1" },
	{ "-a VRF", "ip link add vrf0 type vrf table 9; ip link set full master vrf0",
	  "ip link set full nomaster; ip link del vrf0" },
	{ "-forwarding", "sysctl -q -w net.ipv4.conf.full.forwarding=1",
	  "sysctl -q -w net.ipv4.conf.full.forwarding=0" },
	{ "-forwarding IPv6", "sysctl -q -w net.ipv6.conf.full.forwarding=1",
	  "sysctl -q -w net.ipv6.conf.full.forwarding=0" },
	{ "-forwarding IPv6 by all others",
	  "sysctl -q -w net.ipv6.conf.all.forwarding=1;"
	  "sysctl -q -w net.ipv6.conf.full.forwarding=0",
	  "sysctl -q -w net.ipv6.conf.all.forwarding=0" },
};

static bool kept_apart(struct world *w, const char *name, const char *on, const char *off)
{
	run(on);
	CHECK(row_as(w, 100) == ROW);
	/* anybody may switch it on again */
	iface_lro(w->full, true);
	CHECK(iface_has_lro(w->full) == (*name != '-'));
	CHECK(row_as(w, 100) == ROW);
	run(off);
	iface_lro(w->full, true);
	CHECK(row_as(w, 100) == 1);
	return true;
}

static bool looked_at(struct world *w)
{
	bool ok = true, this;
	uint32_t i;

	iface_lro(w->full, true);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		this = kept_apart(w, others[i].name, others[i].on, others[i].off);
		if (!this)
			fprintf(stderr, "with %s\n", others[i].name);
		ok = ok && this;
	}
	return ok;
}

/* Messages to nftables. */
struct batch {
	uint32_t len;
	_Alignas(struct nlmsghdr) uint8_t data[512];
};

static void *add(struct batch *b, const void *data, uint32_t len)
{
	void *to = b->data + b->len;

	memcpy(to, data, len);
	b->len += NLMSG_ALIGN(len);
	return to;
}

static void add_attr(struct batch *b, uint16_t type, const void *value, uint16_t len)
{
	struct nlattr a = { .nla_len = NLA_HDRLEN + len, .nla_type = type };

	add(b, &a, sizeof(a));
	add(b, value, len);
}

static void add_message(struct batch *b, uint16_t type, uint16_t flags, uint8_t family,
			const struct batch *attrs)
{
	struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags };
	struct nfgenmsg g = { .nfgen_family = family, .res_id = htons(NFNL_SUBSYS_NFTABLES) };

	h.nlmsg_len = sizeof(h) + sizeof(g) + attrs->len;
	add(b, &h, sizeof(h));
	add(b, &g, sizeof(g));
	add(b, attrs->data, attrs->len);
}

/* A chain without rules. */
struct chain {
	const char *name;
	uint8_t family;
	uint32_t hook;
};

static void add_chain(struct batch *b, const struct chain *c)
{
	struct batch attrs = { 0 }, hook = { 0 };
	uint32_t number = htonl(c->hook), priority = 0;

	add_attr(&hook, NFTA_HOOK_HOOKNUM, &number, sizeof(number));
	add_attr(&hook, NFTA_HOOK_PRIORITY, &priority, sizeof(priority));
	if (c->family == NFPROTO_NETDEV)
		add_attr(&hook, NFTA_HOOK_DEV, "full", sizeof("full"));
	add_attr(&attrs, NFTA_CHAIN_TABLE, "t", sizeof("t"));
	add_attr(&attrs, NFTA_CHAIN_NAME, "c", sizeof("c"));
	add_attr(&attrs, NFTA_CHAIN_HOOK | NLA_F_NESTED, hook.data, hook.len);
	add_attr(&attrs, NFTA_CHAIN_TYPE, "filter", sizeof("filter"));
	add_message(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_ACK,
		    c->family, &attrs);
}

static void nft(const struct chain *c, bool there)
{
	int type = NFNL_SUBSYS_NFTABLES << 8 | (there ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE);
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct batch b = { 0 }, none = { 0 }, table = { 0 };
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} answer;

	add_attr(&table, NFTA_TABLE_NAME, "t", sizeof("t"));
	add_message(&b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, &none);
	add_message(&b, type, there ? NLM_F_CREATE : NLM_F_ACK, c->family, &table);
	if (there)
		add_chain(&b, c);
	add_message(&b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, &none);
	if (send(fd, b.data, b.len, 0) != (ssize_t)b.len ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer.h) + 4 ||
	    answer.h.nlmsg_type != NLMSG_ERROR || answer.e.error)
		die("nftables");
	close(fd);
}

/* Each hook of netfilter's by itself. */
static bool netfilter(struct world *w)
{
	static const struct chain chains[] = {
		{ "ip prerouting", NFPROTO_IPV4, NF_INET_PRE_ROUTING },
		{ "ip input", NFPROTO_IPV4, NF_INET_LOCAL_IN },
		{ "ip6 prerouting", NFPROTO_IPV6, NF_INET_PRE_ROUTING },
		{ "ip6 input", NFPROTO_IPV6, NF_INET_LOCAL_IN },
		{ "netdev ingress", NFPROTO_NETDEV, NF_NETDEV_INGRESS },
	};
	bool ok = true, this;
	uint32_t i;

	iface_lro(w->full, true);
	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		nft(&chains[i], true);
		this = row_as(w, 100) == ROW;
		nft(&chains[i], false);
		this = this && row_as(w, 100) == 1;
		if (!this)
			fprintf(stderr, "with %s\n", chains[i].name);
		ok = ok && this;
	}
	return ok;
}

static bool raw_of(struct world *w, int family)
{
	int fd = socket(family, SOCK_RAW, IPPROTO_UDP), icmp = socket(family, SOCK_RAW, 1);

	CHECK(fd >= 0 && icmp >= 0);
	CHECK(row_as(w, 100) == ROW);
	CHECK(pieces(w, fd) == (family == AF_INET ? ROW : 0));
	close(fd);
	CHECK(row_as(w, 100) == 1);
	close(icmp);
	return true;
}

/* A raw socket of UDP gets what was sent. Those of other protocols get none of it. */
static bool raw_sockets(struct world *w)
{
	iface_lro(w->full, true);
	return raw_of(w, AF_INET) && raw_of(w, AF_INET6);
}

static long bpf(int cmd, union bpf_attr *attr)
{
	return syscall(__NR_bpf, cmd, attr, sizeof(*attr));
}

/* The link of a program that lets everything pass, or -1. */
static int xdp_program(uint32_t ifindex)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insn_cnt = 2,
		.insns = (uintptr_t)pass,
		.license = (uintptr_t) "GPL",
	};
	union bpf_attr link = { .link_create = { .target_ifindex = ifindex } };

	link.link_create.attach_type = BPF_XDP;
	link.link_create.flags = XDP_FLAGS_SKB_MODE;
	link.link_create.prog_fd = bpf(BPF_PROG_LOAD, &load);
	return bpf(BPF_LINK_CREATE, &link);
}

static bool xdp(struct world *w)
{
	int fd;

	iface_lro(w->full, true);
	fd = xdp_program(w->full->ifindex);
	CHECK(fd >= 0);
	iface_lro(w->full, true);
	CHECK(!iface_has_lro(w->full));
	CHECK(row_as(w, 100) == ROW);
	close(fd);
	return true;
}

/* In a namespace of somebody else, who may change all of the above at any time. */
static bool given_away(struct world *w)
{
	char in[200], back[200];
	int ready[2];
	pid_t pid;
	bool ok;

	CHECK(pipe(ready) == 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
			(void)!write(ready[1], "", 1);
		pause();
		_exit(0);
	}
	CHECK(read(ready[0], in, 1) == 1);
	snprintf(in, sizeof(in),
		 "ip link set full netns %d;nsenter --net=/proc/%d/ns/net ip link set full up", pid,
		 pid);
	snprintf(back, sizeof(back),
		 "nsenter --net=/proc/%d/ns/net ip link set full netns %d;ip link set full up", pid,
		 getpid());
	iface_lro(w->full, true);
	run(in);
	ok = row_as(w, 100) == ROW;
	run(back);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	iface_up(w->full, true);
	CHECK(ok);
	return true;
}

const struct test others_tests[] = {
	{ "rx datagrams that others look at", looked_at },
	{ "rx datagrams with hooks of netfilter", netfilter },
	{ "rx datagrams with raw sockets", raw_sockets },
	{ "rx datagrams with an XDP program", xdp },
	{ "rx datagrams in a user namespace", given_away },
	{ NULL, NULL },
};
