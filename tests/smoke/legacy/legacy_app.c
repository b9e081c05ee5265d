// SPDX-License-Identifier: BSD-3-Clause
#include "legacy_app.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * An application of the kind KNI had: it knows rte_kni.h and DPDK, nothing of knit. It makes one
 * interface, plays the network behind it (answers ARP, ICMP echo and UDP by reflecting them) and
 * tells on stdout what the kernel asked of it. With --requests-in-child a forked child is the
 * handler. As a DPDK secondary it does what such a child does.
 *
 * Commands on stdin, one a line: "link 0|1", "bursts 0|1" (do them or not), "stats", "quit", and
 * all of these with "child " before them; end of file quits.
 */
#define BURST 32

struct app {
	struct rte_kni *kni;
	struct knit_reflect_stats stats;
	pid_t child;
	int to_child; /* commands */
	unsigned int bursts;
};

static const char *name = "vEth0";
static unsigned int max_mtu = 9000;
static bool requests_in_child, refuse_mac, selftest;

/* Callbacks, as an application of old would have them. */
static int change_mtu(uint16_t port_id, unsigned int new_mtu)
{
	int ret = new_mtu > max_mtu ? -EINVAL : 0;

	printf("event mtu %u -> %d port %u\n", new_mtu, ret, port_id);
	return ret;
}

static int config_network_if(uint16_t port_id, uint8_t if_up)
{
	printf("event link %u port %u\n", if_up, port_id);
	return 0;
}

static int config_mac_address(uint16_t port_id, uint8_t mac_addr[])
{
	int ret = refuse_mac ? -EPERM : 0;

	printf("event mac %02x:%02x:%02x:%02x:%02x:%02x -> %d\n", mac_addr[0], mac_addr[1],
	       mac_addr[2], mac_addr[3], mac_addr[4], mac_addr[5], ret);
	return ret;
}

static int config_promiscusity(uint16_t port_id, uint8_t to_on)
{
	printf("event promisc %u\n", to_on);
	return 0;
}

static int config_allmulticast(uint16_t port_id, uint8_t to_on)
{
	printf("event allmulti %u\n", to_on);
	return 0;
}

static struct rte_kni_ops callbacks = {
	.port_id = 5,
	.change_mtu = change_mtu,
	.config_network_if = config_network_if,
	.config_mac_address = config_mac_address,
	.config_promiscusity = config_promiscusity,
	.config_allmulticast = config_allmulticast,
};

/* False: quit. */
static bool obey(struct app *app, const char *who, const char *line)
{
	unsigned int on;

	if (strncmp(line, "child ", 6) == 0 && app->child) {
		if (write(app->to_child, line + 6, strlen(line + 6)) < 0)
			printf("error: the child is gone\n");
	} else if (sscanf(line, "link %u", &on) == 1) {
		printf("%slink previous %d\n", who, rte_kni_update_link(app->kni, on));
	} else if (sscanf(line, "bursts %u", &app->bursts) == 1) {
		printf("%sbursts %u\n", who, app->bursts);
	} else if (strcmp(line, "stats\n") == 0) {
		printf("stats reflected %" PRIu64 " other %" PRIu64 " bad_csum %" PRIu64
		       " offloads %" PRIu64 " chains %" PRIu64 "\n",
		       app->stats.reflected, app->stats.other, app->stats.bad_csum,
		       app->stats.offloads, app->stats.chains);
	} else if (strcmp(line, "quit\n") == 0) {
		return false;
	} else {
		printf("error: unknown command %s", line);
	}
	return true;
}

/* At most one line of a non-blocking fd. False: quit. */
static bool poll_commands(struct app *app, int fd, const char *who)
{
	static char line[128];
	static size_t used;
	ssize_t n;
	bool more;

	n = read(fd, line + used, 1);
	if (n == 0)
		return false;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (line[used++] != '\n' && used < sizeof(line) - 1)
		return true;
	line[used] = '\0';
	used = 0;
	more = obey(app, who, line);
	return more;
}

static void bounce(struct app *app)
{
	struct rte_mbuf *mbufs[BURST];
	unsigned int n, out, sent;

	if (!app->bursts) {
		usleep(200);
		return;
	}
	n = rte_kni_rx_burst(app->kni, mbufs, BURST);
	out = knit_reflect(mbufs, n, &app->stats);
	sent = rte_kni_tx_burst(app->kni, mbufs, out);
	knit_drop_mbufs(mbufs + sent, out - sent);
	if (n == 0)
		usleep(50);
}

static int child_main(struct app *app, int commands)
{
	app->child = 0;
	app->bursts = 0;
	fcntl(commands, F_SETFL, O_NONBLOCK);
	if (rte_kni_register_handlers(app->kni, &callbacks) < 0) {
		printf("error: child can't register\n");
		return 1;
	}
	printf("child %d handles requests\n", (int)getpid());
	if (rte_eal_process_type() == RTE_PROC_SECONDARY && rte_kni_request_state(app->kni) < 0)
		printf("error: no state\n");
	while (poll_commands(app, commands, "child ")) {
		bounce(app);
		rte_kni_handle_request(app->kni);
	}
	if (rte_kni_unregister_handlers(app->kni) < 0)
		printf("error: child can't unregister\n");
	return 0;
}

static int start_child(struct app *app)
{
	int fds[2];

	if (pipe(fds) < 0)
		return -1;
	app->child = fork();
	if (app->child == 0) {
		close(fds[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(child_main(app, fds[0]));
	}
	close(fds[0]);
	app->to_child = fds[1];
	return app->child < 0 ? -1 : 0;
}

static int run(struct rte_mempool *pool)
{
	struct rte_kni_conf conf = {
		.group_id = 5, .mbuf_size = 2048, .mtu = 1500, .max_mtu = 65535
	};
	struct app app = { .bursts = 1 };

	snprintf(conf.name, sizeof(conf.name), "%s", name);
	if (rte_kni_init(4) < 0)
		return 1;
	app.kni = rte_kni_alloc(pool, &conf, requests_in_child ? NULL : &callbacks);
	if (app.kni == NULL) {
		printf("error: rte_kni_alloc\n");
		return 1;
	}
	if (requests_in_child && start_child(&app) < 0)
		return 1;
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	printf("ready %s\n", rte_kni_get_name(app.kni));
	while (poll_commands(&app, STDIN_FILENO, "")) {
		bounce(&app);
		rte_kni_handle_request(app.kni);
	}
	if (app.child) {
		close(app.to_child);
		waitpid(app.child, NULL, 0);
	}
	printf("release %d\n", rte_kni_release(app.kni));
	rte_kni_close();
	printf("mbufs in use %u\n", rte_mempool_in_use_count(pool));
	return 0;
}

static int run_secondary(void)
{
	struct app app = { .kni = rte_kni_get(name) };

	if (app.kni == NULL) {
		printf("error: no interface %s\n", name);
		return 1;
	}
	return child_main(&app, STDIN_FILENO);
}

static int run_primary(void)
{
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create("legacy", 8191, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (pool == NULL) {
		printf("error: mempool: %s\n", rte_strerror(rte_errno));
		return 1;
	}
	return selftest ? knit_selftest(pool) : run(pool);
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "max-mtu", required_argument, NULL, 'm' },
		{ "requests-in-child", no_argument, NULL, 'c' },
		{ "refuse-mac", no_argument, NULL, 'r' },
		{ "selftest", no_argument, NULL, 's' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			name = optarg;
			break;
		case 'm':
			max_mtu = atoi(optarg);
			break;
		case 'c':
			requests_in_child = true;
			break;
		case 'r':
			refuse_mac = true;
			break;
		case 's':
			selftest = true;
			break;
		default:
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int n, ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	n = rte_eal_init(argc, argv);
	if (n < 0) {
		printf("error: rte_eal_init: %s\n", rte_strerror(rte_errno));
		return 1;
	}
	if (parse(argc - n, argv + n) < 0)
		return 1;
	ret = rte_eal_process_type() == RTE_PROC_PRIMARY ? run_primary() : run_secondary();
	rte_eal_cleanup();
	return ret;
}
