// SPDX-License-Identifier: BSD-3-Clause
#include "lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* "<pid> <state>\n" with blanks between, always as long as this */
#define LINE 24

static const char *const states[] = {
	[KNIT_LOCK_EMPTY] = "-",
	[KNIT_LOCK_WAITING] = "waiting",
	[KNIT_LOCK_ATTACHING] = "attaching",
	[KNIT_LOCK_ATTACHED] = "attached",
	[KNIT_LOCK_DETACHING] = "detaching",
	[KNIT_LOCK_DETACHED] = "detached",
};

int knit_lock_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

int knit_lock_try(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int knit_lock_take(const char *path, int *busy)
{
	struct stat st;
	int fd, ret;

	for (;;) {
		fd = knit_lock_open(path);
		if (fd < 0)
			return fd;
		ret = knit_lock_try(fd, F_WRLCK);
		if (ret == -EAGAIN) {
			*busy = fd;
			return ret;
		}
		if (ret == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
			return fd;
		close(fd);
		if (ret < 0)
			return ret;
	}
}

int knit_lock_wait(int fd, short type, int timeout_ms)
{
	struct timespec now;
	int64_t deadline;
	int ret;

	clock_gettime(CLOCK_MONOTONIC, &now);
	deadline = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
	for (;;) {
		ret = knit_lock_try(fd, type);
		if (ret != -EAGAIN)
			return ret;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= deadline)
			return ret;
		poll(NULL, 0, 1);
	}
}

bool knit_lock_held(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void knit_lock_write(int fd, enum knit_lock_state state)
{
	char line[LINE + 1];

	snprintf(line, sizeof(line), "%-12d%-11s\n", (int)getpid(), states[state]);
	/* A full /run costs the trace, not the lock. */
	if (pwrite(fd, line, LINE, 0) < 0)
		return;
}

enum knit_lock_state knit_lock_read(int fd, pid_t *pid)
{
	char line[LINE + 1], word[LINE + 1];
	enum knit_lock_state state;
	int found;

	*pid = 0;
	if (pread(fd, line, LINE, 0) != LINE)
		return KNIT_LOCK_EMPTY;
	line[LINE] = '\0';
	if (sscanf(line, "%d %24s", &found, word) != 2)
		return KNIT_LOCK_EMPTY;
	for (state = KNIT_LOCK_WAITING; state <= KNIT_LOCK_DETACHED; state++) {
		if (strcmp(word, states[state]) == 0) {
			*pid = found;
			return state;
		}
	}
	return KNIT_LOCK_EMPTY;
}

bool knit_lock_died_attaching(int fd, pid_t *pid)
{
	enum knit_lock_state state = knit_lock_read(fd, pid);
	pid_t again;

	if ((state != KNIT_LOCK_ATTACHING && state != KNIT_LOCK_DETACHING) || knit_lock_held(fd))
		return false;
	/* One that was about to leave may have written so, and left, between the two. */
	return knit_lock_read(fd, &again) == state && again == *pid;
}
