// SPDX-License-Identifier: BSD-3-Clause
#include "shared/bind_fake.h"
#include "unit.h"

#include "nic/nic_bind.h"
#include "nic/nic_restore.h"
#include "primary.h"

#include "system/process/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Nothing here gets as far as a move, which a folder of files can't do: what a port is refused for,
 * and what is not touched then. Each test is a process of its own, with a /run of its own.
 */
#define PREFIX "knit-unit-nics"
#define BOUND "/run/knit/" PREFIX "/bound"

static struct knit_config conf;
static struct primary primary;

/* What was told of port i. */
static enum primary_nic told[8];
static char said[8][700];
static unsigned int n_told;

static void tell(enum primary_nic nic, const struct knit_bind_why *why)
{
	told[n_told] = nic;
	snprintf(said[n_told++], sizeof(said[0]), "%s; %s", why->what, why->remedy);
}

static struct knit_conf_port *port(const char *device, int driver)
{
	struct knit_conf_port *p = &conf.ports[conf.n_ports];

	snprintf(p->name, sizeof(p->name), "p%u", conf.n_ports++);
	snprintf(p->device, sizeof(p->device), "%s", device);
	p->driver = driver;
	return p;
}

/* Without waiting for anybody; bind neither, later. */
static bool check(void)
{
	n_told = 0;
	return nic_check(&conf, false, tell);
}

static void setup(void)
{
	knit_own_run(PREFIX);
	bind_fake_setup();
	memset(&conf, 0, sizeof(conf));
	memset(&primary, 0, sizeof(primary));
	strcpy(conf.eal.prefix, PREFIX);
	primary.conf = &conf;
}

START_TEST(missing_or_dispensable)
{
	port("0000:00:1e.0", KNIT_DRIVER_VFIO)->optional = true;
	port("0000:00:06.0", KNIT_DRIVER_IGB_UIO);
	port("net_tap0", KNIT_DRIVER_KEEP);
	ck_assert(check());
	ck_assert_uint_eq(n_told, 2);
	ck_assert_int_eq(told[0], PRIMARY_NIC_DISPENSABLE);
	ck_assert_str_eq(said[0], "port p0: there is no PCI device 0000:00:1e.0; knit-bind lists "
				  "what is there");
	ck_assert_int_eq(told[1], PRIMARY_NIC_GOOD);
	ck_assert_str_eq(said[1], "port p1: 0000:00:06.0, driver igb_uio; ");
	conf.ports[0].optional = false;
	ck_assert(!check());
	ck_assert_int_eq(told[0], PRIMARY_NIC_MISSING);
	ck_assert_int_eq(nic_bind(&primary), -ENODEV);
}
END_TEST

/* A port that may not leaves vfio's mode as it is, also if nobody insists on the port. */
START_TEST(no_iommu)
{
	bind_fake_file(FAKE_NOIOMMU, "N\n");
	port("0000:00:07.0", KNIT_DRIVER_VFIO)->optional = true;
	check();
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert(primary.ports[0].absent);
	ck_assert_str_eq(bind_fake_text(FAKE_NOIOMMU), "N\n");
	ck_assert_int_ne(access(BOUND, F_OK), 0);
}
END_TEST

/* A killed predecessor switched it on, and somebody else uses it now. */
START_TEST(no_iommu_of_others)
{
	FILE *out = fopen(BOUND, "w");

	fputs("noiommu\n", out);
	fclose(out);
	bind_fake_file(FAKE_NOIOMMU, "Y\n");
	bind_fake_link(FAKE_DEVICE("0000:00:07.0") "iommu_group",
		       "../../../../kernel/iommu_groups/9");
	bind_fake_file("sys/kernel/iommu_groups/9/name", "vfio-noiommu\n");
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert_str_eq(bind_fake_text(FAKE_NOIOMMU), "Y\n");
	ck_assert_int_eq(access(BOUND, F_OK), 0);
	bind_fake_file("sys/kernel/iommu_groups/9/name", NULL);
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert_str_eq(bind_fake_text(FAKE_NOIOMMU), "N\n");
	ck_assert_int_ne(access(BOUND, F_OK), 0);
}
END_TEST

/* The driver is right already: and somebody works with it. */
static void other_primary(int driver)
{
	conf.n_ports = 0;
	memset(&primary.ports, 0, sizeof(primary.ports));
	port("0000:00:06.0", driver)->optional = true;
	ck_assert(check());
	ck_assert_int_eq(told[0], PRIMARY_NIC_DISPENSABLE);
	ck_assert_ptr_nonnull(strstr(said[0], "process 77 (testpmd) has it open"));
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert(primary.ports[0].absent);
	conf.ports[0].optional = false;
	ck_assert_int_eq(nic_bind(&primary), -EBUSY);
}

START_TEST(others_nics)
{
	bind_fake_link("proc/77/fd/6", "/dev/uio3");
	other_primary(KNIT_DRIVER_IGB_UIO);
	other_primary(KNIT_DRIVER_KEEP);
	bind_fake_file("proc/77/fd/6", NULL);
	primary.ports[0].absent = false;
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert(!primary.ports[0].absent);
	conf.ports[0].driver = KNIT_DRIVER_IGB_UIO;
	ck_assert_int_eq(nic_bind(&primary), 0);
}
END_TEST

/* Nobody has it open, but another primary is between the bind and that. */
static void locked_by_other(int driver)
{
	pid_t other = bind_fake_locker("0000:00:06.0", false);

	conf.n_ports = 0;
	memset(&primary.ports, 0, sizeof(primary.ports));
	port("0000:00:06.0", driver)->optional = true;
	ck_assert(check());
	ck_assert_int_eq(told[0], PRIMARY_NIC_DISPENSABLE);
	ck_assert_ptr_nonnull(strstr(said[0], "(other) has it locked"));
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert(primary.ports[0].absent);
	conf.ports[0].optional = false;
	ck_assert(!check());
	ck_assert_int_eq(nic_bind(&primary), -EBUSY);
	bind_fake_kill(other);
	ck_assert(check());
	ck_assert_int_eq(nic_bind(&primary), 0);
}

static bool locks(const char *name)
{
	char path[80];
	bool held;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.lock", knit_bind_where.run, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	held = fd >= 0 && knit_lock_held(fd);
	if (fd >= 0)
		close(fd);
	return held;
}

START_TEST(locked_by_another_primary)
{
	locked_by_other(KNIT_DRIVER_IGB_UIO);
	ck_assert(locks("0000:00:06.0"));
	knit_bind_unlock("0000:00:06.0");
	locked_by_other(KNIT_DRIVER_KEEP);
	ck_assert(locks("0000:00:06.0"));
}
END_TEST

/* Two may work beside a driver of the kernel's; and what is refused is not kept from others. */
START_TEST(not_locked)
{
	pid_t other = bind_fake_locker("0000:00:01.0", false);

	port("0000:00:01.0", KNIT_DRIVER_KEEP);
	ck_assert(check());
	ck_assert_int_eq(nic_bind(&primary), 0);
	bind_fake_kill(other);
	ck_assert(!locks("0000:00:01.0"));
	conf.ports[0].driver = KNIT_DRIVER_IGB_UIO;
	ck_assert_int_eq(nic_bind(&primary), -EPERM);
	ck_assert(!locks("0000:00:01.0"));
}
END_TEST

static void remembered(const char *text)
{
	FILE *out = fopen(BOUND, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

static void expect_remembered(const char *text)
{
	char found[256];
	FILE *in = fopen(BOUND, "r");

	ck_assert_ptr_nonnull(in);
	found[fread(found, 1, sizeof(found) - 1, in)] = '\0';
	fclose(in);
	ck_assert_str_eq(found, text);
}

/* A predecessor's that can't go back, for its driver is not there, or somebody has it. */
START_TEST(not_back)
{
	static const char both[] = "0000:00:07.0 igb_uio e1000 -\n0000:00:06.0 igb_uio e1000 -\n";
	pid_t other = bind_fake_locker("0000:00:06.0", false);

	remembered(both);
	ck_assert_int_eq(nic_bind(&primary), 0);
	expect_remembered(both);
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers/igb_uio/unbind"), "");
	ck_assert_str_eq(bind_fake_text("sys/bus/pci/drivers_probe"), "0000:00:07.0");
	bind_fake_kill(other);
}
END_TEST

/* vfio went, and its mode with it. */
START_TEST(no_iommu_nor_vfio)
{
	remembered("noiommu\n");
	ck_assert_int_eq(nic_bind(&primary), 0);
	ck_assert_int_ne(access(BOUND, F_OK), 0);
}
END_TEST

/* Nobody can tell what needs it. */
START_TEST(no_iommu_unknown)
{
	remembered("noiommu\n");
	knit_bind_where.sys = "/nowhere";
	ck_assert_int_eq(nic_bind(&primary), 0);
	expect_remembered("noiommu\n");
}
END_TEST

static bool all(const struct knit_bind_record *r, const void *arg)
{
	return true;
}

static void remember(const char *name)
{
	struct knit_pci dev;

	ck_assert_int_eq(nic_restore_settle(PREFIX, all, NULL), 0);
	ck_assert_int_eq(knit_pci_look(name, &dev), 0);
	ck_assert_int_eq(nic_record(PREFIX, &dev, KNIT_IGB_UIO), 0);
}

/* What it had before stays remembered, but not what another one had, or for another driver. */
START_TEST(predecessors)
{
	remembered("0000:00:05.0 vfio-pci e1000e -\n");
	remember("0000:00:05.0");
	expect_remembered("0000:00:05.0 igb_uio e1000e - 8086:10d3\n");
	remembered("0000:00:02.0 vfio-pci e1000e -\n");
	remember("0000:00:02.0");
	expect_remembered("0000:00:02.0 igb_uio virtio-pci - 8086:10d3\n");
	remembered("0000:00:05.0 vfio-pci e1000e - 1af4:1041\n");
	remember("0000:00:05.0");
	expect_remembered("0000:00:05.0 igb_uio vfio-pci vfio-pci 8086:10d3\n");
}
END_TEST

/* 02.0 and 03.0 share a group: of the file's other ports those count that go to vfio, too. */
START_TEST(group_with_others)
{
	bind_fake_file(FAKE_DEVICE("0000:00:03.0") "class", "0x020000\n");
	port("0000:00:02.0", KNIT_DRIVER_VFIO)->force = true;
	port("0000:00:03.0", KNIT_DRIVER_VFIO)->force = true;
	ck_assert(check());
	conf.ports[1].driver = KNIT_DRIVER_IGB_UIO;
	ck_assert(!check());
	ck_assert_ptr_nonnull(strstr(said[0], "shares IOMMU group 2 with 0000:00:03.0"));
	conf.ports[1].driver = KNIT_DRIVER_VFIO;
	conf.ports[1].optional = true;
	ck_assert(check());
	ck_assert_int_eq(told[1], PRIMARY_NIC_GOOD);
	conf.ports[1].force = false;
	ck_assert(!check());
	ck_assert_ptr_nonnull(strstr(said[0], "shares IOMMU group 2 with 0000:00:03.0"));
	ck_assert_int_eq(told[1], PRIMARY_NIC_DISPENSABLE);
}
END_TEST

KNIT_SUITE(nic_bind)
{
	TCase *tc = tcase_create("refused");

	tcase_add_checked_fixture(tc, setup, bind_fake_teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, missing_or_dispensable);
	tcase_add_test(tc, no_iommu);
	tcase_add_test(tc, no_iommu_of_others);
	tcase_add_test(tc, others_nics);
	tcase_add_test(tc, locked_by_another_primary);
	tcase_add_test(tc, not_locked);
	tcase_add_test(tc, not_back);
	tcase_add_test(tc, no_iommu_nor_vfio);
	tcase_add_test(tc, no_iommu_unknown);
	tcase_add_test(tc, predecessors);
	tcase_add_test(tc, group_with_others);
	suite_add_tcase(s, tc);
}
