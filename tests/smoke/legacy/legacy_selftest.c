// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_test.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#define PORT 7

static struct {
	unsigned int mtu_calls;
	unsigned int link_calls;
	unsigned int rxlist_calls;
	unsigned int last_mtu;
	uint16_t port_id;
	int result;
	uint8_t last_link;
} seen;

static struct rte_mempool *pool;
static unsigned int most; /* requests served by one call */

static int change_mtu(uint16_t port_id, unsigned int new_mtu)
{
	seen.mtu_calls++;
	seen.last_mtu = new_mtu;
	seen.port_id = port_id;
	return seen.result;
}

static int config_network_if(uint16_t port_id, uint8_t if_up)
{
	seen.link_calls++;
	seen.last_link = if_up;
	return if_up ? seen.result : 0;
}

static int rxlist(uint16_t port_id, const struct rte_ether_addr *addrs, uint16_t n_uc,
		  uint16_t n_mc)
{
	seen.rxlist_calls++;
	return 0;
}

static struct rte_kni_ops some_ops(void)
{
	return (struct rte_kni_ops){
		.port_id = PORT,
		.change_mtu = change_mtu,
		.config_network_if = config_network_if,
	};
}

static void handle(struct rte_kni *kni)
{
	unsigned int before = seen.mtu_calls + seen.link_calls;

	rte_kni_handle_request(kni);
	most = RTE_MAX(most, seen.mtu_calls + seen.link_calls - before);
}

static struct rte_kni *alloc(const char *name, struct rte_kni_ops *ops)
{
	struct rte_kni_conf conf = { .mbuf_size = 2048 };

	memcpy(conf.name, name, strnlen(name, sizeof(conf.name)));
	return rte_kni_alloc(pool, &conf, ops);
}

static void test_handlers(void)
{
	struct rte_kni_ops ops = some_ops(), none = { .port_id = UINT16_MAX };
	struct rte_kni *kni = alloc("st1", &ops);

	if (!report("alloc with callbacks", kni != NULL))
		return;
	report("handle_request NULL", rte_kni_handle_request(NULL) == -1);
	report("handle_request none", rte_kni_handle_request(kni) == 0);
	report("register NULL kni", rte_kni_register_handlers(NULL, &ops) == -1);
	report("register NULL ops", rte_kni_register_handlers(kni, NULL) == -1);
	report("register over alloc's", rte_kni_register_handlers(kni, &ops) == -1);
	report("unregister NULL", rte_kni_unregister_handlers(NULL) == -1);
	report("unregister", rte_kni_unregister_handlers(kni) == 0);
	report("unregister twice", rte_kni_unregister_handlers(kni) == 0);
	report("register without callbacks", rte_kni_register_handlers(kni, &none) == 0);
	report("register after that", rte_kni_register_handlers(kni, &ops) == 0);
	report("register twice", rte_kni_register_handlers(kni, &ops) == -1);
	report("register_rxlist NULL", rte_kni_register_rxlist(NULL, rxlist) == -1);
	report("register_rxlist", rte_kni_register_rxlist(kni, rxlist) == 0);
	report("release with callbacks", rte_kni_release(kni) == 0);
}

static bool in_step(struct rte_kni *kni, const char *name)
{
	int i, wrong = 0;

	for (i = 0; i < 50; i++) {
		kernel_set_flag(name, IFF_UP, false);
		wrong += rte_kni_update_link(kni, 1) != -1;
		kernel_set_flag(name, IFF_UP, true);
		wrong += rte_kni_update_link(kni, 1) != 0 || kernel_carrier(name) != 1;
		wrong += rte_kni_update_link(kni, 0) != 1 || kernel_carrier(name) != 0;
	}
	return wrong == 0;
}

static void test_link(void)
{
	struct rte_kni *kni = alloc("st2", NULL);
	int status;
	pid_t pid;

	if (!report("alloc without ops", kni != NULL))
		return;
	report("update_link NULL", rte_kni_update_link(NULL, 1) == -1);
	report("update_link while down", rte_kni_update_link(kni, 1) == -1);
	kernel_set_flag("st2", IFF_UP, true);
	report("update_link straight after up", rte_kni_update_link(kni, 1) == 0);
	report("carrier is on at once", kernel_carrier("st2") == 1);
	report("update_link tells the state before", rte_kni_update_link(kni, 1) == 1);
	report("running", WAIT(kernel_flags("st2") & IFF_RUNNING, ));
	report("update_link down", rte_kni_update_link(kni, 0) == 1);
	report("carrier is off at once", kernel_carrier("st2") == 0);
	report("update_link still down", rte_kni_update_link(kni, 0) == 0);
	report("update_link keeps step with the kernel", in_step(kni, "st2"));
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(rte_kni_update_link(rte_kni_get("st2"), 1) != 0 ||
		      kernel_carrier("st2") != 1);
	report("update_link in a child",
	       waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	report("running for the child", WAIT(kernel_flags("st2") & IFF_RUNNING, ));
	report("parent knows the child's link", rte_kni_update_link(kni, 1) == 1);
	kernel_set_flag("st2", IFF_UP, false);
	report("update_link straight after down", rte_kni_update_link(kni, 1) == -1);
	report("release while others wait", rte_kni_release(kni) == 0);
}

static void test_requests(void)
{
	struct rte_kni_ops ops = some_ops();
	struct rte_kni *kni = alloc("st3", &ops);

	if (kni == NULL)
		return;
	memset(&ops, 0, sizeof(ops)); /* it was copied */
	memset(&seen, 0, sizeof(seen));
	kernel_set_flag("st3", IFF_UP, true);
	report("up is asked", WAIT(seen.last_link, rte_kni_handle_request(kni)));
	kernel_set_mtu("st3", 1400);
	report("MTU is asked with the ops' port",
	       WAIT(seen.last_mtu == 1400, rte_kni_handle_request(kni)) && seen.port_id == PORT);
	report("MTU stays", kernel_mtu("st3") == 1400);
	seen.result = -EINVAL;
	kernel_set_mtu("st3", 1300);
	WAIT(seen.last_mtu == 1300, rte_kni_handle_request(kni));
	report("refused MTU is taken back",
	       WAIT(kernel_mtu("st3") == 1400, rte_kni_handle_request(kni)));
	seen.result = 0;
	most = 0;
	kernel_set_flag("st3", IFF_UP, false);
	kernel_set_mtu("st3", 1450);
	WAIT(seen.last_mtu == 1450 && !seen.last_link, handle(kni));
	report("at most one callback per call", most == 1 && seen.last_mtu == 1450);
	rte_kni_release(kni);
}

static unsigned int promisc_calls, allmulti_calls;

static int config_promiscusity(uint16_t port_id, uint8_t to_on)
{
	promisc_calls++;
	return 0;
}

static int config_allmulticast(uint16_t port_id, uint8_t to_on)
{
	allmulti_calls++;
	return 0;
}

static struct rte_kni_ops more_ops(void)
{
	struct rte_kni_ops ops = some_ops();

	ops.config_promiscusity = config_promiscusity;
	ops.config_allmulticast = config_allmulticast;
	return ops;
}

/* Allmulticast is the last that would be told, if all were. */
static void test_changes_only(void)
{
	struct rte_kni_ops ops = more_ops();
	struct rte_kni *kni;

	memset(&seen, 0, sizeof(seen));
	promisc_calls = 0;
	allmulti_calls = 0;
	kni = alloc("st9", &ops);
	if (kni == NULL)
		return;
	kernel_set_flag("st9", IFF_ALLMULTI, true);
	report("a change is told", WAIT(allmulti_calls, rte_kni_handle_request(kni)));
	report("what did not change is not",
	       seen.link_calls + seen.mtu_calls + promisc_calls == 0 && allmulti_calls == 1);
	report("request_state NULL", rte_kni_request_state(NULL) == -1);
	report("request_state", rte_kni_request_state(kni) == 0);
	report("request_state: all is told",
	       WAIT(allmulti_calls == 2, rte_kni_handle_request(kni)) && seen.link_calls == 1 &&
		       seen.mtu_calls == 1 && promisc_calls == 1);
	report("request_state: as it is", seen.last_mtu == 1500 && !seen.last_link);
	rte_kni_release(kni);
}

static unsigned int calls_of_handle;

static void handle_never(struct rte_kni *kni)
{
}

/* An application that looks now and then. The first call may come before the request. */
static void handle_seldom(struct rte_kni *kni)
{
	usleep(300000);
	calls_of_handle++;
	rte_kni_handle_request(kni);
}

/* On tap nobody waits. */
static void test_who_waits(void)
{
	struct rte_kni_ops ops = more_ops();
	struct rte_kni *kni = alloc("st9", &ops);
	bool good;

	if (kni == NULL)
		return;
	memset(&seen, 0, sizeof(seen));
	allmulti_calls = 0;
	promisc_calls = 0;
	knit_poll = handle_seldom;
	calls_of_handle = 0;
	good = kernel_set_flag("st9", IFF_UP, true) == 0;
	report("up is not kept waiting", good && calls_of_handle <= 3);
	knit_poll = handle_never;
	kernel_set_flag("st9", IFF_ALLMULTI, true);
	kernel_set_flag("st9", IFF_PROMISC, true);
	knit_poll = handle_seldom;
	calls_of_handle = 0;
	good = kernel_set_mtu("st9", 1400) == 0;
	report("nor is an MTU behind modes and lists", good && calls_of_handle <= 3);
	knit_poll = handle;
	report("what nobody waits for comes, too",
	       WAIT(seen.last_link && seen.last_mtu == 1400 && promisc_calls && allmulti_calls,
		    rte_kni_handle_request(kni)));
	rte_kni_release(kni);
}

/* For a third of a second, which is long for an answer. */
static bool stays_without_carrier(struct rte_kni *kni, const char *name)
{
	unsigned int i;

	for (i = 0; i < 300; i++) {
		rte_kni_update_link(kni, 1);
		if (kernel_flags(name) & IFF_RUNNING)
			return false;
		handle(kni);
		usleep(1000);
	}
	return true;
}

/* The module tells `ip link` so, the tap engine lets it have an interface without a carrier. */
static void test_refused_up(void)
{
	struct rte_kni_ops ops = some_ops();
	struct rte_kni *kni = alloc("st7", &ops);

	if (kni == NULL)
		return;
	memset(&seen, 0, sizeof(seen));
	seen.result = -EPERM;
	kernel_set_flag("st7", IFF_UP, true);
	WAIT(seen.last_link, handle(kni));
	report("refused up has no carrier", stays_without_carrier(kni, "st7"));
	seen.result = 0;
	kernel_set_flag("st7", IFF_UP, false);
	WAIT(!seen.last_link, handle(kni));
	kernel_set_flag("st7", IFF_UP, true);
	WAIT(seen.last_link, handle(kni));
	rte_kni_update_link(kni, 1);
	report("accepted up has", WAIT(kernel_flags("st7") & IFF_RUNNING, handle(kni)));
	rte_kni_release(kni);
}

static unsigned int engine_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *e;
	char path[64], name[32];
	unsigned int n = 0;
	FILE *f;

	while (dir && (e = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (f == NULL)
			continue;
		n += fgets(name, sizeof(name), f) && strncmp(name, "knit-tap-", 9) == 0;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* What the module has as parameters. */
static void test_environment(void)
{
	struct rte_kni *one, *two;
	int before = -1, tries;

	setenv("KNIT_KTHREAD_MODE", "multiple", 1);
	setenv("KNIT_CARRIER", "on", 1);
	one = alloc("st7", NULL);
	two = alloc("st8", NULL);
	report("kthread_mode multiple: a thread for each", engine_threads() == 2);
	kernel_set_flag("st7", IFF_UP, true);
	report("carrier on: it is there from the start",
	       WAIT(kernel_flags("st7") & IFF_RUNNING, rte_kni_handle_request(one)));
	rte_kni_release(one);
	rte_kni_release(two);
	unsetenv("KNIT_KTHREAD_MODE");
	unsetenv("KNIT_CARRIER");
	report("no interface, no thread", WAIT(engine_threads() == 0, ));
	one = alloc("st7", NULL);
	two = alloc("st8", NULL);
	report("kthread_mode single: one thread for all", engine_threads() == 1);
	kernel_set_flag("st7", IFF_UP, true);
	/* WAIT asks once more in the end, which would find its own doing. */
	for (tries = 0; tries < 3000 && before < 0; tries++) {
		before = rte_kni_update_link(one, 1);
		rte_kni_handle_request(one);
		usleep(1000);
	}
	report("carrier off: it has to be set", before == 0);
	rte_kni_release(one);
	rte_kni_release(two);
}

static void test_defaults(void)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 9, 1 }, other[6] = { 2, 0, 0, 0, 9, 2 };
	struct rte_kni_ops port0 = { .port_id = 0 }, port1 = { .port_id = 1 };
	struct rte_ether_addr now;
	struct rte_kni *kni;

	kni = alloc("st4", NULL);
	if (kni == NULL)
		return;
	kernel_set_mac("st4", mac);
	kernel_set_mtu("st4", 1444);
	rte_eth_macaddr_get(0, &now);
	report("no default handlers without ops",
	       !WAIT(memcmp(&now, mac, 6) == 0 || !kernel_mac_is("st4", mac) ||
			     kernel_mtu("st4") != 1444,
		     ({
			     rte_kni_handle_request(kni);
			     rte_eth_macaddr_get(0, &now);
			     tries_ += 9;
		     })));
	rte_kni_release(kni);

	kni = alloc("st4", &port0);
	kernel_set_mac("st4", other);
	report("default handler sets the port's MAC",
	       WAIT((rte_eth_macaddr_get(0, &now), memcmp(&now, other, 6) == 0),
		    rte_kni_handle_request(kni)));
	rte_kni_release(kni);

	kni = alloc("st4", &port1);
	kernel_set_flag("st4", IFF_UP, true);
	kernel_set_flag("st4", IFF_PROMISC, true);
	report("default handler makes the port promiscuous",
	       WAIT(rte_eth_promiscuous_get(1) == 1, rte_kni_handle_request(kni)));
	kernel_set_flag("st4", IFF_ALLMULTI, true);
	report("default handler lets the port receive all multicast",
	       WAIT(rte_eth_allmulticast_get(1) == 1, rte_kni_handle_request(kni)));
	report("unregister touches no port",
	       rte_kni_unregister_handlers(kni) == 0 && (kernel_set_flag("st4", IFF_PROMISC, false),
							 !WAIT(rte_eth_promiscuous_get(1) != 1, ({
								       rte_kni_handle_request(kni);
								       tries_ += 9;
							       }))));
	rte_kni_release(kni);
}

/* The child's part: it tells by its exit code. */
static int child_handler(struct rte_kni *kni)
{
	struct rte_kni_ops ops = some_ops();

	memset(&seen, 0, sizeof(seen));
	kernel_set_mtu("st5", 1410);
	if (WAIT(seen.mtu_calls, ({
			 if (rte_kni_handle_request(kni) != 0)
				 return 2;
			 tries_ += 19;
		 })))
		return 3; /* it is not the handler yet */
	if (rte_kni_register_handlers(kni, &ops) != 0)
		return 4;
	/* Again, where the kernel waited for the parent's answer in vain. */
	kernel_set_mtu("st5", 1410);
	if (!WAIT(seen.last_mtu == 1410, rte_kni_handle_request(kni)))
		return 5;
	return rte_kni_release(kni) == -1 ? 0 : 6;
}

static void test_fork(void)
{
	struct rte_kni_ops ops = some_ops();
	struct rte_kni *kni = alloc("st5", NULL);
	int status;
	pid_t pid;

	if (kni == NULL)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(child_handler(kni));
	waitpid(pid, &status, 0);
	if (!report("a child takes the requests over", WIFEXITED(status) && !WEXITSTATUS(status)))
		printf("# exit code %d\n", WEXITSTATUS(status));
	memset(&seen, 0, sizeof(seen));
	report("the dead child's role is free", rte_kni_register_handlers(kni, &ops) == 0);
	report("a new handler may ask for the state", rte_kni_request_state(kni) == 0);
	report("and is told everything", WAIT(seen.last_mtu == 1410, rte_kni_handle_request(kni)));
	rte_kni_release(kni);
}

static struct rte_mbuf *frame(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	char *data = rte_pktmbuf_append(m, 64);

	if (data == NULL)
		return m;
	memset(data, 0, 64);
	memset(data, 0xff, 6);
	data[6] = 2;
	data[12] = 0x08;
	return m;
}

/* More than the first offer, of which all is used up before the application looks. */
static void send_and_receive(struct rte_kni *kni)
{
	struct rte_mbuf *m[32];
	unsigned int i;

	for (i = 0; i < 40; i++)
		knit_net_send("st6");
	knit_drop_mbufs(m, rte_kni_rx_burst(kni, m, 32));
}

static void test_bursts(void)
{
	unsigned int start = rte_mempool_in_use_count(pool), held, sent = 0, i;
	struct rte_kni *kni = alloc("st6", NULL);
	struct rte_mbuf *m[32];

	if (kni == NULL)
		return;
	report("rx_burst of nothing", rte_kni_rx_burst(kni, m, 32) == 0);
	report("tx_burst of nothing", rte_kni_tx_burst(kni, m, 0) == 0);
	held = rte_mempool_in_use_count(pool);
	report("alloc takes as few mbufs as KNI", held - start <= 32);
	for (i = 0; i < 32; i++)
		m[i] = frame();
	report("tx_burst takes what has room", rte_kni_tx_burst(kni, m, 32) == 32);
	report("tx_burst of nothing frees what the kernel had",
	       WAIT(rte_mempool_in_use_count(pool) == held, rte_kni_tx_burst(kni, m, 0)));
	kernel_set_flag("st6", IFF_UP, true);
	/* neighbour and multicast reports of the kernel */
	report("rx_burst once up",
	       WAIT((sent += rte_kni_rx_burst(kni, m, 1)) != 0, rte_kni_update_link(kni, 1)));
	if (sent) {
		report("received mbufs are the pool's, of one segment",
		       m[0]->pool == pool && m[0]->nb_segs == 1 && m[0]->next == NULL &&
			       m[0]->ol_flags == 0);
		rte_pktmbuf_free(m[0]);
	}
	report("more are offered under load",
	       WAIT(rte_mempool_in_use_count(pool) - start >= 64, send_and_receive(kni)));
	report("release after traffic", rte_kni_release(kni) == 0);
	report("release gives all mbufs back", rte_mempool_in_use_count(pool) == start);
}

int knit_selftest(struct rte_mempool *mempool)
{
	pool = mempool;
	knit_poll = handle;
	report("get before init", rte_kni_get("st0") == NULL);
	report("alloc before init", alloc("st0", NULL) == NULL);
	report("init", rte_kni_init(1) == 0);
	report("init twice", rte_kni_init(0) == 0);
	knit_test_alloc(pool);
	test_handlers();
	test_link();
	test_requests();
	test_changes_only();
	test_who_waits();
	test_refused_up();
	if (on_tap())
		test_environment();
	test_defaults();
	test_fork();
	test_bursts();
	knit_test_starts(pool);
	rte_kni_close();
	report("alloc after close", alloc("st0", NULL) == NULL);
	return knit_failed != 0;
}
