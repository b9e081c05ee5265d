// SPDX-License-Identifier: BSD-3-Clause
#include "rows.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

bool row_of_datagrams(struct world *w, uint32_t len)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };
	uint32_t i;

	for (i = 0; i < ROW; i++) {
		udp_frame(w->out, len, SUM_GOOD);
		w->out[UDP_HEADERS] = i;
		rx_put(w->full, w->out, len, i % 7 ? 0 : len / 2 + 1, &good);
	}
	CHECK(channel_attach(w->full) == 0);
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	return true;
}

bool row_arrived(struct world *w, int fd, uint32_t len)
{
	uint32_t i;

	udp_frame(w->out, len, SUM_GOOD);
	for (i = 0; i < ROW; i++) {
		w->out[UDP_HEADERS] = i;
		CHECK(receive(fd, w->in, sizeof(w->in)) == len - UDP_HEADERS);
		CHECK(memcmp(w->in, w->out + UDP_HEADERS, len - UDP_HEADERS) == 0);
	}
	return true;
}

uint32_t pieces(struct world *w, int fd)
{
	uint32_t n = 0;

	while (recv(fd, w->in, sizeof(w->in), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

bool write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | flags);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

int run_one(char *command)
{
	char *argv[48] = { NULL }, *word, *rest;
	int status, n = 0;
	pid_t pid;

	for (word = strtok_r(command, " ", &rest); word && n < 47;
	     word = strtok_r(NULL, " ", &rest))
		argv[n++] = word;
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		die(argv[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die(argv[0]);
	return WEXITSTATUS(status);
}

void run(const char *commands)
{
	char all[1024], *command, *rest;

	snprintf(all, sizeof(all), "%s", commands);
	for (command = strtok_r(all, ";", &rest); command; command = strtok_r(NULL, ";", &rest))
		if (run_one(command) != 0)
			die("a command failed");
}

uint32_t handed_over(void)
{
	FILE *f = fopen(TRACE "trace", "r");
	char line[512];
	uint32_t n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, " kni_rx_stack: dev=full ") != NULL;
	if (f)
		fclose(f);
	if (!write_to(TRACE "trace", O_TRUNC, "\n") ||
	    !write_to(TRACE "events/kni/kni_rx_stack/enable", 0, "1"))
		die(TRACE);
	return n;
}

uint32_t row_as(struct world *w, uint32_t len)
{
	handed_over();
	return row_of_datagrams(w, len) ? handed_over() : 0;
}
