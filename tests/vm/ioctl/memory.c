// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void bad_arguments(int fd, uint8_t *mem)
{
	struct knit_ioc_mem args = { .size = sizeof(args), .flags = 1, .len = PAGE };

	args.addr = (uintptr_t)mem;
	args.page_size = PAGE;
	is("memory: flags", call(fd, KNIT_IOC_MEM_ADD, &args), -EINVAL);
	is("memory: not a multiple", mem_add(fd, mem + 1, PAGE, PAGE), -EINVAL);
	is("memory: length not a multiple", mem_add(fd, mem, 100, PAGE), -EINVAL);
	is("memory: of no length", mem_add(fd, mem, 0, PAGE), -EINVAL);
	is("memory: pages of no size", mem_add(fd, mem, PAGE, 0), -EINVAL);
	is("memory: pages of 3 KiB", mem_add(fd, mem, PAGE, 3072), -EINVAL);
	is("memory: pages of 2 KiB", mem_add(fd, mem, PAGE, 2048), -EINVAL);
	is("memory: it wraps", mem_add(fd, mem, 0UL - PAGE, PAGE), -EINVAL);
	is("memory: the kernel's", mem_add(fd, (void *)0xffff888000000000UL, PAGE, PAGE), -EFAULT);
	is("memory: into the kernel's", mem_add(fd, mem, 1UL << 62, PAGE), -EFAULT);
	is("memory: nothing is mapped", mem_add(fd, (void *)PAGE, PAGE, PAGE), -EFAULT);
}

static void overlaps(int fd, uint8_t *mem)
{
	is("memory: add 8 pages", mem_add(fd, mem + 8 * PAGE, 8 * PAGE, PAGE), 0);
	is("memory: -EEXIST, the same", mem_add(fd, mem + 8 * PAGE, 8 * PAGE, PAGE), -EEXIST);
	is("memory: -EEXIST, inside", mem_add(fd, mem + 10 * PAGE, PAGE, PAGE), -EEXIST);
	is("memory: -EEXIST, around", mem_add(fd, mem, 32 * PAGE, PAGE), -EEXIST);
	is("memory: -EEXIST, its begin", mem_add(fd, mem, 9 * PAGE, PAGE), -EEXIST);
	is("memory: -EEXIST, its end", mem_add(fd, mem + 15 * PAGE, 2 * PAGE, PAGE), -EEXIST);
	is("memory: what touches it before", mem_add(fd, mem, 8 * PAGE, PAGE), 0);
	is("memory: what touches it after", mem_add(fd, mem + 16 * PAGE, PAGE, PAGE), 0);
	is("memory: del -ENOENT, a part", mem_del(fd, mem + 8 * PAGE, PAGE, PAGE), -ENOENT);
	is("memory: del -ENOENT, two", mem_del(fd, mem, 16 * PAGE, PAGE), -ENOENT);
	is("memory: del", mem_del(fd, mem + 8 * PAGE, 8 * PAGE, PAGE), 0);
	is("memory: del -ENOENT, twice", mem_del(fd, mem + 8 * PAGE, 8 * PAGE, PAGE), -ENOENT);
	is("memory: and add it again", mem_add(fd, mem + 8 * PAGE, 8 * PAGE, PAGE), 0);
}

/* A file system whose pages are neither anonymous nor shmem. */
static void of_a_file(int fd)
{
	char dir[] = "/tmp/knit-ioctl-XXXXXX", path[64];
	uint8_t *mem;
	int file;

	if (!mkdtemp(dir) || mount("ramfs", dir, "ramfs", 0, NULL) < 0) {
		is("memory: ramfs", -errno, 0);
		return;
	}
	snprintf(path, sizeof(path), "%s/file", dir);
	file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	is("memory: a file in ramfs", ftruncate(file, PAGE), 0);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	is("memory: -EOPNOTSUPP, a file", mem_add(fd, mem, PAGE, PAGE), -EOPNOTSUPP);
	munmap(mem, PAGE);
	close(file);
	umount(dir);
	rmdir(dir);
}

static void of_a_driver(int fd)
{
	struct tpacket_req ring = { PAGE, 1, 2048, 2 };
	int s = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t *mem;

	is("memory: a packet ring", setsockopt(s, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)),
	   0);
	mem = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, s, 0);
	is("memory: -EOPNOTSUPP, a driver's", mem_add(fd, mem, PAGE, PAGE), -EOPNOTSUPP);
	munmap(mem, PAGE);
	close(s);
}

static void kinds(int fd)
{
	uint8_t *small = memory(HUGE * 2), *huge = huge_memory(HUGE * 2);
	uint8_t *aligned = (uint8_t *)(((uintptr_t)small + HUGE - 1) & ~(HUGE - 1));
	uint8_t *readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *private =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	is("memory: -EFAULT, not writable", mem_add(fd, readonly, PAGE, PAGE), -EFAULT);
	is("memory: private", mem_add(fd, private, PAGE, PAGE), 0);
	is("memory: -EOPNOTSUPP, no hugepage", mem_add(fd, aligned, HUGE, HUGE), -EOPNOTSUPP);
	is("memory: -EOPNOTSUPP, no such hugepage",
	   mem_add(fd, (void *)((uintptr_t)huge & ~(4 * HUGE - 1)), 4 * HUGE, 4 * HUGE) < 0, 1);
	is("memory: hugepages", mem_add(fd, huge, 2 * HUGE, HUGE), 0);
	is("memory: del of pages of another size", mem_del(fd, huge, 2 * HUGE, PAGE), -ENOENT);
	is("memory: del of hugepages", mem_del(fd, huge, 2 * HUGE, HUGE), 0);
	is("memory: small pages of hugepages", mem_add(fd, huge, HUGE, PAGE), 0);
	of_a_file(fd);
	of_a_driver(fd);
	munmap(small, HUGE * 2);
	munmap(huge, HUGE * 2); /* what is pinned stays */
}

static void as_many_as_allowed(void)
{
	uint8_t *mem = memory(2 * KNIT_MAX_REGIONS * PAGE + PAGE);
	int fd = kni_open(), err = 0, i;

	for (i = 0; i < KNIT_MAX_REGIONS && !err; i++)
		err = mem_add(fd, mem + 2 * i * PAGE, PAGE, PAGE);
	is("memory: as many regions as are allowed", err, 0);
	is("memory: -ENOSPC, one more", mem_add(fd, mem + 2 * i * PAGE, PAGE, PAGE), -ENOSPC);
	close(fd);
	munmap(mem, 2 * KNIT_MAX_REGIONS * PAGE + PAGE);
}

/* Without CAP_IPC_LOCK, and with CAP_NET_ADMIN. */
static void drop_ipc_lock(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	syscall(SYS_capget, &head, data);
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	syscall(SYS_capset, &head, data);
}

static int limited(void *arg)
{
	const struct rlimit limit = { 16 * PAGE, 16 * PAGE };
	uint8_t *mem = arg;
	int fd = kni_open();

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return -errno;
	drop_ipc_lock();
	is("memory: -ENOMEM, more than RLIMIT_MEMLOCK", mem_add(fd, mem, 17 * PAGE, PAGE), -ENOMEM);
	is("memory: as much as it allows", mem_add(fd, mem, 16 * PAGE, PAGE), 0);
	is("memory: -ENOMEM, a page more", mem_add(fd, mem + 16 * PAGE, PAGE, PAGE), -ENOMEM);
	is("memory: del gives back", mem_del(fd, mem, 16 * PAGE, PAGE), 0);
	is("memory: as much again", mem_add(fd, mem + 16 * PAGE, 16 * PAGE, PAGE), 0);
	return failures;
}

static int in_another(void *arg)
{
	const struct bed *b = arg;
	uint64_t id;

	is("memory: -EPERM, another process adds", mem_add(b->fd, b->mem, PAGE, PAGE), -EPERM);
	is("memory: -EPERM, it deletes", mem_del(b->fd, b->mem, b->len, PAGE), -EPERM);
	is("create: -EPERM, it creates", create(b, "kmem0", &id), -EPERM);
	is("release: -EPERM, it releases", release(b->fd, 1), -EPERM);
	return failures;
}

void test_memory(void)
{
	long locked = status_kib("VmLck");
	uint8_t *mem = memory(64 * PAGE);
	int fd = kni_open(), result;
	struct bed b;

	bad_arguments(fd, mem);
	is("memory: del of what was never added", mem_del(fd, mem, PAGE, PAGE), -ENOENT);
	is("memory: what failed is not accounted", status_kib("VmLck"), locked);
	overlaps(fd, mem);
	is("memory: is accounted", status_kib("VmLck") - locked, 17 * 4);
	kinds(fd);
	close(fd);
	is("memory: close gives all back", status_kib("VmLck"), locked);
	as_many_as_allowed();
	child_end(child(limited, mem, &result));
	failures += result != 0;
	bed_open(&b);
	child_end(child(in_another, &b, &result));
	failures += result != 0;
	bed_close(&b);
	munmap(mem, 64 * PAGE);
}
