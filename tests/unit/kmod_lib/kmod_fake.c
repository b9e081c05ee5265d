// SPDX-License-Identifier: BSD-3-Clause
#include "kmod_fake.h"
#include "kni/kick.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct kmod_fake kmod_fake;

void kmod_fake_reset(void)
{
	memset(&kmod_fake, 0, sizeof(kmod_fake));
}

int knit_kmod_open(struct knit_ioc_info *info, struct knit_kmod_why *why)
{
	unsigned int i, n = kmod_fake.opens;
	void (*opened)(void) = kmod_fake.opened;

	if (kmod_fake.fail == KNIT_IOC_INFO || n == FAKE_FILES) {
		snprintf(why->what, sizeof(why->what), "the test wants it");
		why->remedy = "none";
		return kmod_fake.error;
	}
	if (info)
		*info = (struct knit_ioc_info){ .abi = KNIT_ABI_VERSION };
	kmod_fake.opens++;
	kmod_fake.file[n].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (i = 0; i < n; i++) /* closed, and its number used again */
		if (kmod_fake.file[i].fd == kmod_fake.file[n].fd)
			kmod_fake.file[i].fd = -1;
	kmod_fake.opened = NULL;
	if (opened)
		opened();
	return kmod_fake.file[n].fd;
}

const char *knit_kmod_meaning(unsigned long call, int err)
{
	return strerror(err < 0 ? -err : err);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

unsigned int kmod_fake_open_files(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < kmod_fake.opens; i++)
		n += is_open(kmod_fake.file[i].fd);
	return n;
}

unsigned int kmod_fake_calls(unsigned long call)
{
	return kmod_fake.calls[_IOC_NR(call)];
}

static struct kmod_fake_file *file_of(int fd)
{
	unsigned int i;

	for (i = kmod_fake.opens; i-- > 0;)
		if (kmod_fake.file[i].fd == fd && is_open(fd))
			return &kmod_fake.file[i];
	return NULL;
}

bool kmod_fake_holds(unsigned int n, const void *addr, size_t len)
{
	const struct kmod_fake_file *f = &kmod_fake.file[n];
	uint64_t at = (uintptr_t)addr;
	unsigned int i;

	for (i = 0; i < f->n_regions; i++)
		if (at >= f->region[i].addr && at + len <= f->region[i].addr + f->region[i].len)
			return true;
	return false;
}

static int add(struct kmod_fake_file *f, const struct knit_ioc_mem *m)
{
	unsigned int i;

	if (m->flags || m->len == 0 || m->addr % m->page_size || m->len % m->page_size)
		return -EINVAL;
	if (m->page_size == kmod_fake.no_pages_of)
		return -EOPNOTSUPP;
	for (i = 0; i < f->n_regions; i++)
		if (m->addr < f->region[i].addr + f->region[i].len &&
		    m->addr + m->len > f->region[i].addr)
			return -EEXIST;
	if (f->n_regions == FAKE_REGIONS)
		return -ENOSPC;
	f->region[f->n_regions++] = *m;
	return 0;
}

static int del(struct kmod_fake_file *f, const struct knit_ioc_mem *m)
{
	unsigned int i;

	for (i = 0; i < f->n_regions; i++) {
		if (memcmp(&f->region[i], m, sizeof(*m)) != 0)
			continue;
		f->region[i] = f->region[--f->n_regions];
		return 0;
	}
	return -ENOENT;
}

static int create(struct knit_ioc_create *c)
{
	c->ifindex = 77;
	c->id = 1000 + ++kmod_fake.next_id;
	kmod_fake.create = *c;
	return 0;
}

void knit_kick_set(const struct rte_kni *kni, uint16_t pair, const struct knit_kick *kick)
{
	kmod_fake.kick_id[pair] = kni->kmod_id;
	kmod_fake.kick_fd[pair] = (int)(intptr_t)kick->arg;
}

void knit_kick_clear(uint16_t iface, uint16_t pair)
{
	kmod_fake.kick_id[pair] = 0;
}

const struct knit_kick *knit_kick_of(const struct rte_kni *kni, uint16_t pair)
{
	return NULL;
}

static int stats(struct knit_ioc_stats *s)
{
	uint64_t value = 1;

#define X(name, text) s->name = value++;
	KNIT_KMOD_PAIR_STATS(X)
	KNIT_KMOD_REQ_STATS(X)
	KNIT_KMOD_HANDOVER_STATS(X)
#undef X
	return 0;
}

int knit_kmod_call(int fd, unsigned long call, void *arg)
{
	struct kmod_fake_file *f = file_of(fd);

	if (f == NULL)
		return -EBADF;
	kmod_fake.calls[_IOC_NR(call)]++;
	if (call == kmod_fake.fail && kmod_fake.fail_times && kmod_fake.fail_times--)
		return kmod_fake.error;
	switch (call) {
	case KNIT_IOC_MEM_ADD:
		return add(f, arg);
	case KNIT_IOC_MEM_DEL:
		return del(f, arg);
	case KNIT_IOC_CREATE:
		return create(arg);
	case KNIT_IOC_RELEASE:
		kmod_fake.released = ((struct knit_ioc_id *)arg)->id;
		return 0;
	case KNIT_IOC_ATTACH:
		kmod_fake.attach = *(struct knit_ioc_attach *)arg;
		return 0;
	case KNIT_IOC_DETACH:
		kmod_fake.detach = *(struct knit_ioc_attach *)arg;
		return 0;
	case KNIT_IOC_SET_LINK:
		kmod_fake.link = *(struct knit_ioc_link *)arg;
		((struct knit_ioc_link *)arg)->before = 1;
		return 0;
	case KNIT_IOC_STATS:
		return stats(arg);
	case KNIT_IOC_KICK:
		return 0;
	default:
		return -ENOTTY;
	}
}
