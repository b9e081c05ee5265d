// SPDX-License-Identifier: BSD-3-Clause
#include "cpus.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CPUS "/sys/devices/system/cpu"

_Static_assert(sizeof(struct knit_cpu_set) == sizeof(cpu_set_t), "a bit for each of 1024 CPUs");

bool knit_cpus_has(const struct knit_cpu_set *set, unsigned int cpu)
{
	return set->bits[cpu / 64] >> (cpu % 64) & 1;
}

void knit_cpus_of(uint32_t lcore, const char *cpus, struct knit_cpu_set *set)
{
	memset(set, 0, sizeof(*set));
	if (!knit_cpus_parse(cpus, set))
		set->bits[lcore / 64] |= UINT64_C(1) << (lcore % 64);
}

/* The kernel tells by what it leaves of an affinity for all. */
void knit_cpus_allowed(struct knit_cpu_set *set)
{
	cpu_set_t before, all;

	sched_getaffinity(0, sizeof(before), &before);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	sched_getaffinity(0, sizeof(all), &all);
	sched_setaffinity(0, sizeof(before), &before);
	memcpy(set, &all, sizeof(*set));
}

/* As EAL looks: an offline CPU has no topology. */
static bool is_online(unsigned int cpu)
{
	char path[80];

	snprintf(path, sizeof(path), CPUS "/cpu%u/topology/core_id", cpu);
	return access(path, F_OK) == 0;
}

/* As the kernel writes a list. */
static void print_set(const struct knit_cpu_set *set, char *text, size_t size)
{
	unsigned int cpu, last;
	size_t at = 0;

	text[0] = '\0';
	for (cpu = 0; cpu < CPU_SETSIZE && at < size; cpu = last + 1) {
		last = cpu;
		if (!knit_cpus_has(set, cpu))
			continue;
		while (last + 1 < CPU_SETSIZE && knit_cpus_has(set, last + 1))
			last++;
		at += snprintf(text + at, size - at, "%s%u", at ? "," : "", cpu);
		if (last > cpu && at < size)
			at += snprintf(text + at, size - at, "-%u", last);
	}
}

static int say_absent(unsigned int absent, char *why, size_t size)
{
	struct knit_cpu_set online = { 0 };
	unsigned int cpu;
	char text[64];

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (is_online(cpu))
			online.bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
	print_set(&online, text, sizeof(text));
	snprintf(why, size, "CPU %u is absent or offline: online are %s", absent, text);
	return -ENODEV;
}

static int check_cpuset(const struct knit_cpu_set *set, char *why, size_t size)
{
	struct knit_cpu_set allowed;
	unsigned int i;
	char text[64];

	knit_cpus_allowed(&allowed);
	for (i = 0; i < CPU_SETSIZE / 64; i++)
		if (set->bits[i] & allowed.bits[i])
			return 0;
	print_set(&allowed, text, sizeof(text));
	snprintf(why, size, "this process's cpuset does not allow it: allowed are %s", text);
	return -EPERM;
}

int knit_cpus_check(const struct knit_cpu_set *set, char *why, size_t size)
{
	unsigned int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (knit_cpus_has(set, cpu) && !is_online(cpu))
			return say_absent(cpu, why, size);
	return check_cpuset(set, why, size);
}

int knit_cpus_check_any(const struct knit_cpu_set *set, char *why, size_t size)
{
	unsigned int cpu, absent = 0;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (knit_cpus_has(set, cpu) && is_online(cpu))
			return check_cpuset(set, why, size);
		if (knit_cpus_has(set, cpu))
			absent = cpu;
	}
	return say_absent(absent, why, size);
}
