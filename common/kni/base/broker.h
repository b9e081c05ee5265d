/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_BROKER_H
#define KNIT_BROKER_H

#include <stdint.h>

struct rte_kni;

/*
 * Who opens for this process what it may not open itself, and hands over the file. A process of
 * librte_kni has none; a secondary of knit asks its primary, so it needs no privilege.
 */
struct knit_broker {
	/* A copy of the doorbell's fd, or a negative errno. */
	int (*doorbell)(uint32_t doorbell);
	/*
	 * Engine kmod: a file of /dev/kni that has the interface's pair of that number, or with
	 * KNIT_MAX_PAIRS its handler. The role ends when it is closed. Engine tap: the file of the
	 * pair's queue. Or a negative errno.
	 */
	int (*role)(const struct rte_kni *kni, uint32_t role);
};

extern const struct knit_broker *knit_broker; /* NULL: none */

#endif
