/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_REQUEST_H
#define KNIT_REQUEST_H

#include "handler.h"

/* Checks one request by itself: 0, or -EINVAL if no engine sends such a request. */
int knit_request_check(const struct knit_req *req);

/*
 * Handler: checks req (a private copy), calls the callback of its kind, logs a refusal, and returns
 * the answer: 0 or a negative errno. ops NULL: everything succeeds. A synchronous request whose
 * caller gave up is not carried out; if the caller gave up while the callback ran, the kernel's
 * value is restored. The answer is -ECANCELED in both cases.
 */
int knit_request_carry_out(struct rte_kni *kni, const struct knit_req *req,
			   const struct knit_handler_ops *ops, void *arg);

#endif
