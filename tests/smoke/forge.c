// SPDX-License-Identifier: BSD-3-Clause
/*
 * Worker 0, or what says so: it tries to pass another process off as itself. It prints a line for
 * each way, "WAY: RESULT REASON", and stays until it is ended.
 *
 *   lock     the role's lock file names the other process
 *   role     it asks for control's role, whose lock it does not have
 *   pidfd    the pidfd in the message is that of the other process
 *
 * usage: knit-forge --prefix PREFIX PID
 */
#include "system/session/msg.h"
#include "system/session/secondary.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void ask(const struct knit_secondary *s, const char *way, enum knit_role role, int pidfd)
{
	struct knit_msg m = { .op = KNIT_OP_ATTACH, .role = role, .instance = s->topo->instance };
	int ret = knit_msg_ask(&m, pidfd, 10000);

	printf("%s: %d %s\n", way, ret, m.text);
	fflush(stdout);
}

static bool write_lock(const char *prefix, int pid)
{
	char path[128], line[32];
	int fd, n;

	snprintf(path, sizeof(path), KNIT_RUNDIR "/%s/worker-0.lock", prefix);
	n = snprintf(line, sizeof(line), "%-12d%-11s\n", pid, "attaching");
	fd = open(path, O_WRONLY);
	if (fd < 0 || pwrite(fd, line, n, 0) != n)
		return false;
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	struct knit_secondary s = { .role = KNIT_ROLE_WORKER };
	int other = argc == 4 ? atoi(argv[3]) : 0;
	int pidfd = syscall(SYS_pidfd_open, other, 0);

	if (pidfd < 0)
		return 2;
	s.prefix = argv[2];
	if (knit_secondary_enter(&s) != KNIT_EXIT_OK || !write_lock(s.prefix, other))
		return 1;
	ask(&s, "lock", KNIT_ROLE_WORKER, pidfd);
	if (!write_lock(s.prefix, getpid()))
		return 1;
	ask(&s, "role", KNIT_ROLE_CONTROL, pidfd);
	ask(&s, "pidfd", KNIT_ROLE_WORKER, pidfd);
	for (;;)
		pause();
}
