// SPDX-License-Identifier: BSD-3-Clause
#include "knit.h"
#include "options.h"
#include "system/process/exit.h"
#include "system/process/stdfds.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static int run(const struct command *c, struct options *o, int argc, char **argv)
{
	int code;

	if (!c->other) {
		if (!options_read(o, c, argc, argv, &code))
			return code;
		argv[--optind] = (char *)c->name;
		argc -= optind;
		argv += optind;
	}
	code = options_fit(o, c);
	if (code)
		return code;
	code = c->run(o, argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && code == 0)
		code = fail(KNIT_EXIT_FAILURE, "standard output: %s", strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 1, .timeout = 10, .share = 10, .since = UINT64_MAX };
	size_t i;
	int code;

	code = knit_stdfds_fill();
	if (code)
		return code;
	if (!options_read(&o, NULL, argc, argv, &code))
		return code;
	if (optind == argc)
		return fail(KNIT_EXIT_USAGE, "a command is expected; --help lists them");
	for (i = 0; i < n_commands; i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			return run(&commands[i], &o, argc - optind, argv + optind);
	return fail(KNIT_EXIT_USAGE, "no such command: %s; --help lists them", argv[optind]);
}
