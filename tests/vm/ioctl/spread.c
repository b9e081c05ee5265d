// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Which pair gets the kernel's frames. Nothing is offered in alloc_q, so a queue stops at once; all
 * that is in it is dropped, and counted, when its owner goes.
 */
#define NAME "ks0"
#define FLOWS 64

struct spread {
	struct bed bed;
	uint64_t id;
	int socket;
	uint64_t goal;
	uint64_t before[PAIRS]; /* frames so far */
};

static uint64_t frames_of(const struct spread *s, uint32_t pair)
{
	struct knit_ioc_stats now;

	stats(s->bed.fd, s->id, pair, &now);
	return now.tx_no_worker - s->before[pair];
}

static bool all_there(const void *arg)
{
	const struct spread *s = arg;

	return frames_of(s, 0) + frames_of(s, 1) >= s->goal;
}

static void send_frame(const struct spread *s, uint16_t port)
{
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct udphdr udp;
		uint8_t payload[18];
	} __attribute__((packed)) f = {
		.eth = { .h_dest = { 2 }, .h_source = { 2 }, .h_proto = htons(ETH_P_IP) },
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP },
		.udp = { .dest = htons(9), .len = htons(26) },
	};

	f.ip.tot_len = htons(46);
	f.ip.saddr = htonl(0x0a000001);
	f.ip.daddr = htonl(0x0a000002);
	f.udp.source = htons(port);
	if (send(s->socket, &f, sizeof(f), 0) != sizeof(f))
		is("spread: a frame is sent", -errno, sizeof(f));
}

/* FLOWS frames while these pairs have an owner: how many each of them gets. */
static void play(struct spread *s, uint32_t pairs, bool one_flow, uint64_t *got)
{
	struct knit_ioc_stats now;
	uint32_t pair, i;

	for (pair = 0; pair < PAIRS; pair++) {
		stats(s->bed.fd, s->id, pair, &now);
		s->before[pair] = now.tx_no_worker;
		if (pairs & 1u << pair)
			is("spread: attach", attach(s->bed.fd, s->id, KNIT_ATTACH_PAIR, pair), 0);
	}
	for (i = 0; i < FLOWS; i++)
		send_frame(s, one_flow ? 5000 : 5000 + i);
	for (pair = 0; pair < PAIRS; pair++)
		detach(s->bed.fd, s->id, KNIT_ATTACH_PAIR, pair);
	s->goal = FLOWS;
	is_true("spread: every frame is in a queue", wait_until(5, all_there, s));
	for (pair = 0; pair < PAIRS; pair++)
		got[pair] = frames_of(s, pair);
}

static bool runs(const void *arg)
{
	struct ifreq r = { .ifr_name = NAME };
	const struct spread *s = arg;

	return ioctl(s->socket, SIOCGIFFLAGS, &r) == 0 && r.ifr_flags & IFF_RUNNING;
}

/* The kernel says nothing of its own there. */
static void silence(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/" NAME "/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	is("spread: no IPv6", write(fd, "1", 1), 1);
	close(fd);
}

static bool prepare(struct spread *s)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };

	bed_open(&s->bed);
	if (!is("spread: create", create(&s->bed, NAME, &s->id), 0))
		return false;
	silence();
	s->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = if_nametoindex(NAME);
	is("spread: carrier", set_link(s->bed.fd, s->id, KNIT_LINK_UP), 0);
	is("spread: up", set_up(NAME, true), 0);
	is_true("spread: runs", wait_until(5, runs, s));
	return is("spread: bind", bind(s->socket, (struct sockaddr *)&at, sizeof(at)), 0);
}

/* An administrator's word: XPS puts what each CPU sends on this queue; -1: on any. */
static void set_xps(int queue)
{
	char path[64];
	int i, fd;

	for (i = 0; i < PAIRS; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/" NAME "/queues/tx-%d/xps_cpus", i);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		is("spread: XPS", write(fd, i == queue ? "3" : "0", 1), 1);
		close(fd);
	}
}

static void test_xps(struct spread *s)
{
	uint64_t got[PAIRS];
	int queue;

	for (queue = 0; queue < PAIRS; queue++) {
		set_xps(queue);
		play(s, 0x3, false, got);
		is("spread: all are where XPS says", got[queue], FLOWS);
	}
	play(s, 0x1, false, got);
	is("spread: but on pair 0 if it alone is served", got[0], FLOWS);
	set_xps(-1);
}

static void set_classes(bool on)
{
	static char *const add[] = { "tc",     "qdisc", "add", "dev", NAME, "root",   "mqprio",
				     "num_tc", "2",	"map", "0",   "1",  "0",      "0",
				     "0",      "0",	"0",   "0",   "0",  "0",      "0",
				     "0",      "0",	"0",   "0",   "0",  "queues", "1@0",
				     "1@1",    "hw",	"0",   NULL };
	static char *const del[] = { "tc", "qdisc", "del", "dev", NAME, "root", NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawnp(&pid, "tc", NULL, NULL, on ? add : del, environ) == 0)
		waitpid(pid, &status, 0);
	is("spread: mqprio", status, 0);
}

/* Priority 1 is class 1, whose only queue is pair 1's. */
static void test_classes(struct spread *s)
{
	uint64_t got[PAIRS];
	int priority;

	set_classes(true);
	for (priority = 0; priority < PAIRS; priority++) {
		setsockopt(s->socket, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
		play(s, 0x3, false, got);
		is("spread: all are in their class's queue", got[priority], FLOWS);
	}
	set_classes(false);
	priority = 0;
	setsockopt(s->socket, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
}

void test_spread(void)
{
	struct spread s = { .socket = -1 };
	uint64_t got[PAIRS];

	if (!prepare(&s))
		return;
	play(&s, 0x3, false, got);
	is_true("spread: flows are on both pairs", got[0] >= FLOWS / 8 && got[1] >= FLOWS / 8);
	play(&s, 0x3, true, got);
	is_true("spread: a flow stays on one", got[0] == 0 || got[1] == 0);
	play(&s, 0x1, false, got);
	is("spread: all are on pair 0 if it alone is served", got[0], FLOWS);
	play(&s, 0x2, false, got);
	is("spread: all are on pair 1 if it alone is served", got[1], FLOWS);
	test_xps(&s);
	test_classes(&s);
	close(s.socket);
	bed_close(&s.bed);
}
