// SPDX-License-Identifier: BSD-3-Clause
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct knit_suite *suites;

void knit_suite_register(struct knit_suite *suite)
{
	struct knit_suite **at = &suites;

	while (*at && strcmp((*at)->name, suite->name) < 0)
		at = &(*at)->next;
	suite->next = *at;
	*at = suite;
}

void knit_unit_fail(const char *what, int error)
{
	printf("not ok %s: %s: %s\n", program_invocation_short_name, what, strerror(error));
	exit(EXIT_FAILURE);
}

static bool choose(const char *name)
{
	struct knit_suite *s;

	for (s = suites; s && strcmp(s->name, name) != 0; s = s->next)
		;
	if (s)
		s->chosen = true;
	return s;
}

static bool choose_all(char **names)
{
	struct knit_suite *s;

	if (!*names)
		for (s = suites; s; s = s->next)
			s->chosen = true;
	for (; *names; names++) {
		if (choose(*names))
			continue;
		fprintf(stderr, "no suite %s; there are:", *names);
		for (s = suites; s; s = s->next)
			fprintf(stderr, " %s", s->name);
		fprintf(stderr, "\n");
		return false;
	}
	return true;
}

/* Runs all chosen suites with this start. */
static int run(void (*start)(void))
{
	SRunner *runner = srunner_create(NULL);
	struct knit_suite *s;
	Suite *suite;
	int failed;

	if (start)
		start();
	for (s = suites; s; s = s->next) {
		if (!s->chosen || s->start != start)
			continue;
		suite = suite_create(s->name);
		s->fill(suite);
		srunner_add_suite(runner, suite);
	}
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In a process of its own: EAL starts only once in a process. */
static bool run_apart(void (*start)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		exit(run(start));
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* usage: knit-unit-PART [SUITE]... */
int main(int argc, char **argv)
{
	struct knit_suite *s, *other;
	int ret = EXIT_SUCCESS;

	if (!choose_all(argv + 1))
		return EXIT_FAILURE;
	for (s = suites; s; s = s->next) {
		if (!s->chosen)
			continue;
		if (!run_apart(s->start))
			ret = EXIT_FAILURE;
		for (other = s->next; other; other = other->next)
			if (other->start == s->start)
				other->chosen = false;
	}
	return ret;
}
