/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_HOSTILE_H
#define KNIT_VM_HOSTILE_H

#include "abi/knit_ioctl.h"
#include "dice.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * knit-hostile: user space at its worst. For a machine that may crash; needs the module, root and a
 * network namespace of its own.
 *
 *   judge      (main) round after round: sends the others in, stops, continues and kills them,
 *              reads the counters, and says at the end what was seen
 *   villain    makes interfaces and then, in many threads, scribbles over all their shared memory,
 *              feeds them frames, buffers and answers that are nearly right, and calls /dev/kni
 *              with arguments that are nearly right; its accomplices, forked, do so with its files
 *   bystanders send real traffic through the villain's interfaces, change them as `ip link` does
 *   innocent   has an interface beside them that works as it should; nothing of its traffic may be
 *              lost or changed
 *
 * All chance comes from the seed: an actor's dice depend on seed, round and actor only.
 */
#define PAGE 4096UL
#define PREFIX "hk" /* of the villain's interfaces */
#define MAX_IDS 32
#define TARGETS 2
#define ACCOMPLICES 2

/* What a round is like; by chance. */
struct plan {
	uint32_t round;
	uint32_t ring_size;
	uint32_t n_pairs;
	uint32_t features;
	uint32_t flags;	   /* KNIT_CREATE_* */
	uint32_t spoil;	   /* one frame, buffer, answer in so many is wrong */
	bool huge;	   /* memory of 2 MiB pages */
	bool scribble;	   /* over all shared memory, indexes too */
	bool obedient;	   /* the handler answers well, and at once */
	uint32_t duration; /* ms */
};

/* Shared by all processes; nothing of it is ever given to the kernel. */
struct control {
	uint64_t seed;
	bool fail;	   /* allocations are made to fail */
	bool loopback;	   /* the module's */
	uint32_t features; /* likewise: those it serves */
	uint32_t ready;	   /* villain: wo. round + 1: it has begun */

	/* villain, accomplices: any thread */
	uint32_t n_ids; /* ever published; the list is overwritten from the beginning */
	uint64_t ids[MAX_IDS];
	pid_t accomplices[ACCOMPLICES];
	uint64_t calls, calls_good, failed, frames, buffers, answers, scribbles;

	/* bystanders: wo */
	uint64_t sent, changes;

	/* innocent: wo, but for stop */
	uint32_t innocent_stop; /* judge: wo */
	uint64_t innocent_id;	/* 0: not ready */
	uint64_t to_kernel, from_kernel;
	uint64_t wrong; /* frames lost, changed, twice, or out of order */
	char why[128];
};
extern struct control *control;

static inline void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static inline uint64_t counted(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

/* An interface of the villain's, and where its memory is. */
struct target {
	uint64_t id;
	uint8_t *shm;
	uint32_t ring_size;
	uint32_t n_pairs;
	uint8_t number; /* of the name, of the MAC's and the address's third byte */
};

struct stage {
	const struct plan *plan;
	int file;	  /* the creating one */
	int other[2];	  /* attach files */
	int doorbells[3]; /* packet, request, and what the kernel rings */
	/* Added memory: shared blocks, then buffers. */
	uint8_t *area;
	size_t area_len;
	uint8_t *buffers;
	size_t buffers_len;
	/* Mapped and unmapped, added and deleted at any moment: only the kernel looks at it. */
	uint8_t *play;
	size_t play_len;
	struct target target[TARGETS];
};

/* util.c */
uint64_t now_ms(void);
void nap(uint32_t us);
void die(const char *what);
int call(int fd, unsigned int cmd, void *arg); /* 0 or -errno */
/* Of one of the villain's interfaces, 0: there is none. To name what is not there loads modules. */
uint32_t index_of(uint8_t number);
long vmstat(const char *field);
bool wait_until(uint32_t ms, bool (*holds)(const void *), const void *arg);
bool stats(int fd, uint64_t id, uint32_t pair, struct knit_ioc_stats *s);
/* Between forked processes, and with a gap before and behind it. */
void *shared_memory(size_t len, bool huge);
int kni_open(void);
int mem_add(int fd, const void *addr, size_t len, size_t page_size);
void block_init(uint8_t *shm, uint32_t ring_size, uint32_t n_pairs);
void publish_id(uint64_t id);
/* One of the published, or something else. */
uint64_t some_id(struct dice *d);

/* villain.c */
void villain(const struct plan *plan) __attribute__((noreturn));

/* provoke.c: each counter of what is wrong, once. Before the threads begin. */
void provoke(const struct stage *stage);

/* Its threads; for ever. */
void *scribbler(void *arg); /* scribble.c; arg: struct actor, for all */
void *feeder(void *arg);    /* feed.c */
void *answerer(void *arg);  /* answer.c */
void *caller(void *arg);    /* calls.c */
struct actor {
	const struct stage *stage;
	struct dice dice;
};

/* frames.c: a frame that is right in every way, laid at data. Returns its length. */
uint32_t frame_make(struct dice *d, const struct target *t, uint8_t *data, struct knit_desc *desc);
/* Address of a target: 10.66.<number>.1; its neighbour's, who is not there, ends with 2. */
#define ADDRESS(number, host) (0x0a420000u + (number)*256u + (host))
/* Its neighbour's and its own MAC. */
void mac_of(uint8_t *mac, uint8_t number, uint8_t host);

/* args.c: arguments of the calls, nearly right. Returns the command. */
union any_arg {
	uint32_t size;
	struct knit_ioc_info info;
	struct knit_ioc_mem mem;
	struct knit_ioc_create create;
	struct knit_ioc_id id;
	struct knit_ioc_attach attach;
	struct knit_ioc_link link;
	struct knit_ioc_stats stats;
	struct knit_ioc_kick kick;
	uint8_t bytes[2 * PAGE];
};
unsigned int arg_make(const struct stage *s, struct dice *d, union any_arg *arg);

/*
 * fail.c, of a kernel with fault injection: the packet threads that are there are spared, for ever;
 * allocations of all others fail from now on, as often as the kernel was told to let them.
 */
void fail_spare(void);
void fail_traffic(void);

/* traffic.c, links.c: bystanders; for ever. */
void traffic(uint32_t round) __attribute__((noreturn));
void links(uint32_t round) __attribute__((noreturn));

/* innocent.c; until told to stop */
void innocent(void) __attribute__((noreturn));

/* round.c: one round, to its end. What its interfaces counted is added to sum. False: it failed. */
bool round_run(uint32_t round, uint32_t duration, struct knit_ioc_stats *sum);

#endif
