// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define PIN_BATCH 64

struct kni_mem_table {
	struct rcu_head rcu;
	struct kni_region_table t;
};

/* A mapped block: the regions it lies in can't be deleted. */
struct kni_mem_block {
	struct list_head list;
	u64 start;
	u64 end;
};

struct kni_mem {
	struct mm_struct *mm;		   /* counted, but its address space may be gone */
	struct kni_mem_table __rcu *table; /* written under the file's lock */
	struct mutex lock; /* blocks; nothing else is taken, nothing waits with it */
	struct list_head blocks;
};

static struct kni_mem_table *table_of(const struct kni_mem *m)
{
	return rcu_dereference_protected(m->table, true);
}

const struct kni_region_table *kni_mem_table(const struct kni_mem *m)
{
	return &rcu_dereference(m->table)->t;
}

static struct kni_mem_table *table_new(u32 n)
{
	struct kni_mem_table *table;

	table = kvmalloc(struct_size(table, t.r, n), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (table)
		table->t.n = n;
	return table;
}

struct kni_mem *kni_mem_new(void)
{
	struct kni_mem *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	struct kni_mem_table *none = table_new(0);

	if (!m || !none) {
		kvfree(none);
		kfree(m);
		return NULL;
	}
	mmgrab(current->mm);
	m->mm = current->mm;
	RCU_INIT_POINTER(m->table, none);
	mutex_init(&m->lock);
	INIT_LIST_HEAD(&m->blocks);
	return m;
}

bool kni_mem_mine(const struct kni_mem *m)
{
	return m->mm == current->mm;
}

static u64 page_size_of(const struct kni_region *r)
{
	return 1ULL << r->shift;
}

static bool page_fits(struct page *page, u64 page_size)
{
	if (page_size == PAGE_SIZE)
		return kni_page_is_memory(page);
	return kni_page_is_huge(page, page_size);
}

/* Pins up to n pages of r from its page first on. Returns how many. */
static int pin_batch(struct kni_region *r, void **va, u32 first, u32 n)
{
	u64 addr = r->start + ((u64)first << r->shift);
	struct page *pages[PIN_BATCH];
	int got, i;

	got = pin_user_pages_fast(addr, n, FOLL_WRITE | FOLL_LONGTERM, pages);
	if (got <= 0)
		return got ? got : -EFAULT;
	for (i = 0; i < got; i++) {
		if (!page_fits(pages[i], page_size_of(r))) {
			unpin_user_pages(pages, got);
			return -EOPNOTSUPP;
		}
		va[first + i] = page_address(pages[i]);
	}
	return got;
}

static void unpin_first(const struct kni_region *r, u32 n)
{
	struct page *pages[PIN_BATCH];
	u32 done = 0, batch, i;

	while (done < n) {
		batch = min_t(u32, n - done, PIN_BATCH);
		for (i = 0; i < batch; i++)
			pages[i] = virt_to_page(r->va[done + i]);
		unpin_user_pages_dirty_lock(pages, batch, true);
		done += batch;
		cond_resched();
	}
}

static int pin_all(struct kni_region *r, void **va)
{
	u32 done = 0, batch;
	int got;

	while (done < r->pages) {
		/* Consecutive subpages of a hugepage would come otherwise. */
		batch = r->shift == PAGE_SHIFT ? min_t(u32, r->pages - done, PIN_BATCH) : 1;
		got = fatal_signal_pending(current) ? -EINTR : pin_batch(r, va, done, batch);
		if (got < 0) {
			unpin_first(r, done);
			return got;
		}
		done += got;
		cond_resched();
	}
	return 0;
}

static bool is_device_or_file(const struct vm_area_struct *vma)
{
	unsigned long magic;

	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return true;
	if (!vma->vm_file || !(vma->vm_flags & VM_SHARED))
		return false;
	magic = file_inode(vma->vm_file)->i_sb->s_magic;
	return magic != TMPFS_MAGIC && magic != HUGETLBFS_MAGIC;
}

/* Pinning says -EFAULT for all it does not like. The first odd mapping tells more. */
static int why_fault(u64 addr, u64 end)
{
	struct mm_struct *mm = current->mm;
	const struct vm_area_struct *vma;
	int err = -EFAULT;

	mmap_read_lock(mm);
	while (addr < end) {
		vma = find_vma(mm, addr);
		if (!vma || vma->vm_start > addr || !(vma->vm_flags & VM_WRITE))
			break;
		if (is_device_or_file(vma)) {
			err = -EOPNOTSUPP;
			break;
		}
		addr = vma->vm_end;
	}
	mmap_read_unlock(mm);
	return err;
}

static void region_drop(struct kni_mem *m, const struct kni_region *r)
{
	account_locked_vm(m->mm, (r->end - r->start) >> PAGE_SHIFT, false);
	kvfree(r->va);
}

static int region_pin(struct kni_mem *m, struct kni_region *r)
{
	void **va;
	int err;

	err = account_locked_vm(m->mm, (r->end - r->start) >> PAGE_SHIFT, true);
	if (err)
		return err;
	va = kvmalloc_array(r->pages, sizeof(*va),
			    GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	r->va = va;
	err = va ? pin_all(r, va) : -ENOMEM;
	if (err)
		region_drop(m, r);
	return err == -EFAULT ? why_fault(r->start, r->end) : err;
}

static void region_unpin(struct kni_mem *m, const struct kni_region *r)
{
	unpin_first(r, r->pages);
	region_drop(m, r);
}

static int region_init(struct kni_region *r, const struct knit_ioc_mem *mem)
{
	u64 size = mem->page_size;

	if (mem->flags || !is_power_of_2(size) || size < PAGE_SIZE || !mem->len)
		return -EINVAL;
	if ((mem->addr | mem->len) & (size - 1) || mem->addr + mem->len < mem->addr)
		return -EINVAL;
	if (!access_ok((void __user *)(uintptr_t)mem->addr, mem->len))
		return -EFAULT;
	/* before anything is allocated for it */
	if (mem->len >> PAGE_SHIFT > totalram_pages() || mem->len / size > INT_MAX / sizeof(void *))
		return -ENOMEM;
	r->start = mem->addr;
	r->end = mem->addr + mem->len;
	r->shift = ilog2(size);
	r->pages = mem->len / size;
	return 0;
}

/* Where a region belongs, or -EEXIST: it overlaps. */
static int place_of(const struct kni_region_table *t, const struct kni_region *r)
{
	u32 i = 0;

	while (i < t->n && t->r[i].end <= r->start)
		i++;
	return i < t->n && t->r[i].start < r->end ? -EEXIST : (int)i;
}

int kni_mem_add(struct kni_mem *m, const struct knit_ioc_mem *mem)
{
	struct kni_mem_table *old = table_of(m), *table;
	struct kni_region r = {};
	int err, place;

	err = region_init(&r, mem);
	if (err)
		return err;
	place = place_of(&old->t, &r);
	if (place < 0)
		return place;
	if (old->t.n == KNIT_MAX_REGIONS)
		return -ENOSPC;
	table = table_new(old->t.n + 1);
	if (!table)
		return -ENOMEM;
	err = region_pin(m, &r);
	if (err) {
		kvfree(table);
		return err;
	}
	memcpy(table->t.r, old->t.r, place * sizeof(r));
	table->t.r[place] = r;
	memcpy(&table->t.r[place + 1], &old->t.r[place], (old->t.n - place) * sizeof(r));
	rcu_assign_pointer(m->table, table);
	kvfree_rcu(old, rcu);
	return 0;
}

static int index_of(const struct kni_region_table *t, const struct kni_region *r)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		if (t->r[i].start == r->start && t->r[i].end == r->end && t->r[i].shift == r->shift)
			return (int)i;
	return -ENOENT;
}

static bool holds_block(struct kni_mem *m, const struct kni_region *r)
{
	const struct kni_mem_block *block;
	bool holds = false;

	mutex_lock(&m->lock);
	list_for_each_entry(block, &m->blocks, list)
		holds |= block->start < r->end && r->start < block->end;
	mutex_unlock(&m->lock);
	return holds;
}

int kni_mem_del(struct kni_mem *m, const struct knit_ioc_mem *mem)
{
	struct kni_mem_table *old = table_of(m), *table;
	struct kni_region r = {};
	int err, at;

	err = region_init(&r, mem);
	if (err)
		return err;
	at = index_of(&old->t, &r);
	if (at < 0)
		return at;
	if (holds_block(m, &r))
		return -EBUSY;
	table = table_new(old->t.n - 1);
	if (!table)
		return -ENOMEM;
	memcpy(table->t.r, old->t.r, at * sizeof(r));
	memcpy(&table->t.r[at], &old->t.r[at + 1], (old->t.n - at - 1) * sizeof(r));
	r = old->t.r[at];
	rcu_assign_pointer(m->table, table);
	synchronize_rcu();
	region_unpin(m, &r);
	kvfree(old);
	return 0;
}

void kni_mem_free(struct kni_mem *m)
{
	struct kni_mem_table *table = table_of(m);
	u32 i;

	WARN_ON(!list_empty(&m->blocks));
	for (i = 0; i < table->t.n; i++)
		region_unpin(m, &table->t.r[i]);
	kvfree(table);
	mmdrop(m->mm);
	kfree(m);
}

static void *map_pages(const struct kni_region_table *t, u64 start, u32 n)
{
	struct page **pages;
	u32 hint = 0, run, i;
	void *va = NULL;

	pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!pages)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < n; i++) {
		va = kni_region_ptr(t, &hint, start + (u64)i * PAGE_SIZE, PAGE_SIZE, &run);
		if (!va)
			break;
		pages[i] = virt_to_page(va);
	}
	if (va)
		va = vmap(pages, n, VM_MAP, PAGE_KERNEL) ?: ERR_PTR(-ENOMEM);
	else
		va = ERR_PTR(-EADDRNOTAVAIL);
	kvfree(pages);
	return va;
}

void *kni_mem_map(struct kni_mem *m, u64 addr, size_t len)
{
	u64 start = addr & PAGE_MASK, end = PAGE_ALIGN(addr + len);
	struct kni_mem_block *block;
	void *va;

	if (end <= addr)
		return ERR_PTR(-EADDRNOTAVAIL);
	block = kzalloc(sizeof(*block), GFP_KERNEL_ACCOUNT);
	if (!block)
		return ERR_PTR(-ENOMEM);
	va = map_pages(&table_of(m)->t, start, (end - start) >> PAGE_SHIFT);
	if (IS_ERR(va)) {
		kfree(block);
		return va;
	}
	block->start = addr;
	block->end = addr + len;
	mutex_lock(&m->lock);
	list_add(&block->list, &m->blocks);
	mutex_unlock(&m->lock);
	return va + offset_in_page(addr);
}

void kni_mem_unmap(struct kni_mem *m, void *shm, u64 addr, size_t len)
{
	struct kni_mem_block *block;

	vunmap((void *)((uintptr_t)shm & PAGE_MASK));
	mutex_lock(&m->lock);
	list_for_each_entry(block, &m->blocks, list) {
		if (block->start == addr && block->end == addr + len) {
			list_del(&block->list);
			kfree(block);
			break;
		}
	}
	mutex_unlock(&m->lock);
}
