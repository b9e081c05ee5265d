/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_EAL_H
#define KNIT_PRIMARY_EAL_H

#include "primary.h"

/* log_level: the values of --log-level. NULL follows the last one. */
int primary_eal_init(const struct primary *p, const char *program, const char *const *log_level);
/* Also removes the files that EAL leaves. */
void primary_eal_cleanup(const struct knit_config *conf);
/* Writes the EAL arguments of all secondaries to files, which they read when they start. */
int primary_publish_args(const struct primary *p, const struct knit_config *c);

#endif
