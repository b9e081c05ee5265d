// SPDX-License-Identifier: BSD-3-Clause
#include "kmod.h"

#include <rte_common.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MODULE_OTHER \
	"rmmod rte_kni, and load the module that belongs to this knit: modprobe rte_kni"

/* As under Secure Boot. Then the user needs more than a module that was built. */
static bool kernel_wants_signatures(void)
{
	int fd = open("/sys/module/module/parameters/sig_enforce", O_RDONLY | O_CLOEXEC);
	char value = 'N';

	if (fd < 0)
		return false;
	if (read(fd, &value, 1) < 0)
		value = 'N';
	close(fd);
	return value == 'Y';
}

static const char *load_remedy(void)
{
	return kernel_wants_signatures()
		       ? "load the kernel module: modprobe rte_kni; this kernel takes it only "
			 "with a signature, see Secure Boot in docs/MODULE.md"
		       : "load the kernel module: modprobe rte_kni";
}

static int open_failed(int err, struct knit_kmod_why *why)
{
	/* A node whose module is gone */
	if (err == ENODEV || err == ENXIO)
		err = ENOENT;
	snprintf(why->what, sizeof(why->what), "open " KNIT_DEV_PATH ": %s", strerror(err));
	why->remedy = err == ENOENT ? load_remedy()
				    : "root, or CAP_NET_ADMIN and rights on " KNIT_DEV_PATH;
	return -err;
}

static int check_module(int fd, struct knit_ioc_info *info, struct knit_kmod_why *why)
{
	int ret;

	memset(info, 0, sizeof(*info));
	ret = knit_kmod_call(fd, KNIT_IOC_INFO, info);
	if (ret < 0) {
		snprintf(why->what, sizeof(why->what),
			 KNIT_DEV_PATH " is not knit's, but perhaps of DPDK's old module: %s",
			 strerror(-ret));
	} else if (info->abi != KNIT_ABI_VERSION) {
		snprintf(why->what, sizeof(why->what),
			 "the module behind " KNIT_DEV_PATH " has ABI version %u: %u is expected",
			 info->abi, KNIT_ABI_VERSION);
	} else {
		return 0;
	}
	why->remedy = MODULE_OTHER;
	return -EPROTO;
}

int knit_kmod_open(struct knit_ioc_info *info, struct knit_kmod_why *why)
{
	struct knit_kmod_why other_why;
	struct knit_ioc_info other;
	int fd, ret;

	if (why == NULL)
		why = &other_why;
	fd = open(KNIT_DEV_PATH, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return open_failed(errno, why);
	ret = check_module(fd, info ? info : &other, why);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

int knit_kmod_call(int fd, unsigned long call, void *arg)
{
	uint32_t size = _IOC_SIZE(call);
	int ret;

	memcpy(arg, &size, sizeof(size));
	do {
		ret = ioctl(fd, call, arg);
	} while (ret < 0 && errno == EINTR); /* what failed has changed nothing */
	return ret < 0 ? -errno : 0;
}

/* Errors that say more than their names; call 0: of any. */
static const struct {
	unsigned long call;
	int err;
	const char *text;
} meanings[] = {
	{ KNIT_IOC_MEM_ADD, ENOMEM, "over RLIMIT_MEMLOCK (ulimit -l), or no memory" },
	{ KNIT_IOC_MEM_ADD, EEXIST, "overlaps memory that was added before" },
	{ KNIT_IOC_MEM_ADD, EFAULT, "not mapped, or not writable" },
	{ KNIT_IOC_MEM_ADD, EOPNOTSUPP, "memory of a file or device that can't be pinned" },
	{ KNIT_IOC_MEM_ADD, ENOSPC,
	  "more pieces than the module holds: give EAL its memory at start (--socket-mem)" },
	{ KNIT_IOC_MEM_ADD, EPERM, "the file belongs to another process" },
	{ KNIT_IOC_MEM_DEL, ENOENT, "was never added" },
	{ KNIT_IOC_MEM_DEL, EBUSY, "an interface's rings are in it" },
	{ KNIT_IOC_CREATE, EEXIST, "an interface of that name is already there" },
	{ KNIT_IOC_CREATE, ENODEV, "not a network namespace" },
	{ KNIT_IOC_CREATE, EADDRNOTAVAIL, "its rings are outside the memory that was added" },
	{ KNIT_IOC_CREATE, EPROTO, "magic or version of its rings" },
	{ KNIT_IOC_CREATE, ENOSPC, "there are too many interfaces" },
	{ KNIT_IOC_CREATE, ERANGE, "MTU outside its limits, or these outside 68 to 65535" },
	{ KNIT_IOC_CREATE, EINVAL, "not a name for an interface, or not an address for it" },
	{ KNIT_IOC_CREATE, ENXIO, "the CPU that its thread is to be bound to is not online" },
	{ KNIT_IOC_CREATE, EPERM, "needs CAP_NET_ADMIN in its network namespace" },
	{ KNIT_IOC_CREATE, EACCES,
	  "to bind its thread to a CPU needs CAP_NET_ADMIN in the initial user namespace" },
	{ KNIT_IOC_RELEASE, ENOENT, "the module does not know it" },
	{ KNIT_IOC_ATTACH, ENOENT, "the module does not know it" },
	{ KNIT_IOC_ATTACH, EBUSY, "another process has that role" },
	{ KNIT_IOC_ATTACH, EALREADY, "this process has that role already" },
	{ KNIT_IOC_ATTACH, ENODEV, "its network namespace is gone" },
	{ KNIT_IOC_ATTACH, EBADMSG, "ring indexes are corrupt" },
	{ KNIT_IOC_SET_LINK, ENOENT, "the module does not know it" },
	{ KNIT_IOC_SET_LINK, ENETDOWN, "it is down" },
	{ KNIT_IOC_STATS, ENOENT, "the module does not know it" },
	{ 0, EPERM, "needs CAP_NET_ADMIN" },
	{ 0, E2BIG, "the module is older than this program" },
	{ 0, ENOTTY, "the module is older than this program" },
};

const char *knit_kmod_meaning(unsigned long call, int err)
{
	size_t i;

	if (err < 0)
		err = -err;
	for (i = 0; i < RTE_DIM(meanings); i++)
		if ((meanings[i].call == call || meanings[i].call == 0) && meanings[i].err == err)
			return meanings[i].text;
	return strerror(err);
}
