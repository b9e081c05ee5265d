// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/cgroup.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

/*
 * A packet thread polls the pairs of its interfaces until none of them has work, raises the flags
 * of all their rings, and sleeps until user space rings. Each poll of a pair is bounded, and
 * between two rounds it offers the CPU and its lock.
 *
 * Under load it would sleep for a moment and be rung again, and again: a system call of user space
 * for each few frames. After DOZE_AFTER such moments in a row it dozes instead: between min_ and
 * max_scheduling_interval, with the flags of rx_q down. It goes on so while each doze finds
 * DOZE_FRAMES or more; fewer, as in a conversation, where each frame waits for the one before, end
 * it at once. Who waits for a stopped queue still rings, and that ends a doze, too.
 */
#define DOZE_AFTER 8
#define DOZE_FRAMES 8

struct kni_thread {
	struct task_struct *task;      /* of the creator: counted, NULL until it runs */
	struct vhost_task *of_creator; /* NULL: a kernel thread */
	struct cpumask cpus;	       /* kernel thread: where it is to run; none: anywhere */
	struct hlist_node of_hotplug;
	spinlock_t lock;
	struct list_head ifaces; /* under lock */
	bool rung;		 /* set by any context, cleared by the thread before a round */
	bool ended;
	u64 wakeups;	      /* thread: wo */
	unsigned int found;   /* frames since it slept or dozed */
	unsigned int moments; /* sleeps in a row that were shorter than a doze */
};

static unsigned int poll_pair(struct kni_pair *p)
{
	const struct kni_attach *live;
	unsigned int n = 0;

	local_bh_disable();
	rcu_read_lock();
	live = rcu_dereference(p->live);
	if (live && kni_turn_take(&p->turn)) {
		n = kni_loopback() ? kni_lo(p, live) : kni_rx(p, live);
		kni_turn_give(&p->turn, &p->rx_q);
	}
	if (live && !kni_loopback())
		kni_tx_wake(p);
	rcu_read_unlock();
	local_bh_enable();
	return n;
}

static bool arm_pair(struct kni_pair *p)
{
	bool sleep = true;

	local_bh_disable();
	rcu_read_lock();
	if (rcu_dereference(p->live))
		sleep = kni_loopback() ? kni_lo_arm(p) : kni_turn_arm(&p->turn, &p->rx_q);
	rcu_read_unlock();
	local_bh_enable();
	return sleep;
}

static void disarm_pair(struct kni_pair *p)
{
	rcu_read_lock();
	if (!rcu_dereference(p->live))
		;
	else if (kni_loopback())
		kni_lo_disarm(p);
	else
		knit_ring_disarm_data(&p->rx_q);
	rcu_read_unlock();
}

/*
 * The interface behind prev, counted; prev is let go. No lock is held while one is polled: a
 * thread of a creator's may be kept from running for long, and whoever removes an interface may
 * hold RTNL. Nothing is touched of one that is removed meanwhile, since no pair of it is live; then
 * the round ends with it, and kni_thread_del has rung for another one.
 */
static struct kni_iface *next_iface(struct kni_thread *t, struct kni_iface *prev)
{
	struct kni_iface *i = NULL;

	spin_lock(&t->lock);
	if (!prev)
		i = list_first_entry_or_null(&t->ifaces, struct kni_iface, of_thread);
	else if (!list_empty(&prev->of_thread) && !list_is_last(&prev->of_thread, &t->ifaces))
		i = list_next_entry(prev, of_thread);
	if (i)
		kref_get(&i->refs);
	spin_unlock(&t->lock);
	if (prev)
		kni_iface_put(prev);
	return i;
}

/* Frames that a round found. */
static unsigned int poll_all(struct kni_thread *t)
{
	struct kni_iface *i = NULL;
	unsigned int n = 0, k;

	while ((i = next_iface(t, i))) {
		for (k = 0; k < i->n_pairs; k++) {
			n += poll_pair(&i->pair[k]);
			cond_resched();
		}
	}
	return n;
}

/* True: all of them sleep. */
static bool arm_all(struct kni_thread *t)
{
	struct kni_iface *i = NULL;
	bool sleep = true;
	unsigned int k;

	while ((i = next_iface(t, i)))
		for (k = 0; k < i->n_pairs && sleep; k++)
			sleep = arm_pair(&i->pair[k]);
	return sleep;
}

static void disarm_all(struct kni_thread *t)
{
	struct kni_iface *i = NULL;
	unsigned int k;

	while ((i = next_iface(t, i)))
		for (k = 0; k < i->n_pairs; k++)
			disarm_pair(&i->pair[k]);
}

static bool to_be_up(const struct kni_thread *t)
{
	return READ_ONCE(t->rung) || READ_ONCE(t->ended) ||
	       (t->of_creator && signal_pending(current));
}

/*
 * A kernel thread is idle, not interruptible or uninterruptible: neither signals nor the load
 * average nor the watch for hung tasks are concerned. A thread of the creator's is stopped and
 * killed with its process.
 */
static unsigned int sleep_state(const struct kni_thread *t)
{
	return t->of_creator ? TASK_INTERRUPTIBLE : TASK_IDLE;
}

static void sleep_until_rung(struct kni_thread *t)
{
	u64 since = ktime_get_ns();

	for (;;) {
		set_current_state(sleep_state(t));
		if (to_be_up(t))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	WRITE_ONCE(t->wakeups, t->wakeups + 1);
	if (ktime_get_ns() - since < (u64)kni_params.min_interval * NSEC_PER_USEC)
		t->moments++;
	else
		t->moments = 0;
}

static void thread_doze(struct kni_thread *t)
{
	ktime_t min = ns_to_ktime((u64)kni_params.min_interval * NSEC_PER_USEC);
	u64 more = (u64)(kni_params.max_interval - kni_params.min_interval) * NSEC_PER_USEC;

	set_current_state(sleep_state(t));
	if (!to_be_up(t))
		schedule_hrtimeout_range(&min, more, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
}

/* A round found nothing. */
static void thread_rest(struct kni_thread *t)
{
	bool load = t->found >= DOZE_FRAMES;

	t->found = 0;
	if (load && t->moments >= DOZE_AFTER) {
		thread_doze(t);
		return;
	}
	if (!load)
		t->moments = 0;
	if (arm_all(t))
		sleep_until_rung(t);
	disarm_all(t);
}

/* True: it sleeps by itself, and is to be called again. */
static bool thread_round(void *arg)
{
	struct kni_thread *t = arg;
	unsigned int n;

	__set_current_state(TASK_RUNNING);
	if (!t->task)
		WRITE_ONCE(t->task, get_task_struct(current));
	/* what was rung for before this line is found by the poll (pairs with wake) */
	smp_store_mb(t->rung, false);
	n = poll_all(t);
	t->found += n;
	if (n == 0)
		thread_rest(t);
	/* user space may keep it busy for ever */
	cond_resched_tasks_rcu_qs();
	return true;
}

static int thread_run(void *arg)
{
	while (!kthread_should_stop())
		thread_round(arg);
	return 0;
}

static enum cpuhp_state hotplug;

/*
 * When the last of a thread's CPUs goes the scheduler lets it run anywhere, and leaves it there
 * when the CPU is back.
 */
static int on_cpu(unsigned int cpu, struct hlist_node *node)
{
	struct kni_thread *t = hlist_entry(node, struct kni_thread, of_hotplug);

	/* of a creator's one its cpuset decides */
	if (t->task->flags & PF_NO_SETAFFINITY && cpumask_test_cpu(cpu, &t->cpus))
		set_cpus_allowed_ptr(t->task, &t->cpus);
	return 0;
}

int kni_thread_start(void)
{
	int state = cpuhp_setup_state_multi(CPUHP_AP_ONLINE_DYN, "net/kni:online", on_cpu, NULL);

	if (state < 0)
		return state;
	hotplug = state;
	return 0;
}

void kni_thread_stop(void)
{
	cpuhp_remove_multi_state(hotplug);
}

/*
 * What kernels without threads for that can do: it runs where threads of the process may, no
 * sooner than they do, and in its cgroups, but for those of the unified hierarchy (cgroup v2).
 */
static int like_creator(struct kni_thread *t)
{
	struct task_struct *of_process;
	int err;

	rcu_read_lock();
	for_each_thread(current, of_process) cpumask_or(&t->cpus, &t->cpus, of_process->cpus_ptr);
	rcu_read_unlock();
	set_user_nice(t->task, task_nice(current));
	err = set_cpus_allowed_ptr(t->task, &t->cpus);
	return err ?: cgroup_attach_task_all(current, t->task);
}

static int start_kthread(struct kni_thread *t, const char *name, int cpu, bool trusted)
{
	int err = 0;

	t->task = kthread_create(thread_run, t, "%s", name);
	if (IS_ERR(t->task))
		return PTR_ERR(t->task);
	if (!trusted) {
		err = like_creator(t);
	} else if (cpu >= 0) {
		cpumask_set_cpu(cpu, &t->cpus);
		kthread_bind(t->task, cpu);
	}
	if (!err)
		err = cpuhp_state_add_instance_nocalls(hotplug, &t->of_hotplug);
	if (err) {
		kthread_stop(t->task);
		return err;
	}
	wake_up_process(t->task);
	return 0;
}

static int thread_start(struct kni_thread *t, const char *name, int cpu, bool trusted)
{
	struct vhost_task *of_creator = trusted ? NULL : kni_vhost_task(thread_round, t, name);

	if (IS_ERR(of_creator))
		return PTR_ERR(of_creator);
	if (!of_creator)
		return start_kthread(t, name, cpu, trusted);
	t->of_creator = of_creator;
	vhost_task_start(of_creator);
	return 0;
}

static struct kni_thread *thread_new(const char *name, int cpu, bool trusted)
{
	struct kni_thread *t;
	int err;

	if (cpu >= 0 && (cpu >= (int)nr_cpu_ids || !cpu_online(cpu)))
		return ERR_PTR(-EINVAL);
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&t->lock);
	INIT_LIST_HEAD(&t->ifaces);
	err = thread_start(t, name, cpu, trusted);
	if (err) {
		kfree(t);
		return ERR_PTR(err);
	}
	return t;
}

static void thread_free(struct kni_thread *t)
{
	WRITE_ONCE(t->ended, true);
	if (t->of_creator) {
		vhost_task_stop(t->of_creator);
		if (t->task)
			put_task_struct(t->task);
	} else {
		cpuhp_state_remove_instance_nocalls(hotplug, &t->of_hotplug);
		kthread_stop(t->task);
	}
	kfree(t);
}

int kni_thread_take(struct kni_file *f, struct kni_iface *i, int cpu)
{
	struct kni_thread **single = &f->thread;
	char name[IFNAMSIZ + 4];

	if (!kni_params.threads_multiple) {
		if (!*single)
			*single = thread_new("kni_single", cpu, f->trusted);
		i->thread = *single;
		if (IS_ERR(i->thread))
			*single = NULL;
	} else {
		snprintf(name, sizeof(name), "kni_%s", i->dev->name);
		i->thread = thread_new(name, cpu, f->trusted);
	}
	return PTR_ERR_OR_ZERO(i->thread);
}

/* i is quiet: it does not use its thread any more. */
void kni_thread_put(struct kni_file *f, struct kni_iface *i)
{
	if (kni_params.threads_multiple) {
		thread_free(i->thread);
	} else if (f->thread && list_empty(&f->ifaces)) {
		thread_free(f->thread);
		f->thread = NULL;
	}
	i->thread = NULL;
}

void kni_thread_add(struct kni_thread *t, struct kni_iface *i)
{
	spin_lock(&t->lock);
	list_add_tail(&i->of_thread, &t->ifaces);
	spin_unlock(&t->lock);
	kni_thread_wake(t);
}

void kni_thread_del(struct kni_thread *t, struct kni_iface *i)
{
	spin_lock(&t->lock);
	list_del_init(&i->of_thread);
	WRITE_ONCE(t->rung, true); /* see next_iface */
	spin_unlock(&t->lock);
}

void kni_thread_wake(struct kni_thread *t)
{
	struct task_struct *task;

	smp_mb(); /* what it is rung for before the flag (pairs with thread_round) */
	smp_store_mb(t->rung, true); /* before task (pairs with set_current_state) */
	task = READ_ONCE(t->task);
	if (task) /* else it begins with a poll */
		wake_up_process(task);
}

/*
 * It takes a while until the thread runs. So that user space does not ring with every frame until
 * then, the flags are taken down here. Before the wake: whoever raised one in the meantime finds
 * that it is rung.
 */
void kni_thread_rung(struct kni_iface *i)
{
	u32 pair;

	rcu_read_lock();
	for (pair = 0; pair < i->n_pairs; pair++)
		if (rcu_access_pointer(i->pair[pair].live))
			knit_ring_disarm_data(&i->pair[pair].rx_q);
	rcu_read_unlock();
	kni_thread_wake(i->thread);
}

u64 kni_thread_wakeups(const struct kni_thread *t)
{
	return READ_ONCE(t->wakeups);
}
