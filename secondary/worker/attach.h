/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_WORKER_ATTACH_H
#define KNIT_WORKER_ATTACH_H

struct knit_worker;

/*
 * Takes the worker's ends of the domain. Called between knit_secondary_attach and
 * knit_secondary_ready. Returns enum knit_exit; a message was printed.
 */
int knit_worker_claim(struct knit_worker *w);

/* Releases them, between two rounds. Also after knit_worker_claim has failed. */
void knit_worker_unclaim(struct knit_worker *w);

#endif
