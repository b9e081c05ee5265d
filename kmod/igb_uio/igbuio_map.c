// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/io.h>
#include <linux/security.h>

/* A mapping's number: the device's serial and the index of the map. */
#define ID_MAPS 8
static_assert(MAX_UIO_MAPS <= ID_MAPS);

/* A BAR smaller than a page begins somewhere inside one: addr is the page, offs where in it. */
static void add_map(struct igbuio_dev *d, unsigned int bar)
{
	bool prefetch = pci_resource_flags(d->pdev, bar) & IORESOURCE_PREFETCH;
	resource_size_t start = pci_resource_start(d->pdev, bar);
	struct uio_mem *mem;

	if (d->n_maps == MAX_UIO_MAPS) {
		dev_warn(&d->pdev->dev, "BAR %u is not mapped: uio has room for %d\n", bar,
			 MAX_UIO_MAPS);
		return;
	}
	mem = &d->info.mem[d->n_maps];
	mem->name = d->names[bar];
	mem->addr = start & PAGE_MASK;
	mem->offs = start & ~PAGE_MASK;
	mem->size = pci_resource_len(d->pdev, bar);
	mem->memtype = UIO_MEM_PHYS;
	d->maps[d->n_maps++].kind =
		igbuio_params.wc_activate && prefetch ? IGBUIO_BAR_WC : IGBUIO_BAR;
}

static void add_port(struct igbuio_dev *d, unsigned int bar)
{
	struct uio_port *port;

	if (d->n_ports == MAX_UIO_PORT_REGIONS) {
		dev_warn(&d->pdev->dev, "BAR %u is not listed: uio has room for %d\n", bar,
			 MAX_UIO_PORT_REGIONS);
		return;
	}
	port = &d->info.port[d->n_ports++];
	port->name = d->names[bar];
	port->start = pci_resource_start(d->pdev, bar);
	port->size = pci_resource_len(d->pdev, bar);
	port->porttype = UIO_PORT_X86;
}

int igbuio_bars_init(struct igbuio_dev *d)
{
	unsigned int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		snprintf(d->names[bar], sizeof(d->names[bar]), "BAR%u", bar);
		if (!pci_resource_len(d->pdev, bar) || !pci_resource_start(d->pdev, bar))
			continue;
		if (pci_resource_flags(d->pdev, bar) & IORESOURCE_MEM)
			add_map(d, bar);
		else if (pci_resource_flags(d->pdev, bar) & IORESOURCE_IO)
			add_port(d, bar);
	}
	igbuio_mmap_callback(&d->info) = igbuio_mmap;
	return 0;
}

static unsigned long map_pfn(const struct igbuio_dev *d, unsigned long index, unsigned long page)
{
	if (d->maps[index].kind == IGBUIO_DMA)
		return igbuio_dma_pfn(d, page);
	return (d->info.mem[index].addr >> PAGE_SHIFT) + page;
}

static vm_fault_t map_insert_page(struct igbuio_dev *d, unsigned long index, struct vm_fault *vmf)
{
	const struct uio_mem *mem = &d->info.mem[index];
	unsigned long page = vmf->pgoff - index; /* uio: the offset of a mapping is the map */

	if (page >= PAGE_ALIGN(mem->offs + mem->size) >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address & PAGE_MASK, map_pfn(d, index, page));
}

static vm_fault_t on_fault(struct vm_fault *vmf)
{
	unsigned long id = (unsigned long)vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	struct igbuio_dev *d;

	if (security_locked_down(LOCKDOWN_PCI_ACCESS))
		return ret;
	mutex_lock(&igbuio_lock);
	d = igbuio_find(id / ID_MAPS);
	if (d)
		ret = map_insert_page(d, id % ID_MAPS, vmf);
	mutex_unlock(&igbuio_lock);
	return ret;
}

static const struct vm_operations_struct mapping_ops = {
	.fault = on_fault,
};

/*
 * On x86 the kernel keeps one way of caching for each physical page: who inserts a page gets what
 * is reserved, and uncached if nothing is.
 */
static int reserve_wc(struct igbuio_dev *d, unsigned long index)
{
	const struct uio_mem *mem = &d->info.mem[index];
	int err;

	if (d->maps[index].wc_reserved)
		return 0;
	err = arch_io_reserve_memtype_wc(mem->addr, PAGE_ALIGN(mem->offs + mem->size));
	d->maps[index].wc_reserved = !err;
	return err;
}

void igbuio_unreserve_wc(struct igbuio_dev *d)
{
	const struct uio_mem *mem;
	unsigned int i;

	for (i = 0; i < d->n_maps; i++) {
		mem = &d->info.mem[i];
		if (d->maps[i].wc_reserved)
			arch_io_free_memtype_wc(mem->addr, PAGE_ALIGN(mem->offs + mem->size));
		d->maps[i].wc_reserved = false;
	}
}

static int set_caching(struct igbuio_dev *d, unsigned long index, pgprot_t *prot)
{
	switch (d->maps[index].kind) {
	case IGBUIO_DMA:
		*prot = pgprot_decrypted(*prot);
		return 0;
	case IGBUIO_BAR_WC:
		*prot = pgprot_writecombine(*prot);
		return reserve_wc(d, index);
	default:
		*prot = pgprot_noncached(*prot);
		return 0;
	}
}

/* Only whole pages can be mapped, and another device's registers may be in the rest of one. */
static bool shares_page(const struct uio_mem *mem)
{
	return mem->offs || !PAGE_ALIGNED(mem->size);
}

/* uio has checked the index and the length. A private mapping would be a copy of registers. */
int igbuio_mmap(struct uio_info *info, struct igbuio_mapping *m)
{
	struct igbuio_dev *d = container_of(info, struct igbuio_dev, info);
	unsigned long index = igbuio_pgoff(m);
	int err;

	if (igbuio_is_cow(m) || index >= d->n_maps)
		return -EINVAL;
	if (shares_page(&info->mem[index]))
		return -EACCES;
	err = security_locked_down(LOCKDOWN_PCI_ACCESS);
	if (err)
		return err;
	mutex_lock(&igbuio_lock);
	err = -ENODEV;
	if (!list_empty(&d->node))
		err = set_caching(d, index, igbuio_prot(m));
	if (!err)
		igbuio_set_mapping(m, &mapping_ops, d->serial * ID_MAPS + index);
	mutex_unlock(&igbuio_lock);
	return err;
}
