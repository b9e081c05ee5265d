// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "secondary.h"
#include "handover.h"
#include "kni/base/doorbell.h"
#include "kni/base/log.h"
#include "levels.h"
#include "msg.h"
#include "system/config/cpus.h"
#include "system/process/eal_paths.h"
#include "system/quirks/journal_log.h"
#include "system/quirks/sigbus.h"
#include "watchdog.h"

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_service_component.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int start_eal(struct knit_secondary *s)
{
	knit_journal_log();
	if (rte_eal_init(s->args.argc, s->args.argv) < 0) {
		fprintf(stderr, "knit: EAL did not start: %s\n", rte_strerror(rte_errno));
		return KNIT_EXIT_FAILURE;
	}
	s->eal = true;
	knit_journal_log();
	/*
	 * Nobody here uses EAL's services, and their tables in shared memory are lost if we are
	 * killed.
	 */
	rte_service_finalize();
	if (knit_doorbell_init() < 0)
		return KNIT_EXIT_RESOURCES;
	s->topo = knit_topo_attach();
	if (s->topo == NULL)
		return KNIT_EXIT_MISMATCH;
	knit_sigbus_count(&s->topo->device_faults);
	if (knit_levels_follow(s->topo) < 0)
		return KNIT_EXIT_FAILURE;
	return KNIT_EXIT_OK;
}

static const char *const allowed[] = { "-d", "--log-level", "--syslog", "--trace", "--trace-dir" };

/* The value of an allowed argument, "" if it is the next one, NULL: it is not allowed. */
static const char *extra_value(const char *arg)
{
	size_t i, n;

	for (i = 0; i < RTE_DIM(allowed); i++) {
		n = strlen(allowed[i]);
		if (strncmp(arg, allowed[i], n) != 0)
			continue;
		if (arg[n] == '\0' || arg[1] != '-')
			return arg + n;
		if (arg[n] == '=' && arg[n + 1])
			return arg + n + 1;
	}
	return NULL;
}

static int extra_refused(const char *arg)
{
	fprintf(stderr, "knit: EAL argument: found \"%s\": allowed are, with a value each:\n%s",
		arg, KNIT_EXTRA_ARGS);
	return KNIT_EXIT_USAGE;
}

/* "help" as a level makes EAL print a list and end the process. */
static int check_extra(const struct knit_secondary *s)
{
	const char *value;
	int i;

	for (i = 0; i < s->n_extra; i++) {
		value = extra_value(s->extra[i]);
		if (value && value[0] == '\0')
			value = ++i < s->n_extra ? s->extra[i] : NULL;
		if (value == NULL || value[0] == '\0' || strcmp(value, "help") == 0)
			return extra_refused(s->extra[i < s->n_extra ? i : i - 1]);
	}
	return KNIT_EXIT_OK;
}

/* "--lcores=<lcore>@<cpu>" or "@(<cpus>)"; EAL answers wrong ones with its whole usage. */
static int check_cpus(const struct knit_secondary *s)
{
	char cpus[80] = "", why[160];
	struct knit_cpu_set set;
	int i;

	for (i = 0; i < s->args.argc && cpus[0] == '\0'; i++)
		if (sscanf(s->args.argv[i], "--lcores=%*u@(%79[0-9,-])", cpus) != 1)
			sscanf(s->args.argv[i], "--lcores=%*u@%79[0-9]", cpus);
	if (!knit_cpus_parse(cpus, &set) || knit_cpus_check(&set, why, sizeof(why)) == 0)
		return KNIT_EXIT_OK;
	fprintf(stderr, "knit: %s: found CPU %s in the primary's configuration: %s\n",
		knit_role_name(s->role, s->id).text, cpus, why);
	return KNIT_EXIT_RESOURCES;
}

/* EAL would end with a line that does not say what to do. */
static int check_addresses(const struct knit_secondary *s)
{
	if (!s->args.physical || rte_mem_virt2phy(s) != RTE_BAD_IOVA)
		return KNIT_EXIT_OK;
	fprintf(stderr,
		"knit: %s: a NIC of this primary is given physical addresses, which only root with "
		"CAP_SYS_ADMIN can see: run it as root, or bind the NIC to vfio-pci with an IOMMU "
		"(docs/RUNNING.md, without root)\n",
		knit_role_name(s->role, s->id).text);
	return KNIT_EXIT_RESOURCES;
}

int knit_secondary_enter(struct knit_secondary *s)
{
	int i, ret;

	ret = check_extra(s);
	if (ret != KNIT_EXIT_OK)
		return ret;
	if (s->standby)
		s->role = knit_rundir_vacancy(s->prefix, s->id);
	ret = knit_rundir_enter(s->prefix, s->role, s->id, &s->args);
	if (ret == KNIT_EXIT_OK)
		ret = check_cpus(s);
	if (ret == KNIT_EXIT_OK)
		ret = check_addresses(s);
	if (ret != KNIT_EXIT_OK)
		return ret;
	for (i = 0; i < s->n_extra; i++) {
		if (knit_args_add(&s->args, s->extra[i]) < 0) {
			fprintf(stderr,
				"knit: too many EAL arguments: found %d: %d in all are allowed\n",
				s->args.argc + s->n_extra - i, KNIT_MAX_ARGS - 1);
			return KNIT_EXIT_USAGE;
		}
	}
	knit_sigbus_init();
	ret = knit_watchdog_primary(s->args.primary, s->args.primary_start);
	if (ret < 0) {
		fprintf(stderr, "knit: the primary (process %d): %s\n", (int)s->args.primary,
			ret == -ESRCH ? "is gone" : rte_strerror(-ret));
		return ret == -ESRCH ? KNIT_EXIT_NO_PRIMARY : KNIT_EXIT_RESOURCES;
	}
	return start_eal(s);
}

/* The primary may be at something that it does rarely: EAL takes 10 s to give a device up. */
#define ENTER_TIMEOUT_MS 20000

static int primary_ask(struct knit_secondary *s, uint32_t op, int fd, struct knit_msg *m)
{
	int timeout = op == KNIT_OP_DETACH ? KNIT_MSG_TIMEOUT_MS : ENTER_TIMEOUT_MS;

	*m = (struct knit_msg){
		.op = op, .role = s->role, .id = s->id, .instance = s->topo->instance
	};
	return knit_msg_ask(m, fd, timeout);
}

static int refusal_report(const struct knit_secondary *s, const struct knit_msg *m, int ret)
{
	const char *text = m->text[0] ? m->text : rte_strerror(-ret);

	fprintf(stderr, "knit: %s: the primary %s %s: %s\n", knit_role_name(s->role, s->id).text,
		ret == -ETIMEDOUT ? "did not answer in time to" : "refused to", knit_op_name(m->op),
		text);
	switch (ret) {
	case -EBUSY:
		return KNIT_EXIT_TAKEN;
	case -EAGAIN:
		return KNIT_EXIT_RESTART;
	case -ECONNREFUSED:
	case -ETIMEDOUT:
		return KNIT_EXIT_NO_PRIMARY;
	case -ENOENT:
		return KNIT_EXIT_MISMATCH;
	default:
		return KNIT_EXIT_FAILURE;
	}
}

int knit_secondary_attach(struct knit_secondary *s)
{
	int ret, pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	struct knit_msg m;

	if (pidfd < 0) {
		fprintf(stderr, "knit: pidfd_open: %s\n", strerror(errno));
		return KNIT_EXIT_RESOURCES;
	}
	/*
	 * Asked once. Of -EAGAIN, a domain to be reset, nothing is to be waited for: the reset
	 * keeps new secondaries out by the attach lock, of which this one holds a share.
	 */
	ret = primary_ask(s, KNIT_OP_ATTACH, pidfd, &m);
	close(pidfd);
	if (ret < 0)
		return refusal_report(s, &m, ret);
	s->generation = m.value;
	knit_handover_start(s);
	return KNIT_EXIT_OK;
}

int knit_secondary_ready(struct knit_secondary *s)
{
	struct knit_msg m;
	int ret;

	ret = primary_ask(s, KNIT_OP_READY, -1, &m);
	if (ret < 0)
		return refusal_report(s, &m, ret);
	knit_rundir_attached();
	return KNIT_EXIT_OK;
}

static void goodbye_store(struct knit_secondary *s)
{
	struct knit_topo_control *c = &s->topo->control;
	struct knit_topo_worker *w;

	if (s->role == KNIT_ROLE_CONTROL) {
		__atomic_store_n(&c->goodbye, s->generation, __ATOMIC_RELEASE);
		return;
	}
	w = &s->topo->workers[s->id];
	__atomic_store_n(&w->goodbye[s->generation % 2], s->generation, __ATOMIC_RELEASE);
}

/* The message says nothing that the word does not: the primary looks at once, and is waited for. */
void knit_secondary_detach(struct knit_secondary *s)
{
	struct knit_msg m;
	int ret;

	goodbye_store(s);
	/* The primary has seen that it gave everything up. */
	if (s->replaced)
		return;
	ret = primary_ask(s, KNIT_OP_DETACH, -1, &m);
	if (ret < 0)
		refusal_report(s, &m, ret);
}

/*
 * One that was replaced leaves its memory to the kernel: EAL's clean-up takes time of the CPU that
 * its successor has, and locks that a death inside would leave behind.
 */
void knit_secondary_leave(struct knit_secondary *s)
{
	knit_watchdog_leaving();
	if (s->eal && !s->replaced) {
		knit_rundir_detaching();
		rte_eal_cleanup();
		/* before 21.11 it leaves some */
		knit_eal_remove_process_files(s->prefix, getpid());
	}
	knit_rundir_leave();
}
