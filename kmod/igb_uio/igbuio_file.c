// SPDX-License-Identifier: GPL-2.0
#include "igbuio.h"

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/security.h>
#include <linux/slab.h>

#define LOCK_TRIES 20
#define LOCK_PAUSE_MS 10

static struct igbuio_inode *find_inode(struct igbuio_dev *d, const struct inode *inode)
{
	struct igbuio_inode *i;

	list_for_each_entry(i, &d->inodes, node)
		if (i->inode == inode)
			return i;
	return NULL;
}

static struct igbuio_inode *get_inode(struct igbuio_dev *d, struct inode *inode)
{
	struct igbuio_inode *i = find_inode(d, inode);

	if (i)
		return i;
	i = kzalloc(sizeof(*i), GFP_KERNEL);
	if (!i)
		return NULL;
	i->inode = inode;
	list_add(&i->node, &d->inodes);
	return i;
}

static void put_inode(struct igbuio_dev *d, const struct inode *inode)
{
	struct igbuio_inode *i = find_inode(d, inode);

	if (!i || --i->files)
		return;
	list_del(&i->node);
	kfree(i);
}

/*
 * The locks of configuration space keep user space from looking at it meanwhile. Others take them
 * in front of the device's own, so they are only tried: who has one already waits for that.
 */
void igbuio_reset(struct igbuio_dev *d)
{
	struct pci_dev *bridge = pci_upstream_bridge(d->pdev);
	bool bridge_locked;
	bool locked;
	int err;

	/* Who waits for one that was pulled to answer may wait for a minute. */
	if (!pci_device_is_present(d->pdev))
		return;
	bridge_locked = bridge && pci_cfg_access_trylock(bridge);
	locked = pci_cfg_access_trylock(d->pdev);
	err = pci_reset_function_locked(d->pdev);
	if (locked)
		pci_cfg_access_unlock(d->pdev);
	if (bridge_locked)
		pci_cfg_access_unlock(bridge);
	if (err)
		dev_notice(&d->pdev->dev, "no reset (%d): it remembers what it was told\n", err);
}

/*
 * The device's lock is only tried, since who removes the device holds it while he waits for this
 * call to end; who binds it holds it until the device is ready.
 */
static int reset_locked(struct igbuio_dev *d)
{
	int tries = LOCK_TRIES;

	while (!device_trylock(&d->pdev->dev)) {
		if (!--tries)
			return -EAGAIN;
		msleep(LOCK_PAUSE_MS);
	}
	igbuio_reset(d);
	device_unlock(&d->pdev->dev);
	return 0;
}

/* The first one starts the device: until now it might not reach memory. */
int igbuio_open(struct uio_info *info, struct inode *inode)
{
	struct igbuio_dev *d = container_of(info, struct igbuio_dev, info);
	struct igbuio_inode *i;
	int err;

	err = security_locked_down(LOCKDOWN_PCI_ACCESS);
	/* Written by these callbacks only, which come one at a time. */
	if (!err && d->files == 0)
		err = reset_locked(d);
	if (err)
		return err;
	mutex_lock(&igbuio_lock);
	if (list_empty(&d->node)) {
		err = -ENODEV;
		goto unlock;
	}
	i = get_inode(d, inode);
	if (!i) {
		err = -ENOMEM;
		goto unlock;
	}
	i->files++;
	if (d->files++ == 0) {
		/* From here on a process can have any memory read and written. */
		add_taint(TAINT_USER, LOCKDEP_STILL_OK);
		pci_set_master(d->pdev);
		igbuio_irq_control(info, 1);
	}
unlock:
	mutex_unlock(&igbuio_lock);
	return err;
}

/*
 * The last one stops the device, however its process ended: it shall not write into memory that
 * belongs to others now. Mappings hold the file, so there are none any more.
 */
int igbuio_release(struct uio_info *info, struct inode *inode)
{
	struct igbuio_dev *d = container_of(info, struct igbuio_dev, info);

	mutex_lock(&igbuio_lock);
	put_inode(d, inode);
	if (--d->files == 0) {
		igbuio_irq_control(info, 0);
		pci_clear_master(d->pdev);
		igbuio_unreserve_wc(d);
	}
	mutex_unlock(&igbuio_lock);
	return 0;
}

/*
 * Inodes in the list are open, and can't go before igbuio_release got the lock. A mapping that is
 * just being made has no pages yet, and its first touch finds no device.
 */
void igbuio_revoke(struct igbuio_dev *d)
{
	struct igbuio_inode *i;

	mutex_lock(&igbuio_lock);
	list_del_init(&d->node);
	list_for_each_entry(i, &d->inodes, node)
		unmap_mapping_range(i->inode->i_mapping, 0, 0, 1);
	igbuio_unreserve_wc(d);
	mutex_unlock(&igbuio_lock);
}

void igbuio_forget_inodes(struct igbuio_dev *d)
{
	struct igbuio_inode *i, *next;

	list_for_each_entry_safe(i, next, &d->inodes, node)
		kfree(i);
}
