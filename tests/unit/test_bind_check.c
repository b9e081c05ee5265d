// SPDX-License-Identifier: BSD-3-Clause
#include "bind_fake.h"
#include "suites.h"

#include <errno.h>
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

/* lo is there and up wherever tests run; "eno1" is not there, so nobody uses it. */
START_TEST(interface_used)
{
	bind_fake_file(FAKE_DEVICE("0000:00:03.0") "driver", NULL);
	EXPECT("0000:00:02.0", "vfio-pci", -EBUSY, "its interface lo is up");
	ck_assert_ptr_nonnull(strstr(why.remedy, "force = true"));
	want.force = true;
	ck_assert_int_eq(check("0000:00:02.0", "vfio-pci"), 0);
	want.force = false;
	ck_assert_int_eq(check("0000:00:01.0", "vfio-pci"), 0);
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

static void setup(void)
{
	memset(&want, 0, sizeof(want));
	bind_fake_setup();
}

Suite *knit_suite_bind_check(void)
{
	Suite *s = suite_create("bind_check");
	TCase *tc = tcase_create("reasons");

	tcase_add_checked_fixture(tc, setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, kinds);
	tcase_add_test(tc, module_missing);
	tcase_add_test(tc, no_iommu);
	tcase_add_test(tc, group_shared);
	tcase_add_test(tc, uio_behind_iommu);
	tcase_add_test(tc, interface_used);
	tcase_add_test(tc, interface_elsewhere);
	tcase_add_test(tc, process_uses_it);
	suite_add_tcase(s, tc);
	return s;
}
