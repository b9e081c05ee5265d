// SPDX-License-Identifier: BSD-3-Clause
#include "hugepages.h"
#include "kni/base/compat.h"
#include "memory/pool_size.h"
#include "preflight.h"
#include "report.h"
#include "system/process/eal_paths.h"
#include "system/rundir/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
/* Files of each process in EAL's directory, for each NUMA node; measured: 1.6 MiB. */
#define RUN_BYTES (2 * MIB)
#define RUN_FILES 12
/* Address space that EAL reserves for each NUMA node, whether it needs it or not. */
#define NODE_SPACE (64 * GIB)
/* The longest file that EAL writes, except pages of hugetlbfs. */
#define FILE_BYTES (4 * MIB)
/*
 * File descriptors beside those of hugepages: of a port or interface for each worker, and in all.
 */
#define SPARE_FILES 40
#define DEVICE_FILES 8
#define QUEUE_FILES 5
/* The most that EAL appends to the name of its directory. */
#define SOCKET "/mp_socket_4194304_0123456789abcdef"

/* Shortens path to the part that exists. */
static void existing_parent(char *path)
{
	while (access(path, F_OK) < 0 && errno == ENOENT && strcmp(path, "/") != 0)
		memmove(path, dirname(path), strlen(dirname(path)) + 1);
}

/* Bytes of files that an earlier run left and that this one overwrites. */
static size_t bytes_in(const char *dir)
{
	struct dirent *entry;
	size_t bytes = 0;
	struct stat st;
	DIR *d = opendir(dir);

	while (d && (entry = readdir(d)) != NULL)
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			bytes += (size_t)st.st_blocks * 512;
	if (d)
		closedir(d);
	return bytes;
}

static int check_writable(const char *dir, const char *remedy)
{
	char path[512], what[700];

	snprintf(path, sizeof(path), "%s", dir);
	existing_parent(path);
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0)
		return 0;
	snprintf(what, sizeof(what), "%s can't be written: %s", path, strerror(errno));
	return preflight_missing(what, remedy);
}

/* On a full file system, EAL's writes to mapped files raise SIGBUS. A total of 0 means no limit. */
static int check_space(const char *dir, size_t bytes, size_t files)
{
	char path[512], what[700];
	struct statvfs fs;
	size_t there;

	snprintf(path, sizeof(path), "%s", dir);
	existing_parent(path);
	if (statvfs(path, &fs) < 0)
		return 0;
	there = fs.f_bavail * fs.f_frsize + bytes_in(dir);
	if (fs.f_blocks && there < bytes)
		snprintf(what, sizeof(what), "%s has %zu KiB free, %zu KiB are needed", path,
			 there / 1024, bytes / 1024);
	else if (fs.f_files && fs.f_favail < files)
		snprintf(what, sizeof(what), "%s has room for %zu files, %zu are needed", path,
			 (size_t)fs.f_favail, files);
	else
		return 0;
	return preflight_missing(what, "remove files there, or mount -o remount,size=64M,"
				       "nr_inodes=0 if it is a tmpfs");
}

/* EAL cuts off socket names that are too long, and then finds no socket. */
static int check_path(const char *dir)
{
	size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof(SOCKET);
	char what[700];

	if (strlen(dir) <= most)
		return 0;
	snprintf(what, sizeof(what),
		 "%s, for EAL's sockets, has %zu characters: at most %zu are "
		 "possible",
		 dir, strlen(dir), most);
	return preflight_missing(what, "a shorter RUNTIME_DIRECTORY in the environment, or a "
				       "shorter eal.prefix");
}

static int check_folders(const struct knit_config *c, unsigned int n_nodes)
{
	size_t processes = 2 + c->n_workers;
	static const char run_remedy[] = "mount it writable; in a container: --tmpfs /run";
	char eal[256], own[300], huge[256];
	int ret, one;

	snprintf(own, sizeof(own), KNIT_RUNDIR "/%s", c->eal.prefix);
	knit_eal_runtime_dir(c->eal.prefix, eal, sizeof(eal));
	ret = check_writable(own, run_remedy);
	one = check_writable(eal, run_remedy) | check_path(eal);
	snprintf(huge, sizeof(huge), "%s", c->eal.huge_dir);
	if (huge[0] || knit_eal_huge_dir(huge, sizeof(huge)) == 0)
		one |= check_writable(huge, "mount -o remount,rw, or another eal.huge_dir");
	if (ret == 0 && one == 0)
		ret = check_space(eal, processes * n_nodes * RUN_BYTES, processes * RUN_FILES);
	return ret ? ret : one;
}

static int check_limit(int resource, const char *name, const char *option, size_t needed)
{
	char what[200], remedy[120];
	struct rlimit limit;

	/* knit_stdfds_raise has raised the limit as far as allowed. */
	if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= needed)
		return 0;
	snprintf(what, sizeof(what), "RLIMIT_%s is %zu, %zu are needed", name,
		 (size_t)limit.rlim_cur, needed);
	snprintf(remedy, sizeof(remedy), "ulimit -%s; in a unit Limit%s=infinity", option, name);
	return preflight_missing(what, remedy);
}

static size_t files_needed(const struct knit_config *c, size_t bytes)
{
	size_t devices = c->n_ports + c->n_ifaces;

	return bytes / hugepages_least(c) + SPARE_FILES +
	       devices * (DEVICE_FILES + QUEUE_FILES * c->n_workers);
}

/*
 * Processes open each other's doorbells with pidfd_getfd. Seccomp profiles of containers may not
 * allow it.
 */
static int check_getfd(void)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), fd = -1, err;
	char what[120];

	if (pidfd >= 0)
		fd = syscall(SYS_pidfd_getfd, pidfd, pidfd, 0);
	err = errno;
	if (pidfd >= 0)
		close(pidfd);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	snprintf(what, sizeof(what), "system call %s: %s", pidfd < 0 ? "pidfd_open" : "pidfd_getfd",
		 strerror(err));
	return preflight_missing(what, "Linux 5.10; in a container --cap-add SYS_PTRACE, or a "
				       "seccomp profile that allows it");
}

int preflight_limits(const struct knit_config *c)
{
	struct pool_plan plan;
	size_t bytes;
	int ret;

	preflight_plan(c, &plan);
	bytes = preflight_bytes(&plan);
	ret = check_folders(c, plan.n_nodes);
	ret |= check_limit(RLIMIT_NOFILE, "NOFILE", "n 65536", files_needed(c, bytes));
	ret |= check_limit(RLIMIT_AS, "AS", "v unlimited", plan.n_nodes * NODE_SPACE + GIB);
	ret |= check_limit(RLIMIT_FSIZE, "FSIZE", "f unlimited",
			   RTE_MAX(hugepages_least(c), FILE_BYTES));
	ret |= check_getfd();
	if (ret == 0)
		preflight_good("limits: descriptors, address space, file size, room in /run");
	return ret ? KNIT_EXIT_RESOURCES : 0;
}
