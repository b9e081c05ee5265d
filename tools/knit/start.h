/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_START_H
#define KNIT_TOOL_START_H

/*
 * Becomes one of knit's programs: that of the same installation or build, else what PATH has.
 * folder: where a build has it. Returns only if there is none, with an exit code and after a
 * message.
 */
int start_become(const char *program, const char *folder, char **argv);

#endif
