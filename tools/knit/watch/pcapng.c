// SPDX-License-Identifier: BSD-3-Clause
#include "pcapng.h"

#include <string.h>

#define SECTION 0x0a0d0d0au
#define INTERFACE 1
#define ENHANCED_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1

/* Options */
#define COMMENT 1
#define USER_APPLICATION 4 /* of a section */
#define NAME 2		   /* of an interface */
#define RESOLUTION 9
#define FLAGS 2 /* of a packet */

#define NANOSECONDS 9 /* 10^-9 */
#define INBOUND 1u
#define OUTBOUND 2u

static uint32_t padded(uint32_t n)
{
	return (n + 3) & ~3u;
}

static uint32_t option_size(uint32_t len)
{
	return 4 + padded(len);
}

static bool put(FILE *out, const void *data, size_t n)
{
	return n == 0 || fwrite(data, n, 1, out) == 1;
}

static bool put_padded(FILE *out, const void *data, uint32_t n)
{
	static const char zero[4];

	return put(out, data, n) && put(out, zero, padded(n) - n);
}

static bool put_option(FILE *out, uint16_t code, const void *data, uint16_t len)
{
	uint16_t head[2] = { code, len };

	return put(out, head, sizeof(head)) && put_padded(out, data, len);
}

static bool put_end(FILE *out, uint32_t block)
{
	return put_option(out, 0, NULL, 0) && put(out, &block, sizeof(block));
}

bool pcapng_begin(FILE *out, const char *program)
{
	uint32_t len = (uint32_t)strlen(program);
	uint32_t block = 28 + option_size(len) + 4;
	struct {
		uint32_t type, size, magic;
		uint16_t major, minor;
		int64_t section; /* its length is not known */
	} __attribute__((packed)) head = { SECTION, block, BYTE_ORDER_MAGIC, 1, 0, -1 };

	return put(out, &head, sizeof(head)) &&
	       put_option(out, USER_APPLICATION, program, (uint16_t)len) && put_end(out, block);
}

bool pcapng_interface(FILE *out, const char *name, uint32_t snaplen)
{
	const uint8_t resolution = NANOSECONDS;
	uint32_t len = (uint32_t)strlen(name);
	uint32_t block = 20 + option_size(len) + option_size(1) + 4;
	struct {
		uint32_t type, size;
		uint16_t link, reserved;
		uint32_t snaplen;
	} head = { INTERFACE, block, LINKTYPE_ETHERNET, 0, snaplen };

	return put(out, &head, sizeof(head)) && put_option(out, NAME, name, (uint16_t)len) &&
	       put_option(out, RESOLUTION, &resolution, 1) && put_end(out, block);
}

bool pcapng_packet(FILE *out, const struct pcapng_packet *p)
{
	uint32_t flags = p->outbound ? OUTBOUND : INBOUND;
	uint32_t len = (uint32_t)strlen(p->comment);
	uint32_t block = 32 + padded(p->captured) + option_size(len) + option_size(4) + 4;
	uint32_t head[] = { ENHANCED_PACKET, block,	  p->interface, (uint32_t)(p->ns >> 32),
			    (uint32_t)p->ns, p->captured, p->len };

	return put(out, head, sizeof(head)) && put_padded(out, p->data, p->captured) &&
	       put_option(out, COMMENT, p->comment, (uint16_t)len) &&
	       put_option(out, FLAGS, &flags, sizeof(flags)) && put_end(out, block);
}
