// SPDX-License-Identifier: BSD-3-Clause
#include "bind_list.h"
#include "system/process/exit.h"
#include "system/text/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Already with a driver for user space: nothing is left to speak against. */
static bool is_blocked(const struct knit_pci *dev, const struct knit_bind_want *want,
		       struct knit_bind_why *why)
{
	struct knit_bind_want listed = *want;

	listed.as_if_loaded = true;
	return knit_bind_check(dev, &listed, why) < 0 || knit_bind_locked(dev->name, why) < 0;
}

static void nets_text(const struct knit_pci *dev, char *text, size_t size)
{
	unsigned int i;
	size_t at = 0;

	text[0] = '\0';
	for (i = 0; i < knit_pci_nets(dev) && at < size; i++)
		at += snprintf(text + at, size - at, "%s%s", i ? "," : "", dev->nets[i]);
	if (dev->n_nets > i && at < size)
		snprintf(text + at, size - at, ",...");
}

/* The row begins with the address already. */
static const char *without_name(const char *what, const char *name)
{
	size_t len = strlen(name);

	return strncmp(what, name, len) == 0 && what[len] == ' ' ? what + len + 1 : what;
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static void print_row(const struct knit_pci *dev, const struct knit_bind_want *want)
{
	char group[16] = "-", nets[KNIT_PCI_NETS * 17 + 4];
	struct knit_bind_why why;

	if (dev->group >= 0)
		snprintf(group, sizeof(group), "%d", dev->group);
	nets_text(dev, nets, sizeof(nets));
	printf("%-12s  %04x:%04x  %-15s  %5s  %-12s  %-15s  %s\n", dev->name, dev->vendor,
	       dev->device, or_dash(dev->driver), group,
	       dev->noiommu ? "noiommu" : or_dash(dev->group_type), or_dash(nets),
	       is_blocked(dev, want, &why) ? without_name(why.what, dev->name) : "-");
}

/* Names of interfaces and programs may hold any byte; what is no text becomes U+FFFD. */
static void json_text(const char *text)
{
	unsigned int len;

	putchar('"');
	for (; *text; text += len ? len : 1) {
		len = knit_utf8_length(text);
		if (len == 0)
			fputs("\\ufffd", stdout);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			printf("%s%.*s", *text == '"' || *text == '\\' ? "\\" : "", (int)len, text);
	}
	putchar('"');
}

static void json_string(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	if (text[0])
		json_text(text);
	else
		fputs("null", stdout);
}

static void json_member(const char *name, const char *text)
{
	json_string(name, text);
	fputs(", ", stdout);
}

static void json_number(const char *name, int value)
{
	if (value < 0)
		printf("\"%s\": null, ", name);
	else
		printf("\"%s\": %d, ", name, value);
}

static void print_object(const struct knit_pci *dev, const struct knit_bind_want *want)
{
	struct knit_bind_why why;
	char text[32], comm[32];
	unsigned int i;
	int pid;

	fputs("{ ", stdout);
	json_member("address", dev->name);
	snprintf(text, sizeof(text), "%04x:%04x", dev->vendor, dev->device);
	json_member("id", text);
	json_member("kind", knit_pci_kind(dev));
	json_member("driver", dev->driver);
	json_member("driver_override", dev->override);
	json_number("numa_node", dev->numa);
	json_number("virtual_functions", dev->functions);
	json_number("iommu_group", dev->group);
	json_member("iommu_type", dev->noiommu ? "noiommu" : dev->group_type);
	fputs("\"interfaces\": [", stdout);
	for (i = 0; i < knit_pci_nets(dev); i++) {
		fputs(i ? ", " : "", stdout);
		json_text(dev->nets[i]);
	}
	fputs("], ", stdout);
	pid = knit_bind_user(dev, comm, sizeof(comm));
	json_number("user_pid", pid > 0 ? pid : -1);
	json_member("user", comm);
	if (!is_blocked(dev, want, &why))
		memset(&why, 0, sizeof(why));
	json_member("blocked", why.what);
	json_string("remedy", why.remedy);
	fputs(" }", stdout);
}

static bool is_shown(const struct knit_pci *dev, bool all)
{
	return all || (dev->class >> 16 == 0x02 && !dev->bridge);
}

static void print_table(const struct knit_pci *devs, int n, const struct knit_bind_want *want,
			bool all)
{
	struct knit_bind_why why;
	int i, rows = 0;

	printf("%-12s  %-9s  %-15s  %5s  %-12s  %-15s  %s\n", "address", "id", "driver", "group",
	       "IOMMU", "interfaces", "against");
	for (i = 0; i < n; i++) {
		if (!is_shown(&devs[i], all))
			continue;
		print_row(&devs[i], want);
		rows++;
	}
	if (rows == 0)
		puts("no network controller on the PCI bus; --all shows what there is");
	if (!knit_bind_have_driver(want->driver, &why))
		printf("%s: %s\n", why.what, why.remedy);
}

static void print_json(const struct knit_pci *devs, int n, const struct knit_bind_want *want,
		       bool all)
{
	const char *sep = "[\n  ";
	int i;

	for (i = 0; i < n; i++) {
		if (!is_shown(&devs[i], all))
			continue;
		fputs(sep, stdout);
		print_object(&devs[i], want);
		sep = ",\n  ";
	}
	puts(sep[0] == '[' ? "[]" : "\n]");
}

int bind_list(const struct knit_bind_want *want, bool all, bool json)
{
	struct knit_pci *devs;
	int n = knit_pci_scan(&devs);

	if (n < 0) {
		fprintf(stderr, "knit-bind: %s/bus/pci/devices: %s\n", knit_bind_where.sys,
			strerror(-n));
		return KNIT_EXIT_RESOURCES;
	}
	if (json)
		print_json(devs, n, want, all);
	else
		print_table(devs, n, want, all);
	free(devs);
	return KNIT_EXIT_OK;
}
