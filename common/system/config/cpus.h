/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CPUS_H
#define KNIT_CPUS_H

#include "config.h"

#include <stddef.h>

/* CPUs of this machine, and what keeps EAL's lcores and engine threads from them. */

bool knit_cpus_has(const struct knit_cpu_set *set, unsigned int cpu);

/* Of an lcore: those given, or the one of its number. */
void knit_cpus_of(uint32_t lcore, const char *cpus, struct knit_cpu_set *set);

/* Those that the calling process may have at all: its cpuset, whatever its affinity. */
void knit_cpus_allowed(struct knit_cpu_set *set);

/*
 * Why an lcore can't have these CPUs, in why. 0; -ENODEV: one is absent or offline, and EAL takes
 * all or none; -EPERM: the process's cpuset has none of them.
 */
int knit_cpus_check(const struct knit_cpu_set *set, char *why, size_t size);

/* The same for a thread, which does with one that is online. */
int knit_cpus_check_any(const struct knit_cpu_set *set, char *why, size_t size);

#endif
