// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/cpumask.h>
#include <linux/sched.h>

/*
 * kthread_mode=napi: the core's threads serve the pairs, one each. The doorbell, attach and KICK
 * schedule those that have work.
 */

static bool has_work(const struct kni_pair *p)
{
	return kni_turn_due(&p->turn, &p->rx_q) || READ_ONCE(p->wanted);
}

static void schedule_pair(struct kni_pair *p)
{
	rcu_read_lock();
	if (rcu_access_pointer(p->live) && has_work(p)) {
		kni_turn_begin(&p->rx_q);
		napi_schedule(&p->turn.napi);
	}
	rcu_read_unlock();
}

static void schedule_pairs(struct kni_iface *i)
{
	u32 pair;

	atomic64_inc(&i->scheduled);
	for (pair = 0; pair < i->n_pairs; pair++)
		schedule_pair(&i->pair[pair]);
}

/* In an interrupt, behind which softirqs run. */
static void on_irq_work(struct irq_work *work)
{
	schedule_pairs(container_of(work, struct kni_iface, irq_work));
}

/*
 * Somebody may have told the core to use softirqs. Raised in a process with interrupts off, which
 * is how an eventfd rings, one would wait for the next interrupt.
 */
void kni_napi_rung(struct kni_iface *i)
{
	if (in_softirq() || kni_napi_is_threaded(&i->pair[0].turn.napi))
		schedule_pairs(i);
	else
		irq_work_queue(&i->irq_work);
}

/* The threads are new, and nobody can end them before the net_device is registered. */
int kni_napi_start(struct kni_iface *i, int cpu)
{
	int err = kni_napi_set_threaded(i->dev);
	struct task_struct *thread;
	u32 pair;

	init_irq_work(&i->irq_work, on_irq_work);
	for (pair = 0; pair < i->n_pairs && !err; pair++) {
		thread = kni_napi_thread(&i->pair[pair].turn.napi);
		if (!thread)
			err = -ENOMEM;
		else if (cpu >= 0)
			err = set_cpus_allowed_ptr(thread, cpumask_of(cpu));
	}
	return err;
}

void kni_napi_quiet(struct kni_iface *i)
{
	irq_work_sync(&i->irq_work);
}
