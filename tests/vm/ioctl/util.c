// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int packet_doorbell, request_doorbell;
int failures;

void ok(const char *name, ...)
{
	va_list ap;

	printf("ok ");
	va_start(ap, name);
	vprintf(name, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

bool is(const char *name, int64_t got, int64_t want)
{
	if (got == want) {
		ok("%s", name);
		return true;
	}
	failures++;
	if (got < 0 && got > -4096)
		printf("not ok %s (%s, not %ld)\n", name, strerror(-got), (long)want);
	else
		printf("not ok %s (%ld, not %ld)\n", name, (long)got, (long)want);
	fflush(stdout);
	return false;
}

bool is_true(const char *name, bool holds)
{
	return is(name, holds, true);
}

static void *die_if(bool bad, const char *what)
{
	if (bad) {
		printf("not ok %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return NULL;
}

int kni_open(void)
{
	int fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int call(int fd, unsigned int cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

static void *mapped(size_t len, int flags)
{
	void *mem =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | flags, -1, 0);

	die_if(mem == MAP_FAILED, "mmap");
	return mem;
}

void *memory(size_t len)
{
	return mapped(len, 0);
}

void *huge_memory(size_t len)
{
	return mapped(len, MAP_HUGETLB);
}

static struct knit_ioc_mem mem_args(const void *addr, size_t len, size_t page_size)
{
	return (struct knit_ioc_mem){
		.size = sizeof(struct knit_ioc_mem),
		.addr = (uintptr_t)addr,
		.len = len,
		.page_size = page_size,
	};
}

int mem_add(int fd, const void *addr, size_t len, size_t page_size)
{
	struct knit_ioc_mem args = mem_args(addr, len, page_size);

	return call(fd, KNIT_IOC_MEM_ADD, &args);
}

int mem_del(int fd, const void *addr, size_t len, size_t page_size)
{
	struct knit_ioc_mem args = mem_args(addr, len, page_size);

	return call(fd, KNIT_IOC_MEM_DEL, &args);
}

void block_init(struct knit_shm_hdr *shm)
{
	memset(shm, 0, knit_shm_bytes(RING, PAIRS));
	shm->magic = KNIT_MAGIC;
	shm->version = KNIT_ABI_VERSION;
	shm->size = knit_shm_bytes(RING, PAIRS);
	shm->ring_size = RING;
	shm->n_pairs = PAIRS;
}

void bed_open(struct bed *b)
{
	b->fd = kni_open();
	errno = -b->fd;
	die_if(b->fd < 0, KNIT_DEV_PATH);
	b->len = 64 * PAGE;
	b->mem = memory(b->len);
	b->shm = (struct knit_shm_hdr *)b->mem;
	block_init(b->shm);
	errno = -mem_add(b->fd, b->mem, b->len, PAGE);
	die_if(errno, "add memory");
}

void bed_close(struct bed *b)
{
	close(b->fd);
	munmap(b->mem, b->len);
}

struct knit_ioc_create create_args(const struct bed *b, const char *name)
{
	struct knit_ioc_create c = {
		.size = sizeof(c),
		.shm = (uintptr_t)b->shm,
		.ring_size = RING,
		.n_pairs = PAIRS,
		.netns_fd = -1,
		.mtu = 1500,
		.min_mtu = 68,
		.max_mtu = 9000,
		.packet_doorbell_fd = packet_doorbell,
		.request_doorbell_fd = request_doorbell,
	};

	snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

int create(const struct bed *b, const char *name, uint64_t *id)
{
	struct knit_ioc_create c = create_args(b, name);
	int err = call(b->fd, KNIT_IOC_CREATE, &c);

	*id = c.id;
	return err;
}

int release(int fd, uint64_t id)
{
	struct knit_ioc_id args = { .size = sizeof(args), .id = id };

	return call(fd, KNIT_IOC_RELEASE, &args);
}

static struct knit_ioc_attach attach_args(uint64_t id, uint32_t role, uint32_t pair)
{
	return (struct knit_ioc_attach){
		.size = sizeof(struct knit_ioc_attach),
		.role = role,
		.id = id,
		.pair = pair,
		.doorbell_fd = -1,
	};
}

int attach(int fd, uint64_t id, uint32_t role, uint32_t pair)
{
	struct knit_ioc_attach args = attach_args(id, role, pair);

	return call(fd, KNIT_IOC_ATTACH, &args);
}

int detach(int fd, uint64_t id, uint32_t role, uint32_t pair)
{
	struct knit_ioc_attach args = attach_args(id, role, pair);

	return call(fd, KNIT_IOC_DETACH, &args);
}

int set_link(int fd, uint64_t id, uint32_t flags)
{
	struct knit_ioc_link args = { .size = sizeof(args), .flags = flags, .id = id };
	int err = call(fd, KNIT_IOC_SET_LINK, &args);

	return err ? err : (int)args.before;
}

int stats(int fd, uint64_t id, uint32_t pair, struct knit_ioc_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->pair = pair;
	s->id = id;
	return call(fd, KNIT_IOC_STATS, s);
}

bool exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

static int of_interface(unsigned int cmd, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = ioctl(fd, cmd, request) < 0 ? -errno : 0;

	close(fd);
	return err;
}

int set_up(const char *name, bool up)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_flags = up ? IFF_UP : 0;
	return of_interface(SIOCSIFFLAGS, &request);
}

int set_mtu(const char *name, int mtu)
{
	struct ifreq request = { .ifr_mtu = mtu };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return of_interface(SIOCSIFMTU, &request);
}

static bool comm_starts(const char *tasks, const char *tid, const char *with)
{
	char path[600], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/comm", tasks, tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return strncmp(comm, with, strlen(with)) == 0;
}

static bool is_number(const char *name)
{
	return name[0] >= '0' && name[0] <= '9';
}

static int thread_in(const char *tasks, const char *name_starts)
{
	DIR *dir = opendir(tasks);
	struct dirent *entry;
	int tid = 0;

	while (dir && !tid && (entry = readdir(dir)))
		if (is_number(entry->d_name) && comm_starts(tasks, entry->d_name, name_starts))
			tid = strtol(entry->d_name, NULL, 10);
	if (dir)
		closedir(dir);
	return tid;
}

int thread_of(const char *name_starts)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char tasks[300];
	int tid = 0;

	while (!tid && (entry = readdir(proc))) {
		snprintf(tasks, sizeof(tasks), "/proc/%s/task", entry->d_name);
		if (is_number(entry->d_name))
			tid = thread_in(tasks, name_starts);
	}
	closedir(proc);
	return tid;
}

bool by_napi(void)
{
	FILE *file = fopen("/sys/module/rte_kni/parameters/kthread_mode", "re");
	char mode[16] = "";

	if (file && fgets(mode, sizeof(mode), file) == NULL)
		mode[0] = '\0';
	if (file)
		fclose(file);
	return strcmp(mode, "napi\n") == 0;
}

const char *thread_name(void)
{
	return by_napi() ? "napi/k" : "kni_";
}

bool has_thread(const char *name_starts)
{
	return thread_of(name_starts) != 0;
}

void thread_cpus(const char *name_starts, char *list, size_t room)
{
	static const char field[] = "Cpus_allowed_list:\t";
	char path[40], line[256];
	FILE *file;

	list[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", thread_of(name_starts));
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			snprintf(list, room, "%.*s", (int)strcspn(line + strlen(field), "\n"),
				 line + strlen(field));
	if (file)
		fclose(file);
}

/* A number behind a field's name in a file of such lines. */
static long field_of(const char *path, const char *field)
{
	FILE *file = fopen(path, "re");
	size_t n = strlen(field);
	char line[256];
	long value = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, field, n) == 0 && strchr(": \t", line[n])) {
			value = strtol(line + n + 1, NULL, 10);
			break;
		}
	}
	if (file)
		fclose(file);
	return value;
}

long status_kib(const char *field)
{
	return field_of("/proc/self/status", field);
}

long vmstat(const char *field)
{
	return field_of("/proc/vmstat", field);
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

bool wait_until(double seconds, bool (*holds)(const void *), const void *arg)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	double end = now() + seconds;

	while (!holds(arg)) {
		if (now() > end)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

pid_t child(int (*play)(void *), void *arg, int *result)
{
	int end[2];
	pid_t pid;

	die_if(pipe2(end, O_CLOEXEC) < 0, "pipe");
	fflush(stdout);
	pid = fork();
	die_if(pid < 0, "fork");
	if (pid == 0) {
		*result = play(arg);
		if (write(end[1], result, sizeof(*result)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(end[1]);
	if (read(end[0], result, sizeof(*result)) != sizeof(*result))
		*result = -ECHILD;
	close(end[0]);
	return pid;
}

void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
