// SPDX-License-Identifier: BSD-3-Clause
#include "hugepages.h"
#include "report.h"
#include "system/bind/bind.h"
#include "system/bind/bind_sysfs.h"
#include "system/config/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <mntent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 400
#define PAGES "hugepages-"
#define USUAL_KIB 2048

static FILE *open_mounts(void)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/mounts", knit_bind_where.proc);
	return setmntent(path, "re");
}

/* eal.huge_dir is the mount point, or a folder below it. */
static bool mount_is_for(const struct knit_config *c, const char *mount)
{
	size_t n = strlen(mount);

	return c == NULL || c->eal.huge_dir[0] == '\0' ||
	       (strncmp(c->eal.huge_dir, mount, n) == 0 &&
		(c->eal.huge_dir[n] == '\0' || c->eal.huge_dir[n] == '/'));
}

/* The next hugetlbfs that EAL would use; c NULL: any. *kib: its page size. */
static struct mntent *next_mount(FILE *mounts, const struct knit_config *c, unsigned long *kib)
{
	struct mntent *m;
	char *size;

	while ((m = getmntent(mounts)) != NULL &&
	       (strcmp(m->mnt_type, "hugetlbfs") != 0 || !mount_is_for(c, m->mnt_dir)))
		;
	if (m == NULL)
		return NULL;
	size = hasmntopt(m, "pagesize");
	*kib = size ? strtoul(size + strlen("pagesize="), &size, 10) : USUAL_KIB;
	if (size)
		*kib <<= *size == 'G' ? 20 : *size == 'M' ? 10 : 0;
	return m;
}

static bool size_is_mounted(const struct knit_config *c, unsigned long kib)
{
	FILE *mounts = open_mounts();
	unsigned long one;
	bool found = false;

	while (mounts && !found && next_mount(mounts, c, &one))
		found = one == kib;
	if (mounts)
		endmntent(mounts);
	return found;
}

/* A kernel without NUMA has all hugepages on node 0 of EAL. */
static void node_dir(int node, char *dir, size_t size)
{
	size_t at;

	at = snprintf(dir, size, "%s/devices/system/node/node%d", knit_bind_where.sys, node);
	if (node >= 0 && access(dir, F_OK) == 0)
		snprintf(dir + at, size - at, "/hugepages");
	else
		snprintf(dir, size, "%s/kernel/mm/hugepages", knit_bind_where.sys);
}

static unsigned long read_page_count(const char *dir, unsigned long kib, const char *file)
{
	char path[PATH_SIZE + 80], text[32];

	snprintf(path, sizeof(path), "%s/" PAGES "%lukB/%s", dir, kib, file);
	return knit_sysfs_read(path, text, sizeof(text)) < 0 ? 0 : strtoul(text, NULL, 10);
}

/* The next page size that EAL would use, in KiB; 0: no more. */
static unsigned long next_size(DIR *d, const struct knit_config *c)
{
	struct dirent *entry;
	unsigned long kib;

	while (d && (entry = readdir(d)) != NULL) {
		if (strncmp(entry->d_name, PAGES, strlen(PAGES)) != 0)
			continue;
		kib = strtoul(entry->d_name + strlen(PAGES), NULL, 10);
		if (size_is_mounted(c, kib))
			return kib;
	}
	return 0;
}

static size_t bytes_of(const struct knit_config *c, int node, const char *file)
{
	char dir[PATH_SIZE];
	unsigned long kib;
	size_t bytes = 0;
	DIR *d;

	node_dir(node, dir, sizeof(dir));
	d = opendir(dir);
	while ((kib = next_size(d, c)) != 0)
		bytes += read_page_count(dir, kib, file) * kib * 1024;
	if (d)
		closedir(d);
	return bytes;
}

size_t hugepages_free(const struct knit_config *c, int node)
{
	return bytes_of(c, node, "free_hugepages");
}

size_t hugepages_all(const struct knit_config *c, int node)
{
	return bytes_of(c, node, "nr_hugepages");
}

static size_t bytes_left_in(const char *dir, const char *prefix)
{
	struct dirent *entry;
	size_t bytes = 0;
	char begin[64];
	struct stat st;
	DIR *d;

	snprintf(begin, sizeof(begin), "%smap_", prefix);
	d = opendir(dir);
	while (d && (entry = readdir(d)) != NULL)
		if (strncmp(entry->d_name, begin, strlen(begin)) == 0 &&
		    fstatat(dirfd(d), entry->d_name, &st, 0) == 0)
			bytes += (size_t)st.st_blocks * 512;
	if (d)
		closedir(d);
	return bytes;
}

size_t hugepages_left(const struct knit_config *c)
{
	struct mntent *m;
	unsigned long kib;
	size_t bytes = 0;
	FILE *mounts;

	if (c->eal.huge_dir[0])
		return bytes_left_in(c->eal.huge_dir, c->eal.prefix);
	mounts = open_mounts();
	while (mounts && (m = next_mount(mounts, c, &kib)) != NULL)
		bytes += bytes_left_in(m->mnt_dir, c->eal.prefix);
	if (mounts)
		endmntent(mounts);
	return bytes;
}

size_t hugepages_missing(size_t needed, size_t there, size_t *left)
{
	size_t taken;

	if (there >= needed)
		return 0;
	needed -= there;
	taken = *left < needed ? *left : needed;
	*left -= taken;
	return needed - taken;
}

/* The smallest size, in KiB, of which there are at least so many pages; 0: none. */
static unsigned long least_size(const struct knit_config *c, const char *dir, unsigned long pages)
{
	unsigned long kib, least = 0;
	DIR *d = opendir(dir);

	while ((kib = next_size(d, c)) != 0)
		if ((least == 0 || kib < least) &&
		    read_page_count(dir, kib, "nr_hugepages") +
				    read_page_count(dir, kib, "nr_overcommit_hugepages") >=
			    pages)
			least = kib;
	if (d)
		closedir(d);
	return least;
}

size_t hugepages_least(const struct knit_config *c)
{
	unsigned long kib;
	char dir[PATH_SIZE];

	node_dir(-1, dir, sizeof(dir));
	kib = least_size(c, dir, 1);
	if (kib == 0)
		kib = least_size(c, dir, 0);
	return (kib ? kib : USUAL_KIB) * 1024;
}

/* With the missing bytes, in pages of that size. */
static size_t pages_wanted(const char *dir, unsigned long kib, size_t missing)
{
	size_t page = kib * 1024;

	return read_page_count(dir, kib, "nr_hugepages") + (missing + page - 1) / page;
}

/* The command adds the smallest pages. */
void hugepages_remedy(const struct knit_config *c, int node, size_t missing, char *text,
		      size_t size)
{
	char dir[PATH_SIZE], path[PATH_SIZE + 80], value[32];
	unsigned long least;

	node_dir(node, dir, sizeof(dir));
	least = least_size(c, dir, 0);
	if (least == 0)
		least = USUAL_KIB;
	snprintf(path, sizeof(path), "%s/" PAGES "%lukB/nr_hugepages", dir, least);
	snprintf(value, sizeof(value), "%zu", pages_wanted(dir, least, missing));
	snprintf(text, size, "echo %s >%s", value, path);
	preflight_write(path, value);
}

int hugepages_add(const struct knit_config *c, int node, size_t missing)
{
	char dir[PATH_SIZE], path[PATH_SIZE + 80], text[32];
	unsigned long least;

	node_dir(node, dir, sizeof(dir));
	least = least_size(c, dir, 0);
	if (least == 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/" PAGES "%lukB/nr_hugepages", dir, least);
	snprintf(text, sizeof(text), "%zu", pages_wanted(dir, least, missing));
	return knit_sysfs_write(path, text);
}

/* The limit for pages of one size. EAL may use any of its mounts. */
static size_t bytes_allowed_of_size(const struct knit_config *c, unsigned long kib, char *by,
				    size_t size)
{
	size_t most = 0, cgroup, mount;
	FILE *mounts = open_mounts();
	struct mntent *m;
	unsigned long one;

	while (mounts && (m = next_mount(mounts, c, &one)) != NULL) {
		mount = one == kib ? hugepages_mount(m->mnt_dir, by, size) : 0;
		most = mount > most ? mount : most;
	}
	if (mounts)
		endmntent(mounts);
	cgroup = hugepages_cgroup(kib, most, by, size);
	return cgroup < most ? cgroup : most;
}

size_t hugepages_allowed(const struct knit_config *c, char *by, size_t size)
{
	size_t bytes = 0, one;
	char dir[PATH_SIZE];
	unsigned long kib;
	DIR *d;

	by[0] = '\0';
	node_dir(-1, dir, sizeof(dir));
	d = opendir(dir);
	while ((kib = next_size(d, c)) != 0) {
		one = bytes_allowed_of_size(c, kib, by, size);
		bytes = one > SIZE_MAX - bytes ? SIZE_MAX : bytes + one;
	}
	if (d)
		closedir(d);
	return by[0] ? bytes : SIZE_MAX;
}
