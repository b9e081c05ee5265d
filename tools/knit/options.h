/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_OPTIONS_H
#define KNIT_TOOL_OPTIONS_H

#include "knit.h"

/*
 * The options, one table for all commands. A command names the letters of those it understands. An
 * option may stand in front of the command or behind it.
 */

/*
 * Reads options. c NULL: those in front of the command, which is then at argv[optind]; else those
 * among c's arguments, which then follow argv[optind]. False: the program ends with *code.
 */
bool options_read(struct options *o, const struct command *c, int argc, char **argv, int *code);

/* Whether c understands all that was given; 0 or an exit code, after a message. */
int options_fit(const struct options *o, const struct command *c);

/* --help of the program, and of one command. */
void options_help(void);
void options_help_command(const struct command *c);

#endif
