// SPDX-License-Identifier: BSD-3-Clause
#include "nic_restore.h"
#include "nic_bind.h"
#include "system/config/config.h"
#include "system/rundir/rundir.h"
#include "system/rundir/rundir_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct knit_bind_records recs;

void nic_report_all(const char *what, const char *remedy)
{
	fprintf(stderr, "knit-primary: %s\n", what);
	if (remedy[0])
		fprintf(stderr, "    remedy: %s\n", remedy);
}

static int records_write(const char *prefix)
{
	struct knit_path path = knit_path_file(prefix, KNIT_FILE_BOUND);
	int ret = knit_bind_records_write(path.text, &recs);

	if (ret < 0)
		fprintf(stderr, "knit-primary: %s: %s\n", path.text, strerror(-ret));
	return ret;
}

static int records_read(const char *prefix)
{
	struct knit_path path = knit_path_file(prefix, KNIT_FILE_BOUND);
	int ret = knit_bind_records_read(path.text, &recs);

	if (ret < 0)
		fprintf(stderr, "knit-primary: %s: %s\n", path.text,
			ret == -EINVAL ? "not a file of knit's" : strerror(-ret));
	return ret;
}

/*
 * Switches the mode off after the last device of this primary is restored. The mode stays on, and
 * in the record, while a device of somebody else needs it.
 */
static int forbid_noiommu(const char *prefix)
{
	char other[KNIT_PCI_NAME] = "?";
	int ret;

	if (recs.n || !recs.noiommu)
		return 0;
	ret = knit_bind_noiommu_user(other);
	if (ret != 0) {
		fprintf(stderr,
			"knit-primary: vfio's mode without an IOMMU stays on, %s%s; later: "
			"knit-primary --restore %s\n",
			ret < 0 ? "it is not known what needs it: " : "needed by ",
			ret < 0 ? strerror(-ret) : other, prefix);
		return 0;
	}
	/* The parameter is gone because the module was unloaded. */
	ret = knit_bind_set_noiommu(false);
	if (ret < 0 && ret != -ENOENT) {
		fprintf(stderr, "knit-primary: enable_unsafe_noiommu_mode: %s\n", strerror(-ret));
		return ret;
	}
	recs.noiommu = false;
	return records_write(prefix);
}

static int record_restore_locked(const struct knit_bind_record *r, struct knit_bind_why *why)
{
	int ret = knit_bind_lock(r->name, why);

	if (ret < 0)
		return ret;
	ret = knit_bind_restore(r, NICS_USERS_MS, why);
	knit_bind_unlock(r->name);
	return ret;
}

/* Removes the record after the device is restored. */
static int record_restore(const char *prefix, unsigned int i)
{
	struct knit_bind_why why;
	int ret = record_restore_locked(&recs.r[i], &why);

	if (ret < 0) {
		nic_report_all(why.what, why.remedy);
		return ret;
	}
	recs.r[i] = recs.r[--recs.n];
	return records_write(prefix);
}

/*
 * A device that cannot be restored is no reason not to start. This primary tries again at its end.
 */
int nic_restore_settle(const char *prefix,
		       bool (*wanted)(const struct knit_bind_record *r, const void *arg),
		       const void *arg)
{
	int ret = records_read(prefix);
	unsigned int i;

	if (ret < 0)
		return ret;
	for (i = recs.n; i-- > 0;)
		if (!wanted(&recs.r[i], arg) && record_restore(prefix, i) < 0)
			fprintf(stderr, "knit-primary: an earlier primary's NIC stays as it is "
					"until this one ends\n");
	forbid_noiommu(prefix);
	return 0;
}

/* The index of the device's record; -1: none. */
static int record_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < recs.n; i++)
		if (strcmp(recs.r[i].name, name) == 0)
			return i;
	return -1;
}

int nic_record(const char *prefix, const struct knit_pci *dev, const char *driver)
{
	int i = record_find(dev->name);

	if (i < 0 && recs.n == KNIT_BIND_RECORDS) {
		fprintf(stderr, "knit-primary: more than %d devices\n", KNIT_BIND_RECORDS);
		return -ENOSPC;
	}
	if (i < 0)
		knit_bind_record(&recs.r[recs.n++], dev, driver);
	else
		knit_bind_record_anew(&recs.r[i], dev, driver);
	return records_write(prefix);
}

int nic_record_noiommu(const char *prefix)
{
	recs.noiommu = true;
	return records_write(prefix);
}

int nic_restore(const char *prefix, const char *name)
{
	int i = record_find(name), ret = i < 0 ? 0 : record_restore(prefix, i);

	return ret < 0 ? ret : forbid_noiommu(prefix);
}

/* The locks stay open, so that nobody takes a device before it is restored. */
static void close_at_exec(void)
{
	bool done = false;
	int fd;

#ifdef SYS_close_range
	done = syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
#endif
	for (fd = 3; !done && fd < sysconf(_SC_OPEN_MAX); fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	knit_bind_keep_locks();
}

void nic_restore_all(const struct knit_config *conf, int code)
{
	char number[16];
	char *argv[] = { "knit-primary", "--restore", (char *)(uintptr_t)conf->eal.prefix,
			 "--exit-code",	 number,      NULL };

	if (code == KNIT_EXIT_RESTART || (recs.n == 0 && !recs.noiommu))
		return;
	snprintf(number, sizeof(number), "%d", code);
	close_at_exec();
	execv("/proc/self/exe", argv);
	fprintf(stderr, "knit-primary: devices are not restored: execv: %s\n", strerror(errno));
}

int nic_restore_run(const char *prefix, int code)
{
	unsigned int i;
	int ret;

	knit_bind_adopt_locks();
	ret = knit_rundir_create(prefix);
	/* Another process has the prefix. It has read the records and restores these devices. */
	if (ret == -EBUSY)
		return code < 0 ? KNIT_EXIT_TAKEN : code;
	if (ret < 0)
		return code > 0 ? code : KNIT_EXIT_FAILURE;
	ret = records_read(prefix);
	for (i = recs.n; i-- > 0;)
		if (record_restore(prefix, i) < 0)
			ret = -EIO;
	if (forbid_noiommu(prefix) < 0)
		ret = -EIO;
	knit_rundir_remove(prefix);
	if (code > 0)
		return code;
	return ret == 0 ? KNIT_EXIT_OK : KNIT_EXIT_FAILURE;
}
