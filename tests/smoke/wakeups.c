// SPDX-License-Identifier: BSD-3-Clause
/*
 * Nobody oversleeps: bursts of ICMP echo requests with random pauses in between, so that whoever
 * carries them falls asleep, or is about to, in every possible moment. Each answer must come.
 *
 *   knit-wakeups IP PACKETS BOUND_MS [SEED]
 *
 * Prints how many packets and bursts there were and the longest wait. 1: an answer took longer than
 * the bound, or never came. The kernel sees to checksums and to which answers are this process's;
 * net.ipv4.ping_group_range must allow it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST_MAX 32
#define PAUSE_MAX_US 300 /* longer than any doze, shorter than what a scheduler calls idle */

struct echo {
	struct icmphdr icmp;
	uint32_t number;
	char payload[52];
};

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000000) + t.tv_nsec / 1000;
}

static bool send_echo(int fd, uint32_t number)
{
	struct echo e = { .icmp.type = ICMP_ECHO, .number = number };

	return send(fd, &e, sizeof(e), 0) == sizeof(e);
}

/* True: an answer to one of the burst's. */
static bool is_answer(const struct echo *e, ssize_t len, uint32_t first, uint32_t n)
{
	return len == sizeof(*e) && e->icmp.type == ICMP_ECHOREPLY && e->number - first < n;
}

/* Microseconds until all answers of the burst were there, or UINT64_MAX. */
static uint64_t burst(int fd, uint32_t first, uint32_t n, uint64_t bound_us)
{
	uint64_t start = now_us(), took;
	uint32_t i, got = 0;
	struct echo answer;
	ssize_t len;

	for (i = 0; i < n; i++)
		if (!send_echo(fd, first + i))
			return UINT64_MAX;
	do {
		len = recv(fd, &answer, sizeof(answer), 0);
		got += is_answer(&answer, len, first, n);
		took = now_us() - start;
	} while (got < n && took < bound_us);
	return got < n ? UINT64_MAX : took;
}

/* Half of them by sleeping, which leaves the CPU to others; half by looking at the clock. */
static void pause_us(uint32_t us, bool sleeps)
{
	struct timespec t = { .tv_nsec = us * 1000L };
	uint64_t end = now_us() + us;

	if (sleeps)
		nanosleep(&t, NULL);
	else
		while (now_us() < end)
			;
}

static int run(int fd, uint32_t packets, uint64_t bound_us)
{
	uint64_t took, longest = 0;
	uint32_t sent, n, bursts = 0;

	for (sent = 0; sent < packets; sent += n) {
		n = rand() % 4 ? 1 : 1 + rand() % BURST_MAX;
		took = burst(fd, sent, n, bound_us);
		if (took > bound_us) {
			printf("burst %u, %u packets: no answer within %lu ms\n", bursts, n,
			       bound_us / 1000);
			return 1;
		}
		longest = took > longest ? took : longest;
		bursts++;
		pause_us(rand() % PAUSE_MAX_US, rand() % 2);
	}
	printf("%u packets in %u bursts, the longest wait %lu us\n", sent, bursts, longest);
	return 0;
}

static int open_socket(const char *ip, uint64_t bound_us)
{
	struct timeval limit = { .tv_sec = bound_us / 1000000, .tv_usec = bound_us % 1000000 };
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0 || inet_pton(AF_INET, ip, &addr.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	uint64_t bound_us;
	int fd;

	if (argc < 4) {
		fprintf(stderr, "usage: knit-wakeups IP PACKETS BOUND_MS [SEED]\n");
		return 2;
	}
	bound_us = strtoul(argv[3], NULL, 10) * 1000;
	srand(argc > 4 ? strtoul(argv[4], NULL, 10) : 1);
	fd = open_socket(argv[1], bound_us);
	if (fd < 0) {
		fprintf(stderr, "knit-wakeups: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	return run(fd, strtoul(argv[2], NULL, 10), bound_us);
}
