/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SELECT_H
#define KNIT_SELECT_H

#include "engine.h"

/*
 * The engine of that name. "auto" and NULL stand for the engine that KNIT_ENGINE names, or else for
 * the first of kmod and tap that is available. NULL with rte_errno set, and logged.
 */
const struct knit_engine_ops *knit_engine_get(const char *name);

/* The name itself, or for "auto" and NULL the value of KNIT_ENGINE; "auto" if that is not set. */
const char *knit_engine_wanted(const char *name);

#endif
