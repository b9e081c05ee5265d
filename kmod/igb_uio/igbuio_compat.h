/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IGBUIO_COMPAT_H
#define IGBUIO_COMPAT_H

#include <linux/mm.h>
#include <linux/pci.h>

/* Everything that differs between kernels, 5.10 to the newest, as kni/kni_compat.h: see Kbuild. */

#ifndef CONFIG_64BIT
#error "igb_uio needs a 64-bit kernel"
#endif

/* Since 6.8, and the old name is gone since 6.12 */
#ifndef PCI_IRQ_INTX
#define PCI_IRQ_INTX PCI_IRQ_LEGACY
#endif

/* Where the PCI core has one of its own, it overwrites the one below with that. */
#ifdef IGBUIO_HAS_PCI_DEV_GROUPS
#define igbuio_dev_groups dev_groups
#else
#define igbuio_dev_groups driver.dev_groups
#endif

/*
 * What a mapping gets when it is made. Since 7.2 it is a description that becomes a mapping later,
 * and before, the mapping itself.
 */
#ifdef IGBUIO_HAS_MMAP_PREPARE
#define igbuio_mapping vm_area_desc
#define igbuio_mmap_callback(info) ((info)->mmap_prepare)

static inline bool igbuio_is_cow(struct vm_area_desc *m)
{
	return vma_desc_is_cow_mapping(m);
}

static inline unsigned long igbuio_pgoff(const struct vm_area_desc *m)
{
	return m->pgoff;
}

static inline pgprot_t *igbuio_prot(struct vm_area_desc *m)
{
	return &m->page_prot;
}

static inline void igbuio_set_mapping(struct vm_area_desc *m,
				      const struct vm_operations_struct *ops, unsigned long id)
{
	vma_desc_set_flags(m, VMA_IO_BIT, VMA_PFNMAP_BIT, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
	m->vm_ops = ops;
	m->private_data = (void *)id;
}
#else
#define igbuio_mapping vm_area_struct
#define igbuio_mmap_callback(info) ((info)->mmap)

static inline bool igbuio_is_cow(struct vm_area_struct *m)
{
	return (m->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

static inline unsigned long igbuio_pgoff(const struct vm_area_struct *m)
{
	return m->vm_pgoff;
}

static inline pgprot_t *igbuio_prot(struct vm_area_struct *m)
{
	return &m->vm_page_prot;
}

static inline void igbuio_set_mapping(struct vm_area_struct *m,
				      const struct vm_operations_struct *ops, unsigned long id)
{
#ifdef IGBUIO_HAS_VM_FLAGS_SET
	vm_flags_set(m, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
#else
	m->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
#endif
	m->vm_ops = ops;
	m->vm_private_data = (void *)id;
}
#endif

#endif
