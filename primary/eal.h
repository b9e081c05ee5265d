/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_EAL_H
#define KNIT_PRIMARY_EAL_H

#include "primary.h"

/* log_level: those of --log-level, NULL behind the last. */
int primary_eal_init(const struct primary *p, const char *program, const char *const *log_level);
void primary_eal_cleanup(const struct knit_config *conf);
int primary_publish_args(struct primary *p);

#endif
