// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "log.h"
#include "primary.h"

#include <rte_cycles.h>
#include <rte_eal.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Room in the message sockets of secondaries. EAL tells all of them of each virtual device whenever one
 * more attaches, and net_tap sends its fds to all at each start of a port, by sends that wait for room as long
 * as it takes. A secondary that is stopped reads nothing, and its queue (net.unix.max_dgram_qlen, 10 or 512)
 * is full some time later: the primary would stand still with it, and everybody with the primary.
 */
#define ROOM_MS 200

/* 1: a message fits; 0: not in time; or -errno: nobody listens, and a send will not wait either. */
static int has_room(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct pollfd room = { .events = POLLOUT };
	int ret;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	room.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (room.fd < 0)
		return -errno;
	ret = connect(room.fd, (struct sockaddr *)&addr, sizeof(addr));
	ret = ret < 0 ? -errno : poll(&room, 1, ROOM_MS);
	close(room.fd);
	return ret;
}

/* EAL calls them mp_socket_<pid>_<time>. */
static bool socket_of(uint32_t pid, char *path, size_t len)
{
	const char *dirname = rte_eal_get_runtime_dir();
	struct dirent *entry;
	bool found = false;
	char start[32];
	DIR *dir;

	snprintf(start, sizeof(start), "mp_socket_%u_", pid);
	dir = opendir(dirname);
	while (dir && !found && (entry = readdir(dir)) != NULL) {
		found = strncmp(entry->d_name, start, strlen(start)) == 0 &&
			snprintf(path, len, "%s/%s", dirname, entry->d_name) < (int)len;
	}
	if (dir)
		closedir(dir);
	return found;
}

void primary_channel_clear(struct primary *p)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *name;
	unsigned int i;
	uint32_t pid;

	for (i = 0; i <= KNIT_MAX_WORKERS; i++) {
		if (p->pidfd[i] < 0)
			continue;
		name = i == CONTROL_SLOT ? "control" : "a worker";
		pid = i == CONTROL_SLOT ? p->topo->control.pid : p->topo->workers[i].pid;
		if (!socket_of(pid, path, sizeof(path)) || has_room(path) != 0)
			continue;
		log_err("%s: process %u takes no messages, and nobody must wait for it: killing it",
			name, pid);
		syscall(SYS_pidfd_send_signal, p->pidfd[i], SIGKILL, NULL, 0);
	}
}

void primary_channel_look(struct primary *p)
{
	uint64_t now = rte_get_timer_cycles();
	static uint64_t next;

	if (now < next)
		return;
	next = now + rte_get_timer_hz();
	primary_channel_clear(p);
}
