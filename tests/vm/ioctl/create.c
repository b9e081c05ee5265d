// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A valid call, but for one thing. */
struct flaw {
	const char *name;
	size_t offset;
	size_t bytes;
	int64_t value;
	int want;
};

#define FLAW(text, member, v, err)                                            \
	{                                                                     \
		text, offsetof(struct knit_ioc_create, member),               \
			sizeof(((struct knit_ioc_create *)0)->member), v, err \
	}

static const struct flaw flaws[] = {
	FLAW("flags", flags, 0x10, -EINVAL),
	FLAW("reserved0", reserved0, 1, -EINVAL),
	FLAW("reserved1", reserved1, 1, -EINVAL),
	FLAW("reserved", reserved[3], 1, -EINVAL),
	FLAW("ring of 63", ring_size, 63, -EINVAL),
	FLAW("ring of 96", ring_size, 96, -EINVAL),
	FLAW("ring of 32", ring_size, 32, -EINVAL),
	FLAW("ring of 65536", ring_size, 65536, -EINVAL),
	FLAW("ring that is too long for the memory", ring_size, 32768, -EADDRNOTAVAIL),
	FLAW("no pair", n_pairs, 0, -EINVAL),
	FLAW("17 pairs", n_pairs, 17, -EINVAL),
	FLAW("billions of pairs", n_pairs, 0xffffffff, -EINVAL),
	FLAW("unknown features", features, 0x40, -EINVAL),
	FLAW("long TCP without TSO", features, KNIT_FEAT_BIG_TCP | KNIT_FEAT_SG | KNIT_FEAT_CSUM,
	     -EINVAL),
	FLAW("TSO without checksums", features, KNIT_FEAT_TSO | KNIT_FEAT_SG, -EINVAL),
	FLAW("USO without segments", features, KNIT_FEAT_USO | KNIT_FEAT_CSUM, -EINVAL),
	FLAW("empty name", name[0], 0, -EINVAL),
	FLAW("name: slash", name[2], '/', -EINVAL),
	FLAW("name: blank", name[2], ' ', -EINVAL),
	FLAW("name: colon", name[2], ':', -EINVAL),
	FLAW("multicast MAC", mac[0], 1, -EINVAL),
	FLAW("MTU below the smallest", mtu, 67, -ERANGE),
	FLAW("MTU above the largest", mtu, 9001, -ERANGE),
	FLAW("smallest MTU 67", min_mtu, 67, -ERANGE),
	FLAW("largest MTU 65536", max_mtu, 65536, -ERANGE),
	FLAW("no doorbell", packet_doorbell_fd, -1, -EBADF),
	FLAW("no request doorbell", request_doorbell_fd, -1, -EBADF),
	FLAW("a doorbell that is no eventfd", packet_doorbell_fd, 1, -EINVAL),
	FLAW("a request doorbell that is no eventfd", request_doorbell_fd, 1, -EINVAL),
	FLAW("a namespace that is none", netns_fd, 1, -ENODEV),
	FLAW("a namespace that is not open", netns_fd, 999, -EBADF),
	FLAW("shared block not aligned", shm, 8, -EINVAL),
	FLAW("shared block nowhere", shm, 64, -EADDRNOTAVAIL),
	FLAW("shared block at the end of the world", shm, -64, -EADDRNOTAVAIL),
};

static void all_flaws(const struct bed *b)
{
	struct knit_ioc_create c;
	char name[100];
	size_t i;

	for (i = 0; i < sizeof(flaws) / sizeof(flaws[0]); i++) {
		c = create_args(b, "kc0");
		memcpy((char *)&c + flaws[i].offset, &flaws[i].value, flaws[i].bytes);
		snprintf(name, sizeof(name), "create: %s", flaws[i].name);
		is(name, call(b->fd, KNIT_IOC_CREATE, &c), flaws[i].want);
	}
	c = create_args(b, "kc0");
	memset(c.name, 'x', sizeof(c.name));
	is("create: name without an end", call(b->fd, KNIT_IOC_CREATE, &c), -EINVAL);
	c = create_args(b, "kc%d");
	is("create: name for the kernel to complete", call(b->fd, KNIT_IOC_CREATE, &c), -EINVAL);
	c = create_args(b, "..");
	is("create: name ..", call(b->fd, KNIT_IOC_CREATE, &c), -EINVAL);
	c = create_args(b, "kc0");
	c.ring_size = 64;
	c.features = KNIT_FEAT_SG;
	is("create: ring too short for segments", call(b->fd, KNIT_IOC_CREATE, &c), -EINVAL);
	c = create_args(b, "kc0");
	c.flags = KNIT_CREATE_BIND;
	c.core_id = 100000;
	is("create: a CPU that is not there", call(b->fd, KNIT_IOC_CREATE, &c), -ENXIO);
	is_true("create: after all that there is no interface", !exists("kc0"));
	is_true("create: and no thread", !has_thread(thread_name()));
	is("create: the memory is free", mem_del(b->fd, b->mem, b->len, PAGE), 0);
	c.flags = 0;
	is("create: -EADDRNOTAVAIL, none left", call(b->fd, KNIT_IOC_CREATE, &c), -EADDRNOTAVAIL);
	is("create: the memory is there again", mem_add(b->fd, b->mem, b->len, PAGE), 0);
}

static void headers(const struct bed *b)
{
	uint64_t id;

	b->shm->magic++;
	is("create: -EPROTO, magic", create(b, "kc0", &id), -EPROTO);
	b->shm->magic--;
	b->shm->version++;
	is("create: -EPROTO, version", create(b, "kc0", &id), -EPROTO);
	b->shm->version--;
	b->shm->reserved[10] = 1;
	is("create: -EPROTO, reserved", create(b, "kc0", &id), -EPROTO);
	b->shm->reserved[10] = 0;
}

static void half_outside(struct bed *b)
{
	struct bed other = *b;
	uint64_t id;

	other.shm = (struct knit_shm_hdr *)(b->mem + b->len - PAGE);
	block_init(b->shm);
	other.shm->magic = KNIT_MAGIC;
	other.shm->version = KNIT_ABI_VERSION;
	is("create: -EADDRNOTAVAIL, half outside", create(&other, "kc0", &id), -EADDRNOTAVAIL);
}

static int create_readonly(const struct bed *b)
{
	struct knit_ioc_create *c = memory(PAGE);
	int err;

	*c = create_args(b, "kc0");
	mprotect(c, PAGE, PROT_READ);
	err = call(b->fd, KNIT_IOC_CREATE, c);
	munmap(c, PAGE);
	return err;
}

/* Some kernels have no such file. */
static bool set_threaded(const char *value)
{
	int fd = open("/sys/class/net/kc0/threaded", O_WRONLY | O_CLOEXEC);
	bool ok = fd < 0 || write(fd, value, strlen(value)) > 0;

	close(fd);
	return ok;
}

static bool ended(const void *pid)
{
	int status;

	return waitpid(*(const pid_t *)pid, &status, WNOHANG) > 0 && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

/* What waits for a poll that never runs waits with RTNL held, for ever: so this comes last then. */
static void threaded(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(!set_threaded("1") || !set_threaded("0") || !set_threaded("1"));
	if (!is_true("create: threaded mode on, off and on again", wait_until(10, ended, &pid)))
		_exit(1);
}

static void put_cpu(const char *online)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC);

	is("create: a CPU goes, or comes back", write(fd, online, 1), 1);
	close(fd);
}

static bool runs_on(const void *cpus)
{
	const uint64_t one = 1;
	char list[64];

	/* Awake, it has to go elsewhere. */
	if (write(packet_doorbell, &one, sizeof(one)) < 0)
		return false;
	thread_cpus(thread_name(), list, sizeof(list));
	return strcmp(list, cpus) == 0;
}

/* It is bound to CPU 1. */
static void cpu_goes_and_comes(void)
{
	put_cpu("0");
	is_true("create: its thread runs elsewhere", wait_until(10, runs_on, "0-1"));
	put_cpu("1");
	is_true("create: its thread is back", wait_until(10, runs_on, "1"));
}

static void success(const struct bed *b)
{
	struct knit_ioc_create c = create_args(b, "kc0");
	char cpus[64];
	uint64_t id;

	c.flags = KNIT_CREATE_BIND | KNIT_CREATE_CARRIER;
	c.core_id = 1;
	if (!is("create", call(b->fd, KNIT_IOC_CREATE, &c), 0))
		return;
	is("create: ifindex", c.ifindex, if_nametoindex("kc0"));
	is_true("create: it has an id", c.id != 0);
	is_true("create: there is a thread", has_thread(thread_name()));
	thread_cpus(thread_name(), cpus, sizeof(cpus));
	is_true("create: it runs on the CPU that was asked for", strcmp(cpus, "1") == 0);
	if (!by_napi()) /* those of the core do not come back */
		cpu_goes_and_comes();
	is("create: with carrier", set_link(b->fd, c.id, KNIT_LINK_UP), 1);
	is("create: -EBUSY, its memory", mem_del(b->fd, b->mem, b->len, PAGE), -EBUSY);
	is("create: -EEXIST", create(b, "kc0", &id), -EEXIST);
	is("create: -EEXIST, name of another's", create(b, "lo", &id), -EEXIST);
	is("create: MTU below the smallest", set_mtu("kc0", 67), -EINVAL);
	is("create: MTU above the largest", set_mtu("kc0", 9001), -EINVAL);
	is("release: -ENOENT", release(b->fd, c.id + 1000), -ENOENT);
	threaded();
	is("release", release(b->fd, c.id), 0);
	is("release: -ENOENT, twice", release(b->fd, c.id), -ENOENT);
	is_true("release: the name is free", !exists("kc0"));
	is_true("release: no thread is left", !has_thread(thread_name()));
	is("release: no carrier of what is gone", set_link(b->fd, c.id, 0), -ENOENT);
	is("create: again", create(b, "kc0", &id), 0);
	thread_cpus(thread_name(), cpus, sizeof(cpus));
	is_true("create: its thread runs on any CPU", strcmp(cpus, "0-1") == 0);
	is_true("create: an id is never used again", id != c.id);
	is("release: again", release(b->fd, id), 0);
	is("release: its memory is free", mem_del(b->fd, b->mem, b->len, PAGE), 0);
}

/* A block that begins at the end of one page and goes on in another region. */
static void over_regions(bool huge)
{
	const size_t page = huge ? HUGE : PAGE;
	uint8_t *mem = huge ? huge_memory(4 * HUGE) : memory(64 * PAGE);
	struct bed b = { .fd = kni_open(), .mem = mem, .len = huge ? 4 * HUGE : 64 * PAGE };
	uint64_t id;
	size_t at;

	for (at = 0; at < b.len; at += page)
		if (mem_add(b.fd, mem + at, page, page) != 0)
			is("create: a region for each page", -1, 0);
	b.shm = (struct knit_shm_hdr *)(mem + page - 1024);
	block_init(b.shm);
	is(huge ? "create: block over hugepages of different regions"
		: "create: block over pages of different regions",
	   create(&b, "kc0", &id), 0);
	is("create: -EBUSY, the block's first page", mem_del(b.fd, mem, page, page), -EBUSY);
	is("create: -EBUSY, its second", mem_del(b.fd, mem + page, page, page), -EBUSY);
	is("create: not its last", mem_del(b.fd, mem + b.len - page, page, page), 0);
	is("create: pair 1 of it is served", attach(b.fd, id, KNIT_ATTACH_PAIR, 1), 0);
	bed_close(&b);
	is_true("close: the interface is gone", !exists("kc0"));
}

void test_create(void)
{
	struct knit_ioc_create c;
	int empty = kni_open();
	struct bed b, other;
	uint64_t id;

	bed_open(&b);
	all_flaws(&b);
	headers(&b);
	half_outside(&b);
	is("create: -EFAULT, no room for the answer", create_readonly(&b), -EFAULT);
	is_true("create: nor is there an interface then", !exists("kc0"));
	c = create_args(&b, "kc0");
	is("create: -EADDRNOTAVAIL, a file without memory", call(empty, KNIT_IOC_CREATE, &c),
	   -EADDRNOTAVAIL);
	is("memory: -ENOENT, a file without memory", mem_del(empty, b.mem, b.len, PAGE), -ENOENT);
	bed_open(&other);
	is("create: for two files", create(&b, "kc0", &id), 0);
	is("release: -ENOENT, another file's", release(other.fd, id), -ENOENT);
	is("release: -ENOENT, of no creating file", release(empty, id), -ENOENT);
	is("release: its own", release(b.fd, id), 0);
	success(&b);
	over_regions(false);
	over_regions(true);
	close(empty);
	bed_close(&other);
	bed_close(&b);
}
