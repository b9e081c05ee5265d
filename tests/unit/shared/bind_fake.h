/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_FAKE_H
#define KNIT_BIND_FAKE_H

#include "system/bind/bind.h"

#include <sys/types.h>

/*
 * A sysfs and a procfs of files and links, and a place for locks, in a folder of the test's own, at
 * which knit_bind_where points between bind_fake_setup and bind_fake_teardown. What is written to a
 * file stays in it.
 *
 *   0000:00:01.0   e1000e, class network, IOMMU group 1 of type DMA-FQ, interface "eno1"
 *   0000:00:02.0   virtio-pci, network, group 2 (identity) with 0000:00:03.0, interface "lo"
 *   0000:00:03.0   ahci, disk, group 2
 *   0000:00:04.0   pcieport, bridge by class and header
 *   0000:00:05.0   vfio-pci, network, group 5, override vfio-pci; process 77 has it open
 *   0000:00:06.0   igb_uio, network, no group, /dev/uio3
 *   0000:00:07.0   no driver, network, no group
 *   0000:00:08.0   class network, but the header of a bridge
 * "lo" is the one that each network namespace has; "eno1" is in none. Loaded are vfio,
 * e1000e, vfio-pci, igb_uio, ahci, virtio-pci and pcieport, not uio_pci_generic.
 */
void bind_fake_setup(void);
void bind_fake_teardown(void);

/* path below the folder; text NULL: the file shall not be there. */
void bind_fake_file(const char *path, const char *text);
/* An empty folder. */
void bind_fake_rmdir(const char *path);
void bind_fake_link(const char *path, const char *target);
/* What stands in a file now. */
const char *bind_fake_text(const char *path);

/*
 * Another process, called "other", that has locked the device; replaced: and is another program
 * since. bind_fake_kill waits for its end.
 */
pid_t bind_fake_locker(const char *name, bool replaced);
void bind_fake_kill(pid_t pid);

#define FAKE_DEVICE(name) "sys/bus/pci/devices/" name "/"
#define FAKE_NOIOMMU "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
#define FAKE_LOCKDOWN "sys/kernel/security/lockdown"

#endif
