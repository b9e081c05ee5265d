/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDOVER_H
#define KNIT_HANDOVER_H

#include <stdint.h>

/*
 * Who does the kernel's part of an interface's packets.
 *
 *   thread   a thread of the engine, which is woken by its doorbell
 *   inline   who sends or receives them, in a system call
 *   auto     inline while the engine's thread sleeps, the thread while it is awake
 *
 * With the module inline is as auto: what one call leaves is its thread's.
 */
enum knit_handover {
	KNIT_HANDOVER_AUTO,
	KNIT_HANDOVER_INLINE,
	KNIT_HANDOVER_THREAD,
};

/* The mode of that name, or -EINVAL; and its name, or "?". */
int knit_handover_parse(const char *text);
const char *knit_handover_name(uint32_t mode);

/* What KNIT_HANDOVER in the environment says; or -EINVAL, logged. */
int knit_handover_wanted(void);

#endif
