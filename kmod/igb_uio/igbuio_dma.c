// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

/*
 * The DMA region: for devices without buffer memory of their own, whose drivers in user space need
 * some that is contiguous on the bus and stays where it is. It lives as long as the device is
 * bound, not only as long as its file is open. User space maps it cached, as the kernel does where
 * devices take part in the caches: on every x86.
 */

int igbuio_dma_init(struct igbuio_dev *d)
{
	size_t size = igbuio_params.dma_size;
	struct uio_mem *mem;

	if (!size)
		return 0;
	if (d->n_maps == MAX_UIO_MAPS) {
		dev_err(&d->pdev->dev, "no room for a DMA region: the BARs take all %d maps\n",
			MAX_UIO_MAPS);
		return -ENOSPC;
	}
	if (!dev_is_dma_coherent(&d->pdev->dev)) {
		dev_err(&d->pdev->dev, "no DMA region: the device does not see the CPU's caches\n");
		return -EOPNOTSUPP;
	}
	d->dma = dma_alloc_coherent(&d->pdev->dev, size, &d->dma_bus, GFP_KERNEL);
	if (!d->dma) {
		dev_err(&d->pdev->dev, "no memory for a DMA region of %zu bytes\n", size);
		return -ENOMEM;
	}
	mem = &d->info.mem[d->n_maps];
	mem->name = "dma";
	mem->addr = d->dma_bus;
	mem->size = size;
	mem->memtype = UIO_MEM_PHYS;
	d->maps[d->n_maps++].kind = IGBUIO_DMA;
	return 0;
}

void igbuio_dma_exit(struct igbuio_dev *d)
{
	if (d->dma)
		dma_free_coherent(&d->pdev->dev, igbuio_params.dma_size, d->dma, d->dma_bus);
}

/* Behind an IOMMU the pages may come from anywhere, mapped in a row. */
unsigned long igbuio_dma_pfn(const struct igbuio_dev *d, unsigned long page)
{
	void *at = d->dma + page * PAGE_SIZE;

	return is_vmalloc_addr(at) ? vmalloc_to_pfn(at) : page_to_pfn(virt_to_page(at));
}

static ssize_t phys_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct igbuio_dev *d = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%pad\n", &d->dma_bus);
}
static DEVICE_ATTR_RO(phys);

/* The kernel adds it after the probe and takes it away before the remove. */
static umode_t attr_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	const struct igbuio_dev *d = dev_get_drvdata(kobj_to_dev(kobj));

	return d && d->dma ? attr->mode : 0;
}

static struct attribute *attrs[] = {
	&dev_attr_phys.attr,
	NULL,
};

static const struct attribute_group group = {
	.attrs = attrs,
	.is_visible = attr_visible,
};

const struct attribute_group *igbuio_groups[] = {
	&group,
	NULL,
};
