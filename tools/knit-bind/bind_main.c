// SPDX-License-Identifier: BSD-3-Clause
#include "bind_list.h"
#include "system/process/exit.h"
#include "system/process/stdfds.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define MAX_NAMES 64

struct options {
	bool json;
	bool all;
	struct knit_bind_want want;
};

static void print_usage(FILE *out)
{
	fputs("usage: knit-bind [--all] [--json] [--for DRIVER]\n"
	      "       knit-bind [--force] [--allow-noiommu] bind DRIVER ADDRESS...\n"
	      "       knit-bind unbind ADDRESS...\n"
	      "\n"
	      "Shows the network controllers of this machine: which driver each has, its IOMMU\n"
	      "group, and what speaks against giving it to user space. Binds them to a driver, or\n"
	      "gives them back to the one that the kernel picks. The primary does the same by\n"
	      "itself, for ports with the key `driver`.\n"
	      "\n"
	      "  -a, --all            all PCI devices\n"
	      "  -j, --json           the list as JSON\n"
	      "      --for DRIVER     what speaks against that driver; default vfio-pci\n"
	      "  -f, --force          bind although the interface is up, or has an address or a\n"
	      "                       route, or is in another network namespace, or the device\n"
	      "                       has virtual functions\n"
	      "      --allow-noiommu  vfio-pci without an IOMMU: the device can reach all memory\n"
	      "  -V, --version        the version of knit\n"
	      "  -h, --help           this text\n"
	      "\n"
	      "DRIVER is vfio-pci, igb_uio, uio_pci_generic or a driver of the kernel's, ADDRESS\n"
	      "like 0000:03:00.0. Modules are not loaded: modprobe DRIVER.\n"
	      "\n"
	      "exit codes: 0 done, 1 failure, 2 command line, 4 something speaks against it\n",
	      out);
}

static int print_why(const struct knit_bind_why *why)
{
	fprintf(stderr, "knit-bind: %s\n", why->what);
	if (why->remedy[0])
		fprintf(stderr, "    remedy: %s\n", why->remedy);
	return KNIT_EXIT_RESOURCES;
}

static int fail_usage(const char *what, const char *text)
{
	fprintf(stderr, "knit-bind: %s%s\n", what, text);
	return KNIT_EXIT_USAGE;
}

/* Whoever wants it bound all the same said so: the kernel shall be of the same opinion. */
static int allow_noiommu(const struct knit_pci *dev, const struct knit_bind_want *want)
{
	int ret = 0;

	if (strcmp(want->driver, KNIT_VFIO_PCI) != 0 || dev->group >= 0 || knit_bind_noiommu() != 0)
		return 0;
	ret = knit_bind_set_noiommu(true);
	if (ret < 0)
		fprintf(stderr, "knit-bind: enable_unsafe_noiommu_mode: %s\n", strerror(-ret));
	return ret;
}

/* The lock first: what is found then stays so. */
static int find_and_lock(const char *name, struct knit_pci *dev, struct knit_bind_why *why)
{
	int ret;

	memset(why, 0, sizeof(*why));
	if (knit_pci_look(name, dev) < 0) {
		snprintf(why->what, sizeof(why->what), "there is no PCI device %s", name);
		snprintf(why->remedy, sizeof(why->remedy), "knit-bind lists what is there");
		return -ENODEV;
	}
	ret = knit_bind_check_kind(dev, why);
	if (ret == 0)
		ret = knit_bind_lock(name, why);
	return ret < 0 ? ret : knit_pci_look(name, dev);
}

static int check_one(const char *name, const struct knit_bind_want *want, struct knit_pci *dev)
{
	struct knit_bind_why why;

	if (find_and_lock(name, dev, &why) < 0 || knit_bind_check(dev, want, &why) < 0)
		return print_why(&why);
	return KNIT_EXIT_OK;
}

static void restore_one(const struct knit_bind_record *had)
{
	struct knit_bind_why why;

	if (knit_bind_restore(had, 0, &why) < 0)
		print_why(&why);
}

static int bind_one(const struct knit_pci *dev, const struct knit_bind_want *want)
{
	struct knit_bind_why why;

	if (allow_noiommu(dev, want) < 0)
		return KNIT_EXIT_FAILURE;
	if (knit_bind_move(dev->name, want->driver, &why) == 0)
		return KNIT_EXIT_OK;
	print_why(&why);
	return KNIT_EXIT_FAILURE;
}

/* All or none: those of one IOMMU group are of use to vfio-pci together only. */
static int bind_all(int n, char names[][KNIT_PCI_NAME], const struct knit_bind_want *want)
{
	static struct knit_bind_record had[MAX_NAMES];
	static struct knit_pci devs[MAX_NAMES];
	int i, one, code = KNIT_EXIT_OK;

	for (i = 0; i < n; i++) {
		one = check_one(names[i], want, &devs[i]);
		code = code ? code : one;
		knit_bind_record(&had[i], &devs[i], want->driver);
	}
	for (i = 0; i < n && code == KNIT_EXIT_OK; i++)
		code = bind_one(&devs[i], want);
	while (code && i-- > 0)
		restore_one(&had[i]);
	for (i = 0; i < n && code == KNIT_EXIT_OK; i++)
		printf("%s: %s\n", names[i], want->driver);
	return code;
}

static int unbind_one(const char *name)
{
	struct knit_bind_why why;
	struct knit_pci dev;

	if (find_and_lock(name, &dev, &why) < 0)
		return print_why(&why);
	/* The kernel may be using it, and a new probe would take its addresses away. */
	if (dev.driver[0] && !knit_bind_is_user(dev.driver)) {
		printf("%s: %s\n", name, dev.driver);
		return KNIT_EXIT_OK;
	}
	if (knit_bind_check_users(&dev, &why) < 0)
		return print_why(&why);
	if (knit_bind_move(name, "", &why) < 0) {
		print_why(&why);
		return KNIT_EXIT_FAILURE;
	}
	knit_pci_look(name, &dev);
	printf("%s: %s\n", name, dev.driver[0] ? dev.driver : "no driver");
	return KNIT_EXIT_OK;
}

static int for_all_names(int argc, char **argv, struct options *o, bool bind)
{
	static char names[MAX_NAMES][KNIT_PCI_NAME];
	int i, one, code = KNIT_EXIT_OK;

	if (argc == 0 || argc > MAX_NAMES)
		return fail_usage("1 to 64 addresses are expected", "");
	for (i = 0; i < argc; i++)
		if (!knit_pci_parse(argv[i], names[i]))
			return fail_usage(
				"a PCI address is written domain:bus:device.function, like "
				"0000:03:00.0: found ",
				argv[i]);
	o->want.with = names;
	o->want.n_with = argc;
	if (bind)
		code = bind_all(argc, names, &o->want);
	for (i = 0; i < argc && !bind; i++) {
		one = unbind_one(names[i]);
		code = code ? code : one;
	}
	for (i = 0; i < argc; i++)
		knit_bind_unlock(names[i]);
	return code;
}

static bool is_driver_name(const char *text)
{
	return text[0] && text[0] != '.' && !strchr(text, '/') && strlen(text) < KNIT_DRIVER_NAME;
}

static int run_command(int argc, char **argv, struct options *o)
{
	if (argc == 0)
		return bind_list(&o->want, o->all, o->json);
	if (strcmp(argv[0], "unbind") == 0)
		return for_all_names(argc - 1, argv + 1, o, false);
	if (strcmp(argv[0], "bind") != 0)
		return fail_usage("bind or unbind is expected: found ", argv[0]);
	if (argc < 2 || !is_driver_name(argv[1]))
		return fail_usage("bind: the name of a driver is expected", "");
	o->want.driver = argv[1];
	return for_all_names(argc - 2, argv + 2, o, true);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "all", no_argument, NULL, 'a' },	     { "json", no_argument, NULL, 'j' },
		{ "for", required_argument, NULL, 'd' },     { "force", no_argument, NULL, 'f' },
		{ "allow-noiommu", no_argument, NULL, 'n' }, { "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },	     { 0 },
	};
	struct options o = { .want = { .driver = KNIT_VFIO_PCI } };
	int c = knit_stdfds_fill();

	if (c)
		return c;
	while ((c = getopt_long(argc, argv, "ajfVh", longs, NULL)) != -1) {
		switch (c) {
		case 'a':
			o.all = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'd':
			if (!is_driver_name(optarg))
				return fail_usage("--for: not the name of a driver: ", optarg);
			o.want.driver = optarg;
			break;
		case 'f':
			o.want.force = true;
			break;
		case 'n':
			o.want.allow_noiommu = true;
			break;
		case 'V':
			puts("knit-bind " KNIT_VERSION);
			return KNIT_EXIT_OK;
		case 'h':
			print_usage(stdout);
			return KNIT_EXIT_OK;
		default:
			print_usage(stderr);
			return KNIT_EXIT_USAGE;
		}
	}
	return run_command(argc - optind, argv + optind, &o);
}
