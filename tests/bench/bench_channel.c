// SPDX-License-Identifier: BSD-3-Clause
/*
 * Drives channels to the kernel, at most eight, from one polling lcore.
 *
 *   bench-channel EAL... -- --deadline SECONDS [--engine tap|kmod] [--engine-cpu CPU]
 *                 [--data-room BYTES] [--big-tcp] [CHANNEL]...
 *
 * The main lcore reads commands from stdin, one a line, and answers each with a line of JSON; the
 * one other lcore polls. Ends by "quit", at the end of stdin, by SIGTERM or SIGINT and at the
 * deadline.
 *
 *   send CHANNEL SIZE FLOWS MAC IP PORT SECONDS   UDP frames towards the kernel
 *   recv CHANNEL SECONDS                          counts and frees what the kernel sends, from a
 *                                                 quarter of that time after the first packet on
 *   forward SECONDS                               from the first channel to the second and back,
 *                                                 the third to the fourth, ...; or until "stop"
 *   rest MICROSECONDS                             from now on it sleeps so long, instead of
 *                                                 polling, when there is nothing to do
 *   quit
 */
#include "drive.h"

#include <rte_kni.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL_MBUFS 8192	 /* for each channel */
#define LARGE_MBUFS 2048 /* of those with more than the default room */
#define POOL_CACHE 256
#define SERVICE_MS 10
#define LINE 160

struct app {
	struct channel ch[CHANNEL_MAX];
	unsigned int n_ch;
	unsigned int lcore;
	struct drive drive;
	struct channel_conf conf;
	uint16_t data_room; /* of an mbuf, without headroom */
};

static volatile sig_atomic_t quit;

static void on_signal(int sig)
{
	quit = 1;
}

/*
 * Waits for a command, or until the polling lcore is done if it runs, and serves the channels
 * meanwhile. True with the line, its end cut, in buf; false when nothing is left to do for the
 * caller.
 */
static bool read_line(struct app *app, char *buf, bool running)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	size_t len = 0;
	unsigned int i;
	char c;

	while (!quit && len < LINE - 1) {
		if (running && rte_eal_get_lcore_state(app->lcore) != RUNNING)
			return false;
		if (poll(&pfd, 1, SERVICE_MS) <= 0) {
			for (i = 0; i < app->n_ch; i++)
				channel_service(&app->ch[i]);
			continue;
		}
		if (read(STDIN_FILENO, &c, 1) != 1) {
			quit = 1;
			return false;
		}
		if (c == '\n') {
			buf[len] = 0;
			return true;
		}
		buf[len++] = c;
	}
	return false;
}

/* Runs fn on the polling lcore to its end or until any line comes; prints the results. */
static void run(struct app *app, lcore_function_t *fn)
{
	struct drive *d = &app->drive;
	char line[LINE];

	d->stop = 0;
	rte_eal_remote_launch(fn, d, app->lcore);
	read_line(app, line, true);
	__atomic_store_n(&d->stop, 1, __ATOMIC_RELAXED);
	rte_eal_wait_lcore(app->lcore);
	printf("{\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"dropped\": %" PRIu64
	       ", \"cycles\": %" PRIu64 ", \"seconds\": %.6f}\n",
	       d->packets, d->bytes, d->dropped, d->cycles, (double)d->cycles / rte_get_tsc_hz());
}

static bool command_send(struct app *app, const char *line)
{
	struct drive *d = &app->drive;
	struct frame_dst dst;
	unsigned int flows;
	unsigned int index;
	unsigned int size;
	char mac[32];
	char ip[32];

	if (sscanf(line, "send %u %u %u %31s %31s %hu %lf", &index, &size, &flows, mac, ip,
		   &dst.port, &d->seconds) != 7)
		return false;
	if (index >= app->n_ch || size < sizeof(struct frame_hdr) || size > FRAME_SIZE_MAX ||
	    flows == 0 || flows > FRAME_FLOWS_MAX)
		return false;
	if (rte_ether_unformat_addr(mac, &dst.mac) != 0 || inet_pton(AF_INET, ip, &dst.ip) != 1)
		return false;
	d->frames.size = size;
	d->frames.n_flows = flows;
	d->ch = &app->ch[index];
	d->frames.partial = d->ch->offloads;
	frame_prepare(&d->frames, &dst, d->pool);
	run(app, drive_send);
	return true;
}

static bool command(struct app *app, const char *line)
{
	struct drive *d = &app->drive;
	unsigned int index;

	if (strncmp(line, "send ", 5) == 0)
		return command_send(app, line);
	if (sscanf(line, "recv %u %lf", &index, &d->seconds) == 2 && index < app->n_ch) {
		d->ch = &app->ch[index];
		run(app, drive_recv);
		return true;
	}
	if (sscanf(line, "forward %lf", &d->seconds) == 1 && app->n_ch && app->n_ch % 2 == 0) {
		d->ch = app->ch;
		d->n_ch = app->n_ch;
		run(app, drive_forward);
		return true;
	}
	if (sscanf(line, "rest %u", &d->rest_us) == 1) {
		puts("{\"rest\": true}");
		return true;
	}
	return false;
}

static void serve(struct app *app)
{
	char line[LINE];

	printf("{\"ready\": true, \"tsc_hz\": %" PRIu64 "}\n", rte_get_tsc_hz());
	while (read_line(app, line, false)) {
		if (strcmp(line, "quit") == 0)
			return;
		if (strcmp(line, "stop") != 0 && !command(app, line)) {
			fprintf(stderr, "bench-channel: bad command: %s\n", line);
			puts("{\"error\": \"bad command\"}");
		}
	}
}

static int open_channels(struct app *app, int argc, char **argv)
{
	if (argc > CHANNEL_MAX) {
		fprintf(stderr, "bench-channel: at most %u channels\n", CHANNEL_MAX);
		return -1;
	}
	rte_kni_init(CHANNEL_MAX);
	for (; app->n_ch < (unsigned int)argc; app->n_ch++)
		if (channel_open(&app->ch[app->n_ch], argv[app->n_ch], &app->conf) < 0)
			return -1;
	return 0;
}

static int options(struct app *app, int argc, char **argv)
{
	static const struct option opts[] = {
		{ "big-tcp", no_argument, NULL, 'b' },
		{ "data-room", required_argument, NULL, 'r' },
		{ "deadline", required_argument, NULL, 'd' },
		{ "engine", required_argument, NULL, 'g' },
		{ "engine-cpu", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	app->conf.engine = "tap";
	app->conf.engine_cpu = -1;
	app->data_room = RTE_MBUF_DEFAULT_DATAROOM;
	optind = 1;
	while ((opt = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (opt == 'b')
			app->conf.big_tcp = true;
		else if (opt == 'd')
			alarm(atoi(optarg));
		else if (opt == 'e')
			app->conf.engine_cpu = atoi(optarg);
		else if (opt == 'g')
			app->conf.engine = optarg;
		else if (opt == 'r')
			app->data_room = atoi(optarg);
		else
			return -1;
	}
	return optind;
}

static int prepare(struct app *app, unsigned int n_ch)
{
	bool large = app->data_room > RTE_MBUF_DEFAULT_DATAROOM;
	unsigned int n = RTE_MAX(n_ch, 2u) * (large ? LARGE_MBUFS : POOL_MBUFS) - 1;

	app->lcore = rte_get_next_lcore(-1, 1, 0);
	if (app->lcore == RTE_MAX_LCORE) {
		fprintf(stderr, "bench-channel: two lcores needed\n");
		return -1;
	}
	app->conf.pool = rte_pktmbuf_pool_create(
		"bench", n, POOL_CACHE, 0, RTE_PKTMBUF_HEADROOM + app->data_room, SOCKET_ID_ANY);
	if (!app->conf.pool) {
		fprintf(stderr, "bench-channel: pool: %s\n", rte_strerror(rte_errno));
		return -1;
	}
	app->drive.pool = app->conf.pool;
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static struct app app;
	int status = 1;
	int used;

	setvbuf(stdout, NULL, _IOLBF, 0);
	rte_openlog_stream(stderr);
	used = rte_eal_init(argc, argv);
	if (used < 0) {
		fprintf(stderr, "bench-channel: EAL: %s\n", rte_strerror(rte_errno));
		return 1;
	}
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	argc -= used;
	argv += used;
	used = options(&app, argc, argv);
	if (used > 0 && prepare(&app, argc - used) == 0 &&
	    open_channels(&app, argc - used, argv + used) == 0) {
		serve(&app);
		status = 0;
	}
	while (app.n_ch > 0)
		channel_close(&app.ch[--app.n_ch]);
	rte_eal_cleanup();
	return status;
}
