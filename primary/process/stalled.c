// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "stalled.h"

#include "event/event.h"
#include "kni/base/log.h"
#include "primary.h"
#include "system/rundir/rundir.h"

#include <rte_cycles.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Secondaries that are attaching, or that were refused and are detaching. They have sent no pidfd
 * yet, or the registry has not kept it. The lock files tell which processes they are.
 */

/* An attach takes a second at most if there are enough CPUs. Nothing is logged before that. */
#define SAY_MS 1000
static struct {
	pid_t pid;
	uint64_t since; /* timer cycles */
	bool said;
	bool killed;
} seen[PROCESS_ENTRIES];

static unsigned int worker_of(unsigned int i)
{
	return i < CONTROL_ENTRY ? i : i - STANDBY_ENTRY(0);
}

static enum knit_role role_of(unsigned int i)
{
	if (i == CONTROL_ENTRY)
		return KNIT_ROLE_CONTROL;
	return i < CONTROL_ENTRY ? KNIT_ROLE_WORKER : KNIT_ROLE_STANDBY;
}

/* A pidfd of the process that has the role of that entry, or negative. */
static int open_entry(const struct primary *p, unsigned int i, pid_t *pid)
{
	const char *prefix = p->conf->eal.prefix;

	if (i == CONTROL_ENTRY)
		return knit_rundir_process(prefix, KNIT_ROLE_CONTROL, 0, pid);
	if (!p->topo->workers[worker_of(i)].there)
		return -ESRCH;
	return knit_rundir_process(prefix, role_of(i), worker_of(i), pid);
}

struct knit_role_name stalled_name(const struct primary *p, unsigned int i)
{
	if (i == CONTROL_ENTRY)
		return knit_role_name(KNIT_ROLE_CONTROL, 0);
	return knit_role_name(role_of(i), worker_of(i));
}

int stalled_entry(const struct primary *p, pid_t pid)
{
	unsigned int i;
	pid_t found;
	int fd;

	for (i = 0; i < PROCESS_ENTRIES; i++) {
		fd = open_entry(p, i, &found);
		if (fd < 0)
			continue;
		close(fd);
		if (found == pid)
			return i;
	}
	return -ESRCH;
}

int stalled_first(const struct primary *p, pid_t *pid)
{
	unsigned int i;
	int fd;

	*pid = 0;
	for (i = 0; i < PROCESS_ENTRIES; i++) {
		fd = open_entry(p, i, pid);
		if (fd < 0)
			continue;
		close(fd);
		if (knit_rundir_blocks(p->conf->eal.prefix, *pid))
			return i;
	}
	return -ESRCH;
}

unsigned int stalled_signal(const struct primary *p, int sig)
{
	unsigned int i, n = 0;
	pid_t pid;
	int fd;

	for (i = 0; i < PROCESS_ENTRIES; i++) {
		fd = p->pidfd[i] < 0 ? open_entry(p, i, &pid) : -1;
		if (fd < 0)
			continue;
		n++;
		if (sig)
			syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
		close(fd);
	}
	return n;
}

/*
 * The time after which a process counts as stalled. Workers that want to attach while a reset waits
 * for such a process give up after ten seconds. By default this time is the same then. If no reset
 * waits, the time is longer, for slow machines and debuggers. But it is not unlimited: the process
 * may hold locks of EAL that every process needs when it attaches or detaches.
 */
static unsigned int stall_ms(const struct primary *p, bool reset_waits)
{
	return __atomic_load_n(&p->conf->eal.attach_timeout, __ATOMIC_RELAXED) * 1000 /
	       (reset_waits ? 3 : 1);
}

static bool entry_stalled_too_long(unsigned int i, const char *name, bool reset_waits,
				   unsigned int limit)
{
	uint64_t ms = (rte_get_timer_cycles() - seen[i].since) * 1000 / rte_get_timer_hz();

	if (reset_waits && ms >= SAY_MS && !seen[i].said) {
		log_warn(
			"the reset of a dead worker's domain waits for %s: process %d is attaching "
			"or detaching",
			name, (int)seen[i].pid);
		seen[i].said = true;
	}
	return ms >= limit;
}

static void poll_entry(const struct primary *p, unsigned int i, int pidfd, bool reset_waits)
{
	unsigned int limit = stall_ms(p, reset_waits);
	struct knit_role_name name = stalled_name(p, i);

	if (seen[i].killed || !entry_stalled_too_long(i, name.text, reset_waits, limit))
		return;
	EVENT(PROCESS_STALLED, EV(name.text), EV(seen[i].pid), EV(limit));
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	seen[i].killed = true;
}

void stalled_poll(const struct primary *p, bool reset_waits)
{
	uint64_t now = rte_get_timer_cycles();
	static uint64_t next;
	unsigned int i;
	pid_t pid;
	int fd;

	if (now < next)
		return;
	next = now + rte_get_timer_hz() / 2;
	if (!knit_rundir_blocked(p->conf->eal.prefix)) {
		memset(seen, 0, sizeof(seen));
		return;
	}
	for (i = 0; i < PROCESS_ENTRIES; i++) {
		fd = open_entry(p, i, &pid);
		if (fd < 0 || !knit_rundir_blocks(p->conf->eal.prefix, pid))
			pid = 0;
		if (pid != seen[i].pid) {
			memset(&seen[i], 0, sizeof(seen[i]));
			seen[i].pid = pid;
			seen[i].since = now;
		}
		if (pid)
			poll_entry(p, i, fd, reset_waits);
		if (fd >= 0)
			close(fd);
	}
}
