// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"
#include "bind_why.h"
#include "system/process/lockfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".lock"

/* Of this process. */
static struct {
	char name[KNIT_PCI_NAME];
	int fd;
} held[KNIT_BIND_RECORDS];
static unsigned int n_held;

static int lock_index(const char *name)
{
	unsigned int i;

	for (i = 0; i < n_held; i++)
		if (strcmp(held[i].name, name) == 0)
			return i;
	return -1;
}

static void lock_path(const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%.12s.lock", knit_bind_where.run, name);
}

static void lock_hold(const char *name, int fd)
{
	snprintf(held[n_held].name, sizeof(held[0].name), "%.12s", name);
	held[n_held++].fd = fd;
}

static int lock_taken(const char *name, int fd, struct knit_bind_why *why)
{
	char path[PATH_MAX], comm[32];
	pid_t pid;

	knit_lock_read(fd, &pid);
	snprintf(path, sizeof(path), "%s/%d/comm", knit_bind_where.proc, (int)pid);
	knit_sysfs_read(path, comm, sizeof(comm));
	SAY(why, "%s is in use: process %d (%s) has it locked (%s/%s.lock)", name, (int)pid, comm,
	    knit_bind_where.run, name);
	REMEDY(why, "end that process");
	return -EBUSY;
}

static int lock_failed(int err, const char *name, struct knit_bind_why *why)
{
	SAY(why, "%s: %s/%s.lock: %s", name, knit_bind_where.run, name, strerror(-err));
	REMEDY(why, "root is needed, and a writable %s", knit_bind_where.run);
	return err;
}

int knit_bind_lock(const char *name, struct knit_bind_why *why)
{
	char path[PATH_MAX];
	int fd, busy = -1, ret;

	memset(why, 0, sizeof(*why));
	if (lock_index(name) >= 0)
		return 0;
	if (n_held == KNIT_BIND_RECORDS)
		return lock_failed(-ENOSPC, name, why);
	if (mkdir(knit_bind_where.run, 0755) < 0 && errno != EEXIST)
		return lock_failed(-errno, name, why);
	lock_path(name, path, sizeof(path));
	fd = knit_lock_take(path, &busy);
	if (fd == -EAGAIN) {
		ret = lock_taken(name, busy, why);
		close(busy);
		return ret;
	}
	if (fd < 0)
		return lock_failed(fd, name, why);
	knit_lock_write(fd, KNIT_LOCK_ATTACHED);
	lock_hold(name, fd);
	return 0;
}

void knit_bind_unlock(const char *name)
{
	int i = lock_index(name);
	char path[PATH_MAX];

	if (i < 0)
		return;
	lock_path(name, path, sizeof(path));
	unlink(path);
	close(held[i].fd);
	held[i] = held[--n_held];
}

int knit_bind_locked(const char *name, struct knit_bind_why *why)
{
	char path[PATH_MAX];
	int fd, ret = 0;

	memset(why, 0, sizeof(*why));
	if (lock_index(name) >= 0)
		return 0;
	lock_path(name, path, sizeof(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (knit_lock_held(fd))
		ret = lock_taken(name, fd, why);
	close(fd);
	return ret;
}

void knit_bind_keep_locks(void)
{
	unsigned int i;

	for (i = 0; i < n_held; i++)
		fcntl(held[i].fd, F_SETFD, 0);
}

/* "/run/knit/0000:03:00.0.lock" */
static bool is_lock(const char *path, char name[KNIT_PCI_NAME])
{
	const char *slash = strrchr(path, '/');
	char text[KNIT_PCI_NAME];

	if (slash == NULL || strlen(slash + 1) != KNIT_PCI_NAME - 1 + strlen(ENDING) ||
	    strcmp(slash + KNIT_PCI_NAME, ENDING) != 0)
		return false;
	snprintf(text, sizeof(text), "%.12s", slash + 1);
	return knit_pci_parse(text, name);
}

/* The lock itself, and not the name only, is what tells that it is ours. */
void knit_bind_adopt_locks(void)
{
	char path[PATH_MAX], target[PATH_MAX], name[KNIT_PCI_NAME];
	struct dirent *entry;
	ssize_t n;
	DIR *d;
	int fd;

	snprintf(path, sizeof(path), "%s/self/fd", knit_bind_where.proc);
	d = opendir(path);
	while (d && (entry = readdir(d)) != NULL) {
		fd = strtol(entry->d_name, NULL, 10);
		n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (!is_lock(target, name) || n_held == KNIT_BIND_RECORDS ||
		    lock_index(name) >= 0 || knit_lock_try(fd, F_WRLCK) < 0)
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		lock_hold(name, fd);
	}
	if (d)
		closedir(d);
}
