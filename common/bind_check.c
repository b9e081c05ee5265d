// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"

#include <dirent.h>
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

#define SAY(why, ...) snprintf((why)->what, sizeof((why)->what), __VA_ARGS__)
#define REMEDY(why, ...) snprintf((why)->remedy, sizeof((why)->remedy), __VA_ARGS__)

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

static int check_vfio(const struct knit_pci *dev, const struct knit_bind_want *want,
		      struct knit_bind_why *why)
{
	if (dev->group >= 0 && !dev->noiommu)
		return 0;
	if (knit_bind_noiommu() < 0) {
		SAY(why,
		    "%s has no IOMMU, and this kernel's vfio can't do without: it is built without "
		    "CONFIG_VFIO_NOIOMMU",
		    dev->name);
		REMEDY(why, "switch the IOMMU on (firmware; kernel parameter intel_iommu=on), or "
			    "take igb_uio");
		return -EPERM;
	}
	if (want->allow_noiommu)
		return 0;
	SAY(why,
	    "%s has no IOMMU: with vfio-pci it could read and write all memory, whatever the "
	    "program that drives it does wrong",
	    dev->name);
	REMEDY(why, "switch the IOMMU on (firmware; kernel parameter intel_iommu=on), or accept "
		    "that by allow_noiommu = true (knit-bind: --allow-noiommu)");
	return -EPERM;
}

/* A uio driver can't tell the IOMMU which memory the device may use, so it may use none. */
static int check_uio(const struct knit_pci *dev, const struct knit_bind_want *want,
		     struct knit_bind_why *why)
{
	if (dev->group < 0 || strncmp(dev->group_type, "DMA", 3) != 0)
		return 0;
	SAY(why,
	    "%s is behind an IOMMU that translates its addresses (group %d, type %s), and %s "
	    "can't tell it any",
	    dev->name, dev->group, dev->group_type, want->driver);
	REMEDY(why, "take vfio-pci, or boot with the kernel parameter iommu=pt");
	return -EPERM;
}

static bool bound_with(const struct knit_bind_want *want, const char *name)
{
	unsigned int i;

	for (i = 0; i < want->n_with; i++)
		if (strcmp(want->with[i], name) == 0)
			return true;
	return false;
}

/* What vfio lets live in a group that user space has: no driver, its own, and those of bridges. */
static bool disturbs(const struct knit_pci *other)
{
	return other->driver[0] && strncmp(other->driver, "vfio", 4) != 0 &&
	       strcmp(other->driver, "pci-stub") != 0 && strcmp(other->driver, "pcieport") != 0;
}

static int check_group(const struct knit_pci *dev, const struct knit_bind_want *want,
		       struct knit_bind_why *why)
{
	char path[PATH_MAX], name[KNIT_PCI_NAME];
	struct knit_pci other;
	struct dirent *entry;
	int ret = 0;
	DIR *d;

	if (dev->group < 0 || dev->noiommu)
		return 0;
	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%d/devices", knit_bind_where.sys,
		 dev->group);
	d = opendir(path);
	while (d && ret == 0 && (entry = readdir(d)) != NULL) {
		if (!knit_pci_parse(entry->d_name, name) || strcmp(name, dev->name) == 0 ||
		    bound_with(want, name) || knit_pci_look(name, &other) < 0 || !disturbs(&other))
			continue;
		SAY(why, "%s shares IOMMU group %d with %s, which the kernel's %s drives",
		    dev->name, dev->group, name, other.driver);
		REMEDY(why, "bind that one too, or unbind it, or put the card into another slot");
		ret = -EBUSY;
	}
	if (d)
		closedir(d);
	return ret;
}

static int check_one_net(const struct knit_pci *dev, const char *net, struct knit_bind_why *why)
{
	char what[80] = "";
	int ret = knit_bind_net_used(net, what, sizeof(what));

	if (ret <= 0)
		return 0;
	SAY(why, "%s is in use: its interface %s %s", dev->name, net, what);
	REMEDY(why,
	       "ip addr flush dev %s && ip link set %s down; or force = true (knit-bind: "
	       "--force)",
	       net, net);
	return -EBUSY;
}

/* An interface that moved to another network namespace can't be seen from here. */
static int check_nets(const struct knit_pci *dev, const struct knit_bind_want *want,
		      struct knit_bind_why *why)
{
	unsigned int i;
	int ret = 0;

	if (want->force || dev->driver[0] == '\0' || knit_bind_is_user(dev->driver))
		return 0;
	for (i = 0; i < dev->n_nets && ret == 0; i++)
		ret = check_one_net(dev, dev->nets[i], why);
	if (ret < 0 || dev->n_nets > 0)
		return ret;
	SAY(why,
	    "%s may be in use: %s drives it, and it has no interface in this network namespace",
	    dev->name, dev->driver);
	REMEDY(why, "move its interface here (ip link set ... netns), or force = true (knit-bind: "
		    "--force)");
	return -EBUSY;
}

static int check_users(const struct knit_pci *dev, struct knit_bind_why *why)
{
	char comm[32];
	int pid = knit_bind_user(dev, comm, sizeof(comm));

	if (pid == 0)
		return 0;
	SAY(why, "%s is in use: process %d (%s) has it open through %s", dev->name, pid, comm,
	    dev->driver);
	REMEDY(why, "end that process");
	return -EBUSY;
}

int knit_bind_check(const struct knit_pci *dev, const struct knit_bind_want *want,
		    struct knit_bind_why *why)
{
	bool vfio = strcmp(want->driver, KNIT_VFIO_PCI) == 0;
	int ret;

	ret = knit_bind_check_kind(dev, why);
	if (ret == 0 && !want->as_if_loaded && !knit_bind_have_driver(want->driver, why))
		ret = -ENOENT;
	if (ret == 0 && vfio)
		ret = check_vfio(dev, want, why);
	if (ret == 0 && vfio)
		ret = check_group(dev, want, why);
	if (ret == 0 && knit_bind_is_user(want->driver) && !vfio)
		ret = check_uio(dev, want, why);
	if (ret == 0)
		ret = check_nets(dev, want, why);
	if (ret == 0)
		ret = check_users(dev, why);
	return ret;
}
