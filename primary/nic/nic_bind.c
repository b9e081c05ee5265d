// SPDX-License-Identifier: BSD-3-Clause
#include "nic_bind.h"
#include "nic_restore.h"
#include "primary.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 50

/* The rest of the time to wait for users, for all devices together. */
static int patience_ms = NICS_USERS_MS;

static const char *conf_driver(const struct knit_conf_port *port)
{
	static const char *const names[] = {
		[KNIT_DRIVER_KEEP] = "",
		[KNIT_DRIVER_VFIO] = KNIT_VFIO_PCI,
		[KNIT_DRIVER_IGB_UIO] = KNIT_IGB_UIO,
		[KNIT_DRIVER_UIO_GENERIC] = KNIT_UIO_GENERIC,
	};

	return names[port->driver];
}

/*
 * The devices that go to vfio-pci. A device may share an IOMMU group with others if all of them are
 * in this list.
 */
struct all {
	unsigned int n;
	char names[KNIT_MAX_PORTS][KNIT_PCI_NAME];
};

static struct knit_bind_want conf_want(const struct knit_conf_port *port, const struct all *all)
{
	return (struct knit_bind_want){
		.driver = conf_driver(port),
		.force = port->force,
		.allow_noiommu = port->allow_noiommu,
		.with = all->names,
		.n_with = all->n,
	};
}

static void find_vfio_ports(const struct knit_config *conf, struct all *all)
{
	unsigned int i;

	all->n = 0;
	for (i = 0; i < conf->n_ports; i++)
		if (conf->ports[i].driver == KNIT_DRIVER_VFIO &&
		    knit_pci_of_device(conf->ports[i].device, all->names[all->n]))
			all->n++;
}

/* Leaves out optional ports whose NIC cannot be bound: they start without it. */
static void find_bindable_ports(const struct knit_config *conf, struct all *all)
{
	struct knit_bind_want want;
	struct knit_bind_why why;
	char name[KNIT_PCI_NAME];
	struct knit_pci dev;
	struct all vfio;
	unsigned int i;

	find_vfio_ports(conf, &vfio);
	all->n = 0;
	for (i = 0; i < conf->n_ports; i++) {
		if (conf->ports[i].driver != KNIT_DRIVER_VFIO ||
		    !knit_pci_of_device(conf->ports[i].device, name))
			continue;
		want = conf_want(&conf->ports[i], &vfio);
		if (conf->ports[i].optional &&
		    (knit_pci_look(name, &dev) < 0 || knit_bind_check(&dev, &want, &why) < 0))
			continue;
		memcpy(all->names[all->n++], name, sizeof(name));
	}
}

static void nic_wait_users(const struct knit_pci *dev)
{
	char comm[32];

	for (; patience_ms > 0 && knit_bind_user(dev, comm, sizeof(comm)); patience_ms -= POLL_MS)
		poll(NULL, 0, POLL_MS);
}

/*
 * A device that stays with a driver of the kernel needs no lock: that driver allows several users.
 */
static bool nic_needs_lock(const struct knit_conf_port *port, const char *name)
{
	struct knit_pci dev;

	if (port->driver != KNIT_DRIVER_KEEP)
		return true;
	return knit_pci_look(name, &dev) == 0 &&
	       (knit_bind_is_user(dev.driver) || knit_bind_is_vfio(dev.driver));
}

/* Waits also for a process that is about to end, and for one that binds the device by hand. */
static int nic_wait_lock(const struct knit_conf_port *port, const char *name,
			 struct knit_bind_why *why)
{
	int ret = 0;

	if (!nic_needs_lock(port, name))
		return 0;
	for (; (ret = knit_bind_locked(name, why)) < 0 && patience_ms > 0; patience_ms -= POLL_MS)
		poll(NULL, 0, POLL_MS);
	return ret;
}

static int nic_lock(const struct knit_conf_port *port, const char *name, struct knit_bind_why *why)
{
	int ret = nic_wait_lock(port, name, why);

	return ret < 0 || !nic_needs_lock(port, name) ? ret : knit_bind_lock(name, why);
}

/* A device that has the driver already may belong to another primary. */
static int nic_check_device(const struct knit_config *conf, const struct knit_conf_port *port,
			    const struct knit_pci *dev, struct knit_bind_why *why)
{
	struct knit_bind_want want;
	struct all all;
	int ret;

	nic_wait_users(dev);
	if (port->driver == KNIT_DRIVER_KEEP) {
		ret = knit_bind_check_kind(dev, why);
		return ret < 0 ? ret : knit_bind_check_users(dev, why);
	}
	find_bindable_ports(conf, &all);
	want = conf_want(port, &all);
	return knit_bind_check(dev, &want, why);
}

static int nic_find_and_check(const struct knit_config *conf, const struct knit_conf_port *port,
			      struct knit_pci *dev, struct knit_bind_why *why)
{
	char name[KNIT_PCI_NAME];

	knit_pci_of_device(port->device, name);
	if (knit_pci_look(name, dev) == 0)
		return nic_check_device(conf, port, dev, why);
	snprintf(why->what, sizeof(why->what), "there is no PCI device %s", name);
	snprintf(why->remedy, sizeof(why->remedy), "knit-bind lists what is there");
	return -ENODEV;
}

static struct knit_bind_why why_with_port(const struct knit_conf_port *port,
					  const struct knit_bind_why *why)
{
	struct knit_bind_why text = *why;

	snprintf(text.what, sizeof(text.what), "port %s: %.*s", port->name,
		 (int)(sizeof(why->what) - sizeof(port->name) - 8), why->what);
	return text;
}

static void nic_complain(const struct knit_conf_port *port, const struct knit_bind_why *why)
{
	struct knit_bind_why text = why_with_port(port, why);

	nic_report_all(text.what, text.remedy);
}

bool nic_check(const struct knit_config *conf, bool patient, nic_report tell)
{
	const struct knit_conf_port *port;
	char name[KNIT_PCI_NAME];
	struct knit_bind_why why;
	struct knit_pci dev;
	bool good = true;
	unsigned int i;
	int ret;

	if (!patient)
		patience_ms = 0;
	for (i = 0; i < conf->n_ports; i++) {
		port = &conf->ports[i];
		if (!knit_pci_of_device(port->device, name))
			continue;
		why = (struct knit_bind_why){ 0 };
		ret = nic_find_and_check(conf, port, &dev, &why);
		if (ret == 0)
			ret = nic_wait_lock(port, name, &why);
		if (ret == 0)
			snprintf(why.what, sizeof(why.what), "%s, driver %s", name,
				 dev.driver[0] ? dev.driver : "none");
		why = why_with_port(port, &why);
		tell(ret == 0	      ? PRIMARY_NIC_GOOD
		     : port->optional ? PRIMARY_NIC_DISPENSABLE
				      : PRIMARY_NIC_MISSING,
		     &why);
		good &= ret == 0 || port->optional;
	}
	return good;
}

/*
 * True: a killed predecessor bound the device as this primary would. The device stays as it is, and
 * so does the record of its first driver. All other devices are restored.
 */
static bool record_is_wanted(const struct knit_bind_record *r, const void *arg)
{
	const struct knit_config *conf = arg;
	char name[KNIT_PCI_NAME];
	unsigned int i;

	for (i = 0; i < conf->n_ports; i++)
		if (knit_pci_of_device(conf->ports[i].device, name) && strcmp(name, r->name) == 0)
			return strcmp(conf_driver(&conf->ports[i]), r->ours) == 0;
	return false;
}

/*
 * vfio evaluates this mode when a device is bound, and EAL reads it again when it opens the device.
 */
static int nic_allow_noiommu(const char *prefix, const struct knit_conf_port *port,
			     const struct knit_pci *dev)
{
	int ret;

	if (port->driver != KNIT_DRIVER_VFIO || (dev->group >= 0 && !dev->noiommu))
		return 0;
	fprintf(stderr,
		"knit-primary: port %s: no IOMMU: %s can read and write all memory of this "
		"machine, and the kernel is tainted\n",
		port->name, dev->name);
	if (knit_bind_noiommu() != 0)
		return 0;
	ret = nic_record_noiommu(prefix);
	if (ret < 0)
		return ret;
	ret = knit_bind_set_noiommu(true);
	if (ret < 0)
		fprintf(stderr, "knit-primary: enable_unsafe_noiommu_mode: %s\n", strerror(-ret));
	return ret;
}

/* The device is locked before it is examined. */
static int nic_bind_locked(const struct knit_config *conf, const struct knit_conf_port *port,
			   const char *name)
{
	const char *prefix = conf->eal.prefix, *driver = conf_driver(port);
	struct knit_bind_why why = { 0 };
	struct knit_pci dev;
	int ret;

	ret = nic_lock(port, name, &why);
	if (ret == 0)
		ret = nic_find_and_check(conf, port, &dev, &why);
	if (ret < 0) {
		nic_complain(port, &why);
		return ret;
	}
	if (port->driver == KNIT_DRIVER_KEEP)
		return 0;
	ret = nic_allow_noiommu(prefix, port, &dev);
	if (ret < 0 || strcmp(dev.driver, driver) == 0)
		return ret;
	ret = nic_record(prefix, &dev, driver);
	if (ret < 0)
		return ret;
	ret = knit_bind_move(name, driver, &why);
	if (ret < 0) {
		nic_complain(port, &why);
		nic_restore(prefix, name);
	}
	return ret;
}

static int nic_bind_port(const struct knit_config *conf, const struct knit_conf_port *port)
{
	char name[KNIT_PCI_NAME];
	int ret;

	if (!knit_pci_of_device(port->device, name))
		return 0;
	ret = nic_bind_locked(conf, port, name);
	if (ret < 0)
		knit_bind_unlock(name);
	return ret;
}

int nic_bind(struct primary *p)
{
	const struct knit_config *conf = p->conf;
	unsigned int i;
	int ret;

	ret = nic_restore_settle(conf->eal.prefix, record_is_wanted, conf);
	for (i = 0; ret == 0 && i < conf->n_ports; i++) {
		ret = nic_bind_port(conf, &conf->ports[i]);
		if (ret < 0 && conf->ports[i].optional) {
			p->ports[i].absent = true;
			ret = 0;
		}
	}
	return ret;
}
