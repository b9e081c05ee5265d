// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_app.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
static unsigned int failed;
static unsigned int most; /* requests served by one call */

static bool report(const char *name, bool good)
{
	printf("%s %s\n", good ? "ok" : "not ok", name);
	failed += !good;
	return good;
}

/* Polls cond for up to three seconds, doing something in between. */
#define WAIT(cond, doing)                                              \
	({                                                             \
		int tries_;                                            \
		for (tries_ = 0; tries_ < 3000 && !(cond); tries_++) { \
			doing;                                         \
			usleep(1000);                                  \
		}                                                      \
		(cond);                                                \
	})

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

/* The kernel's view, by the calls that `ip link` would make. */
static int net_ioctl(const char *name, unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	ret = ioctl(fd, request, ifr);
	if (fd >= 0)
		close(fd);
	return ret;
}

struct change {
	const char *name;
	unsigned long request;
	struct ifreq ifr;
	int ret;
	int done;
};

static void *change_thread(void *arg)
{
	struct change *c = arg;

	c->ret = net_ioctl(c->name, c->request, &c->ifr);
	__atomic_store_n(&c->done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * Serves requests meanwhile: an engine may keep whoever asks waiting for the application's answer.
 */
static int net_change(const char *name, unsigned long request, const struct ifreq *ifr)
{
	struct change c = { .name = name, .request = request, .ifr = *ifr };
	struct rte_kni *kni = rte_kni_get(name);
	pthread_t thread;

	if (pthread_create(&thread, NULL, change_thread, &c) != 0)
		return -1;
	while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
		handle(kni);
		usleep(100);
	}
	pthread_join(thread, NULL);
	return c.ret;
}

static int kernel_flags(const char *name)
{
	struct ifreq ifr = { 0 };

	return net_ioctl(name, SIOCGIFFLAGS, &ifr) < 0 ? -1 : (unsigned short)ifr.ifr_flags;
}

static int kernel_set_flag(const char *name, int flag, bool on)
{
	struct ifreq ifr = { 0 };

	net_ioctl(name, SIOCGIFFLAGS, &ifr);
	ifr.ifr_flags = on ? ifr.ifr_flags | flag : ifr.ifr_flags & ~flag;
	return net_change(name, SIOCSIFFLAGS, &ifr);
}

static int kernel_carrier(const char *name)
{
	char path[64];
	int on = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/carrier", name);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	if (fscanf(file, "%d", &on) != 1)
		on = -1;
	fclose(file);
	return on;
}

static int kernel_mtu(const char *name)
{
	struct ifreq ifr = { 0 };

	return net_ioctl(name, SIOCGIFMTU, &ifr) < 0 ? -1 : ifr.ifr_mtu;
}

static int kernel_set_mtu(const char *name, int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };

	return net_change(name, SIOCSIFMTU, &ifr);
}

static bool kernel_mac_is(const char *name, const uint8_t mac[6])
{
	struct ifreq ifr = { 0 };

	return net_ioctl(name, SIOCGIFHWADDR, &ifr) == 0 &&
	       memcmp(ifr.ifr_hwaddr.sa_data, mac, 6) == 0;
}

static int kernel_set_mac(const char *name, const uint8_t mac[6])
{
	struct ifreq ifr = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	memcpy(ifr.ifr_hwaddr.sa_data, mac, 6);
	return net_change(name, SIOCSIFHWADDR, &ifr);
}

static void test_alloc_errors(void)
{
	struct rte_kni_conf conf = { .name = "st0" };
	struct rte_kni_ext_conf ext = { .size = sizeof(ext) - 4 };
	struct rte_kni *kni;

	report("alloc NULL pool", rte_kni_alloc(NULL, &conf, NULL) == NULL);
	report("alloc NULL conf", rte_kni_alloc(pool, NULL, NULL) == NULL);
	report("alloc empty name", alloc("", NULL) == NULL);
	report("alloc name of 16 characters", alloc("0123456789abcdef", NULL) == NULL);
	report("alloc name the kernel has", alloc("lo", NULL) == NULL);
	report("alloc name with a slash", alloc("a/b", NULL) == NULL);
	report("alloc_ext wrong size", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.size = sizeof(ext);
	ext.offloads = RTE_KNI_OFFLOAD_TSO;
	report("alloc_ext TSO without SG", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = 0;
	ext.n_pairs = 17;
	report("alloc_ext 17 pairs", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.n_pairs = 1;
	ext.queue_size = 100;
	report("alloc_ext queue of 100", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.queue_size = 64;
	ext.offloads = RTE_KNI_OFFLOAD_SG;
	report("alloc_ext SG with a queue of 64",
	       rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	ext.offloads = 0;
	ext.engine = "nonsense";
	report("alloc_ext unknown engine", rte_kni_alloc_ext(pool, &conf, NULL, &ext) == NULL);
	conf.mtu = 1500;
	conf.max_mtu = 1400;
	report("alloc MTU above its limit", rte_kni_alloc(pool, &conf, NULL) == NULL);
	report("errors left no interface", rte_kni_get("st0") == NULL && !if_nametoindex("st0"));

	kni = alloc("st0", NULL);
	if (!report("alloc", kni != NULL))
		return;
	report("interface is in the kernel", if_nametoindex("st0") != 0);
	report("alloc duplicate name", alloc("st0", NULL) == NULL);
	report("duplicate left the first alone", rte_kni_get("st0") == kni);
	report("get_name", strcmp(rte_kni_get_name(kni), "st0") == 0);
	report("get NULL", rte_kni_get(NULL) == NULL);
	report("get empty", rte_kni_get("") == NULL);
	report("get unknown", rte_kni_get("st9") == NULL);
	report("release", rte_kni_release(kni) == 0);
	report("released interface left the kernel", if_nametoindex("st0") == 0);
	report("get released", rte_kni_get("st0") == NULL);
	report("release twice", rte_kni_release(kni) == -1);
	report("release NULL", rte_kni_release(NULL) == -1);
	report("release what never was", rte_kni_release((struct rte_kni *)8) == -1);
	kni = alloc("st0", NULL);
	report("name is free after release", kni && rte_kni_release(kni) == 0);
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
	report("at most one request per call", most == 1 && seen.last_mtu == 1450);
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

static bool on_tap(void)
{
	const char *engine = getenv("KNIT_ENGINE");

	return engine && strcmp(engine, "tap") == 0;
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
	report("a new handler is told everything",
	       WAIT(seen.last_mtu == 1410, rte_kni_handle_request(kni)));
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
	report("release after traffic", rte_kni_release(kni) == 0);
	report("release gives all mbufs back", rte_mempool_in_use_count(pool) == start);
}

int knit_selftest(struct rte_mempool *mempool)
{
	pool = mempool;
	report("get before init", rte_kni_get("st0") == NULL);
	report("alloc before init", alloc("st0", NULL) == NULL);
	report("init", rte_kni_init(1) == 0);
	report("init twice", rte_kni_init(0) == 0);
	test_alloc_errors();
	test_handlers();
	test_link();
	test_requests();
	test_refused_up();
	if (on_tap())
		test_environment();
	test_defaults();
	test_fork();
	test_bursts();
	rte_kni_close();
	report("alloc after close", alloc("st0", NULL) == NULL);
	return failed != 0;
}
