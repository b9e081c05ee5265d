/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_APPLY_H
#define KNIT_CONTROL_APPLY_H

#include "kni/control/handler.h"

/* The handler's callbacks. arg is a struct control_iface. */
extern const struct knit_handler_ops control_ops;

#endif
