// SPDX-License-Identifier: BSD-3-Clause
#include "command.h"
#include "knit.h"
#include "system/process/exit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void print_change(struct json_object *change)
{
	const char *needs = field_text(change, "needs");
	struct json_object *from, *to;

	printf("%-7s  %s: ", strcmp(needs, "nothing") == 0 ? "live" : needs,
	       field_text(change, "object"));
	if (!json_object_object_get_ex(change, "from", &from) ||
	    !json_object_object_get_ex(change, "to", &to)) {
		printf("%s\n", field_text(change, "change"));
		return;
	}
	printf("%s: %s -> ", field_text(change, "key"),
	       from ? json_object_to_json_string_ext(from, JSON_C_TO_STRING_PLAIN) : "none");
	printf("%s\n", to ? json_object_to_json_string_ext(to, JSON_C_TO_STRING_PLAIN) : "none");
}

/* Returns how many need a start. */
static size_t print_changes(const struct options *o, struct json_object *changes)
{
	struct json_object *change;
	size_t i, starts = 0;

	for (i = 0; i < json_object_array_length(changes); i++) {
		change = json_object_array_get_idx(changes, i);
		starts += strcmp(field_text(change, "needs"), "start") == 0;
		if (!o->json)
			print_change(change);
	}
	return starts;
}

/* As knit-primary prints them. */
static int print_errors(const struct options *o, struct json_object *answer,
			struct json_object *errors)
{
	size_t i;

	if (o->json)
		print_json(o, json_object_get(answer));
	else
		for (i = 0; i < json_object_array_length(errors); i++)
			fprintf(stderr, "%s\n",
				json_object_get_string(json_object_array_get_idx(errors, i)));
	return KNIT_EXIT_CONFIG;
}

/* All in one line, behind the word for several or for one. */
static void print_names(struct json_object *names, const char *several, const char *one)
{
	size_t i, n = json_object_array_length(names);

	for (i = 0; i < n; i++)
		printf("%s%s",
		       i       ? ", "
		       : n > 1 ? several
			       : one,
		       json_object_get_string(json_object_array_get_idx(names, i)));
}

/* "; worker 0 paused", with the ports that were set up anew, and for how long. */
static void print_pause(const struct options *o, struct json_object *answer)
{
	struct json_object *workers, *ports, *us;

	if (!json_object_object_get_ex(answer, "paused_workers", &workers) ||
	    !json_object_object_get_ex(answer, "paused_ports", &ports) ||
	    json_object_array_length(workers) == 0)
		return;
	print_names(workers, "; workers ", "; worker ");
	print_names(ports, " and ports ", " and port ");
	printf(o->dry_run ? " would pause" : " paused");
	if (json_object_object_get_ex(answer, "pause_us", &us))
		printf(", for %.1f ms in all", (double)json_object_get_int64(us) / 1000);
}

static int told(const struct options *o, struct json_object *answer)
{
	struct json_object *changes, *failed;
	size_t n, starts;

	if (json_object_object_get_ex(answer, "errors", &changes) &&
	    json_object_is_type(changes, json_type_array))
		return print_errors(o, answer, changes);
	if (!json_object_object_get_ex(answer, "changes", &changes) ||
	    !json_object_is_type(changes, json_type_array))
		return fail(KNIT_EXIT_MISMATCH, "the primary's answer has no changes");
	n = json_object_array_length(changes);
	starts = print_changes(o, changes);
	if (o->json)
		print_json(o, json_object_get(answer));
	else if (n == 0)
		puts("nothing differs");
	else if (starts == 0 && !json_object_object_get_ex(answer, "failed", &failed)) {
		printf("%zu %s%s", n, n == 1 ? "change" : "changes",
		       o->dry_run ? " would be taken over" : " taken over");
		print_pause(o, answer);
		putchar('\n');
	}
	if (json_object_object_get_ex(answer, "failed", &failed))
		return fail(KNIT_EXIT_FAILURE, "nothing is taken over: %s",
			    json_object_get_string(failed));
	if (starts)
		return fail(KNIT_EXIT_FAILURE,
			    "nothing is taken over: %zu of %zu changes need a start of knit",
			    starts, n);
	return KNIT_EXIT_OK;
}

int reload_main(const struct options *o, int argc, char **argv)
{
	struct knit_command_reload asked = { .dry_run = o->dry_run };
	struct json_object *answer;
	char path[PATH_MAX];
	struct client *c;
	int code;

	if (argc > 2)
		return fail(KNIT_EXIT_USAGE, "reload: the name of one file is expected, or none");
	if (argc == 2 && realpath(argv[1], path) == NULL)
		return fail(KNIT_EXIT_CONFIG, "%s: %s", argv[1], strerror(errno));
	if (argc == 2 && strlen(path) >= sizeof(asked.file))
		return fail(KNIT_EXIT_CONFIG, "%s: a shorter path is expected", path);
	if (argc == 2)
		strcpy(asked.file, path);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	answer = command_json(c, KNIT_COMMAND_RELOAD, &asked, sizeof(asked), &code);
	if (answer)
		code = told(o, answer);
	json_object_put(answer);
	client_close(c);
	return code;
}
