// SPDX-License-Identifier: BSD-3-Clause
#include "system/config/cpus.h"
#include "kni/engine/engine.h"
#include "kni/engine/select.h"
#include "preflight.h"
#include "report.h"
#include "system/bind/bind_sysfs.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static const char absent_remedy[] =
	"other CPUs, or echo 1 >/sys/devices/system/cpu/cpuN/online of one that is offline";
static const char cpuset_remedy[] = "other CPUs, or a start in a cpuset that has them";

static int cpus_wrong(const struct preflight_key *key, int ret, const char *why)
{
	if (ret == 0)
		return 0;
	return preflight_wrong(key, why, ret == -EPERM ? cpuset_remedy : absent_remedy);
}

/*
 * Workers and control may be started in another cpuset than this process. So a start only warns of
 * their CPUs; these processes check their CPUs themselves.
 */
static int check_lcore(const struct preflight_key *key, const struct knit_cpu_set *set, bool own)
{
	char why[160];
	int ret = knit_cpus_check(set, why, sizeof(why));
	int code = cpus_wrong(key, ret, why);

	return ret == -EPERM && !own && !preflight_reports() ? 0 : code;
}

static int check_threads(const struct preflight_key *key, const struct knit_cpu_set *set)
{
	char why[160];
	int ret = knit_cpus_check_any(set, why, sizeof(why));

	return cpus_wrong(key, ret, why);
}

/* A worker that polls does not share its CPU well. */
static void note_isolation(const struct knit_conf_worker *w, const struct knit_cpu_set *set)
{
	struct knit_cpu_set isolated = { 0 };
	char text[1024], what[160], remedy[160];
	unsigned int cpu;

	knit_sysfs_read("/sys/devices/system/cpu/isolated", text, sizeof(text));
	knit_cpus_parse(text, &isolated);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!knit_cpus_has(set, cpu) || knit_cpus_has(&isolated, cpu))
			continue;
		snprintf(what, sizeof(what),
			 "worker %u: others may run on its CPU %u, and delay packets", w->id, cpu);
		snprintf(remedy, sizeof(remedy),
			 "kernel parameters isolcpus=%u nohz_full=%u rcu_nocbs=%u", cpu, cpu, cpu);
		preflight_note(what, remedy);
		return;
	}
}

static int check_worker(const struct knit_config *c, unsigned int i)
{
	const struct knit_conf_worker *w = &c->workers[i];
	struct preflight_key key = { c, &w->at, "" };
	struct knit_cpu_set set;
	int ret;

	snprintf(key.name, sizeof(key.name), "workers.[%u].%s", i, w->cpus[0] ? "cpus" : "lcore");
	knit_cpus_of(w->lcore, w->cpus, &set);
	ret = check_lcore(&key, &set, false);
	if (ret == 0)
		note_isolation(w, &set);
	return ret;
}

/* Its engine thread is bound, see iface.c. */
static int check_iface(const struct knit_config *c, unsigned int i)
{
	const struct knit_conf_iface *iface = &c->ifaces[i];
	const char *engine = knit_engine_wanted(iface->engine);
	bool tap = strcmp(engine, knit_tap_engine.name) == 0 ||
		   (strcmp(engine, "auto") == 0 && knit_kmod_engine.available(false) < 0);
	struct preflight_key key = { c, &iface->at, "" };
	struct knit_cpu_set set;

	if (iface->core < 0 || (tap && !c->tap.thread_per_pair))
		return 0;
	snprintf(key.name, sizeof(key.name), "interfaces.[%u].core", i);
	knit_cpus_of(iface->core, "", &set);
	return check_threads(&key, &set);
}

int preflight_cpus(const struct knit_config *c)
{
	struct preflight_key eal = { c, &c->eal.at, "eal.cpus" };
	struct preflight_key control = { c, &c->control.at, "control.cpus" };
	struct preflight_key tap = { c, &c->tap.at, "tap.cpus" };
	struct knit_cpu_set set;
	unsigned int i;
	int ret;

	if (c->eal.cpus[0] == '\0')
		strcpy(eal.name, "eal.lcore");
	if (c->control.cpus[0] == '\0')
		strcpy(control.name, "control.lcore");
	knit_cpus_of(c->eal.lcore, c->eal.cpus, &set);
	ret = check_lcore(&eal, &set, true);
	knit_cpus_of(c->control.lcore, c->control.cpus, &set);
	ret |= check_lcore(&control, &set, false);
	for (i = 0; i < c->n_workers; i++)
		ret |= check_worker(c, i);
	if (c->n_ifaces && knit_cpus_parse(c->tap.cpus, &set))
		ret |= check_threads(&tap, &set);
	for (i = 0; i < c->n_ifaces; i++)
		ret |= check_iface(c, i);
	if (ret == 0)
		preflight_good("CPUs of all processes are online, and allowed");
	return ret ? KNIT_EXIT_RESOURCES : 0;
}
