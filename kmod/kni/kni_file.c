// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>

union kni_arg {
	u32 size;
	struct knit_ioc_info info;
	struct knit_ioc_mem mem;
	struct knit_ioc_create create;
	struct knit_ioc_id id;
	struct knit_ioc_attach attach;
	struct knit_ioc_link link;
	struct knit_ioc_stats stats;
	struct knit_ioc_kick kick;
};

/* Of a creating file: serial, and only for the process it belongs to. Unlock if it returns 0. */
static int lock_mine(struct kni_file *f)
{
	if (mutex_lock_killable(&f->lock))
		return -EINTR;
	if (!f->mem || kni_mem_mine(f->mem))
		return 0;
	mutex_unlock(&f->lock);
	return -EPERM;
}

static int call_info(struct kni_file *f, union kni_arg *arg)
{
	struct knit_ioc_info *info = &arg->info;

	if (memchr_inv(info->reserved, 0, sizeof(info->reserved)))
		return -EINVAL;
	info->abi = KNIT_ABI_VERSION;
	info->flags = (kni_params.threads ? KNIT_INFO_THREADS_MULTIPLE : 0) |
		      (kni_params.carrier_on ? KNIT_INFO_CARRIER_ON : 0) |
		      (kni_params.async ? KNIT_INFO_ASYNC : 0) |
		      (kni_loopback() ? KNIT_INFO_LOOPBACK : 0) |
		      (f->trusted ? 0 : KNIT_INFO_UNTRUSTED);
	info->features = KNIT_FEAT_ALL | KNI_FEAT_BIG_TCP;
	info->max_pairs = KNIT_MAX_PAIRS;
	return 0;
}

static int mem_add(struct kni_file *f, const struct knit_ioc_mem *r)
{
	struct kni_mem *m = f->mem ?: kni_mem_new();
	int err;

	if (!m)
		return -ENOMEM;
	err = kni_mem_add(m, r);
	if (!err)
		f->mem = m;
	else if (!f->mem)
		kni_mem_free(m);
	return err;
}

static int call_mem_add(struct kni_file *f, union kni_arg *arg)
{
	int err = lock_mine(f);

	if (err)
		return err;
	err = mem_add(f, &arg->mem);
	mutex_unlock(&f->lock);
	return err;
}

static int call_mem_del(struct kni_file *f, union kni_arg *arg)
{
	int err = lock_mine(f);

	if (err)
		return err;
	err = f->mem ? kni_mem_del(f->mem, &arg->mem) : -ENOENT;
	mutex_unlock(&f->lock);
	return err;
}

static int call_create(struct kni_file *f, union kni_arg *arg)
{
	int err = lock_mine(f);

	if (err)
		return err;
	err = kni_iface_create(f, &arg->create);
	mutex_unlock(&f->lock);
	return err;
}

static int call_release(struct kni_file *f, union kni_arg *arg)
{
	int err;

	if (arg->id.flags)
		return -EINVAL;
	err = lock_mine(f);
	if (err)
		return err;
	err = kni_release_id(f, arg->id.id);
	mutex_unlock(&f->lock);
	return err;
}

/* What the caller will never hear of must not stay. */
static void undo_create(struct kni_file *f, const union kni_arg *arg)
{
	mutex_lock(&f->lock);
	kni_release_id(f, arg->create.id);
	mutex_unlock(&f->lock);
}

/*
 * Calls for any interface, by anybody who may. They don't take the file's lock: it is held while a
 * create waits for RTNL, and whoever answers a synchronous request must get through.
 */
static int with_iface(struct kni_file *f, union kni_arg *arg, u64 id,
		      int (*call)(struct kni_file *f, struct kni_iface *i, union kni_arg *arg))
{
	struct kni_iface *i = kni_iface_get(id);
	int err;

	if (!i)
		return -ENOENT;
	err = kni_iface_may(i) ? call(f, i, arg) : -EPERM;
	kni_iface_put(i);
	return err;
}

static int iface_attach(struct kni_file *f, struct kni_iface *i, union kni_arg *arg)
{
	return kni_attach_add(f, i, &arg->attach);
}

static int iface_detach(struct kni_file *f, struct kni_iface *i, union kni_arg *arg)
{
	return kni_attach_del(f, i, &arg->attach);
}

static int iface_set_link(struct kni_file *f, struct kni_iface *i, union kni_arg *arg)
{
	return kni_iface_link(i, &arg->link);
}

static int iface_stats(struct kni_file *f, struct kni_iface *i, union kni_arg *arg)
{
	return kni_stats(i, &arg->stats);
}

static int call_attach(struct kni_file *f, union kni_arg *arg)
{
	return with_iface(f, arg, arg->attach.id, iface_attach);
}

static int call_detach(struct kni_file *f, union kni_arg *arg)
{
	return with_iface(f, arg, arg->attach.id, iface_detach);
}

static int call_set_link(struct kni_file *f, union kni_arg *arg)
{
	return with_iface(f, arg, arg->link.id, iface_set_link);
}

static int call_stats(struct kni_file *f, union kni_arg *arg)
{
	return with_iface(f, arg, arg->stats.id, iface_stats);
}

static int call_kick(struct kni_file *f, union kni_arg *arg)
{
	return kni_kick(f, &arg->kick);
}

struct kni_call {
	int (*call)(struct kni_file *f, union kni_arg *arg);
	void (*undo)(struct kni_file *f, const union kni_arg *arg);
	size_t size;
	bool out; /* the struct is written back */
};

#define CALL(cmd, ...)                                              \
	[_IOC_NR(cmd)] = { .size = _IOC_SIZE(cmd),                  \
			   .out = (_IOC_DIR(cmd) & _IOC_READ) != 0, \
			   __VA_ARGS__ }

static const struct kni_call calls[] = {
	CALL(KNIT_IOC_INFO, .call = call_info),
	CALL(KNIT_IOC_MEM_ADD, .call = call_mem_add),
	CALL(KNIT_IOC_MEM_DEL, .call = call_mem_del),
	CALL(KNIT_IOC_CREATE, .call = call_create, .undo = undo_create),
	CALL(KNIT_IOC_RELEASE, .call = call_release),
	CALL(KNIT_IOC_ATTACH, .call = call_attach),
	CALL(KNIT_IOC_DETACH, .call = call_detach),
	CALL(KNIT_IOC_SET_LINK, .call = call_set_link),
	CALL(KNIT_IOC_STATS, .call = call_stats),
	CALL(KNIT_IOC_KICK, .call = call_kick),
};

/* By number alone: the size that is part of a command is that of the caller's struct. */
static const struct kni_call *call_of(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != KNIT_IOC_MAGIC || nr >= ARRAY_SIZE(calls))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(calls));
	return calls[nr].call ? &calls[nr] : NULL;
}

/* All of the call's struct is written, if it succeeds. */
static int copy_in(union kni_arg *arg, const struct kni_call *call, const void __user *user)
{
	u32 size;
	int err;

	if (get_user(size, (const u32 __user *)user))
		return -EFAULT;
	if (size < sizeof(size))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, call->size, user, size);
	arg->size = size; /* not what may have got there since */
	return err;
}

static long kni_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	const struct kni_call *call = call_of(cmd);
	void __user *to = (void __user *)user;
	struct kni_file *f = file->private_data;
	union kni_arg arg; /* of which the call's struct is valid, and used */
	size_t size;
	int err;

	if (!call)
		return -ENOTTY;
	err = copy_in(&arg, call, to);
	if (err)
		return err;
	/* Can the answer be written? Better to know before anything has changed. */
	size = call->out ? min_t(size_t, arg.size, call->size) : 0;
	if (size && copy_to_user(to, &arg, size))
		return -EFAULT;
	err = call->call(f, &arg);
	if (err || !size || !copy_to_user(to, &arg, size))
		return err;
	if (call->undo)
		call->undo(f, &arg);
	return -EFAULT;
}

static int kni_open(struct inode *inode, struct file *file)
{
	struct kni_file *f;

	if (!ns_capable(current->nsproxy->net_ns->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	f->trusted = capable(CAP_NET_ADMIN);
	INIT_LIST_HEAD(&f->ifaces);
	INIT_LIST_HEAD(&f->attaches);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

/* The last close, also by death: nobody calls any more. */
static int kni_release(struct inode *inode, struct file *file)
{
	struct kni_file *f = file->private_data;

	kni_attach_del_file(f);
	kni_release_all(f);
	if (f->mem)
		kni_mem_free(f->mem);
	mutex_destroy(&f->lock);
	kfree(f);
	return 0;
}

static const struct file_operations kni_fops = {
	.owner = THIS_MODULE,
	.open = kni_open,
	.release = kni_release,
	.unlocked_ioctl = kni_ioctl,
	.compat_ioctl = compat_ptr_ioctl, /* the structs are the same */
	.llseek = noop_llseek,
};

static struct miscdevice kni_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = KNIT_DEV_NAME,
	.fops = &kni_fops,
	.mode = 0600,
};

int kni_file_register(void)
{
	return misc_register(&kni_misc);
}

void kni_file_unregister(void)
{
	misc_deregister(&kni_misc);
}
