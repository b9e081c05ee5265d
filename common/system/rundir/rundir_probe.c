// SPDX-License-Identifier: BSD-3-Clause
#include "rundir.h"
#include "rundir_paths.h"
#include "system/process/lockfile.h"
#include "system/process/procfd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The primary's looks at what secondaries hold and wrote. */

static int open_role(const char *prefix, enum knit_role role, uint32_t id)
{
	struct knit_path path = knit_path_role(prefix, role, id, "lock");

	return open(path.text, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
}

int knit_rundir_died_attaching(const char *prefix, enum knit_role role, uint32_t id, pid_t *pid)
{
	int fd = open_role(prefix, role, id);
	bool dead;

	if (fd < 0)
		return 0;
	dead = knit_lock_died_attaching(fd, pid);
	close(fd);
	return dead;
}

int knit_rundir_process(const char *prefix, enum knit_role role, uint32_t id, pid_t *pid)
{
	int fd = open_role(prefix, role, id);
	int ret = -ESRCH;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (knit_lock_read(fd, pid) != KNIT_LOCK_EMPTY && knit_lock_held(fd) && fstat(fd, &st) == 0)
		ret = knit_process_open(*pid, &st, true);
	close(fd);
	return ret;
}

static const char *const files[] = { KNIT_FILE_ATTACH, KNIT_FILE_GATE };

bool knit_rundir_blocked(const char *prefix)
{
	struct knit_path path;
	bool held = false;
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(files) / sizeof(files[0]) && !held; i++) {
		path = knit_path_file(prefix, files[i]);
		fd = open(path.text, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		held = knit_lock_held(fd);
		close(fd);
	}
	return held;
}

bool knit_rundir_blocks(const char *prefix, pid_t pid)
{
	struct knit_path path;
	struct stat st;
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		path = knit_path_file(prefix, files[i]);
		if (stat(path.text, &st) == 0 && knit_process_has(pid, &st, true))
			return true;
	}
	return false;
}
