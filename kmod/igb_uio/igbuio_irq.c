// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/interrupt.h>

static const unsigned int irq_flags[] = {
	[IGBUIO_MSIX] = PCI_IRQ_MSIX,
	[IGBUIO_MSI] = PCI_IRQ_MSI,
	[IGBUIO_LEGACY] = PCI_IRQ_INTX,
	[IGBUIO_NONE] = 0,
};

/*
 * A legacy line is shared: the device is asked whether it pulls it, and masked until user space
 * has served it. Messages are nobody else's, and come once.
 */
static irqreturn_t on_irq(int irq, struct uio_info *info)
{
	struct igbuio_dev *d = container_of(info, struct igbuio_dev, info);

	if (d->mode == IGBUIO_LEGACY && !pci_check_and_mask_intx(d->pdev))
		return IRQ_NONE;
	return IRQ_HANDLED;
}

/*
 * A message that comes while its irq is disabled is kept by the kernel and delivered when it is
 * enabled, and a legacy line stays pulled: nothing is lost by masking.
 */
int igbuio_irq_control(struct uio_info *info, s32 on)
{
	struct igbuio_dev *d = container_of(info, struct igbuio_dev, info);

	if (d->mode == IGBUIO_LEGACY) {
		pci_intx(d->pdev, !!on);
	} else if (d->mode != IGBUIO_NONE && d->masked == !!on) {
		d->masked = !on;
		if (on)
			enable_irq(info->irq);
		else
			disable_irq(info->irq);
	}
	return 0;
}

/* Without the mask bit of PCI 2.3 a legacy line could not be shared. */
static bool try_mode(struct igbuio_dev *d, enum igbuio_mode mode)
{
	if (mode == IGBUIO_LEGACY && (!d->pdev->irq || !pci_intx_mask_supported(d->pdev)))
		return false;
	return pci_alloc_irq_vectors(d->pdev, 1, 1, irq_flags[mode]) == 1;
}

int igbuio_irq_init(struct igbuio_dev *d)
{
	enum igbuio_mode mode = igbuio_params.intr_mode;

	while (mode < IGBUIO_NONE && !try_mode(d, mode))
		mode++;
	d->mode = mode;
	if (mode != igbuio_params.intr_mode)
		dev_warn(&d->pdev->dev, "has no interrupts of mode %s: takes %s\n",
			 igbuio_mode_name(igbuio_params.intr_mode), igbuio_mode_name(mode));
	if (mode == IGBUIO_NONE) {
		d->info.irq = UIO_IRQ_NONE;
		return 0;
	}
	d->info.irq = pci_irq_vector(d->pdev, 0);
	d->info.irq_flags = mode == IGBUIO_LEGACY ? IRQF_SHARED : 0;
	d->info.handler = on_irq;
	d->info.irqcontrol = igbuio_irq_control;
	return 0;
}

void igbuio_irq_exit(struct igbuio_dev *d)
{
	if (d->mode != IGBUIO_NONE)
		pci_free_irq_vectors(d->pdev);
}
