// SPDX-License-Identifier: BSD-3-Clause
#include "kni_rig.h"

#include <stdlib.h>
#include <string.h>

struct knit_kni_rig knit_rig;

static void make_ring(struct knit_ring *producer, struct knit_ring *consumer)
{
	void *mem = aligned_alloc(64, knit_ring_bytes(KNI_RIG_RING, sizeof(struct knit_desc)));

	ck_assert_ptr_nonnull(mem);
	memset(mem, 0, knit_ring_bytes(KNI_RIG_RING, sizeof(struct knit_desc)));
	knit_ring_bind(producer, mem, KNI_RIG_RING, sizeof(struct knit_desc));
	knit_ring_bind(consumer, mem, KNI_RIG_RING, sizeof(struct knit_desc));
}

static void make_memory(void)
{
	unsigned int i;

	for (i = 0; i < N_PAGES; i++)
		knit_rig.page[i] = calloc(1, PAGE);
	knit_rig.big[0] = calloc(1, 1 << BIG_SHIFT);
	knit_rig.mem = calloc(1, sizeof(*knit_rig.mem) + 2 * sizeof(struct kni_region));
	knit_rig.mem->n = 2;
	knit_rig.mem->r[0] = (struct kni_region){
		.start = SMALL,
		.end = SMALL + N_PAGES * PAGE,
		.shift = 12,
		.pages = N_PAGES,
		.va = knit_rig.page,
	};
	knit_rig.mem->r[1] = (struct kni_region){
		.start = BIG,
		.end = BIG + (1 << BIG_SHIFT),
		.shift = BIG_SHIFT,
		.pages = 1,
		.va = knit_rig.big,
	};
}

void knit_rig_setup(__u32 features, __u32 max_segs)
{
	memset(&knit_rig, 0, sizeof(knit_rig));
	make_ring(&knit_rig.rx_user, &knit_rig.rx_q);
	make_ring(&knit_rig.free_q, &knit_rig.free_user);
	make_ring(&knit_rig.alloc_user, &knit_rig.alloc_q);
	make_ring(&knit_rig.tx_q, &knit_rig.tx_user);
	make_memory();
	knit_rig.iter = (struct kni_iter){
		.rx = { .rx_q = &knit_rig.rx_q, .free_q = &knit_rig.free_q },
		.mem = knit_rig.mem,
		.hint = &knit_rig.hint,
		.features = features,
	};
	knit_rig.txbuf = (struct kni_txbuf){
		.alloc_q = &knit_rig.alloc_q,
		.tx_q = &knit_rig.tx_q,
		.mem = knit_rig.mem,
		.max_segs = max_segs,
		.buffer_len = KNIT_MIN_BUFFER,
	};
}

void knit_rig_teardown(void)
{
	unsigned int i;

	free(knit_rig.rx_q.shm);
	free(knit_rig.free_q.shm);
	free(knit_rig.alloc_q.shm);
	free(knit_rig.tx_q.shm);
	for (i = 0; i < N_PAGES; i++)
		free(knit_rig.page[i]);
	free(knit_rig.big[0]);
	free(knit_rig.mem);
}

__u8 *knit_rig_byte(__u64 addr)
{
	if (addr >= BIG)
		return (__u8 *)knit_rig.big[0] + (addr - BIG);
	return (__u8 *)knit_rig.page[(addr - SMALL) / PAGE] + (addr - SMALL) % PAGE;
}

void knit_rig_push(struct knit_ring *q, struct knit_desc d)
{
	ck_assert_uint_eq(knit_ring_reserve(q, 1), 1);
	d.cookie = knit_rig.next_cookie++;
	*(struct knit_desc *)knit_ring_entry(q, q->prod) = d;
	knit_ring_submit(q, 1);
}

struct knit_desc knit_rig_pull(void)
{
	struct knit_desc d;

	ck_assert_uint_eq(knit_ring_peek(&knit_rig.tx_user, 1), 1);
	knit_desc_load(&d, knit_ring_entry(&knit_rig.tx_user, knit_rig.tx_user.cons));
	knit_ring_release(&knit_rig.tx_user, 1);
	return d;
}

__u32 knit_rig_bytes(const struct kni_run *run, __u32 n)
{
	__u32 sum = 0, i;

	for (i = 0; i < n; i++) {
		MUST(run[i].len > 0);
		sum += run[i].len;
	}
	return sum;
}

void knit_rig_same(const struct kni_run *run, __u32 n, __u64 addr)
{
	__u32 i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < run[i].len; k++)
			MUST((__u8 *)run[i].ptr + k == knit_rig_byte(addr++));
}
