// SPDX-License-Identifier: BSD-3-Clause
#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* What others do with the pair's NAPI. Nobody tells the kernel of these frames. */

#ifndef SO_INCOMING_NAPI_ID
#define SO_INCOMING_NAPI_ID 56
#endif

#define BUSY_US 5000000 /* that a socket polls, at most */
#define FRAMES 20
#define LEN 1000

static bool is_asleep(struct channel *c)
{
	return knit_load(&c->rx_q.shm->need_data) != 0;
}

static bool datagram(struct world *w, int fd, bool silent)
{
	struct knit_desc good = { .flags = KNIT_DESC_CSUM_GOOD };

	udp_frame(w->out, UDP_HEADERS + LEN, SUM_GOOD);
	w->full->silent = silent;
	rx_put(w->full, w->out, UDP_HEADERS + LEN, 0, &good);
	w->full->silent = false;
	CHECK(receive(fd, w->in, sizeof(w->in)) == LEN);
	CHECK(memcmp(w->in, w->out + UDP_HEADERS, LEN) == 0);
	return true;
}

/* A socket that waits polls the pair itself. */
static bool busy_poll(struct world *w)
{
	int fd = udp_socket(UDP_PORT), busy = BUSY_US;
	uint32_t i, id = 0;
	socklen_t len = sizeof(id);

	CHECK(channel_attach(w->full) == 0);
	CHECK(datagram(w, fd, false));
	CHECK(getsockopt(fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &id, &len) == 0 && id != 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &busy, sizeof(busy)) == 0);
	for (i = 0; i < FRAMES; i++) {
		CHECK(wait_until(is_asleep, w->full));
		CHECK(datagram(w, fd, true));
	}
	/* which raised the flag again when it had done */
	CHECK(wait_until(is_asleep, w->full));
	CHECK(datagram(w, fd, false));
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(fd);
	return true;
}

/* Of the interface in sysfs, which shows those of the namespace where it was mounted. */
static int open_sysfs(void)
{
	static const char at[] = "/run/knit-sysfs";
	char path[64];
	int fd = -1;

	mkdir(at, 0700);
	if (mount("none", at, "sysfs", 0, NULL) == 0) {
		snprintf(path, sizeof(path), "%s/class/net/full", at);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(at, MNT_DETACH);
	}
	rmdir(at);
	return fd;
}

static bool set(int sysfs, const char *name, const char *value)
{
	int fd = openat(sysfs, name, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	close(fd);
	return ok;
}

/* Polled every millisecond after a frame: there is no need to tell of the next ones. */
static bool deferred(struct world *w)
{
	int fd = udp_socket(UDP_PORT), sysfs = open_sysfs();
	uint32_t i;

	CHECK(channel_attach(w->full) == 0);
	CHECK(wait_until(is_asleep, w->full));
	CHECK(set(sysfs, "gro_flush_timeout", "1000000") &&
	      set(sysfs, "napi_defer_hard_irqs", "1000000"));
	CHECK(datagram(w, fd, false));
	for (i = 0; i < FRAMES; i++) {
		CHECK(!is_asleep(w->full));
		CHECK(datagram(w, fd, true));
	}
	CHECK(set(sysfs, "gro_flush_timeout", "0") && set(sysfs, "napi_defer_hard_irqs", "0"));
	CHECK(wait_until(is_asleep, w->full));
	CHECK(datagram(w, fd, false));
	CHECK(conserved(w->full));
	CHECK(channel_detach(w->full) == 0);
	close(sysfs);
	close(fd);
	return true;
}

const struct test napi_tests[] = {
	{ "napi: a socket that busy-polls", busy_poll },
	{ "napi: polls are deferred", deferred },
	{ NULL, NULL },
};
