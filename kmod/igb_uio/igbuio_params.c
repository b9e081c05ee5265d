// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/module.h>

struct igbuio_params igbuio_params __ro_after_init;

static char *intr_mode = "msix";
module_param(intr_mode, charp, 0444);
MODULE_PARM_DESC(intr_mode, "Interrupts: msix (default), msi or legacy; if a device can't, the "
			    "next of these is taken");

static bool wc_activate;
module_param(wc_activate, bool, 0444);
MODULE_PARM_DESC(wc_activate,
		 "Mappings of prefetchable BARs through /dev/uioN combine writes (default off)");

static unsigned int dma_kib;
module_param(dma_kib, uint, 0444);
MODULE_PARM_DESC(dma_kib, "Coherent memory for each device, its bus address in the attribute "
			  "phys: KiB, up to 4096 (default 0, none)");

const char *igbuio_mode_name(enum igbuio_mode mode)
{
	static const char *const names[] = {
		[IGBUIO_MSIX] = "msix",
		[IGBUIO_MSI] = "msi",
		[IGBUIO_LEGACY] = "legacy",
		[IGBUIO_NONE] = "none",
	};

	return names[mode];
}

int __init igbuio_params_parse(void)
{
	enum igbuio_mode mode = IGBUIO_MSIX;

	while (mode < IGBUIO_NONE && strcmp(intr_mode, igbuio_mode_name(mode)))
		mode++;
	if (mode == IGBUIO_NONE) {
		pr_err("intr_mode=%s: it may be msix, msi or legacy\n", intr_mode);
		return -EINVAL;
	}
	if (dma_kib > IGBUIO_DMA_MAX / 1024) {
		pr_err("dma_kib=%u: at most %d\n", dma_kib, IGBUIO_DMA_MAX / 1024);
		return -EINVAL;
	}
	igbuio_params.intr_mode = mode;
	igbuio_params.dma_size = PAGE_ALIGN((size_t)dma_kib * 1024);
	igbuio_params.wc_activate = wc_activate;
	return 0;
}
