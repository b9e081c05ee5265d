/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_PORT_PORT_OP_H
#define KNIT_PRIMARY_PORT_PORT_OP_H

#include "primary.h"

/*
 * What control asks. In the port thread. 0 or -errno; text says why. -EINPROGRESS: as
 * port_pause.
 */
int port_op(struct primary *p, struct knit_msg *m);

#endif
