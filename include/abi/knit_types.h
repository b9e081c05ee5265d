/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
#ifndef KNIT_TYPES_H
#define KNIT_TYPES_H

/*
 * What the other ABI headers need from whoever compiles them: fixed-size types, loads and stores
 * that happen exactly once, and barriers. This is the only ABI header that asks which side it is
 * on.
 *
 * The loads and stores work on naturally aligned words, of 64 bits at most, of memory that the
 * other side may change at any instant. Whole structs are read with knit_load_words: a plain copy
 * would leave the compiler free to read a field again after it was checked.
 */

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define KNIT_MAY_ALIAS /* all of the kernel is compiled with -fno-strict-aliasing */
#define knit_load(p) READ_ONCE(*(p))
#define knit_store(p, v) WRITE_ONCE(*(p), (v))
#define knit_load_acquire(p) smp_load_acquire(p)
#define knit_store_release(p, v) smp_store_release((p), (v))
#define knit_mb() smp_mb()
#define knit_rmb() smp_rmb()
#define knit_wmb() smp_wmb()
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define KNIT_MAY_ALIAS __attribute__((__may_alias__))
#define knit_load(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define knit_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define knit_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define knit_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define knit_mb() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define knit_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define knit_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)
#endif

typedef __u64 KNIT_MAY_ALIAS knit_word;

/*
 * Copies four words, 32 bytes, from shared to private memory: reads each once, writes nothing else.
 * Both are aligned to 8 bytes. The four may be of different instants.
 */
static inline void knit_load_words(void *dst, const void *src)
{
	const knit_word *from = (const knit_word *)src;
	knit_word *to = (knit_word *)dst;

	to[0] = knit_load(&from[0]);
	to[1] = knit_load(&from[1]);
	to[2] = knit_load(&from[2]);
	to[3] = knit_load(&from[3]);
}

/* The layout is part of the contract: every offset is asserted wherever the header is compiled. */
#ifdef __cplusplus
#define KNIT_ASSERT(cond, text) static_assert((cond), text)
#else
#define KNIT_ASSERT(cond, text) _Static_assert((cond), text)
#endif
#define KNIT_ASSERT_OFFSET(type, member, off) \
	KNIT_ASSERT(offsetof(type, member) == (off), #type "." #member " must be at offset " #off)
#define KNIT_ASSERT_SIZE(type, size) \
	KNIT_ASSERT(sizeof(type) == (size), "sizeof(" #type ") must be " #size)

#define KNIT_CACHE_LINE 64
#define KNIT_ALIGNED __attribute__((aligned(KNIT_CACHE_LINE)))

#endif
