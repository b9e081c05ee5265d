// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

static int info_of_size(int fd, uint32_t size, struct knit_ioc_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = size;
	return call(fd, KNIT_IOC_INFO, info);
}

static void longer_than_known(int fd)
{
	union {
		struct knit_ioc_info info;
		uint8_t bytes[PAGE + 8];
	} arg;

	memset(&arg, 0, sizeof(arg));
	arg.info.size = 64;
	is("info: a longer struct is taken if the rest is zero", call(fd, KNIT_IOC_INFO, &arg), 0);
	is("info: and is answered", arg.info.abi, KNIT_ABI_VERSION);
	memset(&arg, 0, sizeof(arg));
	arg.info.size = 64;
	arg.bytes[63] = 1;
	is("info: -E2BIG if it is not", call(fd, KNIT_IOC_INFO, &arg), -E2BIG);
	memset(&arg, 0, sizeof(arg));
	arg.info.size = PAGE + 8;
	is("info: -E2BIG if it is absurd", call(fd, KNIT_IOC_INFO, &arg), -E2BIG);
}

static void bad_pointers(int fd)
{
	struct knit_ioc_info *info = memory(PAGE);

	info->size = sizeof(*info);
	is("info: no pointer", call(fd, KNIT_IOC_INFO, NULL), -EFAULT);
	is("info: a kernel pointer", call(fd, KNIT_IOC_INFO, (void *)0xffff888000000000UL),
	   -EFAULT);
	mprotect(info, PAGE, PROT_READ);
	is("info: a struct that can't be written", call(fd, KNIT_IOC_INFO, info), -EFAULT);
	munmap(info, PAGE);
	is("info: unmapped", call(fd, KNIT_IOC_INFO, info), -EFAULT);
}

/* A user namespace of its own in the network namespace of others gives no right. */
static int open_without_right(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) < 0 ? -errno : kni_open();
}

static int open_with_right(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -errno : kni_open() >= 0;
}

static bool release_is(int major, int minor) /* or newer */
{
	int has_major = 0, has_minor = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%d.%d", &has_major, &has_minor);
	return has_major > major || (has_major == major && has_minor >= minor);
}

void test_info(void)
{
	struct knit_ioc_info info;
	int fd = kni_open();
	int result;

	if (!is_true("open", fd >= 0))
		return;
	is("info", info_of_size(fd, sizeof(info), &info), 0);
	is("info: ABI", info.abi, KNIT_ABI_VERSION);
	is("info: pairs", info.max_pairs, KNIT_MAX_PAIRS);
	is("info: features", info.features & ~KNIT_FEAT_BIG_TCP, KNIT_FEAT_ALL);
	is("info: long TCP where the kernel has it", !!(info.features & KNIT_FEAT_BIG_TCP),
	   release_is(5, 19));
	is("info: a shorter struct", info_of_size(fd, 8, &info), 0);
	is("info: no more than that is written", info.abi == KNIT_ABI_VERSION && !info.features, 1);
	is("info: no size", info_of_size(fd, 0, &info), -EINVAL);
	is("info: a size that does not hold itself", info_of_size(fd, 3, &info), -EINVAL);
	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.reserved[1] = 1;
	is("info: reserved", call(fd, KNIT_IOC_INFO, &info), -EINVAL);
	longer_than_known(fd);
	bad_pointers(fd);
	is("no such call", call(fd, _IO(KNIT_IOC_MAGIC, 99), &info), -ENOTTY);
	is("call 0", call(fd, _IO(KNIT_IOC_MAGIC, 0), &info), -ENOTTY);
	is("another driver's call", call(fd, _IO('f', 1), &info), -ENOTTY);
	close(fd);
	child_end(child(open_without_right, NULL, &result));
	is("open: -EPERM without CAP_NET_ADMIN where the network is", result, -EPERM);
	child_end(child(open_with_right, NULL, &result));
	is("open: in a network namespace of its own", result, 1);
}

void test_link(void)
{
	struct bed b;
	uint64_t id;

	bed_open(&b);
	if (!is("link: create", create(&b, "kl0", &id), 0))
		return;
	is("link: -EINVAL, flags", set_link(b.fd, id, 0x100), -EINVAL);
	is("link: -ENOENT", set_link(b.fd, id + 1000, KNIT_LINK_UP), -ENOENT);
	is("link: -ENETDOWN", set_link(b.fd, id, KNIT_LINK_UP | KNIT_LINK_IF_UP), -ENETDOWN);
	is("link: up, there was no carrier", set_link(b.fd, id, KNIT_LINK_UP), 0);
	is("link: up again, there was one", set_link(b.fd, id, KNIT_LINK_UP), 1);
	is("link: the interface goes up", set_up("kl0", true), 0);
	is("link: down", set_link(b.fd, id, KNIT_LINK_IF_UP), 1);
	is("link: down again", set_link(b.fd, id, KNIT_LINK_IF_UP), 0);
	bed_close(&b);
}
