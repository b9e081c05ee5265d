/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_LOG_LEVEL_H
#define KNIT_PRIMARY_LOG_LEVEL_H

struct command;

/* knit log level: shows and sets levels of log types. */
extern const struct command command_log_level;

#endif
