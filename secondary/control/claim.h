/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONTROL_CLAIM_H
#define KNIT_CONTROL_CLAIM_H

struct control;

/* Makes this process the handler of all interfaces. Returns enum knit_exit; errors are logged. */
int control_claim(struct control *c);

/* Gives that role up, also after control_claim has failed. */
void control_unclaim(struct control *c);

#endif
