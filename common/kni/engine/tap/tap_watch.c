// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"
#include "kni/offload/offload.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

/*
 * The watch thread: one per process, alive while there is an interface. It sleeps until netlink,
 * its doorbell or the timer says that something may have changed, then looks at every interface
 * and brings the kernel and the interface state together. Of the engine's threads it is
 * the only one that takes the kernel's RTNL lock while interfaces run.
 */

#define EVENTS 16
/*
 * Address lists, and what the kernel itself wants received (multicast routing), have no event and
 * are polled while it is up; requests that failed are repeated.
 */
#define TICK_SECONDS 1

static struct {
	pthread_mutex_t lock; /* held by the thread whenever it is not asleep */
	pthread_t thread;
	struct knit_tap_iface *ifaces;
	struct knit_nl events; /* changes wherever interfaces are, told in one namespace */
	struct knit_nl home;   /* requests, there */
	uint32_t doorbell;
	int epoll;
	int timer;
	bool stop;
	bool ticking;
} watch = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .doorbell = KNIT_DOORBELL_NONE, .epoll = -1, .timer = -1
};

void knit_tap_watch_ring(void)
{
	knit_doorbell_ring(watch.doorbell);
}

static int watch_add_fd(int fd, void *ptr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ptr };

	return epoll_ctl(watch.epoll, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* Changes elsewhere are told if the namespace has a number here; without, each tick finds them. */
static int number_of(const struct knit_tap_place *place, uint64_t netns)
{
	int nsid;

	if (netns == knit_nl_netns(&watch.home))
		return KNIT_NSID_OWN;
	return knit_nl_nsid(&watch.home, place->netns, &nsid) < 0 ? KNIT_TAP_NSID_NONE : nsid;
}

static void iface_note_place(struct knit_tap_iface *t, const struct knit_tap_place *place)
{
	uint64_t netns = knit_nl_netns(&place->nl);
	struct knit_tap_watch *w = &t->watch;

	if (w->netns && netns != w->netns)
		log_notice("%s: moved to another network namespace", t->name);
	if (w->netns && strcmp(place->link.name, w->link.name) != 0)
		log_notice("%s: was renamed to %s", t->name, place->link.name);
	if (netns != w->netns)
		w->nsid = number_of(place, netns);
	w->netns = netns;
	t->ifindex = place->link.ifindex;
	t->kni->ifindex = place->link.ifindex;
}

/* A bridge receives by its ports what is for itself, but asks them for everything instead. */
static void add_master(struct knit_tap_place *place, struct knit_nl_addrs *addrs)
{
	static const uint8_t none[6];
	struct knit_nl_link master;
	uint32_t i;

	if (place->link.master == 0 ||
	    knit_nl_link_get(&place->nl, place->link.master, NULL, &master) < 0 ||
	    memcmp(master.mac, place->link.mac, 6) == 0 || memcmp(master.mac, none, 6) == 0)
		return;
	for (i = 0; i < addrs->n_uc && i < KNIT_RXLIST_MAX; i++)
		if (memcmp(addrs->uc[i], master.mac, 6) == 0)
			return;
	if (addrs->n_uc < KNIT_RXLIST_MAX)
		memcpy(addrs->uc[addrs->n_uc], master.mac, 6);
	addrs->n_uc++;
}

static int link_sync(struct knit_tap_place *place, void *arg)
{
	static struct knit_nl_addrs addrs; /* under lock */
	struct knit_tap_iface *t = arg;

	iface_note_place(t, place);
	knit_tap_req_link(t, &place->link);
	if (t->watch.reqstate.now.up &&
	    knit_nl_addrs_get(&place->nl, place->link.ifindex, &addrs) == 0) {
		add_master(place, &addrs);
		knit_tap_req_addrs(t, &addrs);
	}
	knit_tap_observe(t, place);
	return 0;
}

static void iface_sync(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	int ret;

	if (!w->sync || w->deleted)
		return;
	w->sync = false;
	ret = knit_tap_there(t, link_sync, t);
	if (ret < 0) /* who may be there is not known */
		knit_tap_merge_to(t, 0);
	if (ret == -ENODEV) {
		w->deleted = true;
		t->kni->ifindex = 0;
		log_warn("%s: the interface was removed; nothing passes until it is released",
			 t->name);
	} else if (ret < 0 && !w->blind) {
		log_warn("%s: changes can't be seen where it is now: %s", t->name, strerror(-ret));
	}
	w->blind = ret < 0;
}

/* An event's content may be older than what we have done since: it only says where to look. */
static void watch_on_event(int nsid, uint32_t ifindex, void *arg)
{
	struct knit_tap_iface *t;

	for (t = watch.ifaces; t; t = t->next)
		if (t->watch.nsid == nsid && t->ifindex == ifindex)
			t->watch.sync = true;
}

static void watch_read_events(void)
{
	struct knit_tap_iface *t;

	if (knit_nl_events(&watch.events, watch_on_event, NULL) == 0)
		return;
	for (t = watch.ifaces; t; t = t->next) /* events were lost */
		t->watch.sync = true;
}

static void iface_apply_carrier(struct knit_tap_iface *t)
{
	struct knit_tap_watch *w = &t->watch;
	int on = __atomic_load_n(&t->kni->carrier, __ATOMIC_ACQUIRE) && !w->reqstate.link_refused;

	if (on != w->carrier_now && knit_tap_dev_carrier(t, on) == 0)
		w->carrier_now = on;
}

static int link_set_speed(struct knit_tap_place *place, void *arg)
{
	uint64_t wanted = *(uint64_t *)arg;

	return knit_tap_dev_speed(place, wanted >> 1, wanted & 1);
}

static void iface_apply_speed(struct knit_tap_iface *t)
{
	uint64_t wanted = __atomic_load_n(&t->watch.link_wanted, __ATOMIC_ACQUIRE);
	struct knit_tap_watch *w = &t->watch;
	int ret;

	if (wanted == w->link_now)
		return;
	w->link_now = wanted; /* tried once, whatever comes of it */
	ret = knit_tap_there(t, link_set_speed, &wanted);
	if (ret < 0)
		log_warn("%s: set link speed: %s", t->name, strerror(-ret));
}

static void iface_set_queue(struct knit_tap_iface *t, uint16_t pair, bool attach)
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
static void iface_apply_queues(struct knit_tap_iface *t)
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
			iface_set_queue(t, i, true);
	for (i = 0; i < t->n_pairs; i++)
		if (now & ~wanted & 1u << i && t->watch.active_now != 1u << i)
			iface_set_queue(t, i, false);
}

static void iface_poll(struct knit_tap_iface *t, bool tick)
{
	uint32_t asked = __atomic_load_n(&t->kni->link_asked, __ATOMIC_ACQUIRE);

	t->watch.sync |= tick || asked != t->kni->link_done;
	iface_sync(t);
	if (tick)
		knit_tap_req_tick(t);
	knit_tap_req_run(t);
	if (!t->watch.deleted) {
		iface_apply_queues(t);
		iface_apply_carrier(t);
		iface_apply_speed(t);
	}
	__atomic_store_n(&t->kni->link_done, asked, __ATOMIC_RELEASE);
}

/*
 * The timer runs only while an interface is up, or has something to retry, or is elsewhere: its end
 * together with its namespace is told nowhere.
 */
static void watch_set_timer(void)
{
	struct itimerspec spec = { 0 };
	struct knit_tap_iface *t;
	bool tick = false;

	for (t = watch.ifaces; t; t = t->next)
		tick |= !t->watch.deleted && (t->watch.reqstate.now.up || t->watch.reqstate.retry ||
					      t->watch.blind || t->watch.nsid != KNIT_NSID_OWN);
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
	uint64_t expired;
	bool tick;
	int n, i;

	pthread_mutex_lock(&watch.lock);
	while (!watch.stop) {
		watch_set_timer();
		pthread_mutex_unlock(&watch.lock);
		n = epoll_wait(watch.epoll, ev, EVENTS, -1);
		pthread_mutex_lock(&watch.lock);
		tick = false;
		for (i = 0; i < n; i++) {
			if (ev[i].data.ptr == &watch.doorbell)
				knit_doorbell_clear(watch.doorbell);
			else if (ev[i].data.ptr == &watch.timer)
				tick = read(watch.timer, &expired, sizeof(expired)) > 0;
		}
		watch_read_events();
		for (t = watch.ifaces; t; t = t->next)
			iface_poll(t, tick);
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
	if (watch.doorbell != KNIT_DOORBELL_NONE)
		knit_doorbell_free(watch.doorbell);
	knit_nl_close(&watch.home);
	knit_nl_close(&watch.events);
	watch.timer = -1;
	watch.epoll = -1;
	watch.doorbell = KNIT_DOORBELL_NONE;
}

static int watch_open_sockets(void)
{
	int ret = knit_nl_open(&watch.events, true);

	if (ret == 0)
		ret = knit_nl_open(&watch.home, false);
	if (ret == 0)
		ret = watch_add_fd(knit_nl_fd(&watch.events), &watch.events);
	return ret < 0 ? errno_log(-ret, "rtnetlink") : 0;
}

/* What the thread needs. It starts with the first interface in place. */
static int watch_prepare(void)
{
	int64_t doorbell;
	int ret;

	if (watch.epoll >= 0)
		return 0;
	doorbell = knit_doorbell_new();
	if (doorbell < 0)
		return doorbell;
	watch.doorbell = doorbell;
	watch.epoll = epoll_create1(EPOLL_CLOEXEC);
	watch.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watch.epoll < 0 || watch.timer < 0) {
		ret = errno_log(errno, "epoll or timer of the watch thread");
		goto err_stop;
	}
	ret = watch_add_fd(knit_doorbell_open(watch.doorbell), &watch.doorbell);
	if (ret == 0)
		ret = watch_add_fd(watch.timer, &watch.timer);
	if (ret == 0)
		ret = watch_open_sockets();
	if (ret < 0)
		goto err_stop;
	watch.stop = false;
	watch.ticking = false;
	return 0;

err_stop:
	watch_stop();
	return ret;
}

static int link_set_gso_max_segs(struct knit_tap_place *place, void *arg)
{
	return knit_nl_link_gso_max_segs(&place->nl, place->link.ifindex, KNIT_OFFLOAD_MAX_SEGS);
}

static int link_first_sync(struct knit_tap_place *place, void *arg)
{
	struct knit_tap_iface *t = arg;

	iface_note_place(t, place);
	knit_tap_req_first(t, &place->link);
	return 0;
}

/* The interface as the configuration wants it; what comes out is the first interface state. */
static int iface_configure(struct knit_tap_iface *t, const struct knit_iface_conf *conf)
{
	static const uint8_t no_mac[6];
	struct knit_tap_watch *w = &t->watch;
	int ret;

	/* A kernel that refuses keeps its own limit; then longer frames are dropped and counted. */
	ret = knit_tap_there(t, link_set_gso_max_segs, NULL);
	if (ret < 0)
		log_notice("%s: limit segments of GSO frames: %s", t->name, strerror(-ret));
	w->min_mtu = conf->min_mtu ? conf->min_mtu : 68;
	w->max_mtu = conf->max_mtu ? conf->max_mtu : UINT16_MAX;
	if (conf->mtu) {
		ret = knit_tap_set_mtu(t, conf->mtu);
		if (ret < 0) {
			log_err("%s: set MTU %u: %s", t->name, conf->mtu, strerror(-ret));
			return ret;
		}
	}
	if (memcmp(conf->mac, no_mac, 6) != 0) {
		ret = knit_tap_set_mac(t, conf->mac);
		if (ret < 0) {
			log_err("%s: set MAC address: %s", t->name, strerror(-ret));
			return ret;
		}
	}
	ret = knit_tap_there(t, link_first_sync, t);
	if (ret < 0)
		return errno_log(-ret, "look at the new tap device");
	w->active_now = (1u << t->n_pairs) - 1;
	w->carrier_now = 1;
	w->link_now = (uint64_t)UINT32_MAX << 1;
	w->link_wanted = w->link_now;
	iface_apply_carrier(t);
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
	knit_tap_req_bind(t);
	ret = iface_configure(t, conf);
	if (ret == 0 && first)
		ret = knit_tap_spawn(&watch.thread, "knit-watch", watch_main, NULL);
	if (ret < 0)
		goto err_stop;
	t->next = watch.ifaces;
	watch.ifaces = t;
	t->kni->control_doorbell = watch.doorbell;
	t->watch.sync = true;
	knit_tap_watch_ring();
	goto out_unlock;

err_stop:
	if (first)
		watch_stop();
out_unlock:
	pthread_mutex_unlock(&watch.lock);
	pthread_mutex_unlock(&life_lock);
	return ret;
}

static int link_delete(struct knit_tap_place *place, void *arg)
{
	return knit_nl_link_del(&place->nl, place->link.ifindex);
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
	ret = knit_tap_there(t, link_delete, NULL);
	if (ret < 0 && ret != -ENODEV)
		log_err("%s: remove the interface: %s", t->name, strerror(-ret));
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
