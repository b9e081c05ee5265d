// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"
#include "knit.h"
#include "mend.h"
#include "start.h"
#include "system/process/exit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MAX (1 << 20)

static char *read_all(int fd)
{
	char *text = malloc(ANSWER_MAX);
	size_t len = 0;
	ssize_t n = 1;

	while (text && len < ANSWER_MAX - 1 && n != 0) {
		n = read(fd, text + len, ANSWER_MAX - 1 - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? n : 0;
	}
	if (text)
		text[len] = '\0';
	return text;
}

/* What knit-primary --check finds. NULL: it said on stderr what is wrong; or a message does. */
static struct json_object *find(const char *file, int *code)
{
	char *argv[] = { "knit-primary", "--config", (char *)file, "--check", "--json", NULL };
	struct json_object *found, *list;
	int ends[2], status = 0;
	char *text;
	pid_t pid;

	*code = KNIT_EXIT_FAILURE;
	if (pipe(ends) < 0 || (pid = fork()) < 0) {
		fail(0, "%s", strerror(errno));
		return NULL;
	}
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(start_become("knit-primary", "primary", argv));
	}
	close(ends[1]);
	text = read_all(ends[0]);
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : KNIT_EXIT_FAILURE;
	found = text ? json_tokener_parse(text) : NULL;
	free(text);
	if (json_object_object_get_ex(found, "findings", &list) &&
	    json_object_is_type(list, json_type_array))
		return found;
	json_object_put(found);
	if (*code == KNIT_EXIT_OK)
		*code = fail(KNIT_EXIT_MISMATCH, "knit-primary is of another version");
	return NULL;
}

static struct json_object *steps_of(struct json_object *finding)
{
	struct json_object *steps;

	return strcmp(field_text(finding, "state"), "missing") == 0 &&
			       json_object_object_get_ex(finding, "steps", &steps) &&
			       json_object_is_type(steps, json_type_array)
		       ? steps
		       : NULL;
}

/* Calls visit for each step of what is missing. Returns how often. */
static unsigned int each_step(struct json_object *found,
			      void (*visit)(struct json_object *step, const char *text, void *arg),
			      void *arg)
{
	struct json_object *list, *steps, *step;
	unsigned int n = 0;
	char text[1024];
	size_t i, k;

	json_object_object_get_ex(found, "findings", &list);
	for (i = 0; i < json_object_array_length(list); i++) {
		steps = steps_of(json_object_array_get_idx(list, i));
		for (k = 0; steps && k < json_object_array_length(steps); k++) {
			step = json_object_array_get_idx(steps, k);
			if (!mend_text(step, text, sizeof(text)))
				continue;
			n++;
			visit(step, text, arg);
		}
	}
	return n;
}

static void print_step(struct json_object *step, const char *text, void *arg)
{
	(void)step;
	(void)arg;
	printf("         %s\n", text);
}

/* What is missing, with what mends it. */
static void print_missing(struct json_object *found)
{
	struct json_object *list, *finding, *one, *alone;
	size_t i;

	json_object_object_get_ex(found, "findings", &list);
	for (i = 0; i < json_object_array_length(list); i++) {
		finding = json_object_array_get_idx(list, i);
		if (strcmp(field_text(finding, "state"), "missing") != 0)
			continue;
		printf("MISSING  %s\n", field_text(finding, "what"));
		one = json_object_new_object();
		alone = json_object_new_array();
		json_object_array_add(alone, json_object_get(finding));
		json_object_object_add(one, "findings", alone);
		if (each_step(one, print_step, NULL) == 0)
			printf("         by hand: %s\n", field_text(finding, "remedy"));
		json_object_put(one);
	}
}

struct done {
	const struct options *o;
	struct json_object *list;
	struct json_object *tried; /* what did not help is not repeated */
	unsigned int left;	   /* what was not tried yet */
	unsigned int failed;
};

static bool was_tried(const struct done *d, struct json_object *step, const char *text)
{
	const char *file = field_text(step, "write");

	return json_object_object_get_ex(d->tried, file[0] ? file : text, NULL);
}

static void count_step(struct json_object *step, const char *text, void *arg)
{
	struct done *d = arg;

	d->left += !was_tried(d, step, text);
}

static void do_step(struct json_object *step, const char *text, void *arg)
{
	struct done *d = arg;
	struct json_object *result;
	const char *file = field_text(step, "write");
	char why[200];
	bool good;

	/* Those behind one that failed may need what it did not do. */
	if (d->failed || was_tried(d, step, text))
		return;
	json_object_object_add(d->tried, file[0] ? file : text, NULL);
	fflush(stdout);
	good = mend_do(step, why, sizeof(why));
	d->failed += !good;
	if (!d->o->json) {
		printf("%-8s %s%s%s\n", good ? "done" : "FAILED", text, good ? "" : ": ",
		       good ? "" : why);
		return;
	}
	result = json_object_new_object();
	json_object_object_add(result, "command", json_object_new_string(text));
	json_object_object_add(result, "done", json_object_new_boolean(good));
	if (!good)
		json_object_object_add(result, "why", json_object_new_string(why));
	json_object_array_add(d->list, result);
}

static bool asked_yes(const struct options *o, unsigned int n)
{
	char line[16] = "";

	if (o->yes)
		return true;
	if (o->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return false;
	printf("\nRun %s? [y/N] ", n == 1 ? "this command" : "these commands");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/*
 * Until nothing is missing, nothing can be done, or nobody wants it: what is mended may show what
 * else is missing.
 */
static int mend(const struct options *o, const char *file)
{
	struct done d = { .o = o,
			  .list = json_object_new_array(),
			  .tried = json_object_new_object() };
	struct json_object *found;
	int code;

	for (found = find(file, &code); found; found = find(file, &code)) {
		if (!o->json)
			print_missing(found);
		d.left = 0;
		each_step(found, count_step, &d);
		if (code == 0 || d.left == 0 || d.failed || !asked_yes(o, d.left))
			break;
		each_step(found, do_step, &d);
		json_object_put(found);
	}
	if (found && o->json) {
		json_object_object_add(found, "done", json_object_get(d.list));
		print_json(o, json_object_get(found));
	} else if (found && code == 0) {
		puts("nothing is missing");
	}
	json_object_put(d.list);
	json_object_put(d.tried);
	json_object_put(found);
	return code;
}

int check_main(const struct options *o, int argc, char **argv)
{
	char *args[] = { "knit-primary", "--check", argc > 1 ? argv[1] : NULL, NULL };
	struct json_object *found;
	int code;

	if (argc != 2)
		return fail(KNIT_EXIT_USAGE, "check: the name of a configuration file is expected");
	if (o->yes && !o->fix)
		return fail(KNIT_EXIT_USAGE, "check: --yes needs --fix");
	if (o->fix)
		return mend(o, argv[1]);
	if (!o->json)
		return start_become("knit-primary", "primary", args);
	found = find(argv[1], &code);
	if (found)
		print_json(o, found);
	return code;
}
