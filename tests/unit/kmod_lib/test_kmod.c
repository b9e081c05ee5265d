// SPDX-License-Identifier: BSD-3-Clause
#include "kmod_fake.h"
#include "kni/base/doorbell.h"
#include "kni/base/handover.h"
#include "kni/control/iface.h"
#include "kni/engine/engine.h"
#include "kni/engine/engine_call.h"
#include "kni/engine/select.h"
#include "unit.h"

#include <rte_errno.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The engine's operations, and the roles that processes take, on a module that only takes notes. */
static struct knit_iface_conf conf = {
	.name = "kmod0",
	.engine = "kmod",
	.mtu = 1500,
	.min_mtu = 68,
	.max_mtu = 9000,
	.n_pairs = 2,
	.port_id = UINT16_MAX,
	.ring_size = 256,
	.features = KNIT_FEAT_ALL,
	.mac = { 2, 0, 0, 0, 0, 1 },
	.carrier = true,
};
static struct rte_kni *kni;

static void setup(void)
{
	kmod_fake_reset();
	conf.legacy = false;
	kni = NULL;
}

static void make(void)
{
	kni = knit_iface_create(&conf);
	ck_assert_ptr_nonnull(kni);
}

static void end(void)
{
	knit_iface_destroy(kni);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}

static int free_doorbells(void)
{
	int64_t doorbell[KNIT_MAX_DOORBELLS];
	int i, n = 0;

	while (n < KNIT_MAX_DOORBELLS && (doorbell[n] = knit_doorbell_new()) >= 0)
		n++;
	for (i = 0; i < n; i++)
		knit_doorbell_free(doorbell[i]);
	return n;
}

START_TEST(created)
{
	const struct knit_ioc_create *c = &kmod_fake.create;

	make();
	ck_assert_ptr_eq(kni->engine, &knit_kmod_engine);
	ck_assert_uint_eq(kni->engine_kind, KNIT_ENGINE_KMOD);
	ck_assert_uint_eq(kni->kmod_id, 1001);
	ck_assert_uint_eq(kni->ifindex, 77);
	ck_assert_uint_eq(c->flags, KNIT_CREATE_CARRIER);
	ck_assert_uint_eq(c->shm, (uintptr_t)kni->shm);
	ck_assert(kmod_fake_holds(kmod_fake.opens - 1, kni->shm, knit_shm_bytes(256, 2)));
	ck_assert_uint_eq(c->ring_size, 256);
	ck_assert_uint_eq(c->n_pairs, 2);
	ck_assert_uint_eq(c->features, KNIT_FEAT_ALL);
	ck_assert_int_eq(c->netns_fd, -1);
	ck_assert_str_eq(c->name, "kmod0");
	ck_assert_mem_eq(c->mac, conf.mac, 6);
	ck_assert_uint_eq(c->mtu, 1500);
	ck_assert_uint_eq(c->min_mtu, 68);
	ck_assert_uint_eq(c->max_mtu, 9000);
	ck_assert_int_eq(c->packet_doorbell_fd, knit_doorbell_open(kni->pair[1].engine_doorbell));
	ck_assert_int_eq(c->request_doorbell_fd, knit_doorbell_open(kni->control_doorbell));
	ck_assert_int_ne(c->packet_doorbell_fd, c->request_doorbell_fd);
	end();
	ck_assert_uint_eq(kmod_fake.released, 1001);
}
END_TEST

START_TEST(created_otherwise)
{
	conf.legacy = true;
	conf.async = true;
	conf.force_bind = true;
	conf.core_id = 1;
	make();
	/* carrier: the module's parameter says */
	ck_assert_uint_eq(kmod_fake.create.flags,
			  KNIT_CREATE_ATTACHED | KNIT_CREATE_ASYNC | KNIT_CREATE_BIND);
	ck_assert_uint_eq(kmod_fake.create.core_id, 1);
	end();
}
END_TEST

START_TEST(not_created)
{
	int doorbells;

	make();
	end();
	doorbells = free_doorbells();
	kmod_fake_reset();
	kmod_fake.fail = KNIT_IOC_CREATE;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -EEXIST;
	ck_assert_ptr_null(knit_iface_create(&conf));
	ck_assert_int_eq(rte_errno, EEXIST);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
	ck_assert_int_eq(free_doorbells(), doorbells);
	make();
	end();
	ck_assert_int_eq(free_doorbells(), doorbells);
}
END_TEST

/* What an older module, or kernel, says of itself. */
START_TEST(big_tcp_not_served)
{
	conf.features = KNIT_FEAT_KNOWN;
	ck_assert_ptr_null(knit_iface_create(&conf));
	conf.features = KNIT_FEAT_ALL;
	ck_assert_int_eq(rte_errno, EOPNOTSUPP);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_CREATE), 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}
END_TEST

START_TEST(no_namespace)
{
	conf.netns = "knit-there-is-none";
	ck_assert_ptr_null(knit_iface_create(&conf));
	ck_assert_int_eq(rte_errno, ENOENT);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_CREATE), 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 0);
}
END_TEST

/* A worker binds its pairs itself; the creator does it for applications of rte_kni.h only. */
START_TEST(pairs)
{
	make();
	ck_assert_int_eq(kni->engine->bind(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_ATTACH), 0);
	kni->engine->unbind(kni, 1);
	ck_assert_uint_eq(kmod_fake.detach.id, kni->kmod_id);
	ck_assert_uint_eq(kmod_fake.detach.role, KNIT_ATTACH_PAIR);
	ck_assert_uint_eq(kmod_fake.detach.pair, 1);
	ck_assert_int_eq(kmod_fake.detach.doorbell_fd, -1);
	kni->legacy = true;
	ck_assert_int_eq(kni->engine->bind(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake.attach.role, KNIT_ATTACH_PAIR);
	ck_assert_uint_eq(kmod_fake.attach.pair, 1);
	ck_assert_int_eq(kmod_fake.attach.doorbell_fd, -1);
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	end();
}
END_TEST

START_TEST(link_state)
{
	make();
	ck_assert_int_eq(kni->engine->set_link(kni, true, 10000, true), 0);
	ck_assert_uint_eq(kmod_fake.link.flags, KNIT_LINK_UP | KNIT_LINK_FULL_DUPLEX);
	ck_assert_uint_eq(kmod_fake.link.speed, 10000);
	ck_assert_int_eq(kni->engine->set_link(kni, false, 0, false), 0);
	ck_assert_uint_eq(kmod_fake.link.flags, 0);
	ck_assert_uint_eq(kmod_fake.link.speed, UINT32_MAX);

	ck_assert_int_eq(rte_kni_update_link(kni, 7), 1);
	ck_assert_uint_eq(kmod_fake.link.flags,
			  KNIT_LINK_UP | KNIT_LINK_IF_UP | KNIT_LINK_KEEP_SPEED);
	ck_assert_int_eq(rte_kni_update_link(kni, 0), 1);
	ck_assert_uint_eq(kmod_fake.link.flags, KNIT_LINK_IF_UP | KNIT_LINK_KEEP_SPEED);
	kmod_fake.fail = KNIT_IOC_SET_LINK;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -ENETDOWN;
	ck_assert_int_eq(rte_kni_update_link(kni, 1), -1);
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	end();
}
END_TEST

START_TEST(statistics)
{
	const uint64_t *word;
	struct knit_engine_req_stats r;
	struct knit_engine_stats s;
	struct knit_ioc_stats want;
	unsigned int i, n = 0;

	make();
	kmod_fake.fail = 0;
	knit_kmod_call(kmod_fake.file[kmod_fake.opens - 1].fd, KNIT_IOC_STATS, &want);
	kni->engine->stats(kni, 1, &s);
	ck_assert_uint_eq(s.rx_packets, want.rx_packets);
	ck_assert_uint_eq(s.tx_bytes, want.tx_bytes);
	ck_assert_uint_eq(s.drops[KNIT_ENGINE_DROP_TX_NO_WORKER], want.tx_no_worker);
	ck_assert_uint_eq(s.rejects[KNIT_REJECT_BAD_GSO], want.bad_gso);
	ck_assert_uint_eq(s.rejects[KNIT_REJECT_BAD_INDEX], want.bad_index);
	ck_assert_uint_eq(s.drops[KNIT_ENGINE_DROP_RX_KERNEL], 0);
	ck_assert_uint_eq(s.tx_starved, 0);
	/* Every counter of the pair is somewhere: rx_packets twice, as packets and as writes. */
	for (word = (const uint64_t *)&s, i = 0; i < sizeof(s) / sizeof(*word); i++)
		n += word[i] != 0;
#define X(name, text) n--;
	KNIT_KMOD_PAIR_STATS(X)
	KNIT_KMOD_HANDOVER_STATS(X)
#undef X
	ck_assert_uint_eq(n, 1);

	kni->engine->req_stats(kni, &r);
	ck_assert_uint_eq(r.sync, want.req_sync);
	ck_assert_uint_eq(r.rxlist_over, want.rxlist_over);
	for (word = (const uint64_t *)&r, i = 0; i < sizeof(r) / sizeof(*word); i++)
		n += word[i] != 0;
#define X(name, text) n--;
	KNIT_KMOD_REQ_STATS(X)
#undef X
	ck_assert_uint_eq(n, 1);

	/* nothing half-filled if the module does not answer */
	kmod_fake.fail = KNIT_IOC_STATS;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -ENOENT;
	memset(&s, 0xff, sizeof(s));
	kni->engine->stats(kni, 1, &s);
	ck_assert_uint_eq(s.rx_packets, 0);
	end();
}
END_TEST

/* One file for all roles of a process, from the first to the last. */
START_TEST(roles)
{
	unsigned int opens;
	int64_t doorbell;

	make();
	opens = kmod_fake.opens;
	doorbell = knit_doorbell_new();
	ck_assert_int_ge(doorbell, 0);
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	kni->pair[1].user_doorbell = doorbell;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake.opens, opens + 1);
	ck_assert_uint_eq(kmod_fake.attach.id, kni->kmod_id);
	ck_assert_uint_eq(kmod_fake.attach.role, KNIT_ATTACH_PAIR);
	ck_assert_uint_eq(kmod_fake.attach.pair, 1);
	ck_assert_int_eq(kmod_fake.attach.doorbell_fd, knit_doorbell_open(doorbell));
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	ck_assert_int_eq(kmod_fake.attach.doorbell_fd, -1);
	ck_assert_int_eq(knit_engine_bind_pair(kni, 2), -EINVAL);
	ck_assert_int_eq(knit_engine_bind_handler(kni, doorbell), 0);
	ck_assert_uint_eq(kmod_fake.attach.role, KNIT_ATTACH_HANDLER);
	ck_assert_uint_eq(kmod_fake.attach.pair, 0);
	ck_assert_int_eq(rte_kni_update_link(kni, 1), 1);
	ck_assert_uint_eq(kmod_fake.opens, opens + 1);
	knit_engine_unbind_pair(kni, 1);
	knit_engine_unbind_handler(kni);
	ck_assert_uint_eq(kmod_fake.detach.role, KNIT_ATTACH_HANDLER);
	ck_assert_uint_eq(kmod_fake_open_files(), 2);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	/* not ours any more: the module is not asked */
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 3);
	end();
}
END_TEST

/* Another process may have taken it in between. */
START_TEST(handler_again)
{
	make();
	ck_assert_int_eq(knit_engine_bind_handler(kni, KNIT_DOORBELL_NONE), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 0);
	ck_assert_int_eq(knit_engine_bind_handler(kni, KNIT_DOORBELL_NONE), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 1);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_ATTACH), 2);
	knit_engine_unbind_handler(kni);
	end();
}
END_TEST

static void busy(unsigned int times)
{
	kmod_fake.fail = KNIT_IOC_ATTACH;
	kmod_fake.fail_times = times;
	kmod_fake.error = -EBUSY;
}

START_TEST(role_busy)
{
	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	busy(10);
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_ATTACH), 11);
	knit_engine_unbind_pair(kni, 0);
	busy(100000);
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), -EBUSY);
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 1);
	end();
}
END_TEST

/* An older module refuses the flag; then it is as with any pair that another process has. */
START_TEST(role_taken_over)
{
	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	ck_assert_uint_eq(kmod_fake.attach.flags, 0);
	knit_engine_yield_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 0);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_int_eq(knit_engine_take_pair(kni, 0), 0);
	ck_assert_uint_eq(kmod_fake.attach.flags, KNIT_ATTACH_TAKE_OVER);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake.detach.flags, 0);
	kmod_fake.fail = KNIT_IOC_ATTACH;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -EINVAL;
	ck_assert_int_eq(knit_engine_take_pair(kni, 0), 0);
	ck_assert_uint_eq(kmod_fake.attach.flags, 0);
	knit_engine_unbind_pair(kni, 0);
	end();
}
END_TEST

START_TEST(role_of_another_interface)
{
	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 2);
	knit_iface_destroy(kni);
	make();
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 0);
	end();
}
END_TEST

/* A child has neither its parent's roles nor the file of them, and may take its own. */
START_TEST(role_in_child)
{
	int status, fd;
	pid_t pid;

	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	fd = kmod_fake.file[kmod_fake.opens - 1].fd;
	pid = fork();
	if (pid == 0) {
		if (kmod_fake_open_files() != 1 || close(fd) == 0)
			_exit(1);
		knit_engine_unbind_pair(kni, 0);
		if (kmod_fake_calls(KNIT_IOC_DETACH))
			_exit(2);
		if (knit_engine_bind_handler(kni, KNIT_DOORBELL_NONE) < 0 ||
		    kmod_fake_open_files() != 2)
			_exit(3);
		knit_engine_unbind_handler(kni);
		_exit(kmod_fake_calls(KNIT_IOC_DETACH) == 1 && kmod_fake_open_files() == 1 ? 0 : 4);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 2);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_DETACH), 1);
	end();
}
END_TEST

/* Bursts enter the module by the file that has the pair, from bind to unbind. */
START_TEST(kicks)
{
	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	kni->pair[1].user_doorbell = KNIT_DOORBELL_NONE;
	ck_assert_int_eq(knit_engine_bind_handler(kni, KNIT_DOORBELL_NONE), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_KICK), 0);
	ck_assert_int_eq(knit_engine_bind_pair(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake_calls(KNIT_IOC_KICK), 1);
	ck_assert_uint_eq(kmod_fake.kick_id[1], kni->kmod_id);
	ck_assert_int_eq(kmod_fake.kick_fd[1], kmod_fake.file[kmod_fake.opens - 1].fd);
	ck_assert_uint_eq(kmod_fake.kick_id[0], 0);
	knit_engine_unbind_handler(kni);
	ck_assert_uint_eq(kmod_fake.kick_id[1], kni->kmod_id);
	knit_engine_unbind_pair(kni, 1);
	ck_assert_uint_eq(kmod_fake.kick_id[1], 0);
	/* an older module */
	kmod_fake.fail = KNIT_IOC_KICK;
	kmod_fake.fail_times = 1;
	kmod_fake.error = -ENOTTY;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake.kick_id[1], 0);
	knit_engine_unbind_pair(kni, 1);
	end();
}
END_TEST

START_TEST(kicks_of_creator)
{
	int fd;

	make();
	kni->legacy = true;
	fd = kmod_fake.file[kmod_fake.opens - 1].fd;
	ck_assert_int_eq(kni->engine->bind(kni, 0), 0);
	ck_assert_int_eq(kni->engine->bind(kni, 1), 0);
	ck_assert_uint_eq(kmod_fake.kick_id[1], kni->kmod_id);
	ck_assert_int_eq(kmod_fake.kick_fd[1], fd);
	kni->engine->unbind(kni, 1);
	ck_assert_uint_eq(kmod_fake.kick_id[1], 0);
	end();
	ck_assert_uint_eq(kmod_fake.kick_id[0], 0);
}
END_TEST

START_TEST(handover)
{
	static const struct {
		enum knit_handover mode;
		bool kicks;
	} modes[] = { { KNIT_HANDOVER_AUTO, true },
		      { KNIT_HANDOVER_INLINE, true },
		      { KNIT_HANDOVER_THREAD, false } };
	size_t i;

	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	for (i = 0; i < RTE_DIM(modes); i++) {
		kni->handover = modes[i].mode;
		ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
		ck_assert_int_eq(kmod_fake.kick_id[0] != 0, modes[i].kicks);
		knit_engine_unbind_pair(kni, 0);
	}
	end();
}
END_TEST

/* A child has no pair: its bursts ring. The creator's file stays open there, and kicks. */
START_TEST(kicks_in_child)
{
	int status;
	pid_t pid;

	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	kni->legacy = true;
	ck_assert_int_eq(kni->engine->bind(kni, 1), 0);
	pid = fork();
	if (pid == 0)
		_exit(kmod_fake.kick_id[0] == 0 && kmod_fake.kick_id[1] ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(kmod_fake.kick_id[0], kni->kmod_id);
	knit_engine_unbind_pair(kni, 0);
	end();
}
END_TEST

static struct forker {
	pthread_t thread;
	bool done;
	int status; /* of the child: how many files it has */
} forker;

static void *fork_now(void *arg)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(kmod_fake_open_files());
	waitpid(pid, &forker.status, 0);
	__atomic_store_n(&forker.done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Time enough for a fork that does not wait until the file is known. */
static void fork_meanwhile(void)
{
	int ms;

	ck_assert_int_eq(pthread_create(&forker.thread, NULL, fork_now, NULL), 0);
	for (ms = 0; ms < 300 && !__atomic_load_n(&forker.done, __ATOMIC_ACQUIRE); ms++)
		usleep(1000);
}

/* A fork just when the file of the roles was opened: its child does not have it either. */
START_TEST(fork_while_opening)
{
	make();
	kni->pair[0].user_doorbell = KNIT_DOORBELL_NONE;
	/* nobody knows of forks before the first role of a process */
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	knit_engine_unbind_pair(kni, 0);
	ck_assert_uint_eq(kmod_fake_open_files(), 1);
	kmod_fake.opened = fork_meanwhile;
	ck_assert_int_eq(knit_engine_bind_pair(kni, 0), 0);
	ck_assert_int_eq(pthread_join(forker.thread, NULL), 0);
	ck_assert(WIFEXITED(forker.status));
	ck_assert_int_eq(WEXITSTATUS(forker.status), 1);
	ck_assert_uint_eq(kmod_fake_open_files(), 2);
	knit_engine_unbind_pair(kni, 0);
	end();
}
END_TEST

START_TEST(engine_by_name)
{
	setenv("KNIT_ENGINE", "tap", 1);
	ck_assert_str_eq(knit_engine_wanted("auto"), "tap");
	ck_assert_str_eq(knit_engine_wanted("kmod"), "kmod");
	unsetenv("KNIT_ENGINE");
	ck_assert_str_eq(knit_engine_wanted(NULL), "auto");
	ck_assert_ptr_eq(knit_engine_get("auto"), &knit_kmod_engine);
	kmod_fake.fail = KNIT_IOC_INFO;
	kmod_fake.error = -EPROTO;
	ck_assert_ptr_null(knit_engine_get("kmod"));
	ck_assert_int_eq(rte_errno, EPROTO);
	ck_assert_ptr_ne(knit_engine_get("auto"), &knit_kmod_engine);
	ck_assert_ptr_null(knit_engine_get("vhost"));
	ck_assert_int_eq(rte_errno, EINVAL);
}
END_TEST

KNIT_SUITE_EAL(kmod, knit_eal_small_pages)
{
	TCase *c = tcase_create("engine");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, created);
	tcase_add_test(c, created_otherwise);
	tcase_add_test(c, not_created);
	tcase_add_test(c, big_tcp_not_served);
	tcase_add_test(c, no_namespace);
	tcase_add_test(c, pairs);
	tcase_add_test(c, link_state);
	tcase_add_test(c, statistics);
	tcase_add_test(c, engine_by_name);
	suite_add_tcase(s, c);
	c = tcase_create("roles");
	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, roles);
	tcase_add_test(c, handler_again);
	tcase_add_test(c, role_busy);
	tcase_add_test(c, role_taken_over);
	tcase_add_test(c, role_of_another_interface);
	tcase_add_test(c, role_in_child);
	tcase_add_test(c, fork_while_opening);
	tcase_add_test(c, kicks);
	tcase_add_test(c, kicks_of_creator);
	tcase_add_test(c, kicks_in_child);
	tcase_add_test(c, handover);
	suite_add_tcase(s, c);
}
