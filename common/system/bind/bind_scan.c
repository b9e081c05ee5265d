// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct knit_bind_where knit_bind_where = { "/sys", "/proc", "/run/knit" };

/* sysfs paths are short; what does not fit is not there. */
#define DIR_SIZE 200
#define PATH_SIZE 400

#define CONFIG_HEADER_TYPE 0x0e
#define HEADER_MULTI 0x80

/* Hex digits at *text, which moves behind them and sep; -1: none, too large, or no sep. */
static long hex_part(const char **text, char sep, unsigned long max)
{
	size_t len = strspn(*text, "0123456789abcdefABCDEF");
	unsigned long value;

	if (len == 0 || len > 4 || (*text)[len] != sep)
		return -1;
	value = strtoul(*text, NULL, 16);
	*text += len + (sep != '\0');
	return value <= max ? (long)value : -1;
}

bool knit_pci_parse(const char *text, char name[KNIT_PCI_NAME])
{
	long domain = 0, bus, slot, function;
	const char *colon;

	if (strncmp(text, "pci:", 4) == 0)
		text += 4;
	colon = strchr(text, ':');
	if (colon && strchr(colon + 1, ':'))
		domain = hex_part(&text, ':', 0xffff);
	bus = hex_part(&text, ':', 0xff);
	slot = hex_part(&text, '.', 0x1f);
	function = hex_part(&text, '\0', 7);
	if (domain < 0 || bus < 0 || slot < 0 || function < 0)
		return false;
	snprintf(name, KNIT_PCI_NAME, "%04x:%02x:%02x.%x", (unsigned int)domain & 0xffff,
		 (unsigned int)bus & 0xff, (unsigned int)slot & 0x1f, (unsigned int)function & 7);
	return true;
}

bool knit_pci_of_device(const char *device, char name[KNIT_PCI_NAME])
{
	char text[64];

	if (strcspn(device, ",") >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(device, ","), device);
	return knit_pci_parse(text, name);
}

/* The last part of where a link leads; "": there is none. */
static void link_name(const char *path, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	const char *slash;

	name[0] = '\0';
	if (n < 0)
		return;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

static long sysfs_number(const char *dir, const char *file, long none)
{
	char path[PATH_SIZE], text[32], *end;
	long value;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	if (knit_sysfs_read(path, text, sizeof(text)) < 0)
		return none;
	value = strtol(text, &end, 0);
	return end == text ? none : value;
}

/* The first entry of a directory whose name begins so, from there on; false: none. */
static bool first_entry(const char *dir, const char *begin, char *name, size_t size)
{
	struct dirent *entry;
	bool found = false;
	DIR *d = opendir(dir);

	while (d && !found && (entry = readdir(d)) != NULL) {
		found = entry->d_name[0] != '.' &&
			strncmp(entry->d_name, begin, strlen(begin)) == 0;
		if (found)
			snprintf(name, size, "%.*s", (int)size - 1, entry->d_name);
	}
	if (d)
		closedir(d);
	return found;
}

static void nets_read(const char *dir, struct knit_pci *dev)
{
	char path[PATH_SIZE + 8];
	struct dirent *entry;
	DIR *d;

	snprintf(path, sizeof(path), "%s/net", dir);
	d = opendir(path);
	while (d && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (dev->n_nets < KNIT_PCI_NETS)
			snprintf(dev->nets[dev->n_nets], IFNAMSIZ, "%.*s", IFNAMSIZ - 1,
				 entry->d_name);
		dev->n_nets++;
	}
	if (d)
		closedir(d);
}

/* Of virtio the interface is one level deeper. */
static void nets_read_all(const char *dir, struct knit_pci *dev)
{
	char virtio[64], path[PATH_SIZE];

	nets_read(dir, dev);
	if (!first_entry(dir, "virtio", virtio, sizeof(virtio)))
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, virtio);
	nets_read(path, dev);
}

static void group_read(const char *dir, struct knit_pci *dev)
{
	char path[PATH_SIZE], text[32];

	snprintf(path, sizeof(path), "%s/iommu_group", dir);
	link_name(path, text, sizeof(text));
	if (text[0] == '\0')
		return;
	dev->group = strtol(text, NULL, 10);
	snprintf(path, sizeof(path), "%s/iommu_group/type", dir);
	knit_sysfs_read(path, dev->group_type, sizeof(dev->group_type));
	snprintf(path, sizeof(path), "%s/iommu_group/name", dir);
	dev->noiommu =
		knit_sysfs_read(path, text, sizeof(text)) == 0 && strcmp(text, "vfio-noiommu") == 0;
}

static void drivers_read(const char *dir, struct knit_pci *dev)
{
	char path[PATH_SIZE], text[32];

	snprintf(path, sizeof(path), "%s/driver", dir);
	link_name(path, dev->driver, sizeof(dev->driver));
	snprintf(path, sizeof(path), "%s/driver_override", dir);
	knit_sysfs_read(path, dev->override, sizeof(dev->override));
	if (strcmp(dev->override, "(null)") == 0)
		dev->override[0] = '\0';
	snprintf(path, sizeof(path), "%s/uio", dir);
	if (first_entry(path, "uio", text, sizeof(text)))
		dev->uio = strtol(text + strlen("uio"), NULL, 10);
	snprintf(path, sizeof(path), "%s/vfio-dev", dir);
	if (first_entry(path, "vfio", text, sizeof(text)))
		dev->cdev = strtol(text + strlen("vfio"), NULL, 10);
}

static bool has_bridge_header(const char *dir)
{
	unsigned char head[CONFIG_HEADER_TYPE + 1];
	char path[PATH_SIZE];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/config", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head));
	close(fd);
	return n == (ssize_t)sizeof(head) && (head[CONFIG_HEADER_TYPE] & ~HEADER_MULTI) != 0;
}

int knit_pci_look(const char *name, struct knit_pci *dev)
{
	char dir[DIR_SIZE];

	memset(dev, 0, sizeof(*dev));
	snprintf(dir, sizeof(dir), "%s/bus/pci/devices/%.12s", knit_bind_where.sys, name);
	if (access(dir, F_OK) < 0)
		return -ENODEV;
	snprintf(dev->name, sizeof(dev->name), "%.12s", name);
	dev->class = sysfs_number(dir, "class", 0);
	dev->vendor = sysfs_number(dir, "vendor", 0);
	dev->device = sysfs_number(dir, "device", 0);
	dev->numa = sysfs_number(dir, "numa_node", -1);
	dev->functions = sysfs_number(dir, "sriov_numvfs", 0);
	dev->group = -1;
	dev->uio = -1;
	dev->cdev = -1;
	dev->bridge = has_bridge_header(dir);
	group_read(dir, dev);
	drivers_read(dir, dev);
	nets_read_all(dir, dev);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct knit_pci *)a)->name, ((const struct knit_pci *)b)->name);
}

static int add_device(struct knit_pci **devs, int n, const char *name)
{
	struct knit_pci *more = realloc(*devs, (n + 1) * sizeof(**devs));

	if (more == NULL)
		return -ENOMEM;
	*devs = more;
	return knit_pci_look(name, &more[n]) < 0 ? n : n + 1;
}

int knit_pci_scan(struct knit_pci **devs)
{
	char path[PATH_SIZE], name[KNIT_PCI_NAME];
	struct dirent *entry;
	int n = 0;
	DIR *d;

	*devs = NULL;
	snprintf(path, sizeof(path), "%s/bus/pci/devices", knit_bind_where.sys);
	d = opendir(path);
	if (d == NULL)
		return -errno;
	while (n >= 0 && (entry = readdir(d)) != NULL)
		if (knit_pci_parse(entry->d_name, name))
			n = add_device(devs, n, name);
	closedir(d);
	if (n < 0) {
		free(*devs);
		return n;
	}
	if (n > 0)
		qsort(*devs, n, sizeof(**devs), by_name);
	return n;
}
