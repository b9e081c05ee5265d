// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_kmod
#include "kmod.h"
#include "kni/base/broker.h"
#include "kni/base/doorbell.h"
#include "kni/base/handover.h"
#include "kni/base/log.h"
#include "kni/kick.h"

#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * This process's roles, and the file that holds them: when the process ends, however it does, the
 * file's last close ends the roles. So a forked child must not have it: it is closed there before
 * fork returns. Nobody forks while the file is being opened, when it is not known here yet.
 */

/* A predecessor that died may be seen as dead a moment before its files are closed. */
#define BUSY_MS 1000

static struct {
	pthread_mutex_t lock;
	int fd; /* of users, 0: closed */
	unsigned int users;
	struct own_iface {
		uint64_t id;	/* of the interface; another one: the entry is void */
		uint32_t roles; /* bit of pair, and bit HANDLER */
		/* from the broker, a file for each role; 0: none */
		int handed[KNIT_MAX_PAIRS + 1];
	} of[KNIT_MAX_IFACES];
} own = { .lock = PTHREAD_MUTEX_INITIALIZER };

#define HANDLER KNIT_MAX_PAIRS

/* Bursts of this process don't use the role's file any more. */
static void role_unkick(const struct own_iface *o, unsigned int role)
{
	if (role != HANDLER)
		knit_kick_clear(o - own.of, role);
}

static void roles_before_fork(void)
{
	pthread_mutex_lock(&own.lock);
}

static void roles_after_fork(void)
{
	pthread_mutex_unlock(&own.lock);
}

static void roles_in_child(void)
{
	unsigned int i, role;

	for (i = 0; i < KNIT_MAX_IFACES; i++) {
		for (role = 0; role <= KNIT_MAX_PAIRS; role++) {
			if (own.of[i].roles & 1u << role)
				role_unkick(&own.of[i], role);
			if (own.of[i].handed[role])
				close(own.of[i].handed[role]);
		}
	}
	if (own.users)
		close(own.fd);
	memset(&own, 0, sizeof(own));
	pthread_mutex_init(&own.lock, NULL);
}

static void roles_watch_forks(void)
{
	pthread_atfork(roles_before_fork, roles_after_fork, roles_in_child);
}

/* With the lock. The file, or a negative errno, logged unless the broker has what is missing. */
static int file_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct knit_kmod_why why;
	int fd;

	pthread_once(&once, roles_watch_forks);
	if (own.users == 0) {
		fd = knit_kmod_open(NULL, &why);
		if (fd < 0) {
			if (knit_broker == NULL)
				log_err("%s; remedy: %s", why.what, why.remedy);
			return fd;
		}
		own.fd = fd;
	}
	own.users++;
	return own.fd;
}

static void file_put(void)
{
	if (--own.users == 0)
		close(own.fd);
}

/* The module does all that it is woken for, whatever that is. */
static bool kick_module(const struct rte_kni *kni, uint16_t pair, void *arg, bool wanted_space)
{
	struct knit_ioc_kick k = { .size = sizeof(k), .id = kni->kmod_id, .pair = pair };

	return ioctl((int)(intptr_t)arg, KNIT_IOC_KICK, &k) == 0;
}

void knit_kmod_kick_open(const struct rte_kni *kni, uint16_t pair, int fd)
{
	struct knit_ioc_kick k = { .id = kni->kmod_id, .pair = pair };

	if (kni->handover == KNIT_HANDOVER_THREAD)
		return;
	/* the first one shows whether this module can, and serves what a predecessor left */
	if (knit_kmod_call(fd, KNIT_IOC_KICK, &k) == 0)
		knit_kick_set(kni, pair,
			      &(struct knit_kick){ .to_kernel = kick_module,
						   .arg = (void *)(intptr_t)fd,
						   .fd = -1 });
}

/* The role's file, be it the one that all of them share. */
static void role_put(struct own_iface *o, unsigned int role)
{
	role_unkick(o, role);
	if (o->handed[role])
		close(o->handed[role]);
	else
		file_put();
	o->handed[role] = 0;
	o->roles &= ~(1u << role);
}

static struct own_iface *own_of(const struct rte_kni *kni)
{
	struct own_iface *o = &own.of[kni->index % KNIT_MAX_IFACES];
	unsigned int role;

	if (o->id == kni->kmod_id)
		return o;
	/* Its interface is gone, and the roles with it. */
	for (role = 0; role <= HANDLER; role++)
		if (o->roles & 1u << role)
			role_put(o, role);
	o->id = kni->kmod_id;
	return o;
}

static struct knit_ioc_attach role_of(const struct rte_kni *kni, unsigned int role)
{
	return (struct knit_ioc_attach){
		.id = kni->kmod_id,
		.role = role == HANDLER ? KNIT_ATTACH_HANDLER : KNIT_ATTACH_PAIR,
		.pair = role == HANDLER ? 0 : role,
		.doorbell_fd = -1,
	};
}

static int attach_retry(int fd, struct knit_ioc_attach *a)
{
	int ms, ret;

	for (ms = 0;; ms++) {
		ret = knit_kmod_call(fd, KNIT_IOC_ATTACH, a);
		/* An older module, which can't: its owner gives it up soon. */
		if (ret == -EINVAL && a->flags) {
			a->flags = 0;
			continue;
		}
		if (ret != -EBUSY || ms == BUSY_MS)
			return ret;
		usleep(1000);
	}
}

/* The primary attaches it, and this process has the file. */
static int handed_retry(const struct rte_kni *kni, struct own_iface *o, unsigned int role)
{
	int ms, fd;

	/* A second bind changes nothing: only this process has that file. */
	if (o->handed[role])
		return 0;
	for (ms = 0;; ms++) {
		fd = knit_broker->role(kni, role);
		if (fd != -EBUSY || ms == BUSY_MS)
			break;
		usleep(1000);
	}
	if (fd >= 0)
		o->handed[role] = fd;
	return fd < 0 ? fd : 0;
}

static int role_bind(struct rte_kni *kni, unsigned int role, uint32_t doorbell, uint32_t flags)
{
	struct knit_ioc_attach a = role_of(kni, role);
	struct own_iface *o;
	int fd, ret;

	a.flags = flags;
	if (doorbell != KNIT_DOORBELL_NONE)
		a.doorbell_fd = knit_doorbell_open(doorbell);
	if (doorbell != KNIT_DOORBELL_NONE && a.doorbell_fd < 0)
		return errno_log(-a.doorbell_fd, "open own doorbell");
	pthread_mutex_lock(&own.lock);
	o = own_of(kni);
	fd = file_get();
	if (fd < 0 && knit_broker)
		ret = handed_retry(kni, o, role);
	else
		ret = fd < 0 ? fd : attach_retry(fd, &a);
	if (ret == 0 && !(o->roles & 1u << role))
		o->roles |= 1u << role;
	else if (fd >= 0)
		file_put();
	if (ret == 0 && role != HANDLER)
		knit_kmod_kick_open(kni, role, o->handed[role] ? o->handed[role] : own.fd);
	pthread_mutex_unlock(&own.lock);
	if (ret < 0 && (fd >= 0 || knit_broker))
		log_err("%s: attach %s %u: %s", kni->name,
			role == HANDLER ? "handler, process" : "queue pair",
			role == HANDLER ? (unsigned int)getpid() : role,
			knit_kmod_meaning(KNIT_IOC_ATTACH, ret));
	return ret;
}

/*
 * The module knows better who has the role: another process may have taken it, or the interface is
 * gone. Only the own books are kept.
 */
static void role_unbind(struct rte_kni *kni, unsigned int role)
{
	struct knit_ioc_attach a = role_of(kni, role);
	struct own_iface *o;
	int ret = 0;

	pthread_mutex_lock(&own.lock);
	o = own_of(kni);
	if (o->roles & 1u << role) {
		if (o->handed[role] == 0)
			ret = knit_kmod_call(own.fd, KNIT_IOC_DETACH, &a);
		if (ret < 0)
			log_debug("%s: detach: %s", kni->name, rte_strerror(-ret));
		role_put(o, role);
	}
	pthread_mutex_unlock(&own.lock);
}

int knit_kmod_bind_pair(struct rte_kni *kni, uint16_t pair)
{
	if (pair >= kni->n_pairs)
		return -EINVAL;
	return role_bind(kni, pair, kni->pair[pair].user_doorbell, 0);
}

int knit_kmod_take_pair(struct rte_kni *kni, uint16_t pair)
{
	if (pair >= kni->n_pairs)
		return -EINVAL;
	return role_bind(kni, pair, kni->pair[pair].user_doorbell, KNIT_ATTACH_TAKE_OVER);
}

void knit_kmod_unbind_pair(struct rte_kni *kni, uint16_t pair)
{
	if (pair < kni->n_pairs)
		role_unbind(kni, pair);
}

/* Takes the role anew if this process has it: a fork or another one may have had it in between. */
int knit_kmod_bind_handler(struct rte_kni *kni, uint32_t doorbell)
{
	role_unbind(kni, HANDLER);
	return role_bind(kni, HANDLER, doorbell, 0);
}

void knit_kmod_unbind_handler(struct rte_kni *kni)
{
	role_unbind(kni, HANDLER);
}

int knit_kmod_open_role(struct rte_kni *kni, uint32_t role, uint32_t doorbell, bool take)
{
	struct knit_ioc_attach a = role_of(kni, role);
	int fd, ret;

	a.doorbell_fd = knit_doorbell_open(doorbell);
	if (a.doorbell_fd < 0)
		return a.doorbell_fd;
	a.flags = take && role != HANDLER ? KNIT_ATTACH_TAKE_OVER : 0;
	fd = knit_kmod_open(NULL, NULL);
	ret = fd < 0 ? fd : knit_kmod_call(fd, KNIT_IOC_ATTACH, &a);
	if (ret == -EINVAL && a.flags) {
		a.flags = 0;
		ret = knit_kmod_call(fd, KNIT_IOC_ATTACH, &a);
	}
	if (ret < 0 && fd >= 0)
		close(fd);
	return ret < 0 ? ret : fd;
}

int knit_kmod_update_link(struct rte_kni *kni, bool up)
{
	struct knit_ioc_link l = {
		.flags = KNIT_LINK_IF_UP | KNIT_LINK_KEEP_SPEED | (up ? KNIT_LINK_UP : 0),
		.id = kni->kmod_id,
	};
	int fd, ret;

	pthread_mutex_lock(&own.lock);
	fd = file_get();
	ret = fd < 0 ? fd : knit_kmod_call(fd, KNIT_IOC_SET_LINK, &l);
	if (fd >= 0)
		file_put();
	pthread_mutex_unlock(&own.lock);
	if (ret < 0 && fd >= 0 && ret != -ENETDOWN)
		log_err("%s: set link: %s", kni->name, knit_kmod_meaning(KNIT_IOC_SET_LINK, ret));
	return ret < 0 ? ret : (int)(l.before != 0);
}
