// SPDX-License-Identifier: BSD-3-Clause
/*
 * Sends or receives UDP datagrams as fast as one thread can, without DPDK.
 *
 *   bench-udp send IP PORT PAYLOAD SECONDS [PACKETS_PER_SECOND]
 *   bench-udp sink PORT SECONDS
 *
 * Prints one line of JSON at the end: packets, and the seconds between the first and the last of
 * them. Ends early by SIGTERM or SIGINT. The sink says {"ready": true} once its socket is bound,
 * the sender once it has sent something.
 */
#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64
#define PAYLOAD_MAX 9000
#define PACE_NS 1000000
/* Room for a scheduling gap of the sink, small against what arrives in a second. */
#define RCVBUF (8 << 20)

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	quit = 1;
}

static int report(uint64_t packets, uint64_t ns)
{
	printf("{\"packets\": %" PRIu64 ", \"seconds\": %.6f}\n", packets, ns / 1e9);
	return 0;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench-udp: %s: %s\n", what, strerror(errno));
	return 1;
}

/* One round: a full batch, or with a rate what is due since start. */
static unsigned int due(uint64_t start, uint64_t sent, double rate)
{
	uint64_t target;

	if (rate == 0)
		return BATCH;
	target = (clock_ns() - start) / 1e9 * rate;
	if (target <= sent) {
		clock_sleep_until(clock_ns() + PACE_NS);
		return 0;
	}
	return target - sent < BATCH ? target - sent : BATCH;
}

static int send_all(int fd, size_t size, double seconds, double rate)
{
	static char payload[PAYLOAD_MAX];
	struct iovec iov = { payload, size };
	struct mmsghdr msgs[BATCH] = { 0 };
	uint64_t start = clock_ns();
	uint64_t end = start + seconds * 1e9;
	uint64_t sent = 0;
	unsigned int n;
	int ret;

	for (n = 0; n < BATCH; n++) {
		msgs[n].msg_hdr.msg_iov = &iov;
		msgs[n].msg_hdr.msg_iovlen = 1;
	}
	while (!quit && clock_ns() < end) {
		n = due(start, sent, rate);
		if (n == 0)
			continue;
		ret = sendmmsg(fd, msgs, n, 0);
		/* no room in the device's queue, or nobody listens: not the sender's fault */
		if (ret < 0 && errno != ENOBUFS && errno != ECONNREFUSED && errno != EINTR)
			return fail("sendmmsg");
		if (ret > 0 && sent == 0)
			printf("{\"ready\": true}\n");
		sent += ret > 0 ? ret : 0;
	}
	return report(sent, clock_ns() - start);
}

/*
 * MSG_TRUNC and one byte of room: the kernel copies next to nothing, the stack's work stays. Looks
 * at the socket once in PACE_NS instead of waiting in recvmmsg: a sink that keeps up would be woken
 * for each packet, by an interrupt from the sender's CPU that costs more (in a VM) than what is
 * measured.
 */
static int sink(int fd, double seconds)
{
	static char byte[BATCH];
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	uint64_t end = clock_ns() + seconds * 1e9;
	uint64_t packets = 0;
	uint64_t first = 0;
	uint64_t last = 0;
	int n;

	for (n = 0; n < BATCH; n++) {
		iov[n] = (struct iovec){ &byte[n], 1 };
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n].msg_hdr.msg_iovlen = 1;
	}
	printf("{\"ready\": true}\n");
	while (!quit && clock_ns() < end) {
		n = recvmmsg(fd, msgs, BATCH, MSG_TRUNC | MSG_DONTWAIT, NULL);
		if (n <= 0) {
			clock_sleep_until(clock_ns() + PACE_NS);
			continue;
		}
		last = clock_ns();
		if (packets == 0)
			first = last;
		packets += n;
	}
	return report(packets, last - first);
}

static int open_sink(uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int size = RCVBUF;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_sender(const char *ip, uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	if (inet_pton(AF_INET, ip, &addr.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int fd;

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(argv[1], "sink") == 0) {
		fd = open_sink(atoi(argv[2]));
		return fd < 0 ? fail("socket") : sink(fd, atof(argv[3]));
	}
	if ((argc == 6 || argc == 7) && strcmp(argv[1], "send") == 0 &&
	    atoi(argv[4]) <= PAYLOAD_MAX) {
		fd = open_sender(argv[2], atoi(argv[3]));
		return fd < 0 ? fail("socket")
			      : send_all(fd, atoi(argv[4]), atof(argv[5]),
					 argc == 7 ? atof(argv[6]) : 0);
	}
	fprintf(stderr,
		"usage: bench-udp send IP PORT PAYLOAD SECONDS [RATE] | sink PORT SECONDS\n");
	return 1;
}
