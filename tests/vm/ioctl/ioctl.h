/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_IOCTL_H
#define KNIT_VM_IOCTL_H

#include "abi/knit_ioctl.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * knit-ioctl: every call of /dev/kni, every error that knit_ioctl.h documents, and what becomes of
 * files, processes and namespaces that end. For a machine that may crash: it needs the module, root
 * and a network namespace of its own. Prints `ok NAME` or `not ok NAME (why)`.
 */
void ok(const char *name, ...) __attribute__((format(printf, 1, 2)));
/* Reports NAME: ok if got is want. */
bool is(const char *name, int64_t got, int64_t want);
bool is_true(const char *name, bool holds);
extern int failures;

#define PAGE 4096UL
#define HUGE (2UL << 20)
#define RING 128 /* of all blocks here */
#define PAIRS 2

/* A file, some memory that was added to it, and a shared block in that. */
struct bed {
	int fd;
	uint8_t *mem;
	size_t len;
	struct knit_shm_hdr *shm;
};

int kni_open(void);			       /* -errno */
int call(int fd, unsigned int cmd, void *arg); /* 0 or -errno; sets no size */
void *memory(size_t len);      /* writable, 4 KiB pages; ends the program if it can't */
void *huge_memory(size_t len); /* 2 MiB pages; likewise */
int mem_add(int fd, const void *addr, size_t len, size_t page_size);
int mem_del(int fd, const void *addr, size_t len, size_t page_size);
void block_init(struct knit_shm_hdr *shm);
void bed_open(struct bed *b);
void bed_close(struct bed *b);

/* Two eventfds that serve as all doorbells. */
extern int packet_doorbell, request_doorbell;

/* A valid call for an interface NAME with the bed's block. */
struct knit_ioc_create create_args(const struct bed *b, const char *name);
int create(const struct bed *b, const char *name, uint64_t *id);
int release(int fd, uint64_t id);
int attach(int fd, uint64_t id, uint32_t role, uint32_t pair);
int detach(int fd, uint64_t id, uint32_t role, uint32_t pair);
int set_link(int fd, uint64_t id, uint32_t flags);
int stats(int fd, uint64_t id, uint32_t pair, struct knit_ioc_stats *s);

/* The network and the machine, as the kernel shows them. */
bool exists(const char *name);
int set_up(const char *name, bool up);	/* -errno */
int set_mtu(const char *name, int mtu); /* -errno */
int thread_of(const char *name_starts); /* 0: none; also a thread of a process */
bool has_thread(const char *name_starts);
bool by_napi(void);	       /* the module was told to use the core's threads */
const char *thread_name(void); /* what those of ours begin with */
/* CPUs it may run on, as a list: "0-1"; "" if there is no such thread. */
void thread_cpus(const char *name_starts, char *list, size_t room);
long status_kib(const char *field); /* of /proc/self/status */
long vmstat(const char *field);
double now(void); /* seconds */

/* Polls until it holds; false after the deadline. */
bool wait_until(double seconds, bool (*holds)(const void *), const void *arg);

/*
 * A child that runs play(arg) and then waits to be ended. Returns when play did, its result in
 * *result. child_end kills it, with SIGKILL, and waits for it.
 */
pid_t child(int (*play)(void *), void *arg, int *result);
void child_end(pid_t pid);

/* The groups of tests. */
void test_info(void);
void test_memory(void);
void test_create(void);
void test_attach(void);
void test_link(void);
void test_packets(void);
void test_kick(void);
void test_wake(void);
void test_spread(void);
void test_processes(void);
void test_namespaces(void);
void test_tenants(void);
void test_many(void);

#endif
