// SPDX-License-Identifier: BSD-3-Clause
/*
 * Round trip by ICMP echo, one at a time, each timed from before send to after recv. The kernel at
 * the far end answers, so nothing but the two stacks and what is between them is measured.
 *
 *   bench-ping IP COUNT INTERVAL_US
 *
 * Prints one line of JSON: median, p99 and max in microseconds, lost (no answer within a second).
 */
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAYLOAD 56
#define COUNT_MAX 100000
#define WAIT_NS UINT64_C(1000000000)

struct echo {
	struct icmphdr icmp;
	char payload[PAYLOAD];
};

static uint16_t checksum(const void *data, size_t len)
{
	const uint16_t *word = data;
	uint32_t sum = 0;

	for (; len > 1; len -= 2)
		sum += *word++;
	sum = (sum >> 16) + (sum & 0xffff);
	return ~(sum + (sum >> 16));
}

static int open_socket(const char *ip)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct timeval tick = { .tv_usec = 100000 };
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	if (fd < 0)
		return -1;
	if (inet_pton(AF_INET, ip, &addr.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)) < 0 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Nanoseconds until the answer, 0 if there was none in time. */
static uint64_t ping(int fd, uint16_t seq)
{
	struct echo echo = { .icmp = { .type = ICMP_ECHO } };
	char buf[sizeof(struct iphdr) + sizeof(echo) + 64];
	const struct icmphdr *icmp = (void *)(buf + sizeof(struct iphdr));
	uint64_t start;
	uint64_t now;

	echo.icmp.un.echo.id = htons(getpid() & 0xffff);
	echo.icmp.un.echo.sequence = htons(seq);
	echo.icmp.checksum = checksum(&echo, sizeof(echo));
	start = clock_ns();
	if (send(fd, &echo, sizeof(echo), 0) < 0)
		return 0;
	do {
		if (recv(fd, buf, sizeof(buf), 0) < (ssize_t)(sizeof(struct iphdr) + sizeof(*icmp)))
			continue;
		now = clock_ns();
		if (icmp->type == ICMP_ECHOREPLY && icmp->un.echo.id == echo.icmp.un.echo.id &&
		    icmp->un.echo.sequence == echo.icmp.un.echo.sequence)
			return now - start;
	} while (clock_ns() - start < WAIT_NS);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const uint64_t *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(int fd, unsigned int count, uint64_t interval)
{
	static uint64_t rtt[COUNT_MAX];
	uint64_t next = clock_ns();
	unsigned int lost = 0;
	unsigned int n = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		rtt[n] = ping(fd, i);
		if (rtt[n])
			n++;
		else
			lost++;
		next += interval;
		clock_sleep_until(next);
	}
	if (n == 0) {
		fprintf(stderr, "bench-ping: no answer\n");
		return 1;
	}
	qsort(rtt, n, sizeof(rtt[0]), compare);
	printf("{\"median\": %.1f, \"p99\": %.1f, \"max\": %.1f, \"lost\": %u}\n", rtt[n / 2] / 1e3,
	       rtt[n * 99 / 100] / 1e3, rtt[n - 1] / 1e3, lost);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int count;
	int fd;

	count = argc == 4 ? atoi(argv[2]) : 0;
	if (count == 0 || count > COUNT_MAX) {
		fprintf(stderr, "usage: bench-ping IP COUNT INTERVAL_US\n");
		return 1;
	}
	fd = open_socket(argv[1]);
	if (fd < 0) {
		fprintf(stderr, "bench-ping: socket: %s\n", strerror(errno));
		return 1;
	}
	return measure(fd, count, atoi(argv[3]) * UINT64_C(1000));
}
