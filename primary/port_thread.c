// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "port_thread.h"

#include "change/change_poll.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "kni/base/owner.h"
#include "port/port_op.h"
#include "port/port_removal.h"
#include "primary.h"
#include "process/channel.h"
#include "process/handover.h"
#include "process/levels.h"
#include "process/order.h"
#include "process/registry.h"
#include "process/replace.h"
#include "process/stalled.h"
#include "recovery/bus_master.h"
#include "recovery/domain_reset.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ring.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * The port thread. EAL's message thread must not allocate or send a request while it runs an
 * action. So the action copies the message into a prepared item, puts the item into a ring and
 * rings the doorbell. The port thread takes the item, acts and replies. It also waits for the ends
 * of secondaries.
 */
#define ITEMS 64
#define TICK_MS 1000   /* registry_check */
#define HOLD_MS 1000   /* how long an operation waits for processes that are attaching */
#define RETRY_MS 20    /* time between tries while a process must be waited for */
#define LEAVE_MS 3000  /* wait for secondaries that were asked to leave */
#define KILLED_MS 1000 /* wait for secondaries that were killed */

struct item {
	struct rte_mp_msg msg;
	uint64_t until; /* timer cycles: end of the time that it may be held; 0: it is not held */
	char peer[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

_Static_assert(offsetof(struct item, msg.param) % _Alignof(struct knit_msg) == 0,
	       "EAL's message keeps its parameters as bytes, and here they are read in place");

static struct {
	struct primary *p;
	struct knit_thread thread;
	bool running;
	uint32_t stop;
	uint32_t doorbell;
	struct item items[ITEMS];
	struct rte_ring *idle; /* unused items */
	struct rte_ring *todo; /* message thread -> port thread; requests about entries */
	struct rte_ring *ops;  /* likewise; operations on ports, in order */
	struct item *held;     /* the first operation, which will be tried again */
	bool dead;	       /* a domain waits for its reset */
	bool removed;	       /* a removed device waits for its release */
	bool changing;	       /* a change waits for a process */
	bool ordered;	       /* an order waits for a process */
	bool replacing;	       /* a process that stands by is taking over, or will */
	bool wedged;	       /* a port that lost bus mastering waits for its start */
	uint64_t turns;	       /* of the loop, and requests, atomic */
} service = { .doorbell = KNIT_DOORBELL_NONE };

/*
 * Whether it is an operation on a port. Other requests are about the sender's own entry, and never
 * wait for another process.
 */
static bool is_port_op(uint32_t op)
{
	return op >= KNIT_OP_LINK && op <= KNIT_OP_RXLIST;
}

static int on_message(const struct rte_mp_msg *msg, const void *peer)
{
	struct item *item;
	int i;

	if (msg->len_param != sizeof(struct knit_msg) ||
	    rte_ring_dequeue(service.idle, (void **)&item)) {
		for (i = 0; i < msg->num_fds; i++)
			close(msg->fds[i]);
		return -1;
	}
	item->msg = *msg;
	item->until = 0;
	snprintf(item->peer, sizeof(item->peer), "%s", (const char *)peer);
	rte_ring_enqueue(is_port_op(((const struct knit_msg *)msg->param)->op) ? service.ops
									       : service.todo,
			 item);
	knit_doorbell_ring(service.doorbell);
	return 0;
}

/* fd: came with the request. give: goes with the answer, and is closed then. */
static int request_execute(struct primary *p, struct knit_msg *m, int *fd, int *give)
{
	int ret;

	switch (m->op) {
	case KNIT_OP_ATTACH:
		return registry_attach(p, m, fd);
	case KNIT_OP_READY:
		ret = registry_ready(p, m);
		if (ret < 0)
			return ret;
		bus_master_keep(p, ret, m->pid);
		return 0;
	case KNIT_OP_DETACH:
		return registry_detach(p, m);
	case KNIT_OP_REPLACE:
		return replace_asked(p, m);
	case KNIT_OP_SYNC:
		return 0;
	case KNIT_OP_DOORBELL:
	case KNIT_OP_ROLE:
		*give = handover_open(p, m);
		return *give < 0 ? *give : 0;
	default:
		return port_op(p, m);
	}
}

/* A process is attaching. Returns whether there is still time to wait for it. */
static bool item_hold(struct item *item)
{
	uint64_t now = rte_get_timer_cycles();

	if (item->until == 0)
		item->until = now + rte_get_timer_hz() * HOLD_MS / 1000;
	return now < item->until;
}

/* False: the item is held, and there is no answer yet. */
static bool item_serve(struct primary *p, struct item *item)
{
	struct knit_msg *m = (struct knit_msg *)item->msg.param;
	int i, fd = item->msg.num_fds > 0 ? item->msg.fds[0] : -1, give = -1;

	/* Many slow requests in a row are no standstill. */
	__atomic_fetch_add(&service.turns, 1, __ATOMIC_RELAXED);
	m->text[0] = '\0';
	m->result = request_execute(p, m, &fd, &give);
	if (m->result == -EINPROGRESS) {
		if (item_hold(item))
			return false;
		port_op_give_up(p, m);
	}
	/* The operation may have kept processes out; now they may attach again. */
	if (item->until)
		knit_rundir_unblock_attach();
	if (fd >= 0)
		close(fd);
	for (i = 1; i < item->msg.num_fds; i++)
		close(item->msg.fds[i]);
	item->msg.num_fds = give >= 0;
	item->msg.fds[0] = give;
	channel_clear_for(p, item->peer);
	if (rte_mp_reply(&item->msg, item->peer) < 0)
		log_warn("%s: process %u did not wait for the answer", knit_op_name(m->op), m->pid);
	if (give >= 0)
		close(give);
	rte_ring_enqueue(service.idle, item);
	return true;
}

/* poll ignores negative fds. */
static void pollfds_of_processes(const struct primary *p, struct pollfd fds[PROCESS_ENTRIES])
{
	unsigned int i;

	for (i = 0; i < PROCESS_ENTRIES; i++)
		fds[i] = (struct pollfd){ .fd = p->pidfd[i], .events = POLLIN };
}

static void poll_process_ends(struct primary *p)
{
	struct pollfd fds[PROCESS_ENTRIES];
	unsigned int i;

	pollfds_of_processes(p, fds);
	if (poll(fds, PROCESS_ENTRIES, 0) <= 0)
		return;
	for (i = 0; i < PROCESS_ENTRIES; i++) {
		if (fds[i].revents && registry_ended(p, i))
			service.dead = true;
	}
}

/*
 * Handles ends of processes before each message: the message may come from the successor of a
 * process that has just ended.
 */
static void items_serve(struct primary *p)
{
	struct item *item;

	knit_doorbell_clear(service.doorbell);
	poll_process_ends(p);
	while (rte_ring_dequeue(service.todo, (void **)&item) == 0) {
		poll_process_ends(p);
		item_serve(p, item);
	}
	while (service.held || rte_ring_dequeue(service.ops, (void **)&service.held) == 0) {
		poll_process_ends(p);
		if (!item_serve(p, service.held))
			break;
		service.held = NULL;
	}
}

/* Waits once: for messages, ends of processes, or the time. */
static void wait_once(struct primary *p, int timeout)
{
	struct pollfd fds[2 + PROCESS_ENTRIES];
	/* The main thread does not look at ports any more. */
	bool ending = __atomic_load_n(&service.stop, __ATOMIC_ACQUIRE);

	fds[0] = (struct pollfd){ .fd = knit_doorbell_open(service.doorbell), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = ending ? -1 : bus_master_fd(), .events = POLLIN };
	pollfds_of_processes(p, fds + 2);
	if (poll(fds, RTE_DIM(fds), timeout) >= 0)
		items_serve(p);
}

static bool must_retry(void)
{
	return service.dead || service.removed || service.wedged || service.held ||
	       service.changing || service.ordered || service.replacing;
}

static uint32_t port_thread(void *arg)
{
	struct primary *p = arg;

	while (!__atomic_load_n(&service.stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&service.turns, 1, __ATOMIC_RELAXED);
		wait_once(p, must_retry() ? RETRY_MS : TICK_MS);
		bus_master_poll(p);
		registry_check(p);
		channel_poll(p);
		levels_poll(p);
		service.ordered = order_poll(p);
		service.changing = change_poll(p);
		stalled_poll(p, service.dead);
		/*
		 * After a death inside EAL, a reset could wait for a lock that nobody will release.
		 */
		if (service.dead && !p->restart)
			service.dead = !domain_reset_dead(p);
		/* Also before a reset, which waits for who is taking over. */
		service.replacing = replace_poll(p);
		if (!p->restart)
			service.wedged = !bus_master_recover(p);
		if (!p->restart)
			service.removed = !port_removal_release(p);
	}
	return 0;
}

static struct rte_ring *create_item_ring(const char *name)
{
	struct rte_ring *r = rte_ring_create(name, ITEMS * 2, SOCKET_ID_ANY, 0);

	if (r == NULL)
		log_err("ring %s: %s", name, rte_strerror(rte_errno));
	return r;
}

int port_thread_start(struct primary *p)
{
	int64_t doorbell = knit_doorbell_new();
	unsigned int i;
	int ret;

	if (doorbell < 0)
		return doorbell;
	service.p = p;
	service.doorbell = doorbell;
	service.idle = create_item_ring("knit_msg_idle");
	service.todo = create_item_ring("knit_msg_todo");
	service.ops = create_item_ring("knit_msg_ops");
	if (service.idle == NULL || service.todo == NULL || service.ops == NULL)
		return -ENOMEM;
	for (i = 0; i < ITEMS; i++)
		rte_ring_enqueue(service.idle, &service.items[i]);
	ret = knit_thread_create(&service.thread, "knit-port", port_thread, p);
	if (ret < 0)
		return errno_log(ret, "thread knit-port");
	service.running = true;
	if (rte_mp_action_register(KNIT_MSG_ACTION, on_message) < 0)
		return errno_log(rte_errno, "rte_mp_action_register");
	return 0;
}

uint64_t port_thread_turns(void)
{
	return __atomic_load_n(&service.turns, __ATOMIC_RELAXED);
}

void port_thread_kick(void)
{
	knit_doorbell_ring(service.doorbell);
}

/* Secondaries that have an entry, or are attaching or detaching. */
static unsigned int count_processes(const struct primary *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < PROCESS_ENTRIES; i++)
		n += p->pidfd[i] >= 0;
	return n + stalled_signal(p, 0);
}

static void signal_processes(const struct primary *p, int sig)
{
	unsigned int i;

	for (i = 0; i < PROCESS_ENTRIES; i++)
		if (p->pidfd[i] >= 0)
			syscall(SYS_pidfd_send_signal, p->pidfd[i], sig, NULL, 0);
	stalled_signal(p, sig);
}

/* Serves DETACH messages until all processes have ended or the time is over. */
static void wait_process_ends(struct primary *p, int ms)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000;
	do {
		wait_once(p, 50);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (count_processes(p) && now.tv_sec <= end.tv_sec);
}

void port_thread_stop(struct primary *p)
{
	if (!service.running)
		return;
	__atomic_store_n(&service.stop, 1, __ATOMIC_RELEASE);
	port_thread_kick();
	knit_thread_join(&service.thread);
	service.running = false;
	__atomic_store_n(&p->topo->stopping, 1, __ATOMIC_RELEASE);
	/* Processes that wait for permission to attach are let in, and are told to end. */
	knit_rundir_withdraw(p->conf->eal.prefix);
	knit_rundir_unblock_attach();
	signal_processes(p, SIGTERM);
	if (count_processes(p))
		wait_process_ends(p, LEAVE_MS);
	if (count_processes(p)) {
		log_warn("%u processes did not leave within %d ms; killing them",
			 count_processes(p), LEAVE_MS);
		signal_processes(p, SIGKILL);
		wait_process_ends(p, KILLED_MS);
	}
	rte_mp_action_unregister(KNIT_MSG_ACTION);
	if (service.dead && !p->restart)
		domain_reset_dead(p);
}
