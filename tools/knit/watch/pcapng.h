/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_TOOL_PCAPNG_H
#define KNIT_TOOL_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Files of packets in the format of draft-ietf-opsawg-pcapng, in the machine's byte order, with
 * nanoseconds. All return whether the stream took it; errno says why not.
 */
bool pcapng_begin(FILE *out, const char *program);
/* An interface of Ethernet; its number is how many there were before it. */
bool pcapng_interface(FILE *out, const char *name, uint32_t snaplen);

struct pcapng_packet {
	uint32_t interface;
	uint64_t ns; /* since 1970 */
	uint32_t captured, len;
	bool outbound;
	const uint8_t *data;
	const char *comment;
};
bool pcapng_packet(FILE *out, const struct pcapng_packet *p);

#endif
