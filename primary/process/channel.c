// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_port
#include "channel.h"

#include "event/event.h"
#include "kni/base/log.h"
#include "primary.h"
#include "stalled.h"
#include "system/process/procfd.h"

#include <rte_cycles.h>
#include <rte_eal.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Room in the message sockets of secondaries. EAL tells all secondaries of each virtual device
 * whenever one more attaches. net_tap sends its fds to all of them at each start of a port. These
 * sends wait until there is room, however long it takes. A secondary that is stopped reads nothing,
 * and its queue (net.unix.max_dgram_qlen, 10 or 512 messages) is full some time later. Then the
 * primary would wait, and everybody would wait for the primary. The process need not be attached:
 * EAL sends to every socket in its directory, mp_socket_<pid>_<time>.
 */
#define SOCKET_NAME "mp_socket_"
#define ROOM_MS 200
#define MAX_FULL 32 /* handled together; others wait for the next call */

struct peer {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd; /* connected to the socket; -1: it has room, or nobody listens */
};

static bool peer_wait_room(struct peer *peer, int timeout)
{
	struct pollfd room = { .fd = peer->fd, .events = POLLOUT };

	return poll(&room, 1, timeout) != 0;
}

/* False: it is full. A send to a socket on which nobody listens does not wait. */
static bool peer_has_room(struct peer *peer)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, peer->path, sizeof(addr.sun_path));
	peer->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (peer->fd < 0)
		return true;
	if (connect(peer->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
	    !peer_wait_room(peer, 0))
		return false;
	close(peer->fd);
	peer->fd = -1;
	return true;
}

static unsigned int collect_full_peers(struct peer *full)
{
	const char *dirname = rte_eal_get_runtime_dir();
	struct dirent *entry;
	unsigned int n = 0;
	DIR *dir;

	dir = opendir(dirname);
	while (dir && n < MAX_FULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, SOCKET_NAME, strlen(SOCKET_NAME)) == 0 &&
		    snprintf(full[n].path, sizeof(full[n].path), "%s/%s", dirname, entry->d_name) <
			    (int)sizeof(full[n].path) &&
		    !peer_has_room(&full[n]))
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

/*
 * The socket's inode, from the table of the process's network namespace; 0: there is no such
 * socket.
 */
static ino_t socket_inode(pid_t pid, const char *name)
{
	unsigned long inode = 0;
	char path[64], line[512];
	const char *at;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%d/net/unix", (int)pid);
	in = fopen(path, "re");
	while (in && inode == 0 && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		at = strrchr(line, '/');
		if (at && strcmp(at + 1, name) == 0)
			sscanf(line, "%*s %*s %*s %*s %*s %*s %lu", &inode);
	}
	if (in)
		fclose(in);
	return inode;
}

/*
 * A pidfd of the process that made the socket, if the socket's name still identifies the process.
 */
static int peer_open_owner(const struct peer *peer, pid_t *pid)
{
	const char *name = strrchr(peer->path, '/') + 1;
	struct stat st, file;

	*pid = strtol(name + strlen(SOCKET_NAME), NULL, 10);
	if (*pid <= 0 || fstat(peer->fd, &st) < 0 || lstat(peer->path, &file) < 0)
		return -ESRCH;
	st.st_uid = file.st_uid;
	st.st_gid = file.st_gid;
	st.st_ino = socket_inode(*pid, name);
	return st.st_ino ? knit_process_open(*pid, &st, false) : -ESRCH;
}

static void peer_end(const struct primary *p, const struct peer *peer)
{
	struct knit_role_name name = { "another program" };
	int pidfd, entry;
	pid_t pid;

	pidfd = peer_open_owner(peer, &pid);
	if (pidfd < 0) {
		log_err("%s: nobody takes the messages sent there, and nobody must wait for it: "
			"removing it",
			peer->path);
		unlink(peer->path);
		return;
	}
	entry = stalled_entry(p, pid);
	if (entry >= 0)
		name = stalled_name(p, entry);
	EVENT(PROCESS_DEAF, EV(name.text), EV(pid));
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	close(pidfd);
}

void channel_clear(struct primary *p)
{
	uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz() * ROOM_MS / 1000;
	struct peer full[MAX_FULL];
	unsigned int i, n = collect_full_peers(full);
	uint64_t now;

	/*
	 * One after the other, with one deadline for all. It is enough that a socket had room once.
	 */
	for (i = 0; i < n; i++) {
		now = rte_get_timer_cycles();
		if (!peer_wait_room(&full[i],
				    now < end ? (end - now) * 1000 / rte_get_timer_hz() : 0))
			peer_end(p, &full[i]);
		close(full[i].fd);
	}
}

void channel_clear_for(struct primary *p, const char *peer)
{
	struct peer one;

	snprintf(one.path, sizeof(one.path), "%s", peer);
	if (peer_has_room(&one))
		return;
	close(one.fd);
	channel_clear(p);
}

void channel_poll(struct primary *p)
{
	uint64_t now = rte_get_timer_cycles();
	static uint64_t next;

	if (now < next)
		return;
	next = now + rte_get_timer_hz();
	channel_clear(p);
}
