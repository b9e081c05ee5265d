/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_RELOAD_H
#define KNIT_PRIMARY_RELOAD_H

struct command;

/* knit reload: compares a file with what runs, and takes over what can change meanwhile. */
extern const struct command command_reload;

/* Any thread: the file of the start is to be read again, as by `knit reload`. The log tells. */
void command_reload_wanted(void);

#endif
