/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_H
#define KNIT_BIND_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes PCI devices from the kernel's drivers and restores these. One code for the primary and for
 * knit-bind; needs no EAL, logs nothing, prints nothing.
 *
 *   bind_scan.c    what there is: sysfs
 *   bind_kind.c    what devices and drivers there are, and vfio's mode without IOMMU
 *   bind_net.c     whether the kernel uses a network interface: rtnetlink
 *   bind_check.c   what speaks against binding a device
 *   bind_rebind.c    driver_override, unbind, probe
 *   bind_record.c  what a device had before, in /run/knit/<prefix>/bound
 *   bind_lock.c    whose a device is, in /run/knit/<address>.lock
 *
 * Binding is by driver_override, which names a driver for one device; a driver's new_id would grab
 * every device of the same kind. Nothing loads a module.
 *
 * What if a process dies between two steps? The record is written before the first step, so
 * whoever starts next with the prefix finds what the device had, and restores it from any step
 * on.
 *
 * All of it is for a thread that may block: the kernel takes as long for a bind or unbind as the
 * drivers do, and an unbind from vfio-pci waits until nobody has the device open. So users are
 * looked for first.
 */

#define KNIT_PCI_NAME 13 /* "0000:00:10.0" and the zero */
#define KNIT_DRIVER_NAME 32
#define KNIT_PCI_NETS 4

#define KNIT_VFIO_PCI "vfio-pci"
#define KNIT_IGB_UIO "igb_uio"
#define KNIT_UIO_GENERIC "uio_pci_generic"

/* Where the kernel's file systems are; tests have their own. */
struct knit_bind_where {
	const char *sys;
	const char *proc;
	const char *run; /* /run/knit */
};
extern struct knit_bind_where knit_bind_where;

/*
 * What is wrong and what to do about it, for people. remedy may be "". module: a module of the
 * kernel that must be loaded, and that is all; or "".
 */
struct knit_bind_why {
	char what[384];
	char remedy[256];
	char module[32];
};

struct knit_pci {
	char name[KNIT_PCI_NAME];
	uint32_t class; /* base class, class, interface: 24 bits */
	uint16_t vendor;
	uint16_t device;
	bool bridge; /* by its header, whatever its class */
	int numa;    /* -1: not known */
	int group;   /* IOMMU group, -1: none */
	int uio;     /* number of /dev/uioN, -1: none */
	int cdev;    /* number of /dev/vfio/devices/vfioN, -1: none */
	char group_type
		[16]; /* "DMA", "DMA-FQ", "identity", ...; "": none, or the kernel tells not */
	bool noiommu; /* the group is one of vfio's that protects nothing */
	char driver[KNIT_DRIVER_NAME];	    /* "": none */
	char override[KNIT_DRIVER_NAME];    /* driver_override, "": none */
	unsigned int functions;		    /* virtual ones, of SR-IOV, that it has now */
	unsigned int n_nets;		    /* interfaces in sysfs' network namespace */
	char nets[KNIT_PCI_NETS][IFNAMSIZ]; /* the first of them */
};

/* How many of nets are set. */
static inline unsigned int knit_pci_nets(const struct knit_pci *dev)
{
	return dev->n_nets < KNIT_PCI_NETS ? dev->n_nets : KNIT_PCI_NETS;
}

/*
 * "0000:00:10.0", "00:10.0" or "pci:0000:00:10.0", in upper or lower case, to the name that sysfs
 * has. False: not an address.
 */
bool knit_pci_parse(const char *text, char name[KNIT_PCI_NAME]);

/* The same of a port's device with arguments behind a comma: "0000:00:10.0,key=value". */
bool knit_pci_of_device(const char *device, char name[KNIT_PCI_NAME]);

/* 0, or -ENODEV: there is none. */
int knit_pci_look(const char *name, struct knit_pci *dev);

/* All, sorted by name. The number, or a negative errno; free *devs with free(). */
int knit_pci_scan(struct knit_pci **devs);

/* Of vfio-pci, igb_uio, uio_pci_generic: a driver for user space. */
bool knit_bind_is_user(const char *driver);

/* vfio-pci, or one of its variants for one make of device: mlx5_vfio_pci ... */
bool knit_bind_is_vfio(const char *driver);

/* "network controller", "bridge" ... */
const char *knit_pci_kind(const struct knit_pci *dev);

/*
 * A process that has the device open through vfio or uio, its name in comm; 0: none; or a negative
 * errno. Looks through /proc, as far as it may. A process that only has it mapped is not found.
 */
int knit_bind_user(const struct knit_pci *dev, char *comm, size_t size);

/*
 * Does the kernel use the interface: is it up, part of another one, has it an address, a route?
 * 1 with all that it is, 0, or a negative errno. Of this thread's network namespace; -ENODEV: the
 * interface of that name in sysfs, whose mount has a namespace of its own, is another one, or
 * there is none.
 */
int knit_bind_net_used(const char *ifname, char *what, size_t size);

/*
 * A lock for each device, beside what keeps others out by itself: vfio lets one process at a
 * device, uio any number, and it is a while from the bind until EAL opens it. Whoever binds a
 * device, or is about to work with one on a driver for user space, takes the lock before he looks
 * who uses it and keeps it until he has no more to do with the device: it is gone with the process.
 * Only who has the lock removes the file, and who finds that he locked one that was removed begins
 * again: so there are never two files of one name that are locked. What a process that ended
 * otherwise leaves, the next one takes.
 *
 * knit_bind_lock: 0, also if this process has it already; -EBUSY, and why names who has it; or
 * another negative errno.
 */
int knit_bind_lock(const char *name, struct knit_bind_why *why);
void knit_bind_unlock(const char *name);
/* Whether somebody else has it: -EBUSY. 0: nobody, or that can't be seen. Takes nothing. */
int knit_bind_locked(const char *name, struct knit_bind_why *why);
/* Across execve: this process's locks stay, and the new program learns which it has. */
void knit_bind_keep_locks(void);
void knit_bind_adopt_locks(void);

struct knit_bind_want {
	const char *driver;
	bool force;	    /* although the kernel uses the interface */
	bool allow_noiommu; /* vfio-pci without an IOMMU */
	bool as_if_loaded;  /* the driver's module */
	/* Devices that go to vfio-pci with it: sharing an IOMMU group with them is right. */
	const char (*with)[KNIT_PCI_NAME];
	unsigned int n_with;
};

/*
 * What speaks against it. 0: nothing. Else a negative errno, and why says what and the remedy:
 *   -EINVAL   not a device for a port: a bridge, a disk controller ...
 *   -ENOENT   the driver's module is not loaded
 *   -EBUSY    the kernel or a process uses it, or a device that shares its IOMMU group
 *   -EPERM    no IOMMU, and that was not allowed; or one that driver can't live with; or a kernel
 *             that is locked down, and the driver is not vfio-pci
 */
int knit_bind_check(const struct knit_pci *dev, const struct knit_bind_want *want,
		    struct knit_bind_why *why);

/* Only whether it is a network controller: -EINVAL. */
int knit_bind_check_kind(const struct knit_pci *dev, struct knit_bind_why *why);

/* Only whether a process has it open: -EBUSY. */
int knit_bind_check_users(const struct knit_pci *dev, struct knit_bind_why *why);

/* Is that driver loaded? If not, why names the command. */
bool knit_bind_have_driver(const char *driver, struct knit_bind_why *why);

/* /sys/module/vfio/parameters/enable_unsafe_noiommu_mode: 1 on, 0 off, -ENOENT: not built in. */
int knit_bind_noiommu(void);
int knit_bind_set_noiommu(bool on);
/* A device that is with vfio without an IOMMU: 1 with its name, 0: none, or a negative errno. */
int knit_bind_noiommu_user(char name[KNIT_PCI_NAME]);

/*
 * To that driver, whatever drives it now. driver "": to the one that the kernel picks; "none": to
 * none. 0 or a negative errno, and why says what went wrong; then nothing drives it, or what drove
 * it before still does. Checks nothing.
 */
int knit_bind_move(const char *name, const char *driver, struct knit_bind_why *why);

/* What a device had before it was bound. */
struct knit_bind_record {
	char name[KNIT_PCI_NAME];
	char ours[KNIT_DRIVER_NAME];
	char driver[KNIT_DRIVER_NAME];	 /* "": none */
	char override[KNIT_DRIVER_NAME]; /* "": none */
	uint16_t vendor;		 /* and device: 0 if an older knit wrote it */
	uint16_t device;
};

/* What it has now, before it goes to the driver ours. */
void knit_bind_record(struct knit_bind_record *r, const struct knit_pci *dev, const char *ours);

/*
 * As knit_bind_record, where there is a record of that name already. What that tells stays as far
 * as the device, the same one, is still as the record's writer left it at whatever step: with its
 * driver, with none, or with its override. Else somebody changed it since.
 */
void knit_bind_record_anew(struct knit_bind_record *r, const struct knit_pci *dev,
			   const char *ours);

#define KNIT_BIND_RECORDS 128

struct knit_bind_records {
	bool noiommu; /* we switched vfio's mode without IOMMU on */
	unsigned int n;
	struct knit_bind_record r[KNIT_BIND_RECORDS];
};

/* 0, also if there is no file; -EINVAL: not one of ours. */
int knit_bind_records_read(const char *path, struct knit_bind_records *recs);
/* Replaces it at once, by rename; removes it if there is nothing to remember. */
int knit_bind_records_write(const char *path, const struct knit_bind_records *recs);

/*
 * Gives a device back: from our driver, or from none, to what it had. Somebody else's later choice
 * is left alone. Waits up to timeout_ms for processes that have it open. 0, or a negative errno:
 * -EBUSY, somebody has it open. A device that is not there any more needs nothing, nor does another
 * one in its place.
 */
int knit_bind_restore(const struct knit_bind_record *r, int timeout_ms, struct knit_bind_why *why);

#endif
