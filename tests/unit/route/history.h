/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROUTE_HISTORY_H
#define KNIT_ROUTE_HISTORY_H

#include "route_rig.h"

/* A random history of one table, and what the oracle says of it. */
struct history {
	struct rig rig;
	struct oracle oracle;
	size_t most; /* routes; about so many are there in the long run */
	/* Addresses that say much: of routes, their first and last ones, and those beside them. */
	struct probe {
		uint32_t vrf;
		enum knit_route_family family;
		uint8_t address[16];
	} probe[96];
	unsigned int probes;
};

/* One step. */
struct change {
	bool remove;
	struct knit_route route;
};

void history_open(struct history *h, const struct knit_route_conf *conf, uint64_t seed, size_t most,
		  bool live);
void history_close(struct history *h);
struct change history_next(struct history *h);
/* Tells the writer, which must have room, and the oracle. */
void history_apply(struct history *h, const struct change *c);
void history_tell_oracle(struct history *h, const struct change *c);
/* The ones of this change, and of others as many. */
void history_probe(struct history *h, const struct knit_route_prefix *p);
/* At the probes, the table says what the oracle says. */
void history_check(const struct history *h, const struct knit_route_half *half);
/* Everything: also what the RIB knows. */
void history_check_all(struct history *h);

#endif
