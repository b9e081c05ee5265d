// SPDX-License-Identifier: BSD-3-Clause
#include "share.h"

#include "system/process/eal_paths.h"
#include "system/process/exit.h"
#include "system/rundir/rundir.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int primary_group(const char *text, gid_t *group)
{
	const struct group *g = getgrnam(text);
	unsigned long number;
	char *end;

	if (g) {
		*group = g->gr_gid;
		return 0;
	}
	errno = 0;
	number = strtoul(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && number < (gid_t)-1) {
		*group = number;
		return 0;
	}
	fprintf(stderr,
		"knit-primary: --group: found \"%s\": the name or number of a group is expected\n",
		text);
	return KNIT_EXIT_USAGE;
}

int primary_share_prepare(const struct primary *p)
{
	const char *prefix = p->conf->eal.prefix;
	char dir[256];
	pid_t pid;
	int ret;

	knit_eal_runtime_dir(prefix, dir, sizeof(dir));
	ret = knit_eal_unshare_dir(prefix);
	if (ret < 0) {
		fprintf(stderr, "knit-primary: %s: %s\n", dir, strerror(-ret));
		return ret;
	}
	/* No matter who it is: EAL shall open nothing that was not removed. */
	pid = knit_eal_remove_files(prefix);
	if (pid) {
		fprintf(stderr,
			"knit-primary: %s/config: process %d has it: stop that process, or choose "
			"another eal.prefix\n",
			dir, (int)pid);
		return -EBUSY;
	}
	if (access(dir, F_OK) < 0)
		return 0;
	fprintf(stderr,
		"knit-primary: %s: somebody put folders there: look what they are, and remove it\n",
		dir);
	return -ENOTEMPTY;
}

int primary_share(const struct primary *p)
{
	char path[512];
	int ret;

	if (p->group == 0)
		return 0;
	ret = knit_eal_share_files(p->conf->eal.prefix, p->group, path, sizeof(path));
	if (ret == 0)
		return knit_rundir_share(p->conf->eal.prefix, p->group);
	fprintf(stderr, "knit-primary: --group: %s: %s\n", path, strerror(-ret));
	return ret;
}
