// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "log.h"
#include "netns.h"
#include "offload.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * The watch thread: one per process, alive while there is an interface. It sleeps until netlink,
 * its doorbell or the timer says that something may have changed, then looks at every interface
 * and brings the kernel and the wanted state together. It is the only thread that takes the
 * kernel's RTNL lock while interfaces run.
 */

#define EVENTS 16
/* Address lists have no event and are polled while it is up; posts that failed are repeated. */
#define TICK_SECONDS 1

/* A network namespace that holds interfaces. Under lock. */
struct knit_tap_ns {
	struct knit_tap_ns *next;
	struct knit_nl events;
	struct knit_nl req;
	dev_t dev; /* which namespace it is */
	ino_t ino;
	unsigned int users;
};

static struct {
	pthread_mutex_t lock; /* held by the thread whenever it is not asleep */
	pthread_t thread;
	struct knit_tap_iface *ifaces;
	struct knit_tap_ns *namespaces;
	uint32_t bell;
	int epoll;
	int timer;
	bool stop;
	bool ticking;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER, .bell = KNIT_BELL_NONE, .epoll = -1, .timer = -1 };

struct knit_nl *knit_tap_watch_nl(const struct knit_tap_iface *t)
{
	return &t->watch.ns->req;
}

void knit_tap_watch_ring(void)
{
	knit_bell_ring(watch.bell);
}

static int watch_fd(int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ptr };

	return epoll_ctl(watch.epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* That of the calling thread. */
static struct knit_tap_ns *ns_get(void)
{
	struct knit_tap_ns *ns;
	struct stat st;
	int ret;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return NULL;
	for (ns = watch.namespaces; ns; ns = ns->next) {
		if (ns->dev == st.st_dev && ns->ino == st.st_ino) {
			ns->users++;
			return ns;
		}
	}
	ns = calloc(1, sizeof(*ns));
	if (ns == NULL)
		return NULL;
	*ns = (struct knit_tap_ns){ .dev = st.st_dev, .ino = st.st_ino, .users = 1 };
	ret = knit_nl_open(&ns->events, true);
	if (ret == 0)
		ret = knit_nl_open(&ns->req, false);
	if (ret == 0)
		ret = watch_fd(knit_nl_fd(&ns->events), NULL);
	if (ret < 0)
		goto err_close_ns;
	ns->next = watch.namespaces;
	watch.namespaces = ns;
	return ns;

err_close_ns:
	knit_nl_close(&ns->req);
	knit_nl_close(&ns->events);
	free(ns);
	errno = -ret;
	return NULL;
}

static void ns_put(struct knit_tap_ns *ns)
{
	struct knit_tap_ns **at;

	if (--ns->users)
		return;
	for (at = &watch.namespaces; *at != ns; at = &(*at)->next)
		;
	*at = ns->next;
	knit_nl_close(&ns->events);
	knit_nl_close(&ns->req);
	free(ns);
}

/* Not in its namespace any more: moved to another one, or deleted. */
static void follow(struct knit_tap_iface *t)
{
	int netns = knit_tap_dev_netns(t), saved = -1;
	struct knit_tap_ns *ns = NULL;
	uint32_t ifindex = 0;

	if (netns >= 0 && knit_netns_enter_fd(netns, &saved) == 0) {
		ifindex = if_nametoindex(t->watch.link.name);
		ns = ifindex ? ns_get() : NULL;
		knit_netns_leave(&saved);
	}
	if (netns >= 0)
		close(netns);
	if (ns == NULL) {
		t->watch.gone = true;
		log_warn("%s: the interface was removed; nothing passes until it is released",
			 t->name);
		return;
	}
	ns_put(t->watch.ns);
	t->watch.ns = ns;
	t->watch.look = true;
	t->ifindex = ifindex;
	t->kni->ifindex = ifindex;
	log_notice("%s: moved to another network namespace", t->name);
}

static void look_at_link(struct knit_tap_iface *t)
{
	struct knit_nl_link link;
	int ret, tries;

	for (tries = 0; tries < 2 && t->watch.look && !t->watch.gone; tries++) {
		t->watch.look = false;
		ret = knit_nl_link_get(knit_tap_watch_nl(t), t->ifindex, NULL, &link);
		if (ret == 0)
			knit_tap_req_link(t, &link);
		else if (ret == -ENODEV)
			follow(t);
	}
}

static void look_at_lists(struct knit_tap_iface *t)
{
	static struct knit_nl_addrs addrs; /* under lock */

	if (t->watch.gone || !t->watch.now.up)
		return;
	if (knit_nl_addrs_get(knit_tap_watch_nl(t), t->ifindex, &addrs) == 0)
		knit_tap_req_addrs(t, &addrs);
}

/* An event's content may be older than what we have done since: it only says where to look. */
static void on_event(const struct knit_nl_link *link, bool deleted, void *arg)
{
	struct knit_tap_ns *ns = arg;
	struct knit_tap_iface *t;

	for (t = watch.ifaces; t; t = t->next)
		if (t->watch.ns == ns && t->ifindex == link->ifindex)
			t->watch.look = true;
}

static void read_events(struct knit_tap_ns *ns)
{
	struct knit_tap_iface *t;

	if (knit_nl_events(&ns->events, on_event, ns) == 0)
		return;
	for (t = watch.ifaces; t; t = t->next) /* events were lost */
		t->watch.look |= t->watch.ns == ns;
}

static void apply_carrier(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	int on = __atomic_load_n(&t->kni->carrier, __ATOMIC_ACQUIRE) && !w->link_refused;

	if (on != w->carrier_now && knit_tap_dev_carrier(t, on) == 0)
		w->carrier_now = on;
}

static void apply_speed(struct knit_tap_iface *t)
{
	uint64_t wanted = __atomic_load_n(&t->watch.link_wanted, __ATOMIC_ACQUIRE);
	struct knit_tap_watch *w = &t->watch;
	int ret;

	if (wanted == w->link_now)
		return;
	w->link_now = wanted; /* tried once, whatever comes of it */
	ret = knit_tap_dev_speed(t, wanted >> 1, wanted & 1);
	if (ret < 0)
		log_warn("%s: set link speed: %s", t->name, strerror(-ret));
}

static void set_queue(struct knit_tap_iface *t, uint16_t pair, bool attach)
{
	int ret = knit_tap_dev_queue(t, pair, attach);

	if (ret < 0) {
		log_err("%s: %s queue %u: %s", t->name, attach ? "attach" : "detach", pair,
			strerror(-ret));
		return;
	}
	t->watch.active_now ^= 1u << pair;
}

/* The kernel must always have one queue; with no owner at all it is the last one that had. */
static void apply_queues(struct knit_tap_iface *t)
{
	uint32_t wanted = __atomic_load_n(&t->watch.active_wanted, __ATOMIC_ACQUIRE);
	uint32_t now = t->watch.active_now;
	uint16_t i;

	if (wanted == 0)
		wanted = now & -now;
	if (wanted == now)
		return;
	for (i = 0; i < t->n_pairs; i++)
		if (wanted & ~now & 1u << i)
			set_queue(t, i, true);
	for (i = 0; i < t->n_pairs; i++)
		if (now & ~wanted & 1u << i && t->watch.active_now != 1u << i)
			set_queue(t, i, false);
}

static void attend(struct knit_tap_iface *t, bool tick)
{
	bool lists = tick || t->watch.look;

	look_at_link(t);
	if (lists)
		look_at_lists(t);
	if (lists && !t->watch.gone)
		knit_tap_observe(t);
	if (tick)
		knit_tap_req_tick(t);
	knit_tap_req_run(t);
	if (t->watch.gone)
		return;
	apply_queues(t);
	apply_carrier(t);
	apply_speed(t);
}

/* The timer runs only while an interface is up or has something to retry. */
static void set_timer(void)
{
	struct itimerspec spec = { 0 };
	struct knit_tap_iface *t;
	bool tick = false;

	for (t = watch.ifaces; t; t = t->next)
		tick |= (t->watch.now.up || t->watch.retry) && !t->watch.gone;
	if (tick == watch.ticking)
		return;
	watch.ticking = tick;
	spec.it_value.tv_sec = tick ? TICK_SECONDS : 0;
	spec.it_interval.tv_sec = tick ? TICK_SECONDS : 0;
	timerfd_settime(watch.timer, 0, &spec, NULL);
}

static void *watch_main(void *arg)
{
	struct epoll_event ev[EVENTS];
	struct knit_tap_iface *t;
	struct knit_tap_ns *ns;
	uint64_t expired;
	bool tick;
	int n, i;

	pthread_mutex_lock(&watch.lock);
	while (!watch.stop) {
		set_timer();
		pthread_mutex_unlock(&watch.lock);
		n = epoll_wait(watch.epoll, ev, EVENTS, -1);
		pthread_mutex_lock(&watch.lock);
		tick = false;
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr == &watch.bell)
				knit_bell_clear(watch.bell);
			else if (ev[i].data.ptr == &watch.timer)
				tick = read(watch.timer, &expired, sizeof(expired)) > 0;
		}
		/* a namespace may have gone since epoll named it: go by the list */
		for (ns = watch.namespaces; ns; ns = ns->next)
			read_events(ns);
		for (t = watch.ifaces; t; t = t->next)
			attend(t, tick);
	}
	pthread_mutex_unlock(&watch.lock);
	return NULL;
}

/* Adding and removing interfaces, one at a time. Taken before watch.lock. */
static pthread_mutex_t life_lock = PTHREAD_MUTEX_INITIALIZER;

static void watch_stop(void)
{
	if (watch.timer >= 0)
		close(watch.timer);
	if (watch.epoll >= 0)
		close(watch.epoll);
	if (watch.bell != KNIT_BELL_NONE)
		knit_bell_free(watch.bell);
	watch.timer = -1;
	watch.epoll = -1;
	watch.bell = KNIT_BELL_NONE;
}

/* What the thread needs. It starts with the first interface in place. */
static int watch_prepare(void)
{
	int64_t bell;
	int ret;

	if (watch.epoll >= 0)
		return 0;
	bell = knit_bell_new();
	if (bell < 0)
		return bell;
	watch.bell = bell;
	watch.epoll = epoll_create1(EPOLL_CLOEXEC);
	watch.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch.epoll < 0 || watch.timer < 0) {
		ret = errno_log(errno, "epoll or timer of the watch thread");
		goto err_stop;
	}
	ret = watch_fd(knit_bell_open(watch.bell), &watch.bell);
	if (ret == 0)
		ret = watch_fd(watch.timer, &watch.timer);
	if (ret < 0)
		goto err_stop;
	watch.stop = false;
	watch.ticking = false;
	return 0;

err_stop:
	watch_stop();
	return ret;
}

/* The interface as the configuration wants it; what comes out is the first wanted state. */
static int configure(struct knit_tap_iface *t, const struct knit_iface_conf *conf)
{
	static const uint8_t no_mac[6];
	struct knit_tap_watch *w = &t->watch;
	struct knit_nl *nl = knit_tap_watch_nl(t);
	int ret;

	/* A kernel that refuses keeps its own limit; then longer frames are dropped and counted. */
	ret = knit_nl_link_gso_max_segs(nl, t->ifindex, KNIT_OFFLOAD_MAX_SEGS);
	if (ret < 0)
		log_notice("%s: limit segments of GSO frames: %s", t->name, strerror(-ret));
	w->min_mtu = conf->min_mtu ? conf->min_mtu : 68;
	w->max_mtu = conf->max_mtu ? conf->max_mtu : UINT16_MAX;
	if (conf->mtu) {
		ret = knit_nl_link_mtu(nl, t->ifindex, conf->mtu);
		if (ret < 0) {
			log_err("%s: set MTU %u: %s", t->name, conf->mtu, strerror(-ret));
			return ret;
		}
	}
	if (memcmp(conf->mac, no_mac, 6)) {
		ret = knit_nl_link_mac(nl, t->ifindex, conf->mac);
		if (ret < 0) {
			log_err("%s: set MAC address: %s", t->name, strerror(-ret));
			return ret;
		}
	}
	ret = knit_nl_link_get(nl, t->ifindex, NULL, &w->link);
	if (ret < 0)
		return errno_log(-ret, "look at the new tap device");
	w->accepted_mtu = w->link.mtu;
	memcpy(w->accepted_mac, w->link.mac, 6);
	knit_tap_req_link(t, &w->link);
	w->dirty = 0;
	w->active_now = (1u << t->n_pairs) - 1;
	w->carrier_now = 1;
	w->link_now = (uint64_t)UINT32_MAX << 1;
	w->link_wanted = w->link_now;
	apply_carrier(t);
	return 0;
}

int knit_tap_watch_add(struct knit_tap_iface *t, const struct knit_iface_conf *conf)
{
	bool first;
	int ret;

	pthread_mutex_lock(&life_lock);
	pthread_mutex_lock(&watch.lock);
	first = watch.ifaces == NULL;
	ret = watch_prepare();
	if (ret < 0)
		goto out_unlock;
	t->watch.ns = ns_get();
	ret = -errno;
	if (t->watch.ns == NULL) {
		errno_log(-ret, "rtnetlink");
		goto err_stop;
	}
	knit_tap_req_bind(t);
	ret = configure(t, conf);
	if (ret == 0 && first)
		ret = knit_tap_spawn(&watch.thread, "knit-watch", watch_main, NULL);
	if (ret < 0)
		goto err_put_ns;
	t->next = watch.ifaces;
	watch.ifaces = t;
	t->kni->control_bell = watch.bell;
	t->watch.look = true;
	knit_tap_watch_ring();
	goto out_unlock;

err_put_ns:
	ns_put(t->watch.ns);
err_stop:
	if (first)
		watch_stop();
out_unlock:
	pthread_mutex_unlock(&watch.lock);
	pthread_mutex_unlock(&life_lock);
	return ret;
}

/* Also removes the net_device: a forked child may hold its fd, so that closing ours does not. */
void knit_tap_watch_remove(struct knit_tap_iface *t)
{
	struct knit_tap_iface **at;
	bool last;
	int ret;

	pthread_mutex_lock(&life_lock);
	pthread_mutex_lock(&watch.lock);
	for (at = &watch.ifaces; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	look_at_link(t); /* it may just have been moved or deleted */
	ret = t->watch.gone ? 0 : knit_nl_link_del(knit_tap_watch_nl(t), t->ifindex);
	if (ret < 0 && ret != -ENODEV)
		log_err("%s: remove the interface: %s", t->name, strerror(-ret));
	ns_put(t->watch.ns);
	last = watch.ifaces == NULL;
	watch.stop = last;
	knit_tap_watch_ring();
	pthread_mutex_unlock(&watch.lock);
	if (last) {
		pthread_join(watch.thread, NULL);
		watch_stop();
	}
	pthread_mutex_unlock(&life_lock);
}
