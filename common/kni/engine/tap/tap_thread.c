// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "tap.h"

#include <rte_branch_prediction.h>
#include <rte_cycles.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define COMMAND_SECONDS 5 /* an engine thread takes commands many times a second */

enum command_kind {
	CMD_ADD,    /* serve the pair, without an owner */
	CMD_REMOVE, /* forget it */
	CMD_BIND,
	CMD_UNBIND,
	CMD_STOP, /* end the thread */
};

static const char *const command_names[] = {
	[CMD_ADD] = "serve a queue pair", [CMD_REMOVE] = "let go of a queue pair",
	[CMD_BIND] = "bind a queue pair", [CMD_UNBIND] = "unbind a queue pair",
	[CMD_STOP] = "end the thread",
};

struct command {
	struct command *next;
	enum command_kind kind;
	struct knit_tap_pair *pair; /* of all but STOP */
	uint32_t user_doorbell;	    /* BIND */
	const char *what;	    /* the interface's name, for the log */
	bool must;		    /* waited for as long as it takes */
	bool done;
	int result;
};

struct knit_tap_thread {
	/* engine thread */
	struct knit_tap_pair **pair;
	uint32_t n_pairs;
	int epoll;
	bool stop;
	struct knit_tap_scratch *scratch;
	struct knit_tap_io *io;
	struct knit_region_reader reader;
	uint64_t wakeups;
	uint64_t mark_frames; /* moderation: the window's begin */
	uint64_t mark_tsc;
	bool busy;	      /* the last whole window was */
	uint64_t doze_frames; /* read from the kernel before the last doze */
	uint32_t doze_us;

	/* under lock, but commands may be looked at without it */
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct command *commands;

	/* control plane */
	pthread_t thread;
	uint32_t doorbell;
	unsigned int users;
};

/* kthread_mode=single: the thread of all pairs. Threads come and go under this lock. */
static struct knit_tap_thread *shared;
static unsigned int next_number;
static pthread_mutex_t threads_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * Edge-triggered: one event per frame that the kernel queues, none for what is already known, and
 * nothing to be read off the doorbell.
 */
static int epoll_add(int epoll, int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = ptr };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int thread_add_pair(struct knit_tap_thread *th, struct knit_tap_pair *p)
{
	struct knit_tap_pair **bigger = realloc(th->pair, (th->n_pairs + 1) * sizeof(*bigger));
	int ret;

	if (bigger == NULL)
		return -ENOMEM;
	th->pair = bigger;
	p->readable = true;
	ret = epoll_add(th->epoll, p->fd, p);
	if (ret == 0)
		th->pair[th->n_pairs++] = p;
	return ret;
}

static void thread_remove_pair(struct knit_tap_thread *th, struct knit_tap_pair *p)
{
	uint32_t i, left = 0;

	epoll_ctl(th->epoll, EPOLL_CTL_DEL, p->fd, NULL);
	for (i = 0; i < th->n_pairs; i++)
		if (th->pair[i] != p)
			th->pair[left++] = th->pair[i];
	th->n_pairs = left;
}

/*
 * The thread follows the device, or leaves that to the owner. The owner's file is the same open
 * file, so that it could have made reads wait.
 */
static bool pair_switch(struct knit_tap_thread *th, struct knit_tap_pair *p)
{
	struct epoll_event ev = { .events = EPOLLET, .data.ptr = p };

	if (!knit_tap_tx_must_switch(p))
		return false;
	knit_tap_tx_switch(p);
	if (!p->given) {
		fcntl(p->fd, F_SETFL, O_NONBLOCK);
		ev.events |= EPOLLIN;
	}
	epoll_ctl(th->epoll, EPOLL_CTL_MOD, p->fd, &ev);
	return true;
}

static int run_command(struct knit_tap_thread *th, const struct command *c)
{
	switch (c->kind) {
	case CMD_ADD:
		return thread_add_pair(th, c->pair);
	case CMD_REMOVE:
		thread_remove_pair(th, c->pair);
		return 0;
	case CMD_BIND:
		return knit_tap_pair_bind(c->pair, c->user_doorbell);
	case CMD_UNBIND:
		knit_tap_pair_unbind(c->pair);
		pair_switch(th, c->pair);
		return 0;
	case CMD_STOP:
		th->stop = true;
	}
	return 0;
}

static void run_commands(struct knit_tap_thread *th)
{
	struct command *c;

	pthread_mutex_lock(&th->lock);
	while ((c = th->commands) != NULL) {
		th->commands = c->next;
		c->result = run_command(th, c);
		c->done = true;
	}
	pthread_cond_broadcast(&th->done);
	pthread_mutex_unlock(&th->lock);
}

/* Polls once each queue that may have something. True if any had. */
static bool thread_serve(struct knit_tap_thread *th)
{
	const struct knit_region_table *mem = th->reader.table;
	struct knit_tap_pair *p;
	bool work = false;
	uint32_t i;

	for (i = 0; i < th->n_pairs; i++) {
		p = th->pair[i];
		if (p->bound && knit_tap_rx_begin(p, KNIT_SERVER_THREAD)) {
			work |= knit_tap_rx(p, th->scratch, th->io, mem);
			knit_tap_rx_end(p);
		}
		work |= pair_switch(th, p);
		if (p->readable && !p->dead && !p->given)
			work |= knit_tap_tx(p, th->io, mem);
	}
	return work;
}

/*
 * Moderation. A kernel that sends packet by packet on the CPU of this thread would wake it for each
 * one, and two context switches cost more than the packet. So above one frame in KNIT_TAP_BUSY_US,
 * measured over a window, the thread does not wait for events but looks again after a doze, and
 * finds a batch. Below, as with a single ping, events wake it at once.
 *
 * A doze, too, costs a timer and two context switches, as much as several frames. So it doubles
 * while the kernel gave a frame in 4 us since the one before, and halves while it gave less than
 * one in 8. The kernel's own queue of the device (1000 frames) holds longer than that.
 */
#define DOZE_MIN_US 12
#define DOZE_MAX_US 192
#define WINDOW_US 200
#define WINDOW_FRAMES 8

static uint64_t frames_moved(const struct knit_tap_thread *th)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < th->n_pairs; i++)
		n += th->pair[i]->own_stats.tx_packets + th->pair[i]->own_stats.rx_packets;
	return n;
}

static bool is_busy(struct knit_tap_thread *th)
{
	uint64_t us = rte_get_tsc_hz() / 1000000, now = rte_rdtsc();
	uint64_t frames = frames_moved(th), n = frames - th->mark_frames;

	if (n < WINDOW_FRAMES && now - th->mark_tsc < WINDOW_US * us)
		return th->busy;
	th->busy = n * KNIT_TAP_BUSY_US * us >= now - th->mark_tsc;
	th->mark_frames = frames;
	th->mark_tsc = now;
	return th->busy;
}

static uint64_t frames_read(const struct knit_tap_thread *th)
{
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < th->n_pairs; i++)
		n += th->pair[i]->own_stats.tx_packets;
	return n;
}

static void thread_doze(struct knit_tap_thread *th)
{
	uint64_t frames = frames_read(th), n = frames - th->doze_frames;
	struct timespec t = { 0 };

	th->doze_us = knit_tap_pause_next(th->doze_us, n, DOZE_MIN_US, DOZE_MAX_US);
	th->doze_frames = frames;
	t.tv_nsec = th->doze_us * 1000L;
	nanosleep(&t, NULL);
}

static void thread_disarm(struct knit_tap_thread *th)
{
	struct knit_tap_pair *p;
	uint32_t i;

	for (i = 0; i < th->n_pairs; i++) {
		p = th->pair[i];
		if (!p->bound)
			continue;
		knit_ring_disarm_data(&p->rx_q);
		if (p->starved)
			knit_tap_tx_disarm(p);
	}
}

/* True: every producer will ring from now on, and nothing had come before that. */
static bool thread_arm(struct knit_tap_thread *th)
{
	struct knit_tap_pair *p;
	uint32_t i;

	for (i = 0; i < th->n_pairs; i++)
		if (th->pair[i]->bound)
			knit_store(&th->pair[i]->rx_q.shm->need_data, 1);
	knit_mb(); /* (E), for all of them */
	for (i = 0; i < th->n_pairs; i++) {
		p = th->pair[i];
		if (p->bound && (knit_tap_rx_waits(p) || knit_tap_tx_must_switch(p) ||
				 (p->starved && !p->dead && !knit_tap_tx_arm(p)))) {
			thread_disarm(th);
			return false;
		}
	}
	return true;
}

static void thread_take_events(struct knit_tap_thread *th, int timeout)
{
	struct epoll_event ev[EVENTS];
	struct knit_tap_pair *p;
	int n, i;

	n = epoll_wait(th->epoll, ev, EVENTS, timeout);
	for (i = 0; i < n; i++) {
		p = ev[i].data.ptr;
		if (p)
			p->readable = true;
	}
}

static void *engine_main(void *arg)
{
	struct knit_tap_thread *th = arg;

	th->doze_us = DOZE_MIN_US;
	/* thread_doze() would otherwise last 50 us longer */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	knit_region_register(&th->reader);
	for (;;) {
		if (unlikely(__atomic_load_n(&th->commands, __ATOMIC_ACQUIRE)))
			run_commands(th);
		if (unlikely(th->stop))
			break;
		knit_region_enter(&th->reader);
		if (thread_serve(th)) {
			thread_take_events(th, 0);
		} else if (is_busy(th)) {
			knit_region_leave(&th->reader);
			thread_doze(th);
			thread_take_events(th, 0);
		} else if (thread_arm(th)) {
			knit_region_leave(&th->reader);
			/*
			 * a command rings the doorbell after it is in the list: none is overslept
			 */
			thread_take_events(th, -1);
			th->wakeups++;
			thread_disarm(th);
		} else {
			thread_take_events(th, 0);
		}
	}
	knit_region_leave(&th->reader);
	knit_region_unregister(&th->reader);
	return NULL;
}

static void unlink_command(struct knit_tap_thread *th, const struct command *c)
{
	struct command **at;

	for (at = &th->commands; *at; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			return;
		}
	}
}

/* With th->lock. */
static void wait_done(struct knit_tap_thread *th, const struct command *c)
{
	struct timespec deadline;
	unsigned int waited = 0;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	do {
		deadline.tv_sec += COMMAND_SECONDS;
		while (!c->done && ret != ETIMEDOUT)
			ret = pthread_cond_timedwait(&th->done, &th->lock, &deadline);
		if (c->done)
			return;
		ret = 0;
		waited += COMMAND_SECONDS;
		log_err("%s: %s: the engine thread has not done it for %u s%s", c->what,
			command_names[c->kind], waited, c->must ? ": still waiting" : "");
	} while (c->must);
}

/*
 * Returns when the engine thread has carried it out, or, -ETIME, will never do so. The latter does
 * not happen to commands after which memory is freed or handed on.
 */
static int submit_command(struct knit_tap_thread *th, struct command *c)
{
	struct command **at;

	pthread_mutex_lock(&th->lock);
	for (at = &th->commands; *at; at = &(*at)->next)
		;
	__atomic_store_n(at, c, __ATOMIC_RELEASE);
	knit_doorbell_ring(th->doorbell);
	wait_done(th, c);
	if (!c->done) {
		unlink_command(th, c);
		c->result = -ETIME;
	}
	pthread_mutex_unlock(&th->lock);
	return c->result;
}

int knit_tap_spawn(pthread_t *thread, const char *name, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	cpu_set_t cpus;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return errno_log(ret, "create a thread of the tap engine");
	pthread_setname_np(*thread, name);
	/* the creator may be an lcore, bound to one CPU; the kernel cuts this to the cpuset */
	memset(&cpus, 0xff, sizeof(cpus));
	pthread_setaffinity_np(*thread, sizeof(cpus), &cpus);
	return 0;
}

static void thread_free(struct knit_tap_thread *th)
{
	if (th->doorbell != KNIT_DOORBELL_NONE)
		knit_doorbell_free(th->doorbell);
	if (th->epoll >= 0)
		close(th->epoll);
	pthread_cond_destroy(&th->done);
	pthread_mutex_destroy(&th->lock);
	free(th->scratch);
	knit_tap_io_free(th->io);
	free(th->pair);
	free(th);
}

static int thread_wire(struct knit_tap_thread *th, bool io_uring)
{
	int64_t doorbell = knit_doorbell_new();

	if (doorbell < 0)
		return doorbell;
	th->doorbell = doorbell;
	th->scratch = knit_tap_scratch_new();
	th->io = knit_tap_io_new(io_uring);
	if (th->scratch == NULL || th->io == NULL)
		return -ENOMEM;
	th->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (th->epoll < 0)
		return errno_log(errno, "epoll_create1");
	return epoll_add(th->epoll, knit_doorbell_open(th->doorbell), NULL);
}

static struct knit_tap_thread *thread_new(bool io_uring)
{
	struct knit_tap_thread *th = calloc(1, sizeof(*th));
	pthread_condattr_t attr;
	char name[16];
	int ret;

	if (th == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	th->epoll = -1;
	th->doorbell = KNIT_DOORBELL_NONE;
	pthread_mutex_init(&th->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&th->done, &attr);
	pthread_condattr_destroy(&attr);
	ret = thread_wire(th, io_uring);
	if (ret == 0) {
		snprintf(name, sizeof(name), "knit-tap-%u", next_number++ % 10000);
		ret = knit_tap_spawn(&th->thread, name, engine_main, th);
	}
	if (ret < 0) {
		thread_free(th);
		errno = -ret;
		return NULL;
	}
	return th;
}

/* With threads_lock. */
static void thread_put(struct knit_tap_thread *th)
{
	struct command stop = { .kind = CMD_STOP, .what = "tap" };

	if (--th->users)
		return;
	if (th == shared)
		shared = NULL;
	if (submit_command(th, &stop) < 0)
		return; /* hangs: better leaked than freed under its feet */
	pthread_join(th->thread, NULL);
	thread_free(th);
}

static int thread_set_cpus(struct knit_tap_thread *th, const struct knit_iface_conf *conf)
{
	cpu_set_t cpus;
	int err;

	CPU_ZERO(&cpus);
	if (conf->force_bind) {
		if (conf->core_id < CPU_SETSIZE)
			CPU_SET(conf->core_id, &cpus);
	} else if (conf->cpus) {
		cpus = *conf->cpus;
	} else {
		return 0;
	}
	err = pthread_setaffinity_np(th->thread, sizeof(cpus), &cpus);
	if (err && conf->force_bind)
		log_err("%s: bind the engine thread to CPU %u: %s%s", conf->name, conf->core_id,
			strerror(err), err == EINVAL ? " (no such CPU, or not in the cpuset)" : "");
	else if (err)
		log_err("%s: bind the engine thread to its CPUs: %s%s", conf->name, strerror(err),
			err == EINVAL ? " (there are none such, or not in the cpuset)" : "");
	return -err;
}

int knit_tap_thread_add(struct knit_tap_pair *p, const struct knit_iface_conf *conf)
{
	struct command add = { .kind = CMD_ADD, .pair = p, .what = p->iface->name };
	struct knit_tap_thread *th;
	int ret = -EAGAIN;

	pthread_mutex_lock(&threads_lock);
	th = conf->thread_per_pair || shared == NULL ? thread_new(conf->io_uring) : shared;
	if (th == NULL) {
		ret = -errno;
		goto out_unlock;
	}
	th->users++;
	if (!conf->thread_per_pair)
		shared = th;
	ret = thread_set_cpus(th, conf);
	if (ret == 0)
		ret = submit_command(th, &add);
	if (ret < 0)
		thread_put(th);
	else
		p->thread = th;
out_unlock:
	pthread_mutex_unlock(&threads_lock);
	return ret;
}

/* Nothing if no thread serves it. */
void knit_tap_thread_remove(struct knit_tap_pair *p)
{
	struct command c = { .kind = CMD_REMOVE, .pair = p, .what = p->iface->name, .must = true };

	if (p->thread == NULL)
		return;
	pthread_mutex_lock(&threads_lock);
	submit_command(p->thread, &c);
	thread_put(p->thread);
	p->thread = NULL;
	pthread_mutex_unlock(&threads_lock);
}

int knit_tap_thread_bind(struct knit_tap_pair *p, uint32_t user_doorbell)
{
	struct command c = {
		.kind = CMD_BIND, .pair = p, .user_doorbell = user_doorbell, .what = p->iface->name
	};

	return submit_command(p->thread, &c);
}

void knit_tap_thread_unbind(struct knit_tap_pair *p)
{
	struct command c = { .kind = CMD_UNBIND, .pair = p, .what = p->iface->name, .must = true };

	submit_command(p->thread, &c);
}

uint64_t knit_tap_thread_wakeups(const struct knit_tap_thread *thread)
{
	return thread->wakeups;
}

uint32_t knit_tap_thread_doorbell(const struct knit_tap_thread *thread)
{
	return thread->doorbell;
}
