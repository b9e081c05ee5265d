/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_SERVES_H
#define KNIT_WORKER_SERVES_H

struct knit_worker;

/* Tells systemd which ports and interfaces the worker serves. */
void knit_worker_status(const struct knit_worker *w);

#endif
