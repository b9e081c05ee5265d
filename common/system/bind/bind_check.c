// SPDX-License-Identifier: BSD-3-Clause
#include "bind.h"
#include "bind_sysfs.h"
#include "bind_why.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PCI_STUB "pci-stub"
#define LOCKDOWN "/kernel/security/lockdown" /* "none [integrity] confidentiality" */

/* Before, nobody knows whether it can do without an IOMMU. */
static bool vfio_loaded(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/module/vfio", knit_bind_where.sys);
	return access(path, F_OK) == 0;
}

static int check_vfio(const struct knit_pci *dev, const struct knit_bind_want *want,
		      struct knit_bind_why *why)
{
	if (dev->group >= 0 && !dev->noiommu)
		return 0;
	if (knit_bind_noiommu() < 0 && vfio_loaded()) {
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

/* Then registers and bus mastering are not for user space, but by vfio. */
static int check_lockdown(const struct knit_bind_want *want, struct knit_bind_why *why)
{
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s" LOCKDOWN, knit_bind_where.sys);
	if (knit_sysfs_read(path, text, sizeof(text)) < 0 || !strchr(text, '[') ||
	    strstr(text, "[none]"))
		return 0;
	SAY(why, "the kernel is locked down (%s): %s can't give a device to user space", text,
	    want->driver);
	REMEDY(why, "take vfio-pci with an IOMMU, or boot without lockdown (Secure Boot switches "
		    "it on)");
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
static bool group_member_disturbs(const struct knit_pci *other)
{
	return other->driver[0] && !knit_bind_is_vfio(other->driver) &&
	       strcmp(other->driver, PCI_STUB) != 0 && strcmp(other->driver, "pcieport") != 0;
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
		    bound_with(want, name) || knit_pci_look(name, &other) < 0 ||
		    !group_member_disturbs(&other))
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
	char what[160] = "";
	int ret = knit_bind_net_used(net, what, sizeof(what));

	if (ret == 0)
		return 0;
	if (ret < 0) {
		SAY(why, "%s may be in use: can't find out how its interface %s is used: %s",
		    dev->name, net, strerror(-ret));
		REMEDY(why,
		       "run it in the network namespace that %s shows, or force = true "
		       "(knit-bind: --force)",
		       knit_bind_where.sys);
		return -EBUSY;
	}
	SAY(why, "%s is in use: its interface %s %s", dev->name, net, what);
	REMEDY(why,
	       "ip addr flush dev %s && ip link set %s down; or force = true (knit-bind: "
	       "--force)",
	       net, net);
	return -EBUSY;
}

static bool has_no_nets(const char *driver)
{
	return driver[0] == '\0' || knit_bind_is_user(driver) || knit_bind_is_vfio(driver) ||
	       strcmp(driver, PCI_STUB) == 0;
}

/* An interface that moved to another network namespace can't be seen from here. */
static int check_nets(const struct knit_pci *dev, const struct knit_bind_want *want,
		      struct knit_bind_why *why)
{
	unsigned int i;
	int ret = 0;

	if (want->force || has_no_nets(dev->driver))
		return 0;
	for (i = 0; i < knit_pci_nets(dev) && ret == 0; i++)
		ret = check_one_net(dev, dev->nets[i], why);
	if (ret < 0 || (dev->n_nets > 0 && dev->n_nets <= KNIT_PCI_NETS))
		return ret;
	if (dev->n_nets > 0)
		SAY(why, "%s may be in use: it has %u interfaces, and only %d are looked at",
		    dev->name, dev->n_nets, KNIT_PCI_NETS);
	else
		SAY(why,
		    "%s may be in use: %s drives it, and it has no interface in this network "
		    "namespace",
		    dev->name, dev->driver);
	REMEDY(why, "%sforce = true (knit-bind: --force)",
	       dev->n_nets ? "" : "move its interface here (ip link set ... netns), or ");
	return -EBUSY;
}

/* They go when the driver of the device that has them does, whoever uses them. */
static int check_functions(const struct knit_pci *dev, const struct knit_bind_want *want,
			   struct knit_bind_why *why)
{
	if (dev->functions == 0 || want->force || strcmp(dev->driver, want->driver) == 0)
		return 0;
	SAY(why, "%s is in use: it has %u virtual functions", dev->name, dev->functions);
	REMEDY(why,
	       "echo 0 >%s/bus/pci/devices/%s/sriov_numvfs; or force = true (knit-bind: --force)",
	       knit_bind_where.sys, dev->name);
	return -EBUSY;
}

int knit_bind_check_users(const struct knit_pci *dev, struct knit_bind_why *why)
{
	char comm[32];
	int pid = knit_bind_user(dev, comm, sizeof(comm));

	memset(why, 0, sizeof(*why));
	if (pid == 0)
		return 0;
	if (pid < 0) {
		SAY(why, "%s may be in use: can't find out who has it open: %s", dev->name,
		    strerror(-pid));
		REMEDY(why, "a readable %s, and free file descriptors", knit_bind_where.proc);
		return -EBUSY;
	}
	SAY(why, "%s is in use: process %d (%s) has it open through %s", dev->name, pid, comm,
	    dev->driver);
	REMEDY(why, "end that process");
	return -EBUSY;
}

int knit_bind_check(const struct knit_pci *dev, const struct knit_bind_want *want,
		    struct knit_bind_why *why)
{
	bool vfio = strcmp(want->driver, KNIT_VFIO_PCI) == 0;
	bool uio = !vfio && knit_bind_is_user(want->driver);
	int ret;

	ret = knit_bind_check_kind(dev, why);
	if (ret == 0 && uio)
		ret = check_lockdown(want, why);
	if (ret == 0 && !want->as_if_loaded && !knit_bind_have_driver(want->driver, why))
		ret = -ENOENT;
	if (ret == 0 && vfio)
		ret = check_vfio(dev, want, why);
	if (ret == 0 && vfio)
		ret = check_group(dev, want, why);
	if (ret == 0 && uio)
		ret = check_uio(dev, want, why);
	if (ret == 0)
		ret = check_nets(dev, want, why);
	if (ret == 0)
		ret = check_functions(dev, want, why);
	if (ret == 0)
		ret = knit_bind_check_users(dev, why);
	return ret;
}
