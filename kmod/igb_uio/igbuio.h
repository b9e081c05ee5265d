/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IGBUIO_H
#define IGBUIO_H

#include "igbuio_compat.h"

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uio_driver.h>

/*
 * igb_uio: PCI devices for drivers in user space, without an IOMMU. Whoever may open /dev/uioN can
 * make the device read and write all memory: root only, and not under lockdown.
 *
 * DPDK's EAL looks for the driver's name, takes registers from the device's own sysfs files
 * (resource0 ...), and /dev/uioN for interrupts: 4 bytes read are a count of events, a written
 * 1 or 0 unmasks or masks. Other programs find all of it below /sys/class/uio/uioN.
 *
 * BARs are not requested: with CONFIG_IO_STRICT_DEVMEM the kernel refuses to map a requested one
 * through sysfs. They are not mapped by the kernel either: user space may choose how they are
 * cached.
 *
 * What if the device goes while its file is open and mapped? Pages are put into mappings when they
 * are touched, under igbuio_lock, after the device was found by the serial number that the mapping
 * holds. Remove takes the device off the list and then takes all pages out of all mappings of its
 * inodes, before it frees the DMA region; who touches one after that gets SIGBUS. A mapping never
 * points to struct igbuio_dev, so neither needs to outlive the other.
 *
 * What if processes were killed? The device remembers what they told it: rings in memory that
 * belongs to others now. It may reach memory (bus mastering) only while its file is open, and is
 * reset at the first open, before that; and when it is removed, for the driver that comes next.
 *
 * Locks: the file's (uio's info_lock) or mmap_lock, then igbuio_lock. The device's own (of the PCI
 * core) comes before all of them, in probe and remove; open, which resets, therefore only tries it.
 */

enum igbuio_mode {
	IGBUIO_MSIX,
	IGBUIO_MSI,
	IGBUIO_LEGACY,
	IGBUIO_NONE, /* not to be asked for: what is left if nothing else works */
};

struct igbuio_params {
	enum igbuio_mode intr_mode;
	size_t dma_size; /* bytes of each device's DMA region, 0: none */
	bool wc_activate;
};
extern struct igbuio_params igbuio_params;
int igbuio_params_parse(void); /* at load */
const char *igbuio_mode_name(enum igbuio_mode mode);

enum igbuio_kind {
	IGBUIO_BAR,    /* uncached */
	IGBUIO_BAR_WC, /* write-combining */
	IGBUIO_DMA,    /* memory, cached */
};

struct igbuio_map {
	enum igbuio_kind kind;
	bool wc_reserved; /* for as long as the file is open */
};

/* An inode of the device's node that is open, most often the one in /dev. */
struct igbuio_inode {
	struct list_head node;
	struct inode *inode;
	unsigned int files;
};

struct igbuio_dev {
	struct uio_info info;
	struct pci_dev *pdev;
	struct igbuio_map maps[MAX_UIO_MAPS];
	char names[PCI_STD_NUM_BARS][8];
	unsigned int n_maps;
	unsigned int n_ports;
	enum igbuio_mode mode;
	bool masked; /* MSI and MSI-X; irqcontrol, open and release: one at a time */
	void *dma;
	dma_addr_t dma_bus;

	/* Under igbuio_lock */
	struct list_head node;	 /* in igbuio_devices; empty: removed, or not there yet */
	struct list_head inodes; /* struct igbuio_inode */
	unsigned long serial;	 /* of all devices ever probed */
	unsigned int files;
};

/* igbuio_dev.c: the devices that can be opened and mapped */
extern struct mutex igbuio_lock;
void igbuio_publish(struct igbuio_dev *d);
struct igbuio_dev *igbuio_find(unsigned long serial); /* igbuio_lock held. NULL: removed */

/*
 * igbuio_file.c: callbacks of uio, one at a time for a device. The first open resets the device and
 * taints the kernel; -EAGAIN: it is being bound, removed or reset just now, -ENODEV: it was
 * removed, -EPERM: the kernel is locked down.
 */
int igbuio_open(struct uio_info *info, struct inode *inode);
int igbuio_release(struct uio_info *info, struct inode *inode);
/* The device's lock held, may sleep. One that has no way to be reset or is gone stays as it is. */
void igbuio_reset(struct igbuio_dev *d);
/* From here on it can't, and nothing of it is mapped any more. */
void igbuio_revoke(struct igbuio_dev *d);
/* After uio has forgotten the device. */
void igbuio_forget_inodes(struct igbuio_dev *d);

/* igbuio_irq.c: fills in info.irq and what belongs to it. 0, for no mode at all too, or -errno */
int igbuio_irq_init(struct igbuio_dev *d);
void igbuio_irq_exit(struct igbuio_dev *d);
int igbuio_irq_control(struct uio_info *info, s32 on);

/* igbuio_map.c: fills in info.mem and info.port */
int igbuio_bars_init(struct igbuio_dev *d);
/* -EACCES: a BAR that is not whole pages; -EPERM: the kernel is locked down. */
int igbuio_mmap(struct uio_info *info, struct igbuio_mapping *m);
/* igbuio_lock held, nothing is mapped any more. */
void igbuio_unreserve_wc(struct igbuio_dev *d);

/* igbuio_dma.c: the DMA region, one more of info.mem, and its attribute `phys` */
#define IGBUIO_DMA_MAX (4 << 20)
int igbuio_dma_init(struct igbuio_dev *d);
void igbuio_dma_exit(struct igbuio_dev *d);
unsigned long igbuio_dma_pfn(const struct igbuio_dev *d, unsigned long page);
extern const struct attribute_group *igbuio_groups[];

#endif
