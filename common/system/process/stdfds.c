// SPDX-License-Identifier: BSD-3-Clause
#include "stdfds.h"
#include "exit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOTHING "/dev/null"

int knit_stdfds_fill(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest number that is free: this one. */
		if (open(NOTHING, O_RDWR) == fd)
			continue;
		fprintf(stderr, "knit: descriptor %d is closed, and in its place " NOTHING ": %s\n",
			fd, strerror(errno));
		return KNIT_EXIT_RESOURCES;
	}
	return KNIT_EXIT_OK;
}

void knit_stdfds_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* If not, so many have to do. */
	setrlimit(RLIMIT_NOFILE, &limit);
}
