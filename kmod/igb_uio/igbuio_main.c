// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/security.h>
#include <linux/slab.h>

/* PCI bridges forward other devices' traffic; their BARs and interrupts are the kernel's. */
static int check_device(const struct pci_dev *pdev)
{
	if (pdev->hdr_type == PCI_HEADER_TYPE_NORMAL && pdev->class >> 16 != PCI_BASE_CLASS_BRIDGE)
		return 0;
	dev_err(&pdev->dev, "a bridge, not a device\n");
	return -ENODEV;
}

static int set_dma_mask(struct pci_dev *pdev)
{
	int err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));

	if (err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(32));
	if (err)
		dev_err(&pdev->dev, "no DMA mask: %d\n", err);
	return err;
}

static struct igbuio_dev *new_device(struct pci_dev *pdev)
{
	struct igbuio_dev *d = kzalloc(sizeof(*d), GFP_KERNEL);

	if (!d)
		return NULL;
	d->pdev = pdev;
	d->info.name = KBUILD_MODNAME;
	d->info.version = KNIT_VERSION;
	d->info.open = igbuio_open;
	d->info.release = igbuio_release;
	INIT_LIST_HEAD(&d->node);
	INIT_LIST_HEAD(&d->inodes);
	return d;
}

/*
 * uio has the device's file before it has the irq, which an open and close would switch off before
 * it is requested: so they fail until both are there.
 */
static int register_uio(struct igbuio_dev *d)
{
	int err = uio_register_device(&d->pdev->dev, &d->info);

	if (err)
		dev_err(&d->pdev->dev, "no uio device: %d\n", err);
	else
		igbuio_publish(d);
	return err;
}

static int igbuio_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct igbuio_dev *d;
	int err;

	err = check_device(pdev);
	if (err)
		return err;
	d = new_device(pdev);
	if (!d)
		return -ENOMEM;
	err = pci_enable_device(pdev);
	if (err)
		goto err_free;
	/* What drove it before may have left it on. */
	pci_clear_master(pdev);
	err = set_dma_mask(pdev);
	if (err)
		goto err_disable;
	err = igbuio_bars_init(d);
	if (err)
		goto err_disable;
	err = igbuio_dma_init(d);
	if (err)
		goto err_disable;
	err = igbuio_irq_init(d);
	if (err)
		goto err_dma_exit;
	pci_set_drvdata(pdev, d);
	err = register_uio(d);
	if (err)
		goto err_irq_exit;
	dev_info(&pdev->dev, "uio%d: %u maps, %u port regions, interrupts: %s (%ld)\n",
		 d->info.uio_dev->minor, d->n_maps, d->n_ports, igbuio_mode_name(d->mode),
		 d->info.irq);
	return 0;

err_irq_exit:
	pci_set_drvdata(pdev, NULL);
	igbuio_irq_exit(d);
err_dma_exit:
	igbuio_dma_exit(d);
err_disable:
	pci_disable_device(pdev);
err_free:
	kfree(d);
	return err;
}

/*
 * Unreachable first: igbuio_revoke and uio. The device must not write into memory that is freed,
 * neither now nor when its next driver lets it reach memory, which may be before that resets it.
 */
static void igbuio_remove(struct pci_dev *pdev)
{
	struct igbuio_dev *d = pci_get_drvdata(pdev);

	igbuio_revoke(d);
	uio_unregister_device(&d->info);
	igbuio_forget_inodes(d);
	pci_clear_master(pdev);
	igbuio_irq_exit(d);
	igbuio_reset(d);
	igbuio_dma_exit(d);
	pci_disable_device(pdev);
	pci_set_drvdata(pdev, NULL);
	kfree(d);
}

/* It drives what it is told to: driver_override, or new_id. */
static const struct pci_device_id igbuio_ids[] = { { 0 } };

static struct pci_driver igbuio_driver = {
	.name = KBUILD_MODNAME,
	.id_table = igbuio_ids,
	.probe = igbuio_probe,
	.remove = igbuio_remove,
	.igbuio_dev_groups = igbuio_groups,
};

static int __init igbuio_load(void)
{
	int err;

	err = security_locked_down(LOCKDOWN_PCI_ACCESS);
	if (err) {
		pr_err("the kernel is locked down: devices can't be given to user space\n");
		return err;
	}
	err = igbuio_params_parse();
	if (err)
		return err;
	err = pci_register_driver(&igbuio_driver);
	if (err)
		return err;
	pr_info("loaded: interrupts %s first\n", igbuio_mode_name(igbuio_params.intr_mode));
	return 0;
}

static void __exit igbuio_unload(void)
{
	pci_unregister_driver(&igbuio_driver);
}

module_init(igbuio_load);
module_exit(igbuio_unload);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("knit");
MODULE_DESCRIPTION("PCI devices for drivers in user space");
MODULE_VERSION(KNIT_VERSION);
