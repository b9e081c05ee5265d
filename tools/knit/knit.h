/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_H
#define KNIT_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The command `knit`. It is no DPDK process: it asks the primary's telemetry socket, or starts one
 * of knit's other programs. One thread; nothing is kept between two commands.
 *
 *   main.c      the command line
 *   verbs.c     the table of commands
 *   options.c   the table of options, and --help
 *   client.c    questions to the primary
 *   command.c   commands of the primary that do more than answer once
 *   objects.c   what a system consists of
 *   show.c      knit show
 *   memory.c    knit show memory
 *   config.c    knit show config
 *   top/        knit top: rates from two looks, their text, the terminal
 *   drops.c     knit drops
 *   watch/      knit trace and knit capture: watch.c is what they have in common; summary.c a frame
 *               in a line, pcapng.c the format of files
 *   monitor.c   knit monitor
 *   log.c       knit log level
 *   table.c     text in columns
 *   output.c    messages and JSON
 *   check.c     knit check
 *   mend.c      knit check --fix
 *   start.c     knit bind; other programs
 *
 * A new command is an entry of the table in verbs.c, a new option one of that in options.c, a
 * new kind of object one in objects.c and one in show.c.
 */
struct options {
	const char *prefix; /* NULL: the only system there is */
	bool json;
	bool pretty;	       /* with json: in lines */
	bool all;	       /* drops: also what did not happen */
	bool once;	       /* top: one look, no terminal */
	uint64_t number;       /* trace, capture: how many packets; 0: not said */
	uint32_t length;       /* trace, capture: bytes of each packet; 0: not said */
	uint32_t share;	       /* trace, capture: percent of a worker's time */
	const char *direction; /* trace, capture; NULL: both */
	const char *file;      /* capture: where to write; NULL: standard output */
	bool dry_run;	       /* reload: nothing is changed */
	bool fix;	       /* check: what a program can mend */
	bool yes;	       /* check: without a question */
	uint64_t since;	       /* monitor: a number; UINT64_MAX: none was given */
	uint64_t since_start;  /* monitor: the start that it is of; 0: not said */
	double seconds;	       /* drops, top: between two looks */
	double timeout;	       /* worker restart: seconds until the next one has attached */
	uint32_t given;	       /* a bit for each row of options.c */
};

struct client;
struct json_object;

struct command {
	const char *name;
	const char *arguments;
	const char *letters; /* the options that it understands, beside --help and --version */
	const char *help;    /* a line or two for the list of all commands */
	const char *more;    /* its own --help, whole lines; NULL: as help */
	/* argv[0] is the command's name. Returns an exit code of process/exit.h. */
	int (*run)(const struct options *o, int argc, char **argv);
	bool other; /* another program: gets its arguments as they are */
};

extern const struct command commands[];
extern const size_t n_commands;

int show_main(const struct options *o, int argc, char **argv);
int top_main(const struct options *o, int argc, char **argv);
int drops_main(const struct options *o, int argc, char **argv);
int trace_main(const struct options *o, int argc, char **argv);
int capture_main(const struct options *o, int argc, char **argv);
int monitor_main(const struct options *o, int argc, char **argv);
int log_main(const struct options *o, int argc, char **argv);
int reload_main(const struct options *o, int argc, char **argv);
int worker_main(const struct options *o, int argc, char **argv);
int check_main(const struct options *o, int argc, char **argv);
int bind_main(const struct options *o, int argc, char **argv);

/* fail calls it first, so that no message is lost on a screen that is left afterwards. */
extern void (*before_message)(void);

/* "knit: " and the message on stderr; returns code. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the object as the options say, and frees it. */
void print_json(const struct options *o, struct json_object *object);

#endif
