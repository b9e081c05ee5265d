// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"
#include "bind_why.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLASS_STORAGE 0x01
#define CLASS_NETWORK 0x02
#define CLASS_BRIDGE 0x06
#define NOIOMMU "/module/vfio/parameters/enable_unsafe_noiommu_mode"

static unsigned int base_class(const struct knit_pci *dev)
{
	return dev->class >> 16;
}

const char *knit_pci_kind(const struct knit_pci *dev)
{
	static const char *const kinds[] = {
		[0x00] = "device of an old kind",
		[CLASS_STORAGE] = "disk controller",
		[CLASS_NETWORK] = "network controller",
		[0x03] = "graphics controller",
		[0x04] = "multimedia controller",
		[0x05] = "memory controller",
		[CLASS_BRIDGE] = "bridge",
		[0x07] = "communication controller",
		[0x08] = "system peripheral",
		[0x09] = "input device",
		[0x0b] = "processor",
		[0x0c] = "serial bus controller",
		[0x0d] = "wireless controller",
		[0x10] = "encryption controller",
		[0x12] = "accelerator",
	};
	unsigned int base = base_class(dev);

	if (dev->bridge)
		return kinds[CLASS_BRIDGE];
	if (base < sizeof(kinds) / sizeof(kinds[0]) && kinds[base])
		return kinds[base];
	return "device of another kind";
}

bool knit_bind_is_user(const char *driver)
{
	return strcmp(driver, KNIT_VFIO_PCI) == 0 || strcmp(driver, KNIT_IGB_UIO) == 0 ||
	       strcmp(driver, KNIT_UIO_GENERIC) == 0;
}

bool knit_bind_is_vfio(const char *driver)
{
	static const char variant[] = "vfio_pci";
	size_t len = strlen(driver);

	return strcmp(driver, KNIT_VFIO_PCI) == 0 ||
	       (len >= strlen(variant) && strcmp(driver + len - strlen(variant), variant) == 0);
}

int knit_bind_check_kind(const struct knit_pci *dev, struct knit_bind_why *why)
{
	memset(why, 0, sizeof(*why));
	if (!dev->bridge && base_class(dev) == CLASS_NETWORK)
		return 0;
	SAY(why, "%s is a %s (class %06x), not a network controller", dev->name, knit_pci_kind(dev),
	    dev->class);
	REMEDY(why, "knit-bind lists the network controllers of this machine");
	return -EINVAL;
}

bool knit_bind_have_driver(const char *driver, struct knit_bind_why *why)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/drivers/%s", knit_bind_where.sys, driver);
	if (access(path, F_OK) == 0)
		return true;
	SAY(why, "driver %s is not loaded", driver);
	REMEDY(why, "modprobe %s%s", driver,
	       strcmp(driver, KNIT_IGB_UIO) == 0
		       ? " (where it is not installed: make kmod-install, or DKMS)"
		       : "");
	snprintf(why->module, sizeof(why->module), "%s", driver);
	return false;
}

int knit_bind_noiommu(void)
{
	char path[PATH_MAX], text[8];
	int ret;

	snprintf(path, sizeof(path), "%s" NOIOMMU, knit_bind_where.sys);
	ret = knit_sysfs_read(path, text, sizeof(text));
	return ret < 0 ? ret : text[0] == 'Y';
}

int knit_bind_set_noiommu(bool on)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" NOIOMMU, knit_bind_where.sys);
	return knit_sysfs_write(path, on ? "Y" : "N");
}

int knit_bind_noiommu_user(char name[KNIT_PCI_NAME])
{
	struct knit_pci *devs;
	int i, n = knit_pci_scan(&devs), found = 0;

	if (n < 0)
		return n;
	for (i = 0; i < n && !found; i++) {
		if (!devs[i].noiommu)
			continue;
		memcpy(name, devs[i].name, KNIT_PCI_NAME);
		found = 1;
	}
	free(devs);
	return found;
}
