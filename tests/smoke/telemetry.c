// SPDX-License-Identifier: BSD-3-Clause
/*
 * One question to DPDK's telemetry socket, as dpdk-telemetry.py asks it but without the start of an
 * interpreter: tests ask often, and some run in an emulated machine.
 * usage: knit-telemetry PREFIX COMMAND     prints the answer; 1: nobody there, or no answer in time
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (64 << 10)

static int connect_to(const char *prefix, int seconds)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = seconds };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/run/dpdk/%s/dpdk_telemetry.v2", prefix);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The server greets first. */
static ssize_t ask(int fd, const char *command, char *answer)
{
	if (recv(fd, answer, ANSWER_MAX, 0) <= 0)
		return -1;
	if (send(fd, command, strlen(command), MSG_NOSIGNAL) < 0)
		return -1;
	return recv(fd, answer, ANSWER_MAX, 0);
}

/* With blanks as Python prints it. */
static void print(const char *answer, ssize_t len)
{
	bool quoted = false;
	ssize_t i;

	for (i = 0; i < len; i++) {
		putchar(answer[i]);
		if (answer[i] == '"' && (i == 0 || answer[i - 1] != '\\'))
			quoted = !quoted;
		if (!quoted && (answer[i] == ':' || answer[i] == ','))
			putchar(' ');
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	static char answer[ANSWER_MAX];
	ssize_t len;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: %s PREFIX COMMAND\n", argv[0]);
		return 2;
	}
	fd = connect_to(argv[1], 5);
	if (fd < 0)
		return 1;
	len = ask(fd, argv[2], answer);
	close(fd);
	if (len <= 0)
		return 1;
	print(answer, len);
	return 0;
}
