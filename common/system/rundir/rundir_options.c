// SPDX-License-Identifier: BSD-3-Clause
#include "rundir_options.h"
#include "abi/knit_shm.h"
#include "kni/base/owner.h"
#include "system/process/eal_paths.h"

#include <rte_version.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define MAX_LINE 1024

int knit_args_add(struct knit_args *args, const char *text)
{
	size_t length = strlen(text) + 1;
	char *at = args->text;

	if (strchr(text, '\n'))
		return -EINVAL;
	if (args->argc > 0)
		at = args->argv[args->argc - 1] + strlen(args->argv[args->argc - 1]) + 1;
	if (args->argc + 1 >= KNIT_MAX_ARGS || length > MAX_LINE - sizeof("arg \n") ||
	    at + length > args->text + sizeof(args->text))
		return -ENOSPC;
	args->argv[args->argc++] = memcpy(at, text, length);
	args->argv[args->argc] = NULL;
	return 0;
}

void knit_args_print(const struct knit_args *args, FILE *out)
{
	pid_t self = getpid();
	int i;

	fprintf(out, "dpdk %s\nabi %d\n", rte_version(), KNIT_ABI_VERSION);
	fprintf(out, "primary %d %" PRIu64 "\n", (int)self, knit_process_start_time(self));
	fprintf(out, "runtime %s\niova %s\n", knit_eal_base_dir(), args->physical ? "pa" : "va");
	for (i = 1; i < args->argc; i++)
		fprintf(out, "arg %s\n", args->argv[i]);
}

struct source {
	FILE *in;
	const char *file;
	FILE *err;
	char line[MAX_LINE];
};

/* The next line without its end; false if there is none, or none that ends. */
static bool source_next_line(struct source *src)
{
	char *end;

	src->line[0] = '\0';
	if (fgets(src->line, MAX_LINE, src->in) == NULL)
		return false;
	end = strchr(src->line, '\n');
	if (end == NULL)
		return false;
	*end = '\0';
	return true;
}

static enum knit_exit source_expected(struct source *src, const char *what)
{
	fprintf(src->err, "knit: %s: found \"%.40s\": \"%s\" is expected\n", src->file, src->line,
		what);
	return KNIT_EXIT_FAILURE;
}

static enum knit_exit check_version(struct source *src, const char *key, const char *mine)
{
	size_t n = strlen(key);

	if (!source_next_line(src) || strncmp(src->line, key, n) != 0)
		return source_expected(src, key);
	if (strcmp(src->line + n, mine) == 0)
		return KNIT_EXIT_OK;
	fprintf(src->err,
		"knit: %s: %sversion of the primary: found \"%s\": this program has \"%s\"\n",
		src->file, key, src->line + n, mine);
	return KNIT_EXIT_MISMATCH;
}

static enum knit_exit parse_rest(struct knit_args *args, struct source *src)
{
	char iova[3];
	int pid;

	if (!source_next_line(src) ||
	    sscanf(src->line, "primary %d %" SCNu64, &pid, &args->primary_start) != 2 || pid <= 0)
		return source_expected(src, "primary <pid> <start time>");
	args->primary = pid;
	if (!source_next_line(src) || sscanf(src->line, "runtime %255[^\n]", args->runtime) != 1)
		return source_expected(src, "runtime <directory>");
	if (!source_next_line(src) || sscanf(src->line, "iova %2[pva]", iova) != 1)
		return source_expected(src, "iova <pa or va>");
	args->physical = strcmp(iova, "pa") == 0;
	while (source_next_line(src)) {
		if (strncmp(src->line, "arg ", 4) != 0 || knit_args_add(args, src->line + 4) < 0)
			return source_expected(src, "arg <text>, not too often");
	}
	return src->line[0] ? source_expected(src, "a line that ends") : KNIT_EXIT_OK;
}

enum knit_exit knit_args_parse(struct knit_args *args, FILE *in, const char *file, FILE *err)
{
	struct source src = { .in = in, .file = file, .err = err };
	enum knit_exit ret;
	char abi[16];

	snprintf(abi, sizeof(abi), "%d", KNIT_ABI_VERSION);
	ret = check_version(&src, "dpdk ", rte_version());
	if (ret == KNIT_EXIT_OK)
		ret = check_version(&src, "abi ", abi);
	return ret == KNIT_EXIT_OK ? parse_rest(args, &src) : ret;
}
