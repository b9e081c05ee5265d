// SPDX-License-Identifier: BSD-3-Clause
#include "eal_paths.h"
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

static int check_tun(const struct knit_config *c)
{
	char what[128];
	int fd;

	if (c->n_ifaces == 0)
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
	int tun = check_tun(c);
	int prefix = check_prefix(c);

	return prefix ? prefix : root ? root : huge ? huge : tun;
}
