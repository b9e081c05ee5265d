// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "main_loop.h"

#include "change_main.h"
#include "command/reload.h"
#include "event/event.h"
#include "iface.h"
#include "kni/base/log.h"
#include "port/port_removal.h"
#include "port_thread.h"
#include "primary.h"
#include "status.h"
#include "system/process/notify.h"
#include "system/rundir/rundir.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define LINK_AGAIN 10 /* ms: a busy driver's link; as the least link_poll */

static int link_event = -1; /* eventfd: a driver reported a link change, or main_loop_kick */

/*
 * SIGINT, SIGTERM and SIGQUIT, which end the primary, and SIGHUP, after which it reads its file
 * again, are read from a signalfd. SIGIO and the real-time signals are
 * ignored before any port is made. The reason is net_tap: it takes the first real-time signal that
 * is not in use, and has the kernel send it for each packet to the process that made the port. The
 * signal is a hint for that process to receive. That process is the primary, which receives no
 * packets. If net_tap finds no free signal, it works without, and a packet costs a third.
 */
void main_loop_block_signals(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
	for (sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		signal(sig, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_signalfd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int on_link(uint16_t port_id, enum rte_eth_event_type type, void *arg, void *ret)
{
	static const uint64_t one = 1;
	struct port *port = arg;

	__atomic_fetch_add(&port->link_events, 1, __ATOMIC_RELAXED);
	if (write(link_event, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

static void watch_link(struct primary *p, unsigned int i, bool on)
{
	struct port *port = &p->ports[i];

	if (!port->lsc || p->topo->ports[i].removed)
		return;
	if (on)
		rte_eth_dev_callback_register(port->id, RTE_ETH_EVENT_INTR_LSC, on_link, port);
	else
		rte_eth_dev_callback_unregister(port->id, RTE_ETH_EVENT_INTR_LSC, on_link, port);
}

static void watch_links(struct primary *p, bool on)
{
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS; i++)
		if (p->topo->ports[i].there)
			watch_link(p, i, on);
}

void main_loop_kick(void)
{
	static const uint64_t one = 1;

	/* EAGAIN means that the counter is full: it is awake. */
	if (write(link_event, &one, sizeof(one)) < 0)
		return;
}

static int shortest_poll(struct primary *p)
{
	static int last = 10;
	unsigned int i;
	int ms = 1000, one;

	/* A change may take what is read here. It kicks the main thread afterwards. */
	if (pthread_mutex_trylock(&p->places))
		return last;
	for (i = 0; i < p->topo->n_ports; i++) {
		if (!p->topo->ports[i].there)
			continue;
		one = p->ports[i].conf->link_poll;
		if (one < ms)
			ms = one;
	}
	pthread_mutex_unlock(&p->places);
	last = ms;
	return ms;
}

/* How soon links are to be read again, in ms. */
static int poll_links(struct primary *p, int timeout)
{
	bool busy = false;
	uint64_t count;
	unsigned int i;

	if (read(link_event, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_warn("link events: %s", strerror(errno));
	for (i = 0; i < p->topo->n_ports; i++) {
		if (!p->topo->ports[i].there || primary_link_update(p, i))
			continue;
		busy = true;
		__atomic_store_n(&p->links_wait, true, __ATOMIC_RELEASE);
	}
	if (!busy)
		__atomic_store_n(&p->links_wait, false, __ATOMIC_RELEASE);
	return busy ? LINK_AGAIN : timeout;
}

static bool stop_requested(int sigfd)
{
	struct signalfd_siginfo info;

	if (read(sigfd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	if (info.ssi_signo == SIGHUP) {
		command_reload_wanted();
		return false;
	}
	EVENT(SYSTEM_DOWN, EV(strsignal(info.ssi_signo)));
	return true;
}

static void each_second(struct primary *p)
{
	static time_t last;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec == last)
		return;
	last = now.tv_sec;
	primary_ifaces_poll(p);
	primary_status_notify(p);
	if (p->status)
		primary_status_line(p);
}

/* Both threads go round, or systemd starts the primary anew. */
static void tell_alive(struct knit_beat *b)
{
	static uint64_t told;
	uint64_t turns = port_thread_turns();

	if (turns == told || knit_beat_timeout(b, 1))
		return;
	told = turns;
	knit_beat(b);
}

int main_loop_run(struct primary *p)
{
	struct pollfd fds[2];
	int sigfd = open_signalfd();
	int next;
	struct knit_beat beat;
	bool asked = false;

	knit_beat_init(&beat);
	link_event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (sigfd < 0 || link_event < 0) {
		errno_log(errno, "signalfd, eventfd");
		return KNIT_EXIT_FAILURE;
	}
	watch_links(p, true);
	EVENT(SYSTEM_UP, EV(KNIT_VERSION), EV(knit_topo_count_ports(p->topo)),
	      EV(knit_topo_count_ifaces(p->topo)), EV(knit_topo_count_workers(p->topo)));
	fds[0] = (struct pollfd){ .fd = sigfd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = link_event, .events = POLLIN };
	while (!asked && !__atomic_load_n(&p->restart, __ATOMIC_ACQUIRE)) {
		if (port_removal_poll(p))
			port_thread_kick();
		change_main_poll(p, watch_link);
		next = poll_links(p, shortest_poll(p));
		each_second(p);
		tell_alive(&beat);
		if (poll(fds, 2, next) < 0 && errno != EINTR)
			break;
		asked = stop_requested(sigfd);
	}
	watch_links(p, false);
	__atomic_store_n(&p->links_wait, false, __ATOMIC_RELEASE);
	close(sigfd);
	if (!asked)
		EVENT(SYSTEM_DOWN, EV("a start anew is necessary"));
	return p->restart && !asked ? KNIT_EXIT_RESTART : KNIT_EXIT_OK;
}

int main_loop_exit_code(int code)
{
	sigset_t set;

	if (code != KNIT_EXIT_RESTART || sigpending(&set) < 0)
		return code;
	return sigismember(&set, SIGTERM) || sigismember(&set, SIGINT) ? KNIT_EXIT_OK : code;
}
