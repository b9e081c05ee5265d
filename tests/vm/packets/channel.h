/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_CHANNEL_H
#define KNIT_VM_CHANNEL_H

#include "abi/knit_ioctl.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * User space's side of one queue pair of an interface of /dev/kni, by nothing but include/abi.
 *
 * Memory of a channel: shared block | RX_AREA bytes that frames to the kernel are laid into, one
 * behind the other | RING * BUFFER bytes for frames from it. Cookies of rx_q count up; each must
 * come back exactly once. Cookies of alloc_q are the buffer's number.
 */
#define RING 256
#define BUFFER 2048
#define RX_AREA (1u << 20)
#define FRAME_ROOM (KNIT_BIG_FRAME_MAX + 1)
#define PATIENCE_MS 10000

struct channel {
	int file;
	uint64_t id;
	uint32_t ifindex;
	char name[16];
	uint8_t *shm; /* the beginning of its memory */
	size_t memory_len;
	uint8_t *area;
	uint8_t *buffers;
	uint32_t area_at;
	struct knit_ring rx_q, free_q, alloc_q, tx_q;
	int packet_doorbell, user_doorbell;
	bool kicks;	/* KICK instead of the doorbell */
	bool silent;	/* tell the kernel nothing */
	uint32_t rings; /* how often the kernel was told of something */

	uint32_t next_cookie;
	uint32_t returned;	/* cookies of rx_q */
	uint32_t wrong_cookies; /* twice, or never given */
	uint8_t given[1 << 16]; /* by cookie: is with the kernel */
	uint32_t n_idle;	/* buffers of ours that are in neither queue */
	uint32_t idle[RING];
	uint8_t *place[RING]; /* of buffers, by cookie */
	uint32_t room[RING];
	uint32_t empty_returns; /* buffers that came back with nothing in them */
};

/* A frame from tx_q. */
struct frame {
	struct knit_desc desc; /* of its first segment */
	uint32_t len;
	uint32_t segs;
	uint8_t data[FRAME_ROOM];
};

/* All exit with a message if the system does not let them. */
struct channel *channel_new(int file, const char *name, uint32_t features, size_t page_size);
int channel_attach(struct channel *c); /* 0 or -errno */
int channel_detach(struct channel *c);
uint32_t info_flags(int file);
uint32_t info_features(int file);

/* Puts a frame into rx_q in segments of seg bytes (0: one); first has the offload fields. */
void rx_put(struct channel *c, const void *data, uint32_t len, uint32_t seg,
	    const struct knit_desc *first);
/* Puts descriptors as they are (cookies are set), n at once. */
void rx_put_raw(struct channel *c, const struct knit_desc *d, uint32_t n);
/* Takes cookies back; true when all are here. */
bool rx_idle(struct channel *c);

void tx_offer(struct channel *c, uint32_t n); /* buffers of BUFFER bytes, at most */
/* While all are idle: n of room bytes each, RING * BUFFER in all at most. */
void tx_offer_large(struct channel *c, uint32_t n, uint32_t room);
/* Takes the next frame, false: there is none. Buffers that come back empty are counted. */
bool tx_take(struct channel *c, struct frame *f);

/* Polls until it is true; false when patience ends. */
bool wait_until(bool (*is)(struct channel *c), struct channel *c);

struct knit_ioc_stats stats_of(const struct channel *c);
uint64_t now_us(void);
void die(const char *what);

#endif
