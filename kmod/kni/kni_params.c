// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/module.h>

#define INTERVAL_MAX 1000000 /* us */

struct kni_params kni_params __ro_after_init;
DEFINE_STATIC_KEY_FALSE(kni_lo_key);

/* Not a choice: whoever wants it off leaves it out. */
static char bifurcated_off[] = "off";

static char *lo_mode = "lo_mode_none";
module_param(lo_mode, charp, 0444);
MODULE_PARM_DESC(lo_mode, "Loopback: lo_mode_none (default), lo_mode_fifo (rings to rings), "
			  "lo_mode_fifo_skb (with an skb between); anything else is none");

static char *kthread_mode = "single";
module_param(kthread_mode, charp, 0444);
MODULE_PARM_DESC(kthread_mode,
		 "Packet threads: single (default, one for each process that creates interfaces), "
		 "multiple (one for each interface) or napi (one of the core's for each pair)");

static char *carrier = "off";
module_param(carrier, charp, 0444);
MODULE_PARM_DESC(carrier, "Carrier of a new interface: off (default) or on");

static char *enable_bifurcated = bifurcated_off;
module_param(enable_bifurcated, charp, 0444);
MODULE_PARM_DESC(enable_bifurcated,
		 "on: never wait for an application, for ports whose driver needs RTNL itself; "
		 "off if left out");

static long min_scheduling_interval = 100;
module_param(min_scheduling_interval, long, 0444);
MODULE_PARM_DESC(min_scheduling_interval,
		 "Shortest time in us that a packet thread dozes (0..1000000, default 100)");

static long max_scheduling_interval = 200;
module_param(max_scheduling_interval, long, 0444);
MODULE_PARM_DESC(max_scheduling_interval,
		 "Longest time in us that a packet thread dozes (more than the shortest, up to "
		 "1000000, default 200)");

static int __init parse_lo_mode(void)
{
	if (!strcmp(lo_mode, "lo_mode_fifo"))
		kni_params.lo_mode = KNI_LO_FIFO;
	else if (!strcmp(lo_mode, "lo_mode_fifo_skb"))
		kni_params.lo_mode = KNI_LO_FIFO_SKB;
	else if (strcmp(lo_mode, "lo_mode_none"))
		pr_warn("lo_mode=%s: no loopback; it may be lo_mode_none, _fifo or _fifo_skb\n",
			lo_mode);
	if (kni_params.lo_mode != KNI_LO_NONE)
		static_branch_enable(&kni_lo_key);
	return 0;
}

static int __init parse_kthread_mode(void)
{
	if (!strcmp(kthread_mode, "multiple")) {
		kni_params.threads = KNI_THREADS_MULTIPLE;
	} else if (!strcmp(kthread_mode, "napi")) {
		kni_params.threads = KNI_THREADS_NAPI;
	} else if (strcmp(kthread_mode, "single")) {
		pr_err("kthread_mode=%s: it may be single, multiple or napi\n", kthread_mode);
		return -EINVAL;
	}
	if (kni_params.threads != KNI_THREADS_NAPI || KNI_THREADED)
		return 0;
	pr_err("kthread_mode=napi: this kernel has no threads for NAPI; Linux 5.12 and newer do\n");
	return -EOPNOTSUPP;
}

static int __init parse_carrier(void)
{
	kni_params.carrier_on = !strcmp(carrier, "on");
	if (kni_params.carrier_on || !strcmp(carrier, "off"))
		return 0;
	pr_err("carrier=%s: it may be off or on\n", carrier);
	return -EINVAL;
}

static int __init parse_async(void)
{
	kni_params.async = !strcmp(enable_bifurcated, "on");
	if (kni_params.async || enable_bifurcated == bifurcated_off)
		return 0;
	pr_err("enable_bifurcated=%s: it may be on, or left out\n", enable_bifurcated);
	return -EINVAL;
}

static int __init parse_intervals(void)
{
	long min = min_scheduling_interval, max = max_scheduling_interval;

	if (min < 0 || max > INTERVAL_MAX || min >= max) {
		pr_err("min_scheduling_interval=%ld, max_scheduling_interval=%ld\n", min, max);
		pr_err("needed is 0 <= min < max <= %d\n", INTERVAL_MAX);
		return -EINVAL;
	}
	kni_params.min_interval = min;
	kni_params.max_interval = max;
	return 0;
}

int __init kni_params_parse(void)
{
	return parse_lo_mode() ?: parse_kthread_mode() ?: parse_carrier() ?: parse_async() ?:
	       parse_intervals();
}
