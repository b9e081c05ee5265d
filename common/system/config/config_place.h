/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_PLACE_H
#define KNIT_CONFIG_PLACE_H

#include "config.h"

/*
 * The place of ports, interfaces and workers: the index that all of knit names them by. A worker's
 * place is its id. A port and an interface keep the place that they have for as long as they exist;
 * a new one takes the first that is free. So places can be empty, and n_ports, n_ifaces and
 * n_workers are then the number of the last place in use, plus one.
 *
 * Pure logic. The primary calls this at start, with nothing in use, and for each reload.
 */
struct knit_places {
	char ports[KNIT_MAX_PORTS][KNIT_NAME]; /* who has it; "": it is free */
	char ifaces[KNIT_MAX_CONF_IFACES][IFNAMSIZ];
};

/* The places that c has, which is placed. */
void knit_places_of(struct knit_places *p, const struct knit_config *c);

/*
 * Puts what c has, in the order of a file, at its places; rules and interfaces follow. taken: those
 * in use, which a port or interface of the same name keeps. -ENOSPC with a line on err: more ports
 * or interfaces than places; c is then not to be used.
 */
int knit_config_place(struct knit_config *c, const struct knit_places *taken, FILE *err);

#endif
