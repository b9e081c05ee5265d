// SPDX-License-Identifier: BSD-3-Clause
#include "eal_paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files of dir whose names begin with start and hold part. */
static void remove_matching(const char *dir, const char *start, const char *part)
{
	char path[512];
	struct dirent *e;
	DIR *d;

	d = opendir(dir);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s_", e->d_name);
		if (e->d_name[0] == '.' || strncmp(e->d_name, start, strlen(start)) != 0 ||
		    strstr(path, part) == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	closedir(d);
}

int knit_eal_huge_dir(char *path, size_t len)
{
	struct mntent *m;
	int ret = -ENOENT;
	FILE *f;

	f = setmntent("/proc/mounts", "r");
	while (f && ret < 0 && (m = getmntent(f)) != NULL) {
		if (strcmp(m->mnt_type, "hugetlbfs") != 0)
			continue;
		snprintf(path, len, "%s", m->mnt_dir);
		ret = 0;
	}
	if (f)
		endmntent(f);
	return ret;
}

const char *knit_eal_base_dir(void)
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	if (dir == NULL && getuid() == 0)
		dir = "/var/run";
	if (dir == NULL)
		dir = getenv("XDG_RUNTIME_DIR");
	return dir ? dir : "/tmp";
}

void knit_eal_runtime_dir(const char *prefix, char *path, size_t len)
{
	snprintf(path, len, "%s/dpdk/%s", knit_eal_base_dir(), prefix);
}

/*
 * Only what this process's user made, and no symbolic link: others may be allowed to put names into
 * a hugetlbfs. fchmodat would follow a link, hence the way through the descriptor.
 */
static int share(int dir, const char *name, gid_t group, mode_t mode)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), ret = 0;
	char self[32];
	struct stat st;

	if (fd < 0)
		return -errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (fstat(fd, &st) < 0 ||
	    (st.st_uid == geteuid() && !S_ISLNK(st.st_mode) &&
	     (fchownat(fd, "", -1, group, AT_EMPTY_PATH) < 0 || chmod(self, mode) < 0)))
		ret = -errno;
	close(fd);
	return ret;
}

/* The files of dir whose names begin with start. path: the one that failed. */
static int share_matching(const char *dir, const char *start, gid_t group, char *path, size_t len)
{
	struct dirent *e;
	int ret = 0;
	DIR *d;

	snprintf(path, len, "%s", dir);
	d = opendir(dir);
	if (d == NULL)
		return -errno;
	while (ret == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, start, strlen(start)) != 0)
			continue;
		snprintf(path, len, "%s/%s", dir, e->d_name);
		ret = share(dirfd(d), e->d_name, group, 0660);
	}
	closedir(d);
	return ret;
}

/*
 * EAL's directory above those of all prefixes can only be passed through then. The directory of
 * this prefix comes after its files: until then nobody else can put a name there.
 */
static int share_runtime_dir(const char *prefix, gid_t group, char *path, size_t len)
{
	char dir[256];
	struct stat st;
	int ret;

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	ret = share_matching(dir, "", group, path, len);
	if (ret < 0)
		return ret;
	snprintf(path, len, "%s", dir);
	ret = share(AT_FDCWD, dir, group, 01770);
	if (ret < 0)
		return ret;
	snprintf(path, len, "%s/dpdk", knit_eal_base_dir());
	if (stat(path, &st) < 0 || chmod(path, (st.st_mode & 07777) | 0111) < 0)
		return -errno;
	return 0;
}

int knit_eal_share_files(const char *prefix, gid_t group, char *path, size_t len)
{
	char start[64];
	struct mntent *m;
	int ret = 0;
	FILE *f;

	snprintf(start, sizeof(start), "%smap_", prefix);
	f = setmntent("/proc/mounts", "re");
	while (f && ret == 0 && (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_type, "hugetlbfs") == 0)
			ret = share_matching(m->mnt_dir, start, group, path, len);
	if (f)
		endmntent(f);
	return ret < 0 ? ret : share_runtime_dir(prefix, group, path, len);
}

int knit_eal_unshare_dir(const char *prefix)
{
	char dir[256];
	int fd, ret = 0;

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0700) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void knit_eal_remove_process_files(const char *prefix, pid_t pid)
{
	char dir[256], part[32];

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	snprintf(part, sizeof(part), "_%d_", (int)pid);
	remove_matching(dir, "fbarray_", part);
	remove_matching(dir, "mp_socket_", part);
}

/*
 * EAL's primary keeps a lock on that file. A lock of our own shows nothing, and is no obstacle. -1:
 * somebody who can't be seen from this PID namespace has it.
 */
static pid_t primary_of(const char *dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[272];
	pid_t pid = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		pid = lock.l_pid > 0 ? lock.l_pid : -1;
	close(fd);
	return pid;
}

pid_t knit_eal_remove_files(const char *prefix)
{
	char dir[256], start[64];
	struct mntent *m;
	pid_t pid;
	FILE *f;

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	pid = primary_of(dir);
	if (pid)
		return pid;
	snprintf(start, sizeof(start), "%smap_", prefix);
	f = setmntent("/proc/mounts", "r");
	while (f && (m = getmntent(f)) != NULL)
		if (strcmp(m->mnt_type, "hugetlbfs") == 0)
			remove_matching(m->mnt_dir, start, "");
	if (f)
		endmntent(f);
	remove_matching(dir, "", "");
	rmdir(dir);
	return 0;
}
