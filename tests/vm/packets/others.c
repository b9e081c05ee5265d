// SPDX-License-Identifier: BSD-3-Clause
#include "rows.h"

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
	/* br_netfilter has hooks of netfilter's once there is a bridge */
	{ "netfilter", "modprobe br_netfilter; ip link add br0 type bridge",
	  "ip link del br0; rmmod br_netfilter" },
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
	{ "rx datagrams with an XDP program", xdp },
	{ "rx datagrams in a user namespace", given_away },
	{ NULL, NULL },
};
