// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pid_t spared; /* the youngest of them */

/* The module's, or with kthread_mode=napi the core's. */
static bool is_packet_thread(pid_t pid)
{
	char path[64], name[16] = "";
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, name, sizeof(name) - 1);
		close(fd);
	}
	return len > 5 && (memcmp(name, "kni_", 4) == 0 || memcmp(name, "napi/", 5) == 0);
}

/* It may have ended meanwhile. */
static void make_it_fail(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/make-it-fail", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		perror(path);
	close(fd);
}

static void each_thread(void (*what)(pid_t pid))
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t pid;

	if (!dir)
		die("/proc");
	while ((entry = readdir(dir))) {
		pid = atoi(entry->d_name);
		if (pid > spared && is_packet_thread(pid))
			what(pid);
	}
	closedir(dir);
}

static void spare(pid_t pid)
{
	spared = pid;
}

void fail_spare(void)
{
	each_thread(spare);
}

void fail_traffic(void)
{
	each_thread(make_it_fail);
}
