// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A tenant: root of a user namespace of his own, who was given /dev/kni. Nobody else may notice
 * what he does.
 */
#define TRACING "/run/knit-tracing/"
#define CGROUPS "/run/knit-cgroups"
#define NICE 5
#define SOON 2

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_APPEND);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return ok;
}

static int put_pid(const char *path)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return put(path, pid) ? 0 : -EIO;
}

static bool trace_expedited(bool on)
{
	if (on && !put(TRACING "kprobe_events", "p:knit_expedited synchronize_rcu_expedited\n"))
		return false;
	return put(TRACING "events/kprobes/knit_expedited/enable", on ? "1" : "0") &&
	       (on || put(TRACING "kprobe_events", "-:knit_expedited\n"));
}

/* Expedited grace periods that processes of that name waited for. */
static int expedited(const char *name)
{
	FILE *file = fopen(TRACING "trace", "re");
	char line[256];
	int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strstr(line, "knit_expedited") && strstr(line, name);
	if (file)
		fclose(file);
	return n;
}

/* What has every file: pairs and handlers that come and go, and an interface that can't be made. */
static void wants_grace_periods(const struct bed *b, uint64_t id)
{
	struct knit_ioc_create c = create_args(b, "kt1");
	int i, err = 0;

	for (i = 0; i < 10; i++) {
		err |= attach(b->fd, id, KNIT_ATTACH_PAIR, 0) |
		       detach(b->fd, id, KNIT_ATTACH_PAIR, 0);
		err |= attach(b->fd, id, KNIT_ATTACH_HANDLER, 0) |
		       detach(b->fd, id, KNIT_ATTACH_HANDLER, 0);
	}
	is("tenants: attach and detach", err, 0);
	c.request_doorbell_fd = 1;
	is("tenants: an interface that can't be made", call(b->fd, KNIT_IOC_CREATE, &c), -EINVAL);
}

static bool same_file(const char *one, const char *other)
{
	char a[1024] = "", b[1024] = "";
	int fd[2] = { open(one, O_RDONLY | O_CLOEXEC), open(other, O_RDONLY | O_CLOEXEC) };
	bool same = read(fd[0], a, sizeof(a) - 1) > 0 && read(fd[1], b, sizeof(b) - 1) > 0 &&
		    strcmp(a, b) == 0;

	if (!same)
		printf("# %s: %s# %s: %s\n", one, a, other, b);
	close(fd[0]);
	close(fd[1]);
	return same;
}

/* Its CPUs, its cgroups, and no sooner than it. */
static void thread_is_at_its_expense(void)
{
	int tid = thread_of("kni_");
	char path[64], cpus[64];

	thread_cpus("kni_", cpus, sizeof(cpus));
	is_true("tenants: the thread runs on the tenant's CPUs", strcmp(cpus, "0") == 0);
	is("tenants: it is as nice as the tenant", getpriority(PRIO_PROCESS, tid), NICE);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", tid);
	is_true("tenants: it is in the tenant's cgroups", same_file("/proc/self/cgroup", path));
}

static void nobody_waits(const char *name, const char *iface)
{
	double start = now();

	is(name, set_mtu(iface, 3000), 0);
	is_true("tenants: and at once", now() - start < SOON);
}

/* On one CPU, in a cgroup of its own. */
static int become_tenant(void)
{
	const struct rlimit memory = { 8 << 20, 8 << 20 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	/* Before Linux 5.16 only 64 KiB may be pinned. */
	if (setrlimit(RLIMIT_MEMLOCK, &memory) || put_pid(CGROUPS "/tenant/cgroup.procs") ||
	    sched_setaffinity(0, sizeof(cpus), &cpus) || setpriority(PRIO_PROCESS, 0, NICE) ||
	    prctl(PR_SET_NAME, "tenant") || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	return 0;
}

static void info_says(const char *name, int fd, uint32_t want)
{
	struct knit_ioc_info info = { .size = sizeof(info) };

	is(name, call(fd, KNIT_IOC_INFO, &info), 0);
	is("info: whether it is trusted", info.flags & KNIT_INFO_UNTRUSTED, want);
}

/* A child that has the file, too, for ever. */
static pid_t fork_heir(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static int play_tenant(void *heir)
{
	struct knit_ioc_create c;
	struct bed b;

	is("tenants: one", become_tenant(), 0);
	bed_open(&b);
	info_says("tenants: info", b.fd, KNIT_INFO_UNTRUSTED);
	c = create_args(&b, "kt0");
	c.flags = KNIT_CREATE_BIND;
	is("tenants: -EACCES, bind the thread", call(b.fd, KNIT_IOC_CREATE, &c), -EACCES);
	c.flags = 0;
	is("tenants: create", call(b.fd, KNIT_IOC_CREATE, &c), 0);
	thread_is_at_its_expense();
	is("tenants: a handler", attach(b.fd, c.id, KNIT_ATTACH_HANDLER, 0), 0);
	nobody_waits("tenants: nobody waits for his handler", "kt0");
	is("tenants: no handler", detach(b.fd, c.id, KNIT_ATTACH_HANDLER, 0), 0);
	wants_grace_periods(&b, c.id);
	is("tenants: no expedited grace period", expedited("tenant-"), 0);
	*(pid_t *)heir = fork_heir();
	return failures;
}

/* An interface of the host's in his namespace. */
struct foreign {
	pid_t tenant;
	uint64_t id;
};

static int play_handler(void *arg)
{
	const struct foreign *f = arg;
	const char *names[] = { "user", "net" };
	char path[64];
	int fd, i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", f->tenant, names[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (setns(fd, 0) < 0)
			return -errno;
		close(fd);
	}
	is("tenants: handler of another's", attach(kni_open(), f->id, KNIT_ATTACH_HANDLER, 0), 0);
	nobody_waits("tenants: nobody waits for that one either", "kt0");
	return failures;
}

static int new_namespaces(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -errno : 0;
}

static void handles_another_s(void)
{
	struct knit_ioc_create c;
	struct foreign f;
	char path[64];
	struct bed b;
	int result;

	bed_open(&b);
	info_says("tenants: info of the host's", b.fd, 0);
	c = create_args(&b, "kt0");
	f.tenant = child(new_namespaces, NULL, &result);
	is("tenants: a namespace", result, 0);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", f.tenant);
	c.netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	is("tenants: create in it", call(b.fd, KNIT_IOC_CREATE, &c), 0);
	close(c.netns_fd);
	f.id = c.id;
	child_end(child(play_handler, &f, &result));
	failures += result != 0;
	child_end(f.tenant);
	bed_close(&b);
}

static bool is_reaped(const void *arg)
{
	pid_t pid = *(const pid_t *)arg;

	return waitpid(pid, NULL, WNOHANG) == pid;
}

static bool no_thread(const void *arg)
{
	(void)arg;
	return !has_thread("kni_");
}

void test_tenants(void)
{
	pid_t *heir = memory(PAGE);
	struct bed b;
	uint64_t id;
	int result;
	pid_t pid;

	mkdir(CGROUPS, 0755);
	is("tenants: cgroups", mount("none", CGROUPS, "cgroup", 0, "cpuacct"), 0);
	is("tenants: a cgroup", mkdir(CGROUPS "/tenant", 0755), 0);
	mkdir(TRACING, 0755);
	is("tenants: tracing", mount("none", TRACING, "tracefs", 0, NULL), 0);
	is_true("tenants: expedited grace periods are counted", trace_expedited(true));
	prctl(PR_SET_NAME, "landlord");
	bed_open(&b);
	is("tenants: create by the host", create(&b, "kt0", &id), 0);
	wants_grace_periods(&b, id);
	is_true("tenants: the host's are expedited", expedited("landlord-") >= 20);
	bed_close(&b);
	pid = child(play_tenant, heir, &result);
	failures += result != 0;
	is_true("tenants: they are counted no more", trace_expedited(false));
	kill(pid, SIGKILL);
	is_true("tenants: one that is killed ends while its child has the file",
		wait_until(10, is_reaped, &pid));
	if (*heir > 0)
		kill(*heir, SIGKILL);
	is_true("tenants: the last close ends the thread", wait_until(5, no_thread, NULL));
	handles_another_s();
	rmdir(CGROUPS "/tenant");
	umount(CGROUPS);
	umount(TRACING);
}
