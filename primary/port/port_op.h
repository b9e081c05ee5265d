/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_OP_H
#define KNIT_PRIMARY_PORT_PORT_OP_H

#include "primary.h"

/*
 * Port thread. Carries out a request of control. 0 or -errno, with the reason in the text.
 * -EINPROGRESS: as for port_pause. port_op_give_up refuses a request that got this for too long.
 */
int port_op(struct primary *p, struct knit_msg *m);
void port_op_give_up(const struct primary *p, struct knit_msg *m);

#endif
