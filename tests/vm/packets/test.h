/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_TEST_H
#define KNIT_VM_TEST_H

#include "wire.h"

#include <stdio.h>

/*
 * What the tests share: interfaces of one file, one with all features and one with none; a third
 * one with what not all kernels have.
 */
struct world {
	int file;
	struct channel *full; /* OUR_IP */
	struct channel *bare;
	struct channel *big; /* KNIT_FEAT_BIG_TCP; NULL: this kernel has none */
	uint8_t out[FRAME_ROOM];
	uint8_t in[FRAME_ROOM + sizeof(struct virtio_net_hdr)];
	struct frame frame;
};

struct test {
	const char *name;
	bool (*run)(struct world *w);
};

/* All end with NULL. merge_tests and others_tests are for kernels where the module merges. */
extern const struct test rx_tests[], long_tests[], never_merged_tests[], merge_tests[],
	others_tests[], napi_tests[], tx_tests[], bad_tests[], big_tests[], lo_tests[];

#define CHECK(cond)                                                                \
	do {                                                                       \
		if (!(cond)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
			return false;                                              \
		}                                                                  \
	} while (0)

/* A counter of a channel before and after. */
#define COUNT(c, field) (stats_of(c).field)

/* The next frame of ethertype (0: any) from the kernel, others are skipped. False: none in time. */
bool take_frame(struct channel *c, uint16_t ethertype, struct frame *f);
/* All cookies are back, none of them twice. */
bool conserved(struct channel *c);

#endif
