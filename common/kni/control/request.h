/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_REQUEST_H
#define KNIT_REQUEST_H

#include "handler.h"

/* One request, taken by itself: 0, or -EINVAL if no engine would send such a thing. */
int knit_request_check(const struct knit_req *req);

/*
 * Handler: checks req (a private copy), calls the callback of its kind, logs a refusal, and
 * returns the answer: 0 or a negative errno. ops NULL: everything succeeds. An ask that its caller
 * gave up is not carried out, and if that happened while the callback ran the kernel's value is
 * put back; both answer -ECANCELED.
 */
int knit_request_carry_out(struct rte_kni *kni, const struct knit_req *req,
			   const struct knit_handler_ops *ops, void *arg);

#endif
