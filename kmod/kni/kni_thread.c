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
 * A packet thread polls the pairs of the interfaces that are awake. One that had no work for
 * LAZY_ROUNDS, or any when a round found nothing at all, is put to sleep: it is taken off the list,
 * then the flags of all its rings are raised, and then its rings are looked at once more. User
 * space's doorbell puts it back. So a wake-up costs what has work, however many interfaces there
 * are. The thread sleeps when nobody is awake. Each poll of a pair is bounded, and between two
 * interfaces it offers the CPU and its lock.
 *
 * Under load it would sleep for a moment and be rung again, and again: a system call of user space
 * for each few frames. After DOZE_AFTER such moments in a row it dozes instead: between min_ and
 * max_scheduling_interval, with everybody awake. It goes on so while each doze finds DOZE_FRAMES or
 * more; fewer, as in a conversation, where each frame waits for the one before, end it at once. Who
 * waits for a stopped queue still rings, and that ends a doze, too.
 */
#define LAZY_ROUNDS 256
#define DOZE_AFTER 8
#define DOZE_FRAMES 8

struct kni_thread {
	struct task_struct *task;      /* of the creator: counted, NULL until it runs */
	struct vhost_task *of_creator; /* NULL: a kernel thread */
	struct cpumask cpus;	       /* kernel thread: where it is to run; none: anywhere */
	struct hlist_node of_hotplug;
	spinlock_t lock;
	struct list_head awake; /* interfaces; under lock */
	unsigned int n_awake;	/* likewise */
	bool rung;		/* set by any context, cleared by the thread before a round */
	bool ended;
	u64 wakeups;	      /* thread: wo */
	unsigned int found;   /* frames since it slept or dozed */
	unsigned int moments; /* sleeps in a row that were shorter than a doze */
};

/* Frames; arm: those of a pair whose flag is to be raised. */
static unsigned int visit(struct kni_pair *p, const struct kni_attach *live, bool *arm)
{
	unsigned int n = 0;

	*arm = false;
	if (kni_pair_take(p)) {
		n = kni_rx(p, live, KNI_BATCH);
		*arm = kni_pair_give(p, n);
	}
	kni_tx_wake(p);
	return n;
}

static unsigned int poll_pair(struct kni_pair *p)
{
	const struct kni_attach *live;
	unsigned int n = 0;
	bool arm;

	local_bh_disable();
	rcu_read_lock();
	live = rcu_dereference(p->live);
	if (likely(live))
		n = kni_loopback() ? kni_lo(p, live) : visit(p, live, &arm);
	rcu_read_unlock();
	local_bh_enable();
	return n;
}

/*
 * True: it has nothing to do. It is served once more, in both directions: it may have been rung for
 * either, and only who gave its turn back knows whether the flag is to be raised.
 */
static bool arm_pair(struct kni_pair *p)
{
	const struct kni_attach *live;
	bool sleep = true, arm;

	local_bh_disable();
	rcu_read_lock();
	live = rcu_dereference(p->live);
	if (live && kni_loopback())
		sleep = kni_lo_arm(p);
	else if (live)
		sleep = !visit(p, live, &arm) && (!arm || kni_turn_arm(&p->turn, &p->rx_q));
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
 * The interface whose turn it is, counted; its next turn is after all others. No lock is held while
 * one is polled: a thread of a creator's may be kept from running for long, and whoever removes an
 * interface may hold RTNL. Nothing is touched of one that is removed meanwhile, since no pair of it
 * is live.
 */
static struct kni_iface *next_iface(struct kni_thread *t)
{
	struct kni_iface *i;

	spin_lock_irq(&t->lock);
	i = list_first_entry_or_null(&t->awake, struct kni_iface, of_thread);
	if (i) {
		kref_get(&i->refs);
		list_move_tail(&i->of_thread, &t->awake);
	}
	spin_unlock_irq(&t->lock);
	return i;
}

static void thread_wake(struct kni_thread *t)
{
	struct task_struct *task;

	smp_mb(); /* what it is rung for before the flag (pairs with thread_round) */
	smp_store_mb(t->rung, true); /* before task (pairs with set_current_state) */
	task = READ_ONCE(t->task);
	if (task) /* else it begins with a poll */
		wake_up_process(task);
}

/* By the thread also for an interface that was removed meanwhile. */
static void iface_wake(struct kni_thread *t, struct kni_iface *i)
{
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	if (i->has_thread && list_empty(&i->of_thread)) {
		list_add_tail(&i->of_thread, &t->awake);
		WRITE_ONCE(t->n_awake, t->n_awake + 1);
	}
	spin_unlock_irqrestore(&t->lock, flags);
	thread_wake(t);
}

/* With the lock. */
static void iface_off(struct kni_thread *t, struct kni_iface *i)
{
	if (!list_empty(&i->of_thread))
		WRITE_ONCE(t->n_awake, t->n_awake - 1);
	list_del_init(&i->of_thread);
}

static void disarm_iface(struct kni_iface *i)
{
	unsigned int k;

	for (k = 0; k < i->n_pairs; k++)
		disarm_pair(&i->pair[k]);
}

/*
 * First off the list, then the flags, then the rings: whoever rings later puts it on again, and
 * what anybody rang for earlier is seen.
 */
static void iface_sleep(struct kni_thread *t, struct kni_iface *i)
{
	unsigned int k;

	spin_lock_irq(&t->lock);
	iface_off(t, i);
	spin_unlock_irq(&t->lock);
	i->lazy = 0;
	for (k = 0; k < i->n_pairs; k++) {
		if (!arm_pair(&i->pair[k])) {
			disarm_iface(i);
			iface_wake(t, i);
			return;
		}
	}
}

static unsigned int poll_iface(struct kni_thread *t, struct kni_iface *i)
{
	unsigned int n = 0, k;

	for (k = 0; k < i->n_pairs; k++) {
		n += poll_pair(&i->pair[k]);
		cond_resched();
	}
	i->lazy = n ? 0 : i->lazy + 1;
	if (unlikely(i->lazy == LAZY_ROUNDS))
		iface_sleep(t, i);
	return n;
}

/* Frames that a round found. */
static unsigned int poll_all(struct kni_thread *t)
{
	unsigned int n = 0, turns = READ_ONCE(t->n_awake);
	struct kni_iface *i;

	while (turns-- && (i = next_iface(t))) {
		n += poll_iface(t, i);
		kni_iface_put(i);
	}
	return n;
}

/* Ends early when somebody is to be polled. */
static void sleep_all(struct kni_thread *t)
{
	struct kni_iface *i;

	while (!READ_ONCE(t->rung) && (i = next_iface(t))) {
		iface_sleep(t, i);
		kni_iface_put(i);
	}
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
	sleep_all(t);
	if (!READ_ONCE(t->rung))
		sleep_until_rung(t);
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
	INIT_LIST_HEAD(&t->awake);
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

	i->thread = NULL;
	if (kni_params.threads == KNI_THREADS_NAPI && f->trusted && !kni_loopback())
		return kni_napi_start(i, cpu);
	if (kni_params.threads == KNI_THREADS_SINGLE) {
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
	if (!i->thread) {
		;
	} else if (kni_params.threads != KNI_THREADS_SINGLE) {
		thread_free(i->thread);
	} else if (f->thread && list_empty(&f->ifaces)) {
		thread_free(f->thread);
		f->thread = NULL;
	}
	i->thread = NULL;
}

void kni_thread_add(struct kni_iface *i)
{
	if (!i->thread)
		return;
	spin_lock_irq(&i->thread->lock);
	i->has_thread = true;
	spin_unlock_irq(&i->thread->lock);
	iface_wake(i->thread, i);
}

void kni_thread_del(struct kni_iface *i)
{
	if (!i->thread) {
		kni_napi_quiet(i);
		return;
	}
	spin_lock_irq(&i->thread->lock);
	iface_off(i->thread, i);
	i->has_thread = false;
	spin_unlock_irq(&i->thread->lock);
}

/*
 * It takes a while until the thread runs. So that user space does not ring with every frame until
 * then, the flags are taken down here. Before the wake: whoever raised one in the meantime finds
 * that it is rung.
 */
void kni_thread_rung(struct kni_iface *i)
{
	if (!i->thread) {
		kni_napi_rung(i);
		return;
	}
	disarm_iface(i);
	iface_wake(i->thread, i);
}

u64 kni_thread_wakeups(const struct kni_iface *i)
{
	return i->thread ? READ_ONCE(i->thread->wakeups) : atomic64_read(&i->scheduled);
}
