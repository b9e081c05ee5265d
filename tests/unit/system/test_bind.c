// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct knit_bind_why why;

START_TEST(addresses)
{
	static const char *const wrong[] = {
		"",
		"0000:00:10",
		"00:10",
		"0000:00:10.8",
		"0000:00:20.0",
		"0000:100:00.0",
		"10000:00:00.0",
		"0000:00:10.0x",
		"0000:00:10.0 ",
		" 00:10.0",
		"-0:10.0",
		"0000:00:10.0,a",
		"00:10.",
		"0x00:10.0",
		"net_tap0",
	};
	char name[KNIT_PCI_NAME] = "untouched";
	unsigned int i;

	ck_assert(knit_pci_parse("0000:00:10.0", name));
	ck_assert_str_eq(name, "0000:00:10.0");
	ck_assert(knit_pci_parse("3:1F.7", name));
	ck_assert_str_eq(name, "0000:03:1f.7");
	ck_assert(knit_pci_parse("pci:fFfF:Ff:0a.1", name));
	ck_assert_str_eq(name, "ffff:ff:0a.1");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!knit_pci_parse(wrong[i], name), "\"%s\" is no address", wrong[i]);
	ck_assert_str_eq(name, "ffff:ff:0a.1");
}
END_TEST

START_TEST(scan)
{
	struct knit_pci *devs;
	int n = knit_pci_scan(&devs);

	ck_assert_int_eq(n, 8);
	ck_assert_str_eq(devs[0].name, "0000:00:01.0");
	ck_assert_uint_eq(devs[0].class, 0x020000);
	ck_assert_uint_eq(devs[0].vendor, 0x8086);
	ck_assert_uint_eq(devs[0].device, 0x10d3);
	ck_assert_int_eq(devs[0].group, 1);
	ck_assert_str_eq(devs[0].group_type, "DMA-FQ");
	ck_assert_str_eq(devs[0].driver, "e1000e");
	ck_assert_str_eq(devs[0].override, "");
	ck_assert_uint_eq(devs[0].n_nets, 1);
	ck_assert_str_eq(devs[0].nets[0], "eno1");
	ck_assert_str_eq(devs[1].nets[0], "lo");
	ck_assert(!devs[0].bridge && devs[3].bridge && !devs[6].bridge && devs[7].bridge);
	ck_assert_str_eq(devs[4].override, "vfio-pci");
	ck_assert_int_eq(devs[5].uio, 3);
	ck_assert_int_eq(devs[5].group, -1);
	ck_assert_str_eq(devs[6].driver, "");
	free(devs);
}
END_TEST

START_TEST(not_there)
{
	struct knit_pci dev;

	ck_assert_int_eq(knit_pci_look("0000:00:1f.0", &dev), -ENODEV);
	ck_assert_int_eq(knit_bind_move("0000:00:1f.0", "vfio-pci", &why), -ENODEV);
	ck_assert_str_eq(why.what, "there is no device 0000:00:1f.0");
}
END_TEST

/* The files keep what was written, and the link stays: as if the driver refused. */
START_TEST(move_refused)
{
	ck_assert_int_eq(knit_bind_move("0000:00:01.0", "vfio-pci", &why), -EIO);
	ck_assert_str_eq(why.what, "0000:00:01.0: vfio-pci did not take it");
	ck_assert_ptr_nonnull(strstr(why.remedy, "dmesg"));
	ck_assert_str_eq(bind_fake_text(FAKE_DEVICE("0000:00:01.0") "driver_override"), "vfio-pci");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/e1000e/unbind"), "0000:00:01.0");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers_probe"), "0000:00:01.0");
}
END_TEST

START_TEST(move_nothing_to_do)
{
	ck_assert_int_eq(knit_bind_move("0000:00:05.0", "vfio-pci", &why), 0);
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/vfio-pci/unbind"), "");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers_probe"), "");
}
END_TEST

START_TEST(move_to_none)
{
	bind_fake_file(FAKE_DEVICE("0000:00:06.0") "driver_override", "");
	ck_assert_int_eq(knit_bind_move("0000:00:06.0", "none", &why), 0);
	ck_assert_str_eq(bind_fake_text(FAKE_DEVICE("0000:00:06.0") "driver_override"), "\n");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/igb_uio/unbind"), "0000:00:06.0");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers_probe"), "");
}
END_TEST

START_TEST(restore_leaves_others_alone)
{
	struct knit_bind_record r = { "0000:00:01.0", "igb_uio", "virtio-pci", "" };

	/* somebody gave it to e1000e since */
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), 0);
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/e1000e/unbind"), "");
	/* it is gone */
	strcpy(r.name, "0000:00:1f.0");
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), 0);
}
END_TEST

/* Ended between the probe, for which the driver is named, and the override's way back. */
START_TEST(restore_half_done)
{
	struct knit_bind_record r = { "0000:00:01.0", "vfio-pci", "e1000e", "" };

	bind_fake_file(FAKE_DEVICE("0000:00:01.0") "driver_override", "e1000e\n");
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), 0);
	/* written over the first letter */
	ck_assert_str_eq(bind_fake_text(FAKE_DEVICE("0000:00:01.0") "driver_override"),
			 "\n1000e\n");
	/* to another driver, by somebody else */
	bind_fake_file(FAKE_DEVICE("0000:00:01.0") "driver_override", "ahci\n");
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), 0);
	ck_assert_str_eq(bind_fake_text(FAKE_DEVICE("0000:00:01.0") "driver_override"), "ahci\n");
}
END_TEST

/* Plugged in where the one was that is remembered; somebody gave it to the same driver. */
START_TEST(restore_of_another_device)
{
	struct knit_bind_record r = { "0000:00:05.0", "vfio-pci", "e1000e", "", 0x1af4, 0x1041 };

	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), 0);
	ck_assert_str_eq(bind_fake_text(FAKE_DEVICE("0000:00:05.0") "driver_override"),
			 "vfio-pci\n");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/vfio-pci/unbind"), "");
	r.vendor = 0x8086;
	r.device = 0x10d3;
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), -EBUSY);
}
END_TEST

START_TEST(restore_waits_for_users)
{
	struct knit_bind_record r = { "0000:00:05.0", "vfio-pci", "e1000e", "" };

	ck_assert_int_eq(knit_bind_restore(&r, 60, &why), -EBUSY);
	ck_assert_str_eq(why.what, "0000:00:05.0 stays with vfio-pci: process 77 (testpmd) has it "
				   "open");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/vfio-pci/unbind"), "");
	bind_fake_file("proc/77/fd/5", NULL);
	ck_assert_int_eq(knit_bind_restore(&r, 0, &why), -EIO);
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/vfio-pci/unbind"), "0000:00:05.0");
}
END_TEST

static char path[64];

static void records_setup(void)
{
	strcpy(path, "/tmp/knit-bound-XXXXXX");
	close(mkstemp(path));
}

static void records_teardown(void)
{
	remove(path);
}

static int read_text(const char *text, struct knit_bind_records *recs)
{
	FILE *out = fopen(path, "w");

	fputs(text, out);
	fclose(out);
	return knit_bind_records_read(path, recs);
}

START_TEST(records_there_and_back)
{
	static struct knit_bind_records sent, got;

	sent.noiommu = true;
	sent.n = 3;
	sent.r[2] = (struct knit_bind_record){ "0000:00:02.0", "igb_uio", "e1000e", "",
					       0x8086,	       0x10d3 };
	sent.r[0] = (struct knit_bind_record){ "0000:00:01.0", "vfio-pci", "e1000e", "" };
	sent.r[1] = (struct knit_bind_record){ "0000:00:07.0", "igb_uio", "", "vfio-pci" };
	ck_assert_int_eq(knit_bind_records_write(path, &sent), 0);
	ck_assert_int_eq(knit_bind_records_read(path, &got), 0);
	ck_assert_int_eq(memcmp(&sent, &got, sizeof(sent)), 0);
	ck_assert_uint_eq(got.r[2].device, 0x10d3);
	sent.n = 0;
	sent.noiommu = false;
	ck_assert_int_eq(knit_bind_records_write(path, &sent), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	ck_assert_int_eq(knit_bind_records_write(path, &sent), 0);
	ck_assert_int_eq(knit_bind_records_read(path, &got), 0);
	ck_assert_uint_eq(got.n, 0);
}
END_TEST

/* A name that would lead out of the drivers' folder is none. */
START_TEST(records_junk)
{
	static const char *const junk[] = {
		"hello\n",
		"0000:00:01.0 vfio-pci e1000e\n",
		"0000:00:01 vfio-pci e1000e -\n",
		"0000:00:01.0 ../../../x e1000e -\n",
		"0000:00:01.0 vfio-pci .. -\n",
		"0000:00:01.0 vfio-pci e1000e a/b\n",
		"0000:00:01.0 vfio-pci e1000e - e1000e\n",
		"0000:00:01.0 vfio-pci e1000e - 8086:\n",
		"0000:00:01.0 vfio-pci e1000e - 8086:10d3x\n",
		"0000:00:01.0 vfio-pci a-name-that-is-longer-than-any-driver -\n",
	};
	static struct knit_bind_records recs;
	unsigned int i;

	for (i = 0; i < sizeof(junk) / sizeof(junk[0]); i++)
		ck_assert_msg(read_text(junk[i], &recs) == -EINVAL, "taken: %s", junk[i]);
	ck_assert_int_eq(read_text("0000:00:01.0 vfio-pci e1000e -\n", &recs), 0);
	ck_assert_uint_eq(recs.n, 1);
}
END_TEST

/* A record of the device as it is, but for what was given, and what it says then. */
static void expect_anew(const struct knit_pci *dev, const char *driver, const char *override)
{
	struct knit_bind_record r = { "0000:00:01.0", "vfio-pci", "e1000e", "old", 0x8086, 0x10d3 };

	knit_bind_record_anew(&r, dev, "igb_uio");
	ck_assert_str_eq(r.ours, "igb_uio");
	ck_assert_str_eq(r.driver, driver);
	ck_assert_str_eq(r.override, override);
	ck_assert_uint_eq(r.vendor, dev->vendor);
	ck_assert_uint_eq(r.device, dev->device);
}

START_TEST(records_anew)
{
	struct knit_pci dev = { .name = "0000:00:01.0", .vendor = 0x8086, .device = 0x10d3 };

	/* as a predecessor left it, at whatever step it ended */
	strcpy(dev.driver, "vfio-pci");
	strcpy(dev.override, "vfio-pci");
	expect_anew(&dev, "e1000e", "old");
	strcpy(dev.driver, "");
	expect_anew(&dev, "e1000e", "old");
	strcpy(dev.driver, "e1000e");
	expect_anew(&dev, "e1000e", "old");
	strcpy(dev.override, "e1000e");
	expect_anew(&dev, "e1000e", "old");
	/* by somebody else's hand */
	strcpy(dev.driver, "igb");
	expect_anew(&dev, "igb", "e1000e");
	strcpy(dev.override, "");
	expect_anew(&dev, "igb", "");
	/* another one in its place */
	dev.vendor = 0x1af4;
	strcpy(dev.driver, "");
	expect_anew(&dev, "", "");
	strcpy(dev.driver, "virtio-pci");
	expect_anew(&dev, "virtio-pci", "");
}
END_TEST

START_TEST(records_too_many)
{
	static struct knit_bind_records recs;
	unsigned int i;
	FILE *out = fopen(path, "w");

	for (i = 0; i <= KNIT_BIND_RECORDS; i++)
		fprintf(out, "0000:%02x:%02x.0 vfio-pci - -\n", i / 32, i % 32);
	fclose(out);
	ck_assert_int_eq(knit_bind_records_read(path, &recs), -EINVAL);
}
END_TEST

static TCase *tcase(Suite *s, const char *name, void (*setup)(void), void (*teardown)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	suite_add_tcase(s, tc);
	return tc;
}

KNIT_SUITE(bind)
{
	TCase *tc = tcase(s, "sysfs", bind_fake_setup, bind_fake_teardown);

	tcase_add_test(tc, addresses);
	tcase_add_test(tc, scan);
	tcase_add_test(tc, not_there);
	tcase_add_test(tc, move_refused);
	tcase_add_test(tc, move_nothing_to_do);
	tcase_add_test(tc, move_to_none);
	tcase_add_test(tc, restore_leaves_others_alone);
	tcase_add_test(tc, restore_half_done);
	tcase_add_test(tc, restore_of_another_device);
	tcase_add_test(tc, restore_waits_for_users);
	tc = tcase(s, "records", records_setup, records_teardown);
	tcase_add_test(tc, records_there_and_back);
	tcase_add_test(tc, records_junk);
	tcase_add_test(tc, records_anew);
	tcase_add_test(tc, records_too_many);
}
