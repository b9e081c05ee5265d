// SPDX-License-Identifier: BSD-3-Clause
#include "eal_paths.h"
#include "engine.h"
#include "kmod.h"
#include "primary.h"
#include "rundir.h"

#include <rte_eal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * What must be there before anything is touched. Each check prints what is missing and the remedy,
 * and all checks are made, so that one run shows all of it.
 */

static int complain(const char *what, const char *remedy)
{
	fprintf(stderr, "knit-primary: %s\n    remedy: %s\n", what, remedy);
	return KNIT_EXIT_RESOURCES;
}

static int check_root(void)
{
	if (geteuid() == 0)
		return 0;
	return complain("no permission: ports, namespaces and interfaces need root",
			"start it with sudo, or as a systemd service");
}

static unsigned int free_hugepages(void)
{
	char line[128];
	unsigned int n = 0;
	FILE *f;

	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "HugePages_Free: %u", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static int check_hugepages(void)
{
	char dir[256];
	int ret = 0;

	if (knit_eal_huge_dir(dir, sizeof(dir)) < 0)
		ret = complain("no hugetlbfs is mounted",
			       "mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
	if (free_hugepages() == 0)
		ret = complain("no free hugepages", "echo 512 > /proc/sys/vm/nr_hugepages");
	return ret;
}

/* An interface asks for that engine; with name "auto": leaves the choice. */
static bool wants(const struct knit_config *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n_ifaces; i++)
		if (strcmp(knit_engine_wanted(c->ifaces[i].engine), name) == 0)
			return true;
	return false;
}

/* The module, and where the choice is left the tap engine in its place. */
static int check_kmod(const struct knit_config *c, bool *want_tun)
{
	bool want = wants(c, knit_kmod_engine.name), leave = wants(c, "auto");
	struct knit_kmod_why why;
	int fd;

	*want_tun = wants(c, knit_tap_engine.name);
	if (!want && !leave)
		return 0;
	fd = knit_kmod_open(NULL, &why);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	*want_tun |= leave;
	if (!want)
		return 0;
	complain(why.what, why.remedy);
	return fd == -EPROTO ? KNIT_EXIT_MISMATCH : KNIT_EXIT_RESOURCES;
}

static int check_tun(bool want)
{
	char what[128];
	int fd;

	if (!want)
		return 0;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	snprintf(what, sizeof(what), "the tap engine needs /dev/net/tun: %s", strerror(errno));
	return complain(what, "modprobe tun; in a container: --device /dev/net/tun");
}

static int check_prefix(const struct knit_config *c)
{
	char path[300], what[200];

	knit_eal_runtime_dir(c->eal.prefix, path, sizeof(path) - 8);
	strcat(path, "/config");
	if (!rte_eal_primary_proc_alive(path))
		return 0;
	snprintf(what, sizeof(what), "a primary with prefix \"%s\" is running", c->eal.prefix);
	complain(what, "stop it, or give this one another eal.prefix");
	return KNIT_EXIT_TAKEN;
}

int primary_preflight(const struct knit_config *c)
{
	int root = check_root();
	int huge = check_hugepages();
	int prefix = check_prefix(c);
	bool want_tun;
	int kmod = check_kmod(c, &want_tun);
	int tun = check_tun(want_tun);

	return prefix ? prefix : root ? root : huge ? huge : kmod ? kmod : tun;
}
