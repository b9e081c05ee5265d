// SPDX-License-Identifier: BSD-3-Clause
#include "sigbus.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Why not EAL's own handler, rte_dev_hotplug_handle_enable? It maps memory in the signal handler,
 * too; there is no other way to let the access end. But it also takes a spin lock and writes to the
 * log there, so a thread that is interrupted with one of their locks held never goes on. For vfio
 * it maps nothing and calls the application's callbacks from the handler, so the access faults
 * again. A SIGBUS that is not a device's ends in rte_exit, which runs clean-up and leaves no core.
 * And nobody learns that it has acted. So this file stays.
 */

#define VFIO_PATH "anon_inode:[vfio-device]"
#define UIO_PATH "/dev/uio"
#define RESOURCE "/resource"
#define MAX_REPLACED 64
/* Threads that may find a mapping replaced by another one, before this is taken for a loop. */
#define MAX_LATE 1024

struct range {
	uintptr_t start;
	uintptr_t end;
};

static struct range replaced[MAX_REPLACED];
static unsigned int n_replaced;
static unsigned int n_late;
static uint64_t *fault_count;

static const char *parse_hex(const char *text, uintptr_t *value)
{
	unsigned int digit;

	for (*value = 0;; text++) {
		if (*text >= '0' && *text <= '9')
			digit = *text - '0';
		else if (*text >= 'a' && *text <= 'f')
			digit = *text - 'a' + 10;
		else
			return text;
		*value = *value << 4 | digit;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ".../0000:00:10.0/resource0", perhaps with "_wc" or " (deleted)" behind it */
static bool is_resource(const char *path)
{
	const char *at = strstr(path, RESOURCE);

	return at && at - path > 12 && at[-2] == '.' && at[-5] == ':' && at[-8] == ':' &&
	       is_digit(at[strlen(RESOURCE)]) && !strchr(at + 1, '/');
}

static bool is_device(const char *path)
{
	if (strncmp(path, UIO_PATH, strlen(UIO_PATH)) == 0)
		return is_digit(path[strlen(UIO_PATH)]);
	return strncmp(path, VFIO_PATH, strlen(VFIO_PATH)) == 0 || is_resource(path);
}

/* "start-end permissions offset device inode path"; a device's mapping is shared: "rw-s". */
bool knit_sigbus_match(const char *line, uintptr_t addr, uintptr_t *start, uintptr_t *end)
{
	const char *at = parse_hex(line, start);
	unsigned int field;

	if (*at != '-')
		return false;
	at = parse_hex(at + 1, end);
	if (addr < *start || addr >= *end)
		return false;
	for (field = 0; field < 4; field++) {
		at += strspn(at, " ");
		if (field == 0 && (strcspn(at, " ") != 4 || at[3] != 's'))
			return false;
		at += strcspn(at, " ");
	}
	return is_device(at + strspn(at, " "));
}

/* Line by line, without malloc. A longer line loses its end: no path that counts is that long. */
struct lines {
	int fd;
	ssize_t n;
	ssize_t at;
	char buf[512];
	char line[512];
};

static bool maps_next_line(struct lines *l)
{
	size_t used = 0;

	for (;;) {
		if (l->at == l->n) {
			l->at = 0;
			l->n = read(l->fd, l->buf, sizeof(l->buf));
			if (l->n <= 0)
				return false;
		}
		if (l->buf[l->at++] == '\n')
			break;
		if (used < sizeof(l->line) - 1)
			l->line[used++] = l->buf[l->at - 1];
	}
	l->line[used] = '\0';
	return true;
}

static bool find_in_maps(uintptr_t addr, struct range *r)
{
	struct lines l = { .fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC) };
	bool found = false;

	while (!found && maps_next_line(&l))
		found = knit_sigbus_match(l.line, addr, &r->start, &r->end);
	close(l.fd);
	return found;
}

/* Another thread was here first, between this one's fault and its look at the maps. */
static bool was_replaced(uintptr_t addr)
{
	unsigned int i, n = __atomic_load_n(&n_replaced, __ATOMIC_ACQUIRE);

	for (i = 0; i < n && i < MAX_REPLACED; i++)
		if (addr >= replaced[i].start &&
		    addr < __atomic_load_n(&replaced[i].end, __ATOMIC_ACQUIRE))
			return __atomic_add_fetch(&n_late, 1, __ATOMIC_RELAXED) <= MAX_LATE;
	return false;
}

/* Remembered before it is done: whoever finds the mapping gone finds it in the list. */
static bool range_replace(const struct range *r)
{
	unsigned int i = __atomic_fetch_add(&n_replaced, 1, __ATOMIC_ACQ_REL);
	void *at = (void *)r->start;

	if (i < MAX_REPLACED) {
		replaced[i].start = r->start;
		__atomic_store_n(&replaced[i].end, r->end, __ATOMIC_RELEASE);
	}
	return mmap(at, r->end - r->start, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static bool range_repair(uintptr_t addr)
{
	struct range r;

	if (!find_in_maps(addr, &r))
		return was_replaced(addr);
	if (!range_replace(&r))
		return false;
	if (fault_count)
		__atomic_fetch_add(fault_count, 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * BUS_ADRERR is a page that is not there. All else is not for here: sent by somebody, without an
 * address, broken memory, an access that is not aligned. It is sent again, since some of these are
 * no faults and would not come again by themselves.
 */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code != BUS_ADRERR || !range_repair((uintptr_t)info->si_addr)) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	errno = saved;
}

void knit_sigbus_init(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	sigfillset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

void knit_sigbus_count(uint64_t *faults)
{
	__atomic_store_n(&fault_count, faults, __ATOMIC_RELEASE);
}

/* The file changes while it is read and mappings are replaced; what was passed stays passed. */
void knit_sigbus_blank(const char *pci)
{
	struct lines l = { .fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC) };
	uintptr_t start, end;
	const char *at;

	while (maps_next_line(&l)) {
		parse_hex(l.line, &start);
		at = strstr(l.line, pci);
		if (at && strncmp(at + strlen(pci), RESOURCE, strlen(RESOURCE)) == 0 &&
		    knit_sigbus_match(l.line, start, &start, &end))
			range_replace(&(struct range){ start, end });
	}
	close(l.fd);
}
