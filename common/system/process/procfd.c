// SPDX-License-Identifier: BSD-3-Clause
#include "procfd.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool line_has_group(const char *line, gid_t group)
{
	unsigned long found;
	char *end;

	for (;; line = end) {
		found = strtoul(line, &end, 10);
		if (end == line)
			return false;
		if (found == group)
			return true;
	}
}

/* Whether the process runs as the file's user, or as a member of its group. */
static bool may_use(pid_t pid, const struct stat *file)
{
	bool may = false;
	unsigned int id;
	char *line = NULL, path[32];
	size_t size = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	in = fopen(path, "re");
	while (in && !may && getline(&line, &size, in) > 0) {
		if (sscanf(line, "Uid: %*u %u", &id) == 1)
			may = id == file->st_uid;
		else if (sscanf(line, "Gid: %*u %u", &id) == 1)
			may = id == file->st_gid;
		else if (strncmp(line, "Groups:", 7) == 0)
			may = line_has_group(line + 7, file->st_gid);
	}
	free(line);
	if (in)
		fclose(in);
	return may;
}

int knit_process_open(pid_t pid, const struct stat *file, bool locked)
{
	int fd = pid == getpid() ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return pid == getpid() ? -ESRCH : -errno;
	/* After the open: from here on the pid cannot mean another process. */
	if (knit_process_has(pid, file, locked) && may_use(pid, file))
		return fd;
	close(fd);
	return -ESRCH;
}
