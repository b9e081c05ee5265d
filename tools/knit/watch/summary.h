/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_SUMMARY_H
#define KNIT_TOOL_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

/* An Ethernet frame in a line: addresses, tags, network and transport headers as far as they go. */
void summary(const uint8_t *frame, size_t len, char *text, size_t size);

#endif
