// SPDX-License-Identifier: BSD-3-Clause
#include "preflight.h"
#include "hugepages.h"
#include "kni/engine/engine.h"
#include "kni/engine/kmod/kmod.h"
#include "kni/engine/select.h"
#include "nic/nic_bind.h"
#include "primary.h"
#include "report.h"
#include "system/process/eal_paths.h"
#include "system/rundir/rundir.h"

#include <rte_eal.h>

#include <linux/magic.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Enough for a few ports. */
#define USUAL_BYTES ((size_t)1 << 30)

static int check_root(void)
{
	if (geteuid() == 0) {
		preflight_good("permission: root");
		return 0;
	}
	return preflight_missing("no permission: ports, namespaces and interfaces need root",
				 "start it with sudo, or as a systemd service");
}

/* eal.huge_dir must be a hugetlbfs or a folder of one. */
static int check_huge_dir(const struct knit_config *c)
{
	struct preflight_key key = { c, &c->eal.at, "eal.huge_dir" };
	char what[200];
	struct statfs fs;

	if (c->eal.huge_dir[0] == '\0')
		return 0;
	if (statfs(c->eal.huge_dir, &fs) == 0 && fs.f_type == HUGETLBFS_MAGIC)
		return 0;
	snprintf(what, sizeof(what), "found \"%s\": a hugetlbfs is expected", c->eal.huge_dir);
	return preflight_wrong(&key, what,
			       "mount -t hugetlbfs none there, or no huge_dir: any mount will do");
}

/* preflight_memory checks whether there are enough. */
static int check_hugepages(const struct knit_config *c)
{
	char text[256];
	int ret = check_huge_dir(c);

	if (ret)
		return ret;
	if (knit_eal_huge_dir(text, sizeof(text)) < 0) {
		preflight_run("mkdir", "-p", "/dev/hugepages", NULL);
		preflight_run("mount", "-t", "hugetlbfs", "none", "/dev/hugepages", NULL);
		ret = preflight_missing(
			"no hugetlbfs is mounted",
			"mkdir -p /dev/hugepages && mount -t hugetlbfs none /dev/hugepages");
	} else if (hugepages_free(c, -1) == 0 && hugepages_left(c) == 0) {
		hugepages_remedy(c, -1, USUAL_BYTES, text, sizeof(text));
		ret = preflight_missing("no free hugepages", text);
	}
	if (ret == 0)
		preflight_good("hugepages: mounted, and some are free");
	return ret;
}

/* Ports of the driver net_tap, whatever the engine is. */
static bool makes_taps(const struct knit_config *c)
{
	unsigned int i;

	for (i = 0; i < c->n_ports; i++)
		if (strncmp(c->ports[i].device, "net_tap", 7) == 0 && !c->ports[i].optional)
			return true;
	return false;
}

/*
 * Whether an interface is configured for that engine; with name "auto": leaves the choice to knit.
 */
static bool any_iface_wants(const struct knit_config *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n_ifaces; i++)
		if (strcmp(knit_engine_wanted(c->ifaces[i].engine), name) == 0)
			return true;
	return false;
}

/* The module. If an interface leaves the choice to knit, the tap engine can replace it. */
static int check_kmod(const struct knit_config *c, bool *want_tun)
{
	bool want = any_iface_wants(c, knit_kmod_engine.name), leave = any_iface_wants(c, "auto");
	struct knit_kmod_why why;
	int fd;

	*want_tun = any_iface_wants(c, knit_tap_engine.name);
	if (!want && !leave)
		return 0;
	fd = knit_kmod_open(NULL, &why);
	if (fd >= 0) {
		close(fd);
		preflight_good("engine kmod: the module rte_kni is loaded");
		return 0;
	}
	*want_tun |= leave;
	if (!want)
		return 0;
	/* Another one in its place may be somebody's: that is no step for a program. */
	if (fd == -ENOENT)
		preflight_run("modprobe", "rte_kni", NULL);
	preflight_missing(why.what, why.remedy);
	return fd == -EPROTO ? KNIT_EXIT_MISMATCH : KNIT_EXIT_RESOURCES;
}

/* Nothing can replace the module for these. That none is loaded may have been said already. */
static int check_big_tcp(const struct knit_config *c)
{
	const struct knit_conf_iface *iface = c->ifaces, *end = c->ifaces + c->n_ifaces;
	struct knit_ioc_info info = { 0 };
	struct knit_kmod_why why;
	char what[256];
	int fd;

	while (iface < end && !iface->big_tcp)
		iface++;
	if (iface == end)
		return 0;
	fd = knit_kmod_open(&info, &why);
	if (fd >= 0)
		close(fd);
	if (strcmp(knit_engine_wanted(iface->engine), knit_tap_engine.name) == 0) {
		snprintf(what, sizeof(what), "interface %s: big_tcp is not for the tap engine",
			 iface->name);
		return preflight_missing(what, "KNIT_ENGINE=kmod or none, or big_tcp = false");
	}
	if (fd < 0) {
		snprintf(what, sizeof(what), "interface %s: big_tcp needs the module: %s",
			 iface->name, why.what);
		return preflight_missing(what, why.remedy);
	}
	if (!(info.features & KNIT_FEAT_BIG_TCP)) {
		snprintf(what, sizeof(what),
			 "interface %s: big_tcp: the module can't on this kernel", iface->name);
		return preflight_missing(what, "Linux 5.19 or newer, or big_tcp = false");
	}
	preflight_good("big_tcp: the module and the kernel have it");
	return 0;
}

static int check_tun(bool want)
{
	char what[128];
	bool missing;
	int fd;

	if (!want)
		return 0;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		preflight_good("taps: /dev/net/tun");
		return 0;
	}
	missing = errno == ENOENT || errno == ENODEV;
	snprintf(what, sizeof(what), "taps need /dev/net/tun: %s", strerror(errno));
	if (missing)
		preflight_run("modprobe", "tun", NULL);
	return preflight_missing(what, "modprobe tun; in a container: --device /dev/net/tun");
}

bool preflight_prefix_runs(const struct knit_config *c)
{
	char path[300];

	knit_eal_runtime_dir(c->eal.prefix, path, sizeof(path) - 8);
	strcat(path, "/config");
	return rte_eal_primary_proc_alive(path);
}

static int check_prefix(const struct knit_config *c)
{
	char what[200];

	if (!preflight_prefix_runs(c)) {
		preflight_good("no other primary has this prefix");
		return 0;
	}
	snprintf(what, sizeof(what), "a primary with prefix \"%s\" is running", c->eal.prefix);
	preflight_missing(what, "stop it, or give this one another eal.prefix");
	return KNIT_EXIT_TAKEN;
}

static void report_nic(enum primary_nic nic, const struct knit_bind_why *why)
{
	if (nic != PRIMARY_NIC_GOOD && why->module[0])
		preflight_run("modprobe", why->module, NULL);
	if (nic == PRIMARY_NIC_GOOD)
		preflight_good(why->what);
	else if (nic == PRIMARY_NIC_DISPENSABLE)
		preflight_note(why->what, why->remedy);
	else
		preflight_missing(why->what, why->remedy);
}

int primary_preflight(const struct knit_config *c, bool all)
{
	int prefix, kmod, huge, ret;
	bool want_tun;

	preflight_report(all);
	ret = check_root();
	huge = check_hugepages(c);
	ret |= huge;
	prefix = check_prefix(c);
	kmod = check_kmod(c, &want_tun);
	ret |= check_big_tcp(c);
	ret |= check_tun(want_tun || makes_taps(c));
	ret |= preflight_vfio(c);
	ret |= preflight_cpus(c);
	ret |= preflight_limits(c);
	/* A running primary uses what this one would report as missing. */
	if (!prefix) {
		ret |= huge ? 0 : preflight_memory(c);
		ret |= preflight_places(c);
		ret |= nic_check(c, !all, report_nic) ? 0 : KNIT_EXIT_RESOURCES;
	}
	if (all)
		preflight_iommu();
	if (prefix)
		return prefix;
	return kmod == KNIT_EXIT_MISMATCH || ret == 0 ? kmod : ret;
}

int primary_preflight_json(const struct knit_config *c)
{
	int code;

	preflight_report_json();
	code = primary_preflight(c, true);
	preflight_report_print(code);
	return code;
}
