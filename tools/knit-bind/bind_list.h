/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_LIST_H
#define KNIT_BIND_LIST_H

#include "system/bind/bind.h"

/*
 * knit-bind's list on stdout, with what speaks against want->driver, its module loaded or not. all:
 * every PCI device, not only network controllers. The exit code.
 */
int bind_list(const struct knit_bind_want *want, bool all, bool json);

#endif
