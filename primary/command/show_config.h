/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_SHOW_CONFIG_H
#define KNIT_PRIMARY_SHOW_CONFIG_H

struct command;

/* knit show config: the configuration, with the defaults of what the file does not say. */
extern const struct command command_show_config;

#endif
