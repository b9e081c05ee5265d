// SPDX-License-Identifier: BSD-3-Clause
#include "net_tap_fds.h"

#include <linux/if_tun.h>
#include <linux/kcmp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef TUNGETDEVNETNS
#define TUNGETDEVNETNS _IO('T', 227)
#endif

#define BATCH 64

/* The line "iff:\t<name>" that only tun and tap files have. */
static bool find_name(char *text, char **name)
{
	char *at = strstr(text, "\niff:\t");

	if (at == NULL)
		return false;
	*name = at + strlen("\niff:\t");
	(*name)[strcspn(*name, "\n")] = '\0';
	return true;
}

static bool fd_is_net_tap(int dir, const char *fd, const char *ifname)
{
	char text[1024], *name;
	ssize_t n;
	int file;

	file = openat(dir, fd, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	n = read(file, text, sizeof(text) - 1);
	close(file);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return find_name(text, &name) && (ifname == NULL || strcmp(name, ifname) == 0);
}

unsigned int knit_tap_fds(const char *ifname, int *fds, unsigned int max)
{
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	dir = opendir("/proc/self/fdinfo");
	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || !fd_is_net_tap(dirfd(dir), entry->d_name, ifname))
			continue;
		if (n < max)
			fds[n] = atoi(entry->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

int knit_tap_fd_netns(int fd, uint64_t *netns)
{
	int ns = ioctl(fd, TUNGETDEVNETNS), ret = 0;
	struct stat st;

	if (ns < 0)
		return -errno;
	if (fstat(ns, &st) < 0)
		ret = -errno;
	else
		*netns = st.st_ino;
	close(ns);
	return ret;
}

/* As kcmp(2): 0 if both are the same open file, -1 if that can't be told. */
static long compare_fds(int a, int b)
{
	pid_t self = getpid();

	return syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
}

bool knit_tap_fds_repeat(const int *fds, unsigned int n, unsigned int n_files)
{
	unsigned int i;
	long ret = 0;

	if (n == 0 || n_files == 0 || n % n_files != 0)
		return false;
	for (i = n_files; i < n && ret == 0; i++)
		ret = compare_fds(fds[i], fds[i - n_files]);
	return ret == 0 || (ret < 0 && n == 2 * n_files);
}

unsigned int knit_tap_fds_close_all(void)
{
	unsigned int found, closed = 0, i;
	int fds[BATCH];

	do {
		found = knit_tap_fds(NULL, fds, BATCH);
		for (i = 0; i < found && i < BATCH; i++, closed++)
			close(fds[i]);
	} while (found > BATCH);
	return closed;
}
