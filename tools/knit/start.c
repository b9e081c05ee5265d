// SPDX-License-Identifier: BSD-3-Clause
#include "start.h"

#include "knit.h"
#include "system/process/exit.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int start_become(const char *program, const char *folder, char **argv)
{
	char own[PATH_MAX], path[PATH_MAX + 64];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (len > 0) {
		own[len] = '\0';
		snprintf(path, sizeof(path), "%s/%s", dirname(own), program);
		execv(path, argv);
		if (errno != ENOENT)
			return fail(KNIT_EXIT_FAILURE, "%s: %s", path, strerror(errno));
		/* in a build directory, tools/knit */
		snprintf(path, sizeof(path), "%s/../../%s/%s", own, folder, program);
		if (strstr(own, "/tools/knit"))
			execv(path, argv);
	}
	execvp(program, argv);
	return fail(KNIT_EXIT_FAILURE, "%s: %s", program, strerror(errno));
}

int bind_main(const struct options *o, int argc, char **argv)
{
	argv[0] = "knit-bind";
	return start_become("knit-bind", "tools/knit-bind", argv);
}
