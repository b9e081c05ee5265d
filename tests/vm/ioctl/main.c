// SPDX-License-Identifier: BSD-3-Clause
#include "ioctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct group {
	const char *name;
	void (*run)(void);
} groups[] = {
	{ "info", test_info },
	{ "memory", test_memory },
	{ "create", test_create },
	{ "attach", test_attach },
	{ "link", test_link },
	{ "packets", test_packets },
	{ "kick", test_kick },
	{ "wake", test_wake },
	{ "spread", test_spread },
	{ "processes", test_processes },
	{ "namespaces", test_namespaces },
	{ "tenants", test_tenants },
	{ "many", test_many },
};

static bool nothing_pinned(const void *arg)
{
	(void)arg;
	return vmstat("nr_foll_pin_acquired") == vmstat("nr_foll_pin_released");
}

static bool no_thread(const void *arg)
{
	(void)arg;
	return !has_thread(thread_name());
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc < 2;
}

/* usage: knit-ioctl [GROUP...]; without one: all of them */
int main(int argc, char **argv)
{
	int found = 0;
	size_t i;

	packet_doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	request_doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (is_wanted(groups[i].name, argc, argv)) {
			groups[i].run();
			found++;
		}
	}
	if (argc > 1 && found != argc - 1) {
		fprintf(stderr, "knit-ioctl: a group that is none, or twice, among %d\n", argc - 1);
		return 2;
	}
	is_true("end: no packet thread is left", wait_until(5, no_thread, NULL));
	is_true("end: no page is pinned", wait_until(5, nothing_pinned, NULL));
	return failures ? 1 : 0;
}
