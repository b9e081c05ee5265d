// SPDX-License-Identifier: BSD-3-Clause
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct control *control;

uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

void nap(uint32_t us)
{
	const struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000l };

	nanosleep(&t, NULL);
}

void die(const char *what)
{
	printf("not ok %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

int call(int fd, unsigned int cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

uint32_t index_of(uint8_t number)
{
	char name[IF_NAMESIZE], line[256], *at;
	FILE *file = fopen("/proc/self/net/dev", "re");
	bool found = false;

	snprintf(name, sizeof(name), PREFIX "%u", number);
	while (file && !found && fgets(line, sizeof(line), file)) {
		at = line + strspn(line, " ");
		found = strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ':';
	}
	if (file)
		fclose(file);
	return found ? if_nametoindex(name) : 0;
}

long vmstat(const char *field)
{
	FILE *file = fopen("/proc/vmstat", "re");
	size_t n = strlen(field);
	char line[128];
	long value = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, field, n) == 0 && line[n] == ' ')
			value = strtol(line + n, NULL, 10);
	fclose(file);
	return value;
}

bool wait_until(uint32_t ms, bool (*holds)(const void *), const void *arg)
{
	uint64_t end = now_ms() + ms;

	while (!holds(arg)) {
		if (now_ms() > end)
			return false;
		nap(5000);
	}
	return true;
}

bool stats(int fd, uint64_t id, uint32_t pair, struct knit_ioc_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->pair = pair;
	s->id = id;
	return call(fd, KNIT_IOC_STATS, s) == 0;
}

void *shared_memory(size_t len, bool huge)
{
	const size_t guard = 2 << 20; /* a multiple of both page sizes */
	int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED | (huge ? MAP_HUGETLB : 0);
	uint8_t *room, *mem;

	room = mmap(NULL, len + 3 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		die("mmap");
	mem = (uint8_t *)(((uintptr_t)room + 2 * guard - 1) & -guard);
	mem = mmap(mem, len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

int kni_open(void)
{
	int fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(KNIT_DEV_PATH);
	return fd;
}

int mem_add(int fd, const void *addr, size_t len, size_t page_size)
{
	struct knit_ioc_mem mem = {
		.size = sizeof(mem),
		.addr = (uintptr_t)addr,
		.len = len,
		.page_size = page_size,
	};

	return call(fd, KNIT_IOC_MEM_ADD, &mem);
}

void block_init(uint8_t *shm, uint32_t ring_size, uint32_t n_pairs)
{
	struct knit_shm_hdr *hdr = (struct knit_shm_hdr *)shm;

	memset(shm, 0, knit_shm_bytes(ring_size, n_pairs));
	hdr->magic = KNIT_MAGIC;
	hdr->version = KNIT_ABI_VERSION;
}

void publish_id(uint64_t id)
{
	uint32_t slot = __atomic_fetch_add(&control->n_ids, 1, __ATOMIC_RELAXED) % MAX_IDS;

	__atomic_store_n(&control->ids[slot], id, __ATOMIC_RELAXED);
}

uint64_t some_id(struct dice *d)
{
	uint32_t n = __atomic_load_n(&control->n_ids, __ATOMIC_RELAXED);

	/* next to the ids in use may be the innocent's: nobody guesses those */
	if (n == 0 || one_in(d, 20))
		return roll(d) | 1ull << below(d, 16) << 48;
	return __atomic_load_n(&control->ids[below(d, n < MAX_IDS ? n : MAX_IDS)],
			       __ATOMIC_RELAXED);
}
