/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BIND_LIST_H
#define KNIT_BIND_LIST_H

#include "system/bind/bind.h"

/*
 * Prints the list of devices on stdout, with the reasons against binding each to want->driver,
 * whether its module is loaded or not. all: every PCI device, not only network controllers. Returns
 * the exit code.
 */
int bind_list(const struct knit_bind_want *want, bool all, bool json);

#endif
