/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_SHOW_CONFIG_H
#define KNIT_PRIMARY_SHOW_CONFIG_H

struct command;
struct json_object;
struct knit_config;

/* knit show config: the configuration, with the defaults of what the file does not say. */
extern const struct command command_show_config;

/* All keys that could stand in a file with this content; groups are objects, lists are arrays. */
struct json_object *show_config_object(const struct knit_config *c);

#endif
