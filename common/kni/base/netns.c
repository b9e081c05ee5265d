// SPDX-License-Identifier: BSD-3-Clause
#include "netns.h"

#define KNIT_LOGTYPE knit_log_tap
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_netns(int err, const char *what, const char *path)
{
	log_err("network namespace %s: %s: %s", path, what, strerror(err));
	return -err;
}

/* Then there is nothing to enter, which would need CAP_SYS_ADMIN. */
static bool is_here(int netns_fd, int here_fd)
{
	struct stat there, here;

	return fstat(netns_fd, &there) == 0 && fstat(here_fd, &here) == 0 &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

int knit_netns_enter_fd(int netns_fd, int *saved_fd)
{
	int err = 0;

	*saved_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*saved_fd < 0)
		return errno_log(errno, "open /proc/thread-self/ns/net");
	if (!is_here(netns_fd, *saved_fd)) {
		if (setns(netns_fd, CLONE_NEWNET) == 0)
			return 0;
		err = errno;
	}
	close(*saved_fd);
	*saved_fd = -1;
	return -err;
}

int knit_netns_path(const char *netns, char *path, size_t size)
{
	int n = snprintf(path, size, "%s%s", strchr(netns, '/') ? "" : "/run/netns/", netns);

	return n < (int)size ? 0 : -ENAMETOOLONG;
}

int knit_netns_open(const char *netns, int *fd)
{
	char path[PATH_MAX];

	*fd = -1;
	if (netns == NULL || netns[0] == '\0')
		return 0;
	if (knit_netns_path(netns, path, sizeof(path)) < 0)
		return log_netns(EINVAL, "path too long", netns);
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	return *fd < 0 ? log_netns(errno, "open", path) : 0;
}

int knit_netns_enter(const char *netns, int *saved_fd)
{
	int ret, fd;

	*saved_fd = -1;
	ret = knit_netns_open(netns, &fd);
	if (ret < 0 || fd < 0)
		return ret;
	ret = knit_netns_enter_fd(fd, saved_fd);
	close(fd);
	return ret ? log_netns(-ret, "enter", netns) : 0;
}

void knit_netns_leave(int *saved_fd)
{
	if (*saved_fd < 0)
		return;
	if (setns(*saved_fd, CLONE_NEWNET) < 0)
		log_err("back from a network namespace: %s", strerror(errno));
	close(*saved_fd);
	*saved_fd = -1;
}
