// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static struct knit_bind_want want;
static struct knit_bind_why why;
static struct knit_pci dev;

static int check(const char *name, const char *driver)
{
	ck_assert_int_eq(knit_pci_look(name, &dev), 0);
	want.driver = driver;
	return knit_bind_check(&dev, &want, &why);
}

#define EXPECT(name, driver, err, text)                                                          \
	do {                                                                                     \
		ck_assert_int_eq(check(name, driver), err);                                      \
		ck_assert_msg(strstr(why.what, text), "\"%s\" says nothing of \"%s\"", why.what, \
			      text);                                                             \
	} while (0)

/* Where lo is down and has no address. Each test is a process of its own. */
static void new_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		ck_assert_int_eq(unshare(CLONE_NEWUSER | CLONE_NEWNET), 0);
}

START_TEST(kinds)
{
	want.force = true;
	EXPECT("0000:00:03.0", "vfio-pci", -EINVAL,
	       "0000:00:03.0 is a disk controller (class 010601)");
	EXPECT("0000:00:04.0", "vfio-pci", -EINVAL, "is a bridge");
	EXPECT("0000:00:08.0", "igb_uio", -EINVAL, "is a bridge");
}
END_TEST

START_TEST(module_missing)
{
	EXPECT("0000:00:07.0", "uio_pci_generic", -ENOENT, "uio_pci_generic is not loaded");
	ck_assert_str_eq(why.remedy, "modprobe uio_pci_generic");
	want.as_if_loaded = true;
	ck_assert_int_eq(check("0000:00:07.0", "uio_pci_generic"), 0);
}
END_TEST

START_TEST(no_iommu)
{
	char name[KNIT_PCI_NAME];

	ck_assert_int_eq(knit_bind_noiommu_user(name), 0);
	EXPECT("0000:00:07.0", "vfio-pci", -EPERM, "CONFIG_VFIO_NOIOMMU");
	want.allow_noiommu = true;
	EXPECT("0000:00:07.0", "vfio-pci", -EPERM, "CONFIG_VFIO_NOIOMMU");
	bind_fake_file(FAKE_NOIOMMU, "N\n");
	ck_assert_int_eq(check("0000:00:07.0", "vfio-pci"), 0);
	want.allow_noiommu = false;
	EXPECT("0000:00:07.0", "vfio-pci", -EPERM, "could read and write all memory");
	ck_assert_ptr_nonnull(strstr(why.remedy, "allow_noiommu = true"));
	/* bound without one, it has a group that is none */
	bind_fake_link(FAKE_DEVICE("0000:00:07.0") "iommu_group",
		       "../../../../kernel/iommu_groups/9");
	bind_fake_file("sys/kernel/iommu_groups/9/name", "vfio-noiommu\n");
	EXPECT("0000:00:07.0", "vfio-pci", -EPERM, "could read and write all memory");
	ck_assert_int_eq(knit_bind_noiommu(), 0);
	ck_assert_int_eq(knit_bind_set_noiommu(true), 0);
	ck_assert_int_eq(knit_bind_noiommu(), 1);
	ck_assert_int_eq(knit_bind_noiommu_user(name), 1);
	ck_assert_str_eq(name, "0000:00:07.0");
}
END_TEST

/* Whether the kernel can do without an IOMMU is known once vfio is loaded. */
START_TEST(no_iommu_nor_vfio)
{
	bind_fake_file("sys/module/vfio/x", NULL);
	bind_fake_rmdir("sys/module/vfio");
	want.as_if_loaded = true;
	EXPECT("0000:00:07.0", "vfio-pci", -EPERM, "could read and write all memory");
	want.allow_noiommu = true;
	ck_assert_int_eq(check("0000:00:07.0", "vfio-pci"), 0);
}
END_TEST

START_TEST(lockdown)
{
	want.as_if_loaded = true;
	bind_fake_file(FAKE_LOCKDOWN, "[none] integrity confidentiality\n");
	ck_assert_int_eq(check("0000:00:07.0", "igb_uio"), 0);
	bind_fake_file(FAKE_LOCKDOWN, "none [integrity] confidentiality\n");
	EXPECT("0000:00:07.0", "igb_uio", -EPERM,
	       "locked down (none [integrity] confidentiality): igb_uio");
	want.as_if_loaded = false;
	EXPECT("0000:00:07.0", "uio_pci_generic", -EPERM, "locked down");
	ck_assert_int_eq(check("0000:00:05.0", "vfio-pci"), -EBUSY);
}
END_TEST

START_TEST(group_shared)
{
	static const char with[][KNIT_PCI_NAME] = { "0000:00:02.0", "0000:00:03.0" };

	want.force = true;
	EXPECT("0000:00:02.0", "vfio-pci", -EBUSY,
	       "0000:00:02.0 shares IOMMU group 2 with 0000:00:03.0, which the kernel's ahci "
	       "drives");
	want.with = with;
	want.n_with = 2;
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
	want.n_with = 1;
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), -EBUSY);
	bind_fake_file(FAKE_DEVICE("0000:00:03.0") "driver", NULL);
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
	bind_fake_link(FAKE_DEVICE("0000:00:03.0") "driver", "../../drivers/pcieport");
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
}
END_TEST

START_TEST(uio_behind_iommu)
{
	want.force = true;
	EXPECT("0000:00:01.0", "igb_uio", -EPERM, "group 1, type DMA-FQ");
	ck_assert_ptr_nonnull(strstr(why.remedy, "iommu=pt"));
	bind_fake_file("sys/kernel/iommu_groups/1/type", "identity\n");
	ck_assert_int_eq(check("0000:00:01.0", "igb_uio"), 0);
}
END_TEST

/* lo is there and up wherever tests run. */
START_TEST(interface_used)
{
	bind_fake_file(FAKE_DEVICE("0000:00:03.0") "driver", NULL);
	EXPECT("0000:00:02.0", "vfio-pci", -EBUSY, "its interface lo is up");
	ck_assert_ptr_nonnull(strstr(why.remedy, "force = true"));
	want.force = true;
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
}
END_TEST

/* sysfs has it, and this network namespace does not: nobody knows how it is used. */
START_TEST(interface_unknown)
{
	EXPECT("0000:00:01.0", "vfio-pci", -EBUSY,
	       "can't find out how its interface eno1 is used: No such device");
	want.force = true;
	ck_assert_int_eq(check("0000:00:01.0", "vfio-pci"), 0);
}
END_TEST

START_TEST(interfaces_many)
{
	static const char *const names[] = { "n1", "n2", "n3", "n4", "n5" };
	char path[64];
	unsigned int i;

	bind_fake_file(FAKE_DEVICE("0000:00:03.0") "driver", NULL);
	for (i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), FAKE_DEVICE("0000:00:02.0") "net/%s/x", names[i]);
		bind_fake_file(path, "");
	}
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), -EBUSY);
	ck_assert_uint_eq(dev.n_nets, 6);
	ck_assert_uint_eq(knit_pci_nets(&dev), KNIT_PCI_NETS);
	/* those that are looked at are not in use */
	dev.n_nets = 5;
	for (i = 0; i < KNIT_PCI_NETS; i++)
		strcpy(dev.nets[i], "lo");
	new_namespace();
	ck_assert_int_eq(knit_bind_check(&dev, &want, &why), -EBUSY);
	ck_assert_str_eq(why.what, "0000:00:02.0 may be in use: it has 5 interfaces, and only 4 "
				   "are looked at");
	dev.n_nets = 4;
	ck_assert_int_eq(knit_bind_check(&dev, &want, &why), 0);
	dev.n_nets = 5;
	want.force = true;
	ck_assert_int_eq(knit_bind_check(&dev, &want, &why), 0);
}
END_TEST

START_TEST(virtual_functions)
{
	bind_fake_file(FAKE_DEVICE("0000:00:07.0") "sriov_numvfs", "0\n");
	ck_assert_int_eq(check("0000:00:07.0", "igb_uio"), 0);
	bind_fake_file(FAKE_DEVICE("0000:00:07.0") "sriov_numvfs", "3\n");
	EXPECT("0000:00:07.0", "igb_uio", -EBUSY, "is in use: it has 3 virtual functions");
	ck_assert_ptr_nonnull(strstr(why.remedy, "echo 0 >"));
	want.force = true;
	ck_assert_int_eq(check("0000:00:07.0", "igb_uio"), 0);
	/* nothing is taken from the driver that has them */
	want.force = false;
	bind_fake_file(FAKE_DEVICE("0000:00:06.0") "sriov_numvfs", "3\n");
	ck_assert_int_eq(check("0000:00:06.0", "igb_uio"), 0);
}
END_TEST

/* Drivers for devices that others use hold no interface, and disturb no group. */
START_TEST(other_peoples_drivers)
{
	static const char *const links[] = { "../../drivers/pci-stub",
					     "../../drivers/mlx5_vfio_pci" };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bind_fake_link(FAKE_DEVICE("0000:00:07.0") "driver", links[i]);
		ck_assert_int_eq(check("0000:00:07.0", "igb_uio"), 0);
		bind_fake_link(FAKE_DEVICE("0000:00:03.0") "driver", links[i]);
		want.force = true;
		ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
		want.force = false;
	}
	bind_fake_link(FAKE_DEVICE("0000:00:05.0") "driver", links[1]);
	EXPECT("0000:00:05.0", "vfio-pci", -EBUSY, "process 77 (testpmd) has it open");
	ck_assert(!knit_bind_is_vfio("vfio_pci_not") && !knit_bind_is_vfio("pci"));
}
END_TEST

START_TEST(interface_elsewhere)
{
	bind_fake_link(FAKE_DEVICE("0000:00:07.0") "driver", "../../drivers/e1000e");
	EXPECT("0000:00:07.0", "igb_uio", -EBUSY, "no interface in this network namespace");
	want.force = true;
	ck_assert_int_eq(check("0000:00:07.0", "igb_uio"), 0);
}
END_TEST

START_TEST(nobody_knows_who_uses_it)
{
	struct knit_bind_where real = knit_bind_where;

	ck_assert_int_eq(knit_pci_look("0000:00:06.0", &dev), 0);
	want.driver = "igb_uio";
	knit_bind_where.proc = "/nowhere";
	ck_assert_int_eq(knit_bind_check(&dev, &want, &why), -EBUSY);
	ck_assert_str_eq(why.what, "0000:00:06.0 may be in use: can't find out who has it open: No "
				   "such file or directory");
	knit_bind_where = real;
	ck_assert_int_eq(knit_bind_check(&dev, &want, &why), 0);
}
END_TEST

START_TEST(process_uses_it)
{
	EXPECT("0000:00:05.0", "vfio-pci", -EBUSY, "process 77 (testpmd) has it open");
	want.force = true;
	ck_assert_int_eq(check("0000:00:05.0", "vfio-pci"), -EBUSY);
	bind_fake_link("proc/77/fd/5", "/dev/vfio/55");
	ck_assert_int_eq(check("0000:00:05.0", "vfio-pci"), 0);
	bind_fake_link("proc/77/fd/6", "/dev/uio3");
	EXPECT("0000:00:06.0", "igb_uio", -EBUSY, "through igb_uio");
}
END_TEST

/* vfio's nodes of single devices, beside those of groups. */
START_TEST(process_uses_vfio_device)
{
	bind_fake_file("proc/77/fd/5", NULL);
	ck_assert_int_eq(check("0000:00:05.0", "vfio-pci"), 0);
	ck_assert_int_eq(dev.cdev, -1);
	bind_fake_file(FAKE_DEVICE("0000:00:05.0") "vfio-dev/vfio7/x", "");
	bind_fake_link("proc/77/fd/6", "/dev/vfio/devices/vfio77");
	ck_assert_int_eq(check("0000:00:05.0", "vfio-pci"), 0);
	bind_fake_link("proc/77/fd/6", "/dev/vfio/devices/vfio7");
	EXPECT("0000:00:05.0", "vfio-pci", -EBUSY, "process 77 (testpmd) has it open");
	bind_fake_link("proc/77/fd/6", "/dev/vfio/5");
	EXPECT("0000:00:05.0", "vfio-pci", -EBUSY, "process 77 (testpmd) has it open");
}
END_TEST

static void setup(void)
{
	memset(&want, 0, sizeof(want));
	bind_fake_setup();
}

KNIT_SUITE(bind_check)
{
	TCase *tc = tcase_create("reasons");

	tcase_add_checked_fixture(tc, setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, kinds);
	tcase_add_test(tc, module_missing);
	tcase_add_test(tc, no_iommu);
	tcase_add_test(tc, no_iommu_nor_vfio);
	tcase_add_test(tc, lockdown);
	tcase_add_test(tc, group_shared);
	tcase_add_test(tc, uio_behind_iommu);
	tcase_add_test(tc, interface_used);
	tcase_add_test(tc, interface_unknown);
	tcase_add_test(tc, interface_elsewhere);
	tcase_add_test(tc, interfaces_many);
	tcase_add_test(tc, virtual_functions);
	tcase_add_test(tc, other_peoples_drivers);
	tcase_add_test(tc, nobody_knows_who_uses_it);
	tcase_add_test(tc, process_uses_it);
	tcase_add_test(tc, process_uses_vfio_device);
	suite_add_tcase(s, tc);
}
