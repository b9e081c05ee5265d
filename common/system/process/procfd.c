// SPDX-License-Identifier: BSD-3-Clause
#include "procfd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* fdinfo has a line for each lock that was taken through this descriptor (proc(5)). */
static bool holds_lock(pid_t pid, const char *fd)
{
	char path[64], line[256];
	bool found = false;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", (int)pid, fd);
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in))
		found = strncmp(line, "lock:", 5) == 0;
	if (in)
		fclose(in);
	return found;
}

bool knit_process_has(pid_t pid, const struct stat *file, bool locked)
{
	struct dirent *entry;
	bool found = false;
	struct stat st;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
			continue;
		found = st.st_dev == file->st_dev && st.st_ino == file->st_ino &&
			(!locked || holds_lock(pid, entry->d_name));
	}
	if (dir)
		closedir(dir);
	return found;
}

int knit_process_open(pid_t pid, const struct stat *file, bool locked)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	/* After the open: from here on the pid cannot mean another process. */
	if (knit_process_has(pid, file, locked))
		return fd;
	close(fd);
	return -ESRCH;
}
