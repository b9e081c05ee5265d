// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"
#include "http.h"
#include "system/process/exit.h"
#include "system/process/notify.h"
#include "system/process/stdfds.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The prefix becomes a part of a path. */
static bool prefix_is_good(const char *prefix)
{
	if (prefix[0] && strlen(prefix) < 32 && !strchr(prefix, '/') && prefix[0] != '.')
		return true;
	fprintf(stderr,
		"knit-exporter: --prefix: found \"%s\": the eal.prefix of a system is expected\n",
		prefix);
	return false;
}

/* Before there are threads. */
static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int serve(struct exporter *e, int fd, const char *where)
{
	struct MHD_Daemon *d;
	sigset_t set;
	int sig;

	block_signals(&set);
	d = http_start(fd, e);
	if (d == NULL) {
		fprintf(stderr, "knit-exporter: %s: %s\n", where, strerror(errno));
		close(fd);
		return KNIT_EXIT_FAILURE;
	}
	printf("knit-exporter: http://%s/metrics has the metrics of prefix %s\n", where, e->prefix);
	fflush(stdout);
	knit_notify("READY=1");
	sigwait(&set, &sig);
	knit_notify("STOPPING=1");
	http_stop(d);
	exporter_free(e);
	return KNIT_EXIT_OK;
}

static int list(void)
{
	exporter_list();
	if (fflush(stdout) == 0 && !ferror(stdout))
		return KNIT_EXIT_OK;
	fprintf(stderr, "knit-exporter: standard output: %s\n", strerror(errno));
	return KNIT_EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct exporter e;
	struct exporter_options o;
	char where[160];
	int code, fd;

	code = knit_stdfds_fill();
	if (code)
		return code;
	code = exporter_options(&o, argc, argv);
	if (code >= 0)
		return code;
	if (o.list)
		return list();
	if (!prefix_is_good(o.prefix))
		return KNIT_EXIT_USAGE;
	e.prefix = o.prefix;
	fd = exporter_listen(o.listen, where, sizeof(where));
	if (fd < 0)
		return -fd;
	return serve(&e, fd, where);
}
