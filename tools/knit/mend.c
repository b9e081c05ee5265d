// SPDX-License-Identifier: BSD-3-Clause
#include "mend.h"

#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS 15

extern char **environ;

static struct json_object *words_of(struct json_object *step)
{
	struct json_object *words;
	size_t i;

	if (!json_object_object_get_ex(step, "run", &words) ||
	    !json_object_is_type(words, json_type_array) || json_object_array_length(words) == 0 ||
	    json_object_array_length(words) > MAX_WORDS)
		return NULL;
	for (i = 0; i < json_object_array_length(words); i++)
		if (!json_object_is_type(json_object_array_get_idx(words, i), json_type_string))
			return NULL;
	return words;
}

static const char *word_at(struct json_object *words, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(words, i));
}

/* So that a shell takes it for one word. */
static void print_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=./:,@%";

	if (word[0] && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

bool mend_text(struct json_object *step, char *text, size_t size)
{
	struct json_object *words = words_of(step);
	FILE *out;
	size_t i;

	if (words == NULL && field_text(step, "write")[0])
		return snprintf(text, size, "echo %s >%s", field_text(step, "value"),
				field_text(step, "write")) < (int)size;
	out = words ? fmemopen(text, size, "w") : NULL;
	if (out == NULL)
		return false;
	for (i = 0; i < json_object_array_length(words); i++) {
		if (i)
			fputc(' ', out);
		print_word(out, word_at(words, i));
	}
	/* An error: it is longer than text. */
	return fclose(out) == 0;
}

/*
 * Somebody may have raised it since the check. To write the smaller number would take away what
 * that one needs.
 */
static bool is_larger(const char *path, const char *value, char *why, size_t size)
{
	unsigned long long now = 0;
	FILE *in = fopen(path, "re");

	if (in && fscanf(in, "%llu", &now) != 1)
		now = 0;
	if (in)
		fclose(in);
	if (now <= strtoull(value, NULL, 10))
		return false;
	snprintf(why, size, "it is %llu by now", now);
	return true;
}

static bool write_value(const char *path, const char *value, char *why, size_t size)
{
	int fd, err = 0;

	if (is_larger(path, value, why, size))
		return false;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = errno;
	if (fd >= 0 && close(fd) < 0 && err == 0)
		err = errno;
	snprintf(why, size, "%s", strerror(err));
	return err == 0;
}

/* What it prints goes to standard error, since standard output may be JSON. */
static int start_program(char **argv, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	if (err == 0)
		err = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

static bool run(struct json_object *words, char *why, size_t size)
{
	char *argv[MAX_WORDS + 1] = { NULL };
	int status, err;
	pid_t pid;
	size_t i;

	for (i = 0; i < json_object_array_length(words); i++)
		argv[i] = (char *)word_at(words, i);
	err = start_program(argv, &pid);
	if (err) {
		snprintf(why, size, "%s: %s", argv[0], strerror(err));
		return false;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	if (WIFSIGNALED(status))
		snprintf(why, size, "ended by signal %d", WTERMSIG(status));
	else
		snprintf(why, size, "exit code %d", WEXITSTATUS(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool mend_do(struct json_object *step, char *why, size_t size)
{
	struct json_object *words = words_of(step);

	snprintf(why, size, "no such step");
	if (words)
		return run(words, why, size);
	return field_text(step, "write")[0] &&
	       write_value(field_text(step, "write"), field_text(step, "value"), why, size);
}
