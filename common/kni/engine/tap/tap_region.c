// SPDX-License-Identifier: BSD-3-Clause
#include "tap_region.h"

#define KNIT_LOGTYPE knit_log_tap
#include "kni/base/log.h"

#include <rte_cycles.h>
#include <rte_memory.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define CALLBACK_NAME "knit-tap-region"
/* An engine's pass takes far less. After that the old table is leaked, not freed. */
#define GRACE_SECONDS 1

static const struct knit_region_table empty_table;
static const struct knit_region_table *current = &empty_table;
static struct knit_region_reader *readers;
static unsigned int users;
static pthread_mutex_t region_lock = PTHREAD_MUTEX_INITIALIZER;

static struct knit_region_table *region_table_new(uint32_t n)
{
	return malloc(sizeof(struct knit_region_table) + n * sizeof(struct knit_region));
}

struct knit_region_table *knit_region_add(const struct knit_region_table *t, uint64_t start,
					  uint64_t end)
{
	struct knit_region_table *out = region_table_new(t->n + 1);
	uint32_t i = 0;

	if (out == NULL)
		return NULL;
	out->n = 0;
	for (; i < t->n && t->r[i].end < start; i++)
		out->r[out->n++] = t->r[i];
	for (; i < t->n && t->r[i].start <= end; i++) { /* overlaps or touches: swallow */
		start = RTE_MIN(start, t->r[i].start);
		end = RTE_MAX(end, t->r[i].end);
	}
	out->r[out->n++] = (struct knit_region){ .start = start, .end = end };
	for (; i < t->n; i++)
		out->r[out->n++] = t->r[i];
	return out;
}

struct knit_region_table *knit_region_del(const struct knit_region_table *t, uint64_t start,
					  uint64_t end)
{
	struct knit_region_table *out = region_table_new(t->n + 1);
	struct knit_region r;
	uint32_t i;

	if (out == NULL)
		return NULL;
	out->n = 0;
	for (i = 0; i < t->n; i++) {
		r = t->r[i];
		if (r.end <= start || r.start >= end) {
			out->r[out->n++] = r;
			continue;
		}
		if (r.start < start)
			out->r[out->n++] = (struct knit_region){ r.start, start };
		if (r.end > end)
			out->r[out->n++] = (struct knit_region){ end, r.end };
	}
	return out;
}

int knit_region_find(const struct knit_region_table *t, uint64_t addr, uint32_t len)
{
	uint32_t low = 0, high = t->n, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (t->r[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->n || addr < t->r[low].start || len > t->r[low].end - addr)
		return -1;
	return low;
}

static bool in_use(const struct knit_region_table *t)
{
	const struct knit_region_reader *r;

	for (r = readers; r; r = r->next)
		if (__atomic_load_n(&r->table, __ATOMIC_ACQUIRE) == t)
			return true;
	return false;
}

/*
 * With region_lock. Pairs with knit_region_enter: either it sees the new table or we see it use
 * the old.
 */
static void region_table_replace(const struct knit_region_table *new)
{
	const struct knit_region_table *old = current;
	uint64_t deadline = rte_get_timer_cycles() + GRACE_SECONDS * rte_get_timer_hz();

	__atomic_store_n(&current, new, __ATOMIC_RELEASE);
	knit_mb();
	if (old == &empty_table)
		return;
	while (in_use(old)) {
		if (rte_get_timer_cycles() > deadline) {
			log_err("an engine thread still uses memory that EAL has changed");
			return;
		}
		sched_yield();
	}
	free((void *)(uintptr_t)old);
}

/*
 * EAL holds its memory lock for writing here: nothing below may allocate from or walk EAL memory.
 */
static void region_on_mem_event(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	struct knit_region_table *t;
	uint64_t start = (uintptr_t)addr;

	pthread_mutex_lock(&region_lock);
	if (type == RTE_MEM_EVENT_ALLOC)
		t = knit_region_add(current, start, start + len);
	else
		t = knit_region_del(current, start, start + len);
	if (t)
		region_table_replace(t);
	else
		log_err("no memory to note that EAL changed %zu bytes at %p", len, addr);
	pthread_mutex_unlock(&region_lock);
}

static int on_contig(const struct rte_memseg_list *msl, const struct rte_memseg *ms, size_t len,
		     void *arg)
{
	region_on_mem_event(RTE_MEM_EVENT_ALLOC, ms->addr, len, arg);
	return 0;
}

/* region_lock nests inside EAL's memory lock, so it is not held around calls into EAL. */
int knit_region_init(void)
{
	unsigned int before;
	int ret;

	pthread_mutex_lock(&region_lock);
	before = users++;
	pthread_mutex_unlock(&region_lock);
	if (before)
		return 0;
	ret = rte_mem_event_callback_register(CALLBACK_NAME, region_on_mem_event, NULL);
	if (ret < 0 && rte_errno != ENOTSUP) { /* ENOTSUP: legacy memory never changes */
		ret = -rte_errno;
		log_err("follow EAL's memory: %s", rte_strerror(rte_errno));
		pthread_mutex_lock(&region_lock);
		users--;
		pthread_mutex_unlock(&region_lock);
		return ret;
	}
	rte_memseg_contig_walk(on_contig, NULL);
	return 0;
}

void knit_region_fini(void)
{
	bool last;

	pthread_mutex_lock(&region_lock);
	last = users > 0 && --users == 0;
	pthread_mutex_unlock(&region_lock);
	if (!last)
		return;
	rte_mem_event_callback_unregister(CALLBACK_NAME, NULL);
	pthread_mutex_lock(&region_lock);
	region_table_replace(&empty_table);
	pthread_mutex_unlock(&region_lock);
}

void knit_region_register(struct knit_region_reader *reader)
{
	reader->table = NULL;
	pthread_mutex_lock(&region_lock);
	reader->next = readers;
	readers = reader;
	pthread_mutex_unlock(&region_lock);
}

void knit_region_unregister(struct knit_region_reader *reader)
{
	struct knit_region_reader **p;

	pthread_mutex_lock(&region_lock);
	for (p = &readers; *p; p = &(*p)->next) {
		if (*p == reader) {
			*p = reader->next;
			break;
		}
	}
	pthread_mutex_unlock(&region_lock);
}

void knit_region_enter(struct knit_region_reader *reader)
{
	const struct knit_region_table *t = __atomic_load_n(&current, __ATOMIC_ACQUIRE);

	if (reader->table == t)
		return;
	for (;;) {
		__atomic_store_n(&reader->table, t, __ATOMIC_RELAXED);
		knit_mb(); /* as replace: store, then look again */
		if (__atomic_load_n(&current, __ATOMIC_ACQUIRE) == t)
			return;
		t = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
	}
}

void knit_region_leave(struct knit_region_reader *reader)
{
	__atomic_store_n(&reader->table, NULL, __ATOMIC_RELEASE);
}
