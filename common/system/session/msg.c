// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "msg.h"
#include "kni/base/clock.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"

#include <rte_eal.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(struct knit_msg) <= RTE_MP_MAX_PARAM_LEN, "fits a message of EAL's channel");

static const char *const names[] = { [KNIT_OP_NONE] = "none",
#define X(id, name) [KNIT_OP_##id] = #name,
				     KNIT_OP_TABLE(X)
#undef X
};

const char *knit_op_name(uint32_t op)
{
	return op < KNIT_OP_COUNT ? names[op] : "unknown";
}

/*
 * EAL sends on a blocking socket and tries again when a signal comes: with a primary that is
 * stopped and has its queue full, it would never return. Hence a socket of our own that can be
 * asked for room first.
 */
static int wait_for_room(int64_t deadline)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct pollfd room = { .events = POLLOUT };
	int64_t left;
	int ret = 0;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/mp_socket", rte_eal_get_runtime_dir());
	room.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (room.fd < 0)
		return -errno;
	if (connect(room.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		ret = -ECONNREFUSED;
		goto out;
	}
	do {
		left = deadline - knit_now_ms();
		ret = poll(&room, 1, left > 0 ? (int)left : 0);
	} while (ret < 0 && errno == EINTR);
	ret = ret > 0 ? 0 : -ETIMEDOUT;
out:
	close(room.fd);
	return ret;
}

/* EAL's answer to a failed send or wait, in the words of our contract. */
static int send_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
	case ENOENT:
	case ECONNRESET:
	case ENOTCONN:
		return -ECONNREFUSED;
	case 0:
		return -EIO;
	default:
		return -err;
	}
}

/* The first of the reply's fds goes to *got, if that is asked for. */
static void take_fds(const struct rte_mp_msg *reply, int *got)
{
	int i;

	for (i = 0; i < reply->num_fds; i++) {
		if (i == 0 && got)
			*got = reply->fds[i];
		else
			close(reply->fds[i]);
	}
}

/* One request and its answer. -EAGAIN: the reply was another request's. */
static int ask_once(struct knit_msg *m, int fd, int *got, int64_t timeout)
{
	struct timespec ts = { .tv_sec = timeout / 1000, .tv_nsec = timeout % 1000 * 1000000 };
	struct rte_mp_msg req = { .name = KNIT_MSG_ACTION, .len_param = sizeof(*m) };
	struct rte_mp_reply reply = { 0 };
	struct knit_msg answer;
	int ret = 0;

	memcpy(req.param, m, sizeof(*m));
	if (fd >= 0) {
		req.num_fds = 1;
		req.fds[0] = fd;
	}
	if (rte_mp_request_sync(&req, &reply, &ts) < 0)
		return send_error(rte_errno);
	if (reply.nb_received != 1) {
		/* No such action, or none yet: it is not a knit primary that is up. */
		ret = -ECONNREFUSED;
		goto out;
	}
	memcpy(&answer, reply.msgs[0].param, sizeof(answer));
	take_fds(&reply.msgs[0], answer.seq == m->seq ? got : NULL);
	if (reply.msgs[0].len_param != (int)sizeof(answer))
		ret = -EPROTO;
	else if (answer.seq != m->seq || answer.op != m->op)
		ret = -EAGAIN;
	else
		memcpy(m, &answer, sizeof(answer));
out:
	free(reply.msgs);
	return ret;
}

static int ask(struct knit_msg *m, int fd, int *got, int timeout_ms)
{
	int64_t deadline = knit_now_ms() + timeout_ms;
	static uint32_t last_seq;
	int64_t left;
	int ret;

	m->seq = ++last_seq;
	m->pid = getpid();
	m->start_time = knit_process_start_time(getpid());
	m->result = 0;
	m->text[0] = '\0';
	do {
		ret = wait_for_room(deadline);
		if (ret < 0)
			break;
		left = deadline - knit_now_ms();
		ret = left > 0 ? ask_once(m, fd, got, left) : -ETIMEDOUT;
		if (ret == -EAGAIN)
			log_info("%s: dropped a late reply", knit_op_name(m->op));
		/* A wait may end early, by a spurious wake-up: the deadline decides. */
	} while (ret == -EAGAIN || (ret == -ETIMEDOUT && knit_now_ms() < deadline));
	if (ret == 0) {
		m->text[sizeof(m->text) - 1] = '\0';
		return m->result;
	}
	return ret == -EAGAIN ? -ETIMEDOUT : ret;
}

int knit_msg_ask(struct knit_msg *m, int fd, int timeout_ms)
{
	return ask(m, fd, NULL, timeout_ms);
}

int knit_msg_ask_fd(struct knit_msg *m, int timeout_ms)
{
	int got = -1, ret = ask(m, -1, &got, timeout_ms);

	if (ret < 0 && got >= 0)
		close(got);
	if (ret == 0 && got < 0)
		ret = -EPROTO;
	return ret < 0 ? ret : got;
}
