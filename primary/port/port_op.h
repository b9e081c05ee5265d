/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_OP_H
#define KNIT_PRIMARY_PORT_PORT_OP_H

#include "primary.h"

/*
 * Port thread. Carries out a request of control. 0 or -errno, with the reason in the text.
 * -EINPROGRESS: as for port_pause.
 */
int port_op(struct primary *p, struct knit_msg *m);

#endif
