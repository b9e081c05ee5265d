/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_COMMAND_WORKER_H
#define KNIT_PRIMARY_COMMAND_WORKER_H

struct command;

/* knit worker: parks, resumes and restarts one. */
extern const struct command command_worker;

#endif
