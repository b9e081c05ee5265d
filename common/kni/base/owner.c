// SPDX-License-Identifier: BSD-3-Clause
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PID(v) ((uint32_t)((v) >> 32))
#define GEN(v) ((uint32_t)(v))
#define STAMP(pid, gen) ((uint64_t)(uint32_t)(pid) << 32 | (uint32_t)(gen))

static char *skip_fields(char *at, unsigned int n)
{
	while (n-- && at) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	return at;
}

uint64_t knit_process_start_time(pid_t pid)
{
	char path[32], text[1024];
	unsigned long long start;
	ssize_t n;
	char *at;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/*
	 * The command's name, field 2, may itself hold blanks and parentheses: count from its end.
	 */
	at = strrchr(text, ')');
	at = at ? skip_fields(at, 1) : NULL;
	if (at == NULL || *at == 'Z' || *at == 'X')
		return 0;
	at = skip_fields(at, 19);
	if (at == NULL || sscanf(at, "%llu", &start) != 1)
		return 0;
	return start;
}

/* start_time says whose it is: a claim's own, or a predecessor's that is not replaced yet. */
#define START_BITS 48
#define START_MASK ((UINT64_C(1) << START_BITS) - 1)

static uint64_t start_word(uint64_t stamp, uint64_t start)
{
	return (uint64_t)GEN(stamp) << START_BITS | (start & START_MASK);
}

static bool stamp_alive(const struct knit_owner *o, uint64_t stamp)
{
	uint64_t claimed = __atomic_load_n(&o->start_time, __ATOMIC_ACQUIRE);
	uint64_t running;

	if (PID(stamp) == 0)
		return false;
	running = knit_process_start_time((pid_t)PID(stamp));
	if (running == 0)
		return false;
	running = start_word(stamp, running);
	return claimed == running || claimed >> START_BITS != running >> START_BITS;
}

/* The calling process's, which is read once; a fork has another one. */
static uint64_t own_start_time(void)
{
	static __thread uint64_t start;
	static __thread pid_t pid;

	if (pid != getpid()) {
		start = knit_process_start_time(getpid());
		pid = getpid();
	}
	return start;
}

int knit_owner_claim(struct knit_owner *o)
{
	uint64_t old = knit_owner_stamp(o), mine = STAMP(getpid(), GEN(old) + 1);

	if (stamp_alive(o, old))
		return -EBUSY;
	if (!__atomic_compare_exchange_n(&o->pid_gen, &old, mine, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return -EBUSY;
	/* Only who won writes it; until then the old one's generation shows that it is old. */
	__atomic_store_n(&o->start_time, start_word(mine, own_start_time()), __ATOMIC_RELEASE);
	return 0;
}

void knit_owner_clear(struct knit_owner *o)
{
	uint64_t old = knit_owner_stamp(o);

	__atomic_store_n(&o->pid_gen, STAMP(0, GEN(old) + 1), __ATOMIC_RELEASE);
}

void knit_owner_release(struct knit_owner *o)
{
	if (knit_owner_pid(o) == getpid())
		knit_owner_clear(o);
}

bool knit_owner_alive(const struct knit_owner *o)
{
	return stamp_alive(o, knit_owner_stamp(o));
}

bool knit_owner_is_self(const struct knit_owner *o)
{
	return knit_owner_pid(o) == getpid();
}
