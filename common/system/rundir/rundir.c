// SPDX-License-Identifier: BSD-3-Clause
#include "rundir.h"
#include "rundir_options.h"
#include "rundir_paths.h"
#include "system/config/config.h"
#include "system/process/lockfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the primary. */
#define PRIMARY_LOCK "primary.lock"

static int primary_lock = -1;
static int attach_lock = -1;
static int gate = -1;
static gid_t group; /* of secondaries, 0: they are root's */

static int rundir_error(int err, const char *what, const char *path)
{
	fprintf(stderr, "knit: %s %s: %s\n", what, path, strerror(err));
	return -err;
}

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

static int make_dir(const char *path, mode_t mode)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return rundir_error(errno, "mkdir", path);
	return 0;
}

/* In a directory that a predecessor may remove as long as there is no file of ours in it. */
static int take_primary_lock(const char *prefix)
{
	struct knit_path dir = knit_path_dir(prefix);
	struct knit_path path = knit_path_file(prefix, PRIMARY_LOCK);
	int fd, busy = -1, ret;
	pid_t pid;

	do {
		ret = make_dir(dir.text, 0700);
		if (ret < 0)
			return ret;
		fd = knit_lock_take(path.text, &busy);
	} while (fd == -ENOENT);
	if (fd == -EAGAIN) {
		knit_lock_read(busy, &pid);
		close(busy);
		fprintf(stderr, "knit: prefix \"%s\" is in use by the primary with pid %d\n",
			prefix, (int)pid);
		return -EBUSY;
	}
	if (fd < 0)
		return rundir_error(-fd, "lock", path.text);
	primary_lock = fd;
	knit_lock_write(primary_lock, KNIT_LOCK_ATTACHED);
	return 0;
}

/*
 * What a dead predecessor left. A lock file is never removed while it may be in use: a process
 * that has it open would lock a file that nobody else can find. So locks that are free are only
 * emptied.
 */
static void clean_file(int dir, const char *prefix, const char *name)
{
	pid_t pid;
	int fd;

	if (ends_with(name, ".args") || ends_with(name, ".tmp"))
		unlinkat(dir, name, 0);
	if (!ends_with(name, ".lock") || strcmp(name, PRIMARY_LOCK) == 0)
		return;
	fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	if (knit_lock_try(fd, F_WRLCK) < 0) {
		knit_lock_read(fd, &pid);
		fprintf(stderr,
			"knit: %s/%s: process %d of an earlier primary is still there and will be "
			"gone soon\n",
			prefix, name, (int)pid);
	} else if (ftruncate(fd, 0) < 0) {
		rundir_error(errno, "truncate", name);
	}
	close(fd);
}

static int clean_dir(const char *prefix)
{
	struct knit_path path = knit_path_dir(prefix);
	struct dirent *entry;
	DIR *dir;

	dir = opendir(path.text);
	if (dir == NULL)
		return rundir_error(errno, "open", path.text);
	while ((entry = readdir(dir)) != NULL)
		clean_file(dirfd(dir), prefix, entry->d_name);
	closedir(dir);
	return 0;
}

int knit_rundir_create(const char *prefix)
{
	int ret;

	ret = make_dir(KNIT_RUNDIR, 0755);
	if (ret == 0)
		ret = take_primary_lock(prefix);
	if (ret == 0)
		ret = clean_dir(prefix);
	return ret;
}

static void remove_ending(const char *prefix, const char *end)
{
	struct knit_path path = knit_path_dir(prefix);
	struct dirent *entry;
	DIR *dir;

	dir = opendir(path.text);
	while (dir && (entry = readdir(dir)) != NULL)
		if (ends_with(entry->d_name, end) && strcmp(entry->d_name, PRIMARY_LOCK) != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
}

void knit_rundir_withdraw(const char *prefix)
{
	remove_ending(prefix, ".args");
}

void knit_rundir_withdraw_role(const char *prefix, enum knit_role role, uint32_t id)
{
	unlink(knit_path_role(prefix, role, id, "args").text);
}

void knit_rundir_remove(const char *prefix)
{
	if (primary_lock < 0)
		return;
	knit_rundir_unblock_attach();
	remove_ending(prefix, ".args");
	remove_ending(prefix, ".tmp");
	remove_ending(prefix, ".lock");
	remove_ending(prefix, ".sock");
	/* Last, and once: from then on the prefix may be a successor's. */
	unlink(knit_path_file(prefix, PRIMARY_LOCK).text);
	rmdir(knit_path_dir(prefix).text);
	close(primary_lock);
	primary_lock = -1;
}

static int give_to_group(int fd, mode_t mode)
{
	if (group == 0)
		return 0;
	return fchown(fd, -1, group) < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

static int share_lock(struct knit_path path)
{
	int fd = knit_lock_open(path.text), ret = fd;

	if (fd >= 0) {
		ret = give_to_group(fd, 0660);
		close(fd);
	}
	return ret < 0 ? rundir_error(-ret, "share", path.text) : 0;
}

int knit_rundir_share(const char *prefix, gid_t gid)
{
	struct knit_path dir = knit_path_dir(prefix);
	int ret;

	group = gid;
	/* A mask may have taken that away when it was made. */
	if (chmod(KNIT_RUNDIR, 0755) < 0)
		return rundir_error(errno, "share", KNIT_RUNDIR);
	if (chown(dir.text, -1, gid) < 0 || chmod(dir.text, 0750) < 0)
		return rundir_error(errno, "share", dir.text);
	ret = share_lock(knit_path_file(prefix, KNIT_FILE_ATTACH));
	return ret < 0 ? ret : share_lock(knit_path_file(prefix, KNIT_FILE_GATE));
}

int knit_rundir_write_args(const char *prefix, enum knit_role role, uint32_t id,
			   const struct knit_args *args)
{
	struct knit_path path = knit_path_role(prefix, role, id, "args"), tmp = path;
	FILE *out;
	int fd, err;

	snprintf(tmp.text + strlen(tmp.text), sizeof(tmp.text) - strlen(tmp.text), ".tmp");
	fd = open(tmp.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out == NULL) {
		err = errno;
		if (fd >= 0)
			close(fd);
		return rundir_error(err, "open", tmp.text);
	}
	knit_args_print(args, out);
	err = ferror(out) ? EIO : -give_to_group(fd, 0640);
	if (fclose(out) != 0)
		err = errno;
	if (err == 0 && group)
		err = -share_lock(knit_path_role(prefix, role, id, "lock"));
	if (err == 0 && rename(tmp.text, path.text) < 0)
		err = errno;
	if (err == 0)
		return 0;
	unlink(tmp.text);
	return rundir_error(err, "write", path.text);
}

static int rundir_take_lock(const char *prefix, const char *file, int *fd, int timeout_ms)
{
	struct knit_path path = knit_path_file(prefix, file);
	int ret;

	if (*fd < 0)
		*fd = knit_lock_open(path.text);
	if (*fd < 0)
		return rundir_error(-*fd, "open", path.text);
	ret = knit_lock_wait(*fd, F_WRLCK, timeout_ms);
	return ret == -EAGAIN ? -EBUSY : ret;
}

int knit_rundir_block_attach(const char *prefix, int timeout_ms)
{
	int ret;

	ret = rundir_take_lock(prefix, KNIT_FILE_GATE, &gate, timeout_ms);
	return ret < 0 ? ret : rundir_take_lock(prefix, KNIT_FILE_ATTACH, &attach_lock, timeout_ms);
}

static void lock_release(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void knit_rundir_unblock_attach(void)
{
	lock_release(&attach_lock);
	lock_release(&gate);
}
