// SPDX-License-Identifier: BSD-3-Clause
#include "watch.h"

#include <rte_bitops.h>

#include <string.h>

uint32_t knit_watch_ring_bytes(const struct knit_config *c)
{
	return RTE_MAX(rte_align32pow2(c->watch.buffer << 10), KNIT_WATCH_RING_MIN);
}

static size_t ring_size(const struct knit_config *c)
{
	return RTE_ALIGN_CEIL(sizeof(struct knit_watch_ring) + knit_watch_ring_bytes(c),
			      RTE_CACHE_LINE_SIZE);
}

static size_t head_size(void)
{
	return RTE_ALIGN_CEIL(sizeof(struct knit_watch), RTE_CACHE_LINE_SIZE);
}

size_t knit_watch_bytes(const struct knit_config *c)
{
	return c->watch.buffer ? head_size() + knit_conf_most_workers(c) * ring_size(c) : 0;
}

void knit_watch_init(struct knit_watch *w, const struct knit_config *c)
{
	unsigned int i;

	w->free_rings = knit_conf_most_workers(c);
	for (i = 0; i < c->n_workers; i++)
		if (c->workers[i].there)
			knit_watch_add(w, c, i);
}

void knit_watch_add(struct knit_watch *w, const struct knit_config *c, unsigned int worker)
{
	struct knit_watch_ring *ring;

	if (w->ring[worker] || w->free_rings == 0)
		return;
	ring = RTE_PTR_ADD(w, head_size() + --w->free_rings * ring_size(c));
	ring->bytes = knit_watch_ring_bytes(c);
	__atomic_store_n(&w->ring[worker], ring, __ATOMIC_RELEASE);
}

uint32_t knit_watch_read(const struct knit_watch *w, struct knit_watch_spec *spec)
{
	uint32_t serial = __atomic_load_n(&w->serial, __ATOMIC_ACQUIRE);

	if (serial == 0)
		return 0;
	*spec = w->spec;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&w->serial, __ATOMIC_RELAXED) != serial)
		return 0;
	return serial;
}

const struct knit_watch_record *knit_watch_next(const struct knit_watch_ring *r, uint32_t bytes,
						uint64_t *tail, uint32_t serial, uint32_t *size)
{
	uint64_t head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	const struct knit_watch_record *record;
	uint32_t at, of;

	if (*tail % 8) {
		*tail = head;
		return NULL;
	}
	while (head - *tail >= 2 * sizeof(uint32_t)) {
		at = *tail & (bytes - 1);
		record = (const struct knit_watch_record *)(const void *)(r->data + at);
		*size = __atomic_load_n(&record->size, __ATOMIC_RELAXED);
		of = __atomic_load_n(&record->serial, __ATOMIC_RELAXED);
		if (head - *tail > bytes || *size < 2 * sizeof(uint32_t) || *size % 8 ||
		    *size > bytes - at || *size > head - *tail) {
			*tail = head;
			return NULL;
		}
		if (of == serial && *size >= sizeof(*record) && *size <= KNIT_WATCH_RECORD_MAX)
			return record;
		*tail += *size;
	}
	return NULL;
}

static bool steps_valid(const struct knit_watch_record *record)
{
	uint32_t i;

	if (record->n_steps > KNIT_WATCH_STEPS)
		return false;
	for (i = 0; i < record->n_steps; i++)
		if (record->steps[i].what >= KNIT_WATCH_WHATS)
			return false;
	return true;
}

bool knit_watch_valid(const struct knit_watch_record *record, uint32_t size, uint32_t n_ports,
		      uint32_t n_ifaces)
{
	if (record->size != size || size < sizeof(*record) ||
	    record->captured > size - sizeof(*record) || record->captured > record->len ||
	    (record->direction != KNIT_WATCH_RX && record->direction != KNIT_WATCH_TX))
		return false;
	return steps_valid(record) &&
	       ((record->end == KNIT_WATCH_PORT && record->index < n_ports) ||
		(record->end == KNIT_WATCH_IFACE && record->index < n_ifaces));
}
