// SPDX-License-Identifier: BSD-3-Clause
#include "hugepages.h"
#include "system/bind/bind.h"
#include "system/bind/bind_sysfs.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define LINE 2048
#define PATH_SIZE 1024

/* The place of the hugetlb controller's files. */
struct hierarchy {
	bool v2;
	char cgroup[PATH_SIZE]; /* this process's, as /proc/self/cgroup has it */
	char mount[PATH_SIZE];
	char dir[2 * PATH_SIZE]; /* the cgroup's folder, below mount */
};

static FILE *open_proc(const char *file)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/self/%s", knit_bind_where.proc, file);
	return fopen(path, "re");
}

/* Whether word is in the list, which has commas. */
static bool list_has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (strncmp(list, word, n) == 0 && strchr(",\n", list[n]))
			return true;
	}
	return false;
}

/* "8:hugetlb:/path" of version 1, else "0::/path". */
static bool find_cgroup(struct hierarchy *h)
{
	char line[LINE], names[LINE], path[PATH_SIZE];
	FILE *in = open_proc("cgroup");
	bool found = false, v1 = false;

	while (in && !v1 && fgets(line, sizeof(line), in)) {
		v1 = sscanf(line, "%*d:%2047[^:]:%1023[^\n]", names, path) == 2 &&
		     list_has_word(names, "hugetlb");
		if (!v1 && sscanf(line, "0::%1023[^\n]", path) != 1)
			continue;
		snprintf(h->cgroup, sizeof(h->cgroup), "%s", path);
		h->v2 = !v1;
		found = true;
	}
	if (in)
		fclose(in);
	return found;
}

/*
 * A mount shows the hierarchy below its root. In a container the root is the container's own
 * cgroup.
 */
static void hierarchy_set_dir(struct hierarchy *h, const char *root)
{
	size_t n = strcmp(root, "/") ? strlen(root) : 0;
	const char *below = strncmp(h->cgroup, root, n) ? "" : h->cgroup + n;

	snprintf(h->dir, sizeof(h->dir), "%s%s", h->mount, strcmp(below, "/") ? below : "");
}

static bool find_mount(struct hierarchy *h)
{
	char line[LINE], root[PATH_SIZE], type[32], options[LINE];
	FILE *in = open_proc("mountinfo");
	bool found = false;
	char *end;

	while (in && !found && fgets(line, sizeof(line), in)) {
		end = strstr(line, " - ");
		if (end == NULL || sscanf(end, " - %31s %*s %2047s", type, options) != 2 ||
		    sscanf(line, "%*s %*s %*s %1023s %1023s", root, h->mount) != 2)
			continue;
		found = h->v2 ? strcmp(type, "cgroup2") == 0
			      : strcmp(type, "cgroup") == 0 && list_has_word(options, "hugetlb");
	}
	if (in)
		fclose(in);
	if (found)
		hierarchy_set_dir(h, root);
	return found;
}

/* No limit: "max", or no such file, as at the root. */
static size_t read_cgroup_bytes(const char *dir, const char *size, const char *file,
				size_t otherwise)
{
	char path[3 * PATH_SIZE], text[32];

	snprintf(path, sizeof(path), "%s/hugetlb.%s.%s", dir, size, file);
	if (knit_sysfs_read(path, text, sizeof(text)) < 0 || text[0] < '0' || text[0] > '9')
		return otherwise;
	return strtoull(text, NULL, 10);
}

static size_t hierarchy_room(const struct hierarchy *h, const char *size)
{
	static const char *const files[2][2][2] = {
		{ { "limit_in_bytes", "usage_in_bytes" },
		  { "rsvd.limit_in_bytes", "rsvd.usage_in_bytes" } },
		{ { "max", "current" }, { "rsvd.max", "rsvd.current" } },
	};
	size_t limit, used, least = SIZE_MAX;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		limit = read_cgroup_bytes(h->dir, size, files[h->v2][i][0], SIZE_MAX);
		used = read_cgroup_bytes(h->dir, size, files[h->v2][i][1], 0);
		if (limit > SIZE_MAX / 4)
			continue;
		limit = limit > used ? limit - used : 0;
		least = limit < least ? limit : least;
	}
	return least;
}

/* The name of a page size in the names of these files. */
static void print_page_size(unsigned long kib, char *text, size_t size)
{
	if (kib >= 1 << 20)
		snprintf(text, size, "%luGB", kib >> 20);
	else if (kib >= 1 << 10)
		snprintf(text, size, "%luMB", kib >> 10);
	else
		snprintf(text, size, "%luKB", kib);
}

/* The limits of the cgroup and of all its parents count. */
size_t hugepages_cgroup(unsigned long kib, size_t most, char *by, size_t size)
{
	size_t one, least = SIZE_MAX;
	struct hierarchy h;
	char name[24], *up;

	if (!find_cgroup(&h) || !find_mount(&h))
		return SIZE_MAX;
	print_page_size(kib, name, sizeof(name));
	for (;;) {
		one = hierarchy_room(&h, name);
		if (one < least && one < most) {
			least = one;
			snprintf(by, size, "hugetlb.%s.%s of cgroup %s", name,
				 h.v2 ? "max" : "limit_in_bytes", h.dir);
		}
		up = strrchr(h.dir, '/');
		if (up == NULL || strlen(h.dir) <= strlen(h.mount))
			return least;
		*up = '\0';
	}
}

size_t hugepages_mount(const char *dir, char *by, size_t size)
{
	struct statvfs fs;

	/* Both of these values have been seen without the option. */
	if (statvfs(dir, &fs) < 0 || fs.f_blocks == 0 || fs.f_blocks == (fsblkcnt_t)-1)
		return SIZE_MAX;
	snprintf(by, size, "size= of the hugetlbfs at %s", dir);
	return fs.f_bavail * fs.f_frsize;
}
