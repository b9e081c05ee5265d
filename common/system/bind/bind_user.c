// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a process opens to use the device: the group's or its own; "": there is none. */
struct nodes {
	char main[32];
	char cdev[40];
};

static void nodes_of(const struct knit_pci *dev, struct nodes *nodes)
{
	memset(nodes, 0, sizeof(*nodes));
	if (knit_bind_is_vfio(dev->driver) && dev->group >= 0)
		snprintf(nodes->main, sizeof(nodes->main), "/dev/vfio/%s%d",
			 dev->noiommu ? "noiommu-" : "", dev->group);
	else if (dev->uio >= 0)
		snprintf(nodes->main, sizeof(nodes->main), "/dev/uio%d", dev->uio);
	if (dev->cdev >= 0)
		snprintf(nodes->cdev, sizeof(nodes->cdev), "/dev/vfio/devices/vfio%d", dev->cdev);
}

/* target is never "". */
static bool is_node(const char *target, const struct nodes *nodes)
{
	return strcmp(target, nodes->main) == 0 || strcmp(target, nodes->cdev) == 0;
}

/* 1, 0, or a negative errno. A process that ended meanwhile has nothing open. */
static int has_open(const char *pid, const struct nodes *nodes)
{
	char path[PATH_MAX], target[64];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%.16s/fd", knit_bind_where.proc, pid);
	d = opendir(path);
	if (d == NULL)
		return errno == ENOENT || errno == ESRCH || errno == EACCES ? 0 : -errno;
	while (!found && (entry = readdir(d)) != NULL) {
		n = readlinkat(dirfd(d), entry->d_name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		found = n > 0 && is_node(target, nodes);
	}
	closedir(d);
	return found;
}

int knit_bind_user(const struct knit_pci *dev, char *comm, size_t size)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct nodes nodes;
	int pid = 0, ret = 0;
	DIR *d;

	comm[0] = '\0';
	nodes_of(dev, &nodes);
	if (nodes.main[0] == '\0' && nodes.cdev[0] == '\0')
		return 0;
	d = opendir(knit_bind_where.proc);
	if (d == NULL)
		return -errno;
	while (ret == 0 && (entry = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = strtol(entry->d_name, NULL, 10);
		ret = has_open(entry->d_name, &nodes);
	}
	closedir(d);
	if (ret <= 0)
		return ret;
	snprintf(path, sizeof(path), "%s/%d/comm", knit_bind_where.proc, pid);
	knit_sysfs_read(path, comm, size);
	return pid;
}
