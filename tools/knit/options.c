// SPDX-License-Identifier: BSD-3-Clause
#include "options.h"

#include "system/command/watch.h"
#include "system/process/exit.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 80
#define INDENT 26 /* of the texts */

struct row {
	char letter;
	const char *name;
	const char *argument;
	const char *help;
};

static const struct row rows[] = {
	{ 'P', "prefix", "PREFIX", "eal.prefix of the system; default: the only one that runs" },
	{ 'j', "json", NULL, "JSON, in one line" },
	{ 'p', "pretty", NULL, "JSON, in several lines" },
	{ 'a', "all", NULL, "also counters that lost nothing" },
	{ '1', "once", NULL, "one look, and the end" },
	{ 'n', "number", "N", "end after so many packets; trace: default 10" },
	{ 'd', "direction", "rx|tx",
	  "only what the devices receive or only what they transmit; default: both" },
	{ 'l', "length", "BYTES",
	  "the first bytes of each packet, 64 to 65535; default: trace 128, capture all" },
	{ 'S', "share", "PERCENT",
	  "of a worker's time at most, 1 to 100; default 10. Packets beyond that are not looked "
	  "at" },
	{ 'w', "write", "FILE", "where to write; default: standard output" },
	{ 's', "seconds", "N",
	  "how long to look for the rate; default 1. Of drops 0, too: no rate" },
	{ 'f', "fix", NULL, "print the commands that mend it, and at a terminal ask to run them" },
	{ 'y', "yes", NULL, "with --fix: run them without a question" },
	{ 'i', "since", "[START:]NUMBER",
	  "also what came after that event; 0: all that are kept. START is the event's `start`" },
	{ 'r', "dry-run", NULL, "only say what would change" },
	{ 't', "timeout", "SECONDS", "how long the next process has to attach; default 10" },
	{ 'V', "version", NULL, "the version of knit" },
	{ 'h', "help", NULL, "this text; behind a command: what that command does" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* What each command understands. */
#define ALWAYS "Vh"
/* An option that more commands have than this is explained without their names. */
#define FEW 3

static bool has(const struct command *c, char letter)
{
	return !c->other && (strchr(ALWAYS, letter) || strchr(c->letters, letter));
}

/* The commands that have the option: "top, drops". Returns their number. */
static size_t owners(char letter, char *text, size_t size)
{
	size_t i, n = 0, at = 0;

	text[0] = '\0';
	for (i = 0; i < n_commands; i++) {
		if (!has(&commands[i], letter))
			continue;
		if (at < size)
			at += snprintf(text + at, size - at, "%s%s", n ? ", " : "",
				       commands[i].name);
		n++;
	}
	return n;
}

/* The cursor is at column `at`: the text goes on at INDENT, in lines that are not too long. */
static void print_text(int at, const char *text)
{
	int n, column = at;

	while (*text) {
		n = (int)strcspn(text, " ");
		if (column == at || column + 1 + n > COLUMNS) {
			if (column != at || at > INDENT - 2)
				printf("\n%*s", INDENT, "");
			else
				printf("%*s", INDENT - at, "");
			column = INDENT;
			at = -1;
		} else {
			printf(" ");
			column++;
		}
		printf("%.*s", n, text);
		column += n;
		text += n + strspn(text + n, " ");
	}
	printf("\n");
}

static void print_row(const struct row *r, bool name_owners)
{
	char list[200], text[400];
	size_t n = owners(r->letter, list, sizeof(list));
	int at = printf("  -%c, --%s%s%s", r->letter, r->name, r->argument ? " " : "",
			r->argument ? r->argument : "");

	snprintf(text, sizeof(text), "%s%s%s", name_owners && n <= FEW ? list : "",
		 name_owners && n <= FEW ? ": " : "", r->help);
	print_text(at, text);
}

void options_help(void)
{
	size_t i;

	puts("usage: knit [OPTIONS] COMMAND [ARGUMENTS]\n"
	     "\n"
	     "Shows and explains a running knit. COMMAND --help: more about that command.\n");
	for (i = 0; i < n_commands; i++)
		print_text(printf("  %s %s", commands[i].name, commands[i].arguments),
			   commands[i].help);
	puts("");
	for (i = 0; i < ROWS; i++)
		print_row(&rows[i], true);
	puts("\n"
	     "exit codes: 0 done, 1 failure, 2 command line, 4 permission, 5 no primary, or it\n"
	     "does not answer; check and bind: those of knit-primary and knit-bind");
}

void options_help_command(const struct command *c)
{
	size_t i;

	printf("usage: knit %s [OPTIONS]%s%s\n\n%s\n\n", c->name, c->arguments[0] ? " " : "",
	       c->arguments, c->more ? c->more : c->help);
	for (i = 0; i < ROWS; i++)
		if (has(c, rows[i].letter) && rows[i].letter != 'V')
			print_row(&rows[i], false);
}

static bool parse_seconds(const char *name, const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && *end == '\0' && *seconds >= 0 && *seconds <= 3600)
		return true;
	fail(0, "--%s: found \"%s\": a number from 0 to 3600 is expected", name, text);
	return false;
}

/* A whole number from min to max. */
static bool parse_number(const char *name, const char *text, uint64_t min, uint64_t max,
			 uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= min &&
	    *number <= max)
		return true;
	fail(0, "--%s: found \"%s\": a number from %" PRIu64 " to %" PRIu64 " is expected", name,
	     text, min, max);
	return false;
}

static bool parse_small(const char *name, const char *text, uint32_t min, uint32_t max,
			uint32_t *number)
{
	uint64_t n;

	if (!parse_number(name, text, min, max, &n))
		return false;
	*number = (uint32_t)n;
	return true;
}

/* [START:]NUMBER; START has 16 hexadecimal digits. */
static bool parse_since(const char *text, uint64_t *start, uint64_t *number)
{
	const char *colon = strchr(text, ':');
	char *end;

	if (colon == NULL)
		return parse_number("since", text, 0, UINT64_MAX - 1, number);
	*start = strtoull(text, &end, 16);
	if (colon == text + 16 && end == colon && isxdigit((unsigned char)text[0]))
		return parse_number("since", colon + 1, 0, UINT64_MAX - 1, number);
	fail(0,
	     "--since: found \"%s\": the `start` of an event, of 16 hexadecimal digits, is "
	     "expected before the colon",
	     text);
	return false;
}

/* False: the text behind the option is of no use; there was a message. */
static bool take(struct options *o, char letter, const char *text)
{
	switch (letter) {
	case 'P':
		o->prefix = text;
		return true;
	case 'p':
		o->pretty = true;
		o->json = true;
		return true;
	case 'j':
		o->json = true;
		return true;
	case 'a':
		o->all = true;
		return true;
	case '1':
		o->once = true;
		return true;
	case 'n':
		return parse_number("number", text, 1, UINT64_C(1000000000000), &o->number);
	case 'd':
		o->direction = text;
		return true;
	case 'l':
		return parse_small("length", text, KNIT_WATCH_SNAP_MIN, KNIT_WATCH_SNAP_MAX,
				   &o->length);
	case 'S':
		return parse_small("share", text, 1, 100, &o->share);
	case 'w':
		o->file = text;
		return true;
	case 'i':
		return parse_since(text, &o->since_start, &o->since);
	case 'r':
		o->dry_run = true;
		return true;
	case 'f':
		o->fix = true;
		return true;
	case 'y':
		o->yes = true;
		return true;
	case 's':
		return parse_seconds("seconds", text, &o->seconds);
	case 't':
		return parse_seconds("timeout", text, &o->timeout);
	}
	return false;
}

/* NULL: there is no such option. */
static const struct row *find_row(int letter)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* What getopt did not like. It knows no letter of a long option that does not exist. */
static bool refuse(const struct command *c, int opt, char **argv)
{
	const struct row *r = find_row(optopt);
	char word[64];

	if (r)
		snprintf(word, sizeof(word), "--%s", r->name);
	else if (optopt)
		snprintf(word, sizeof(word), "-%c", optopt);
	else
		snprintf(word, sizeof(word), "%s", argv[optind - 1]);
	fail(0, "%s%s%s %s; `knit %s%s--help` lists the options", c ? c->name : "", c ? ": " : "",
	     r == NULL	  ? "no such option:"
	     : opt == ':' ? "a value is expected behind"
			  : "no value is expected behind",
	     word, c ? c->name : "", c ? " " : "");
	return false;
}

/* letters: has the flags of getopt already. */
static void getopt_tables(char letters[3 + 2 * ROWS], struct option longs[ROWS + 1])
{
	size_t i, n = strlen(letters);

	for (i = 0; i < ROWS; i++) {
		letters[n++] = rows[i].letter;
		if (rows[i].argument)
			letters[n++] = ':';
		longs[i] = (struct option){ rows[i].name,
					    rows[i].argument ? required_argument : no_argument,
					    NULL, rows[i].letter };
	}
	letters[n] = '\0';
	longs[ROWS] = (struct option){ NULL };
}

bool options_read(struct options *o, const struct command *c, int argc, char **argv, int *code)
{
	/* '+': it ends at the first word. ':': it tells when a value is missing. */
	char letters[3 + 2 * ROWS] = "+:";
	struct option longs[ROWS + 1];
	int opt;

	if (c)
		strcpy(letters, ":");
	getopt_tables(letters, longs);
	*code = KNIT_EXIT_USAGE;
	opterr = 0;
	optind = 0; /* begins anew */
	while ((opt = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (opt == '?' || opt == ':')
			return refuse(c, opt, argv);
		if (opt == 'V')
			printf("knit " KNIT_VERSION "\n");
		else if (opt == 'h' && c)
			options_help_command(c);
		else if (opt == 'h')
			options_help();
		else if (!take(o, (char)opt, optarg))
			return false;
		*code = opt == 'V' || opt == 'h' ? KNIT_EXIT_OK : KNIT_EXIT_USAGE;
		if (*code == KNIT_EXIT_OK)
			return false;
		o->given |= 1U << (find_row(opt) - rows);
	}
	return true;
}

int options_fit(const struct options *o, const struct command *c)
{
	char list[200];
	size_t i;

	for (i = 0; i < ROWS; i++) {
		if (!(o->given >> i & 1) || has(c, rows[i].letter))
			continue;
		if (c->other)
			return fail(KNIT_EXIT_USAGE, "%s: its options stand behind it", c->name);
		owners(rows[i].letter, list, sizeof(list));
		return fail(KNIT_EXIT_USAGE, "%s: it has no option --%s; these have it: %s",
			    c->name, rows[i].name, list);
	}
	return KNIT_EXIT_OK;
}
