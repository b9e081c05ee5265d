// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The node that a process opens to use the device; "": none. */
static void node_of(const struct knit_pci *dev, char *node, size_t size)
{
	node[0] = '\0';
	if (strncmp(dev->driver, "vfio", 4) == 0 && dev->group >= 0)
		snprintf(node, size, "/dev/vfio/%s%d", dev->noiommu ? "noiommu-" : "", dev->group);
	else if (dev->uio >= 0)
		snprintf(node, size, "/dev/uio%d", dev->uio);
}

static bool has_open(const char *pid, const char *node)
{
	char path[PATH_MAX], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%.16s/fd", knit_bind_where.proc, pid);
	d = opendir(path);
	while (d && !found && (entry = readdir(d)) != NULL) {
		n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = strcmp(target, node) == 0;
	}
	if (d)
		closedir(d);
	return found;
}

int knit_bind_user(const struct knit_pci *dev, char *comm, size_t size)
{
	char path[PATH_MAX], node[32];
	struct dirent *entry;
	int pid = 0;
	DIR *d;

	node_of(dev, node, sizeof(node));
	if (node[0] == '\0')
		return 0;
	d = opendir(knit_bind_where.proc);
	while (d && pid == 0 && (entry = readdir(d)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) && has_open(entry->d_name, node))
			pid = strtol(entry->d_name, NULL, 10);
	if (d)
		closedir(d);
	if (pid == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/%d/comm", knit_bind_where.proc, pid);
	knit_sysfs_read(path, comm, size);
	return pid;
}
