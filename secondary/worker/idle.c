// SPDX-License-Identifier: BSD-3-Clause
#include "idle.h"

#include "kni/base/doorbell.h"
#include "kni/control/pair.h"
#include "kni/kick.h"
#include "signals.h"
#include "system/topology/handoff.h"
#include "worker.h"

#include <rte_cycles.h>
#include <rte_rcu_qsbr.h>

#include <sys/prctl.h>

/*
 * Sleep without delay for the first packet. Interfaces, and workers that send through this one,
 * wake it by its doorbell (need_data is armed before). net_tap ports wake it by their fd. Any other
 * port cannot, because a secondary has no receive interrupts. If the worker has such a port as an
 * input, it wakes after a time that grows from MIN_US to MAX_US, and polls.
 */
#define SPIN_US 200 /* a reply often comes within that time, and finds the worker awake */
#define MIN_US 50
#define MAX_US 400
#define POLLABLE_US 500000 /* all inputs can wake: then it only looks for other changes */
#define DOWN_US 20000	   /* likewise, while a port is down: a ring might be missed */
#define MAX_MISSES 16	   /* wake-ups without a packet before a tap's fd is ignored */

void knit_idle_init(struct knit_worker *w)
{
	w->idle.spin_cycles = rte_get_tsc_hz() * SPIN_US / 1000000;
	w->idle.last_busy = rte_rdtsc();
	w->idle.timeout_us = MIN_US;
	/* Without this, the kernel may add 50 us to every sleep. */
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	knit_idle_rebuild(w);
}

/* An interface that this process may read itself, which then rings no doorbell. */
static void own_add(struct knit_worker_idle *idle, const struct knit_input *in)
{
	const struct knit_kick *kick =
		in->end == KNIT_END_IFACE ? knit_kick_of(in->kni, in->queue) : NULL;

	if (kick == NULL || kick->fd < 0)
		return;
	idle->own[idle->n_fds] = (struct knit_worker_own){ .kick = kick, .fd = kick->fd };
	idle->fds[idle->n_fds++] = (struct pollfd){ .fd = kick->fd, .events = POLLIN };
}

void knit_idle_rebuild(struct knit_worker *w)
{
	struct knit_worker_idle *idle = &w->idle;
	unsigned int i, n_ports = 0;
	int fd;

	idle->fds[0] =
		(struct pollfd){ .fd = knit_doorbell_open(w->entry->doorbell), .events = POLLIN };
	idle->n_fds = 1;
	for (i = 0; i < w->n_taps; i++) {
		fd = w->taps[i].queue_fd;
		if (fd < 0 || w->taps[i].misses > MAX_MISSES)
			continue;
		idle->tap[idle->n_fds] = &w->taps[i];
		idle->fds[idle->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	idle->n_tap_fds = idle->n_fds - 1;
	for (i = 0; i < w->n_inputs; i++)
		n_ports += w->inputs[i].end == KNIT_END_PORT;
	idle->pollable = n_ports == idle->n_tap_fds;
	for (i = 0; i < w->n_inputs; i++)
		own_add(idle, &w->inputs[i]);
}

/* True: no packet waits in an input with a doorbell, and the next one will ring. */
static bool inputs_arm(struct knit_worker *w)
{
	struct knit_input *in;
	uint32_t i;

	w->idle.armed = true;
	for (i = 0; i < w->n_inputs; i++) {
		in = &w->inputs[i];
		if (in->end == KNIT_END_IFACE && !knit_pair_arm(in->kni, in->queue))
			return false;
		if (in->end == KNIT_END_HANDOFF && !knit_handoff_arm(in->handoff))
			return false;
	}
	return true;
}

static void inputs_disarm(struct knit_worker *w)
{
	struct knit_input *in;
	uint32_t i;

	if (!w->idle.armed)
		return;
	w->idle.armed = false;
	for (i = 0; i < w->n_inputs; i++) {
		in = &w->inputs[i];
		if (in->end == KNIT_END_IFACE)
			knit_pair_disarm(in->kni, in->queue);
		else if (in->end == KNIT_END_HANDOFF)
			knit_handoff_disarm(in->handoff);
	}
}

static bool any_port_down(const struct knit_worker *w)
{
	uint32_t i;

	for (i = 0; i < w->n_inputs; i++)
		if (w->inputs[i].end == KNIT_END_PORT &&
		    !__atomic_load_n(&w->inputs[i].port->admin_up, __ATOMIC_RELAXED))
			return true;
	return false;
}

/*
 * Frames that can't be read, or not be handed on, while there are no mbufs. Nothing tells when
 * there are some again.
 */
static bool own_waits(const struct knit_worker_idle *idle)
{
	const struct knit_worker_own *own;
	unsigned int i;

	for (i = 1 + idle->n_tap_fds; i < idle->n_fds; i++) {
		own = &idle->own[i];
		if (own->misses > MAX_MISSES || own->kick->holds(own->kick->arg))
			return true;
	}
	return false;
}

static uint32_t next_timeout_us(struct knit_worker *w)
{
	struct knit_worker_idle *idle = &w->idle;
	uint32_t us = idle->timeout_us;

	if (idle->pollable && !own_waits(idle))
		return any_port_down(w) ? DOWN_US : POLLABLE_US;
	idle->timeout_us = RTE_MIN(us * 2, (uint32_t)MAX_US);
	return us;
}

/* Stops to poll a tap's fd that is readable again and again although its queue has no packet. */
static void taps_count_misses(struct knit_worker *w)
{
	struct knit_worker_idle *idle = &w->idle;
	bool rebuild = false;
	unsigned int i;

	for (i = 1; i <= idle->n_tap_fds; i++) {
		if (!idle->fds[i].revents)
			continue;
		idle->fds[i].revents = 0;
		rebuild |= ++idle->tap[i]->misses > MAX_MISSES;
	}
	if (rebuild)
		knit_idle_rebuild(w);
}

/*
 * An interface that was removed is always readable, and never again of use. One that the engine
 * reads again rings the doorbell.
 */
static void own_count_misses(struct knit_worker_idle *idle)
{
	struct knit_worker_own *own;
	unsigned int i;

	for (i = 1 + idle->n_tap_fds; i < idle->n_fds; i++) {
		own = &idle->own[i];
		if (own->kick->fd < 0 || idle->fds[i].revents & (POLLERR | POLLHUP | POLLNVAL))
			own->fd = -1;
		else
			own->misses += idle->fds[i].revents != 0;
		idle->fds[i].revents = 0;
		idle->fds[i].fd = own->misses > MAX_MISSES ? -1 : own->fd;
	}
}

/* The fds brought packets, or nobody has polled them yet. */
static void taps_forget_misses(struct knit_worker_idle *idle)
{
	unsigned int i;

	for (i = 1; i <= idle->n_tap_fds; i++) {
		idle->fds[i].revents = 0;
		idle->tap[i]->misses = 0;
	}
	for (; i < idle->n_fds; i++)
		idle->own[i].misses = 0;
}

/*
 * The input of a port that is down is not polled. So what arrives there must not wake the worker.
 * poll ignores negative fds.
 */
static void taps_mask_down(struct knit_worker_idle *idle)
{
	const struct knit_worker_tap *tap;
	unsigned int i;
	bool up;

	for (i = 1; i <= idle->n_tap_fds; i++) {
		tap = idle->tap[i];
		up = __atomic_load_n(&tap->port->admin_up, __ATOMIC_RELAXED);
		idle->fds[i].fd = up ? tap->queue_fd : -1;
	}
}

static void sleep_in_poll(struct knit_worker *w)
{
	uint32_t us = next_timeout_us(w);
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L };

	/*
	 * The doorbell stays rung until it is cleared here. So ppoll returns at once if a stop or a
	 * park came before it.
	 */
	taps_mask_down(&w->idle);
	rte_rcu_qsbr_thread_offline(w->qsbr, 0);
	if (ppoll(w->idle.fds, w->idle.n_fds, &ts, NULL) > 0 && w->idle.fds[0].revents)
		knit_doorbell_clear(w->entry->doorbell);
	rte_rcu_qsbr_thread_online(w->qsbr, 0);
	knit_count(&w->stats->sleeps, 1);
	w->idle.slept = true;
}

void knit_idle_step(struct knit_worker *w, uint64_t now)
{
	struct knit_worker_idle *idle = &w->idle;

	if (!idle->sleeping) {
		if (now - idle->last_busy < idle->spin_cycles)
			return;
		idle->sleeping = true;
		idle->timeout_us = MIN_US;
		taps_forget_misses(idle);
	}
	taps_count_misses(w);
	own_count_misses(idle);
	if (!inputs_arm(w)) {
		inputs_disarm(w);
		idle->sleeping = false;
		idle->last_busy = now;
		return;
	}
	if (!knit_stop_requested())
		sleep_in_poll(w);
}

void knit_idle_awake(struct knit_worker *w)
{
	inputs_disarm(w);
}
