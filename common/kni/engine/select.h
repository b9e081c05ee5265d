/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SELECT_H
#define KNIT_SELECT_H

#include "engine.h"

/*
 * The engine of that name; "auto" (and NULL) takes what KNIT_ENGINE says, else the first available
 * of kmod and tap. NULL with rte_errno set, and logged.
 */
const struct knit_engine_ops *knit_engine_get(const char *name);

/* The name that counts: "auto" and NULL give way to KNIT_ENGINE; "auto" if that does not say. */
const char *knit_engine_wanted(const char *name);

#endif
