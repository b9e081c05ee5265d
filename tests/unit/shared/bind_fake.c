// SPDX-License-Identifier: BSD-3-Clause
#include "bind_fake.h"

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 300
#define FULL_SIZE 400

static char root[32];
static char sys_dir[64], proc_dir[64], run_dir[64];

static void below(const char *path, char out[FULL_SIZE])
{
	snprintf(out, FULL_SIZE, "%s/%s", root, path);
}

static void make_parents(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

void bind_fake_file(const char *path, const char *text)
{
	char full[FULL_SIZE];
	FILE *out;

	below(path, full);
	unlink(full);
	if (text == NULL)
		return;
	make_parents(full);
	out = fopen(full, "w");
	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

void bind_fake_rmdir(const char *path)
{
	char full[FULL_SIZE];

	below(path, full);
	ck_assert_int_eq(rmdir(full), 0);
}

void bind_fake_link(const char *path, const char *target)
{
	char full[FULL_SIZE];

	below(path, full);
	make_parents(full);
	unlink(full);
	ck_assert_int_eq(symlink(target, full), 0);
}

const char *bind_fake_text(const char *path)
{
	static char text[256];
	char full[FULL_SIZE];
	size_t n;
	FILE *in;

	below(path, full);
	in = fopen(full, "r");
	ck_assert_ptr_nonnull(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	fclose(in);
	return text;
}

static void device_file(const char *name, const char *file, const char *text)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/%s", name, file);
	bind_fake_file(path, text);
}

static void device(const char *name, const char *class, const char *driver, int group)
{
	char path[PATH_SIZE], target[PATH_SIZE];

	device_file(name, "class", class);
	device_file(name, "vendor", "0x8086\n");
	device_file(name, "device", "0x10d3\n");
	device_file(name, "numa_node", "-1\n");
	device_file(name, "driver_override", "(null)\n");
	device_file(name, "config", "");
	if (driver[0]) {
		snprintf(path, sizeof(path), FAKE_DEVICE("%s") "driver", name);
		snprintf(target, sizeof(target), "../../drivers/%s", driver);
		bind_fake_link(path, target);
	}
	if (group < 0)
		return;
	snprintf(path, sizeof(path), FAKE_DEVICE("%s") "iommu_group", name);
	snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%d", group);
	bind_fake_link(path, target);
	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices/%s", group, name);
	bind_fake_link(path, "nowhere");
}

static void drivers(void)
{
	static const char *const names[] = { "e1000e", "vfio-pci",   "igb_uio",
					     "ahci",   "virtio-pci", "pcieport" };
	char path[PATH_SIZE];
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", names[i]);
		bind_fake_file(path, "");
	}
	bind_fake_file("sys/bus/pci/drivers_probe", "");
}

/* The first bytes of configuration space, with that header type. */
static void config_space(const char *name, char header)
{
	char path[PATH_SIZE], full[FULL_SIZE], bytes[64] = { 0 };
	FILE *out;

	snprintf(path, sizeof(path), FAKE_DEVICE("%s") "config", name);
	below(path, full);
	bytes[0x0e] = header;
	out = fopen(full, "w");
	ck_assert_ptr_nonnull(out);
	fwrite(bytes, 1, sizeof(bytes), out);
	fclose(out);
}

void bind_fake_setup(void)
{
	strcpy(root, "/tmp/knit-bind-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(sys_dir, sizeof(sys_dir), "%s/sys", root);
	snprintf(proc_dir, sizeof(proc_dir), "%s/proc", root);
	snprintf(run_dir, sizeof(run_dir), "%s/run", root);
	knit_bind_where = (struct knit_bind_where){ sys_dir, proc_dir, run_dir };
	drivers();
	device("0000:00:01.0", "0x020000\n", "e1000e", 1);
	bind_fake_file(FAKE_DEVICE("0000:00:01.0") "net/eno1/x", "");
	device("0000:00:02.0", "0x020000\n", "virtio-pci", 2);
	bind_fake_file(FAKE_DEVICE("0000:00:02.0") "virtio0/net/lo/x", "");
	device("0000:00:03.0", "0x010601\n", "ahci", 2);
	device("0000:00:04.0", "0x060400\n", "pcieport", -1);
	device("0000:00:05.0", "0x020000\n", "vfio-pci", 5);
	device_file("0000:00:05.0", "driver_override", "vfio-pci\n");
	device("0000:00:06.0", "0x020000\n", "igb_uio", -1);
	bind_fake_file(FAKE_DEVICE("0000:00:06.0") "uio/uio3/x", "");
	device("0000:00:07.0", "0x020000\n", "", -1);
	device("0000:00:08.0", "0x020000\n", "", -1);
	bind_fake_file("sys/kernel/iommu_groups/1/type", "DMA-FQ\n");
	bind_fake_file("sys/kernel/iommu_groups/2/type", "identity\n");
	config_space("0000:00:04.0", 1);
	config_space("0000:00:07.0", (char)0x80);
	config_space("0000:00:08.0", (char)0x81);
	bind_fake_link("proc/77/fd/5", "/dev/vfio/5");
	bind_fake_file("proc/77/comm", "testpmd\n");
	bind_fake_file("proc/self/x", "");
	bind_fake_file("sys/module/vfio/x", "");
	bind_fake_file("sys/class/net/lo/ifindex", "1\n");
	bind_fake_file("sys/class/net/lo/address", "00:00:00:00:00:00\n");
}

/* ready closes when it is what it shall be: at execve, or after a byte. */
static void lock_and_wait(const char *name, bool replaced, int ready)
{
	struct knit_bind_why why;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (knit_bind_lock(name, &why) < 0)
		_exit(1);
	if (replaced) {
		knit_bind_keep_locks();
		execlp("sleep", "sleep", "60", NULL);
		_exit(1);
	}
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

pid_t bind_fake_locker(const char *name, bool replaced)
{
	char path[PATH_SIZE], byte;
	int ready[2];
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		lock_and_wait(name, replaced, ready[1]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), !replaced);
	close(ready[0]);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	snprintf(path, sizeof(path), "proc/%d/comm", (int)pid);
	bind_fake_file(path, "other\n");
	return pid;
}

void bind_fake_kill(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

void bind_fake_teardown(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	knit_bind_where = (struct knit_bind_where){ "/sys", "/proc", "/run/knit" };
}
