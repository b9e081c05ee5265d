/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOD_FAKE_H
#define KMOD_FAKE_H

#include "kni/engine/kmod/kmod.h"

#include <check.h>
#include <stdbool.h>

/*
 * Stands in for kmod_dev.c: a /dev/kni that writes down what it is told, and fails where a test
 * wants it to. A file is /dev/null, so that closing it can be seen.
 */
#define FAKE_REGIONS 4096
#define FAKE_FILES 16

struct kmod_fake_file {
	int fd;
	unsigned int n_regions;
	struct knit_ioc_mem region[FAKE_REGIONS];
};

struct kmod_fake {
	unsigned int opens;
	struct kmod_fake_file file[FAKE_FILES];
	unsigned int calls[16]; /* by number */
	unsigned long fail;	/* this call ... */
	unsigned int fail_times;
	int error;	      /* ... so often, with this */
	void (*opened)(void); /* after the next open, before its caller knows of the file */
	uint64_t no_pages_of; /* MEM_ADD of this page size: -EOPNOTSUPP */
	uint64_t next_id;
	uint64_t released;
	struct knit_ioc_create create; /* the last one */
	struct knit_ioc_attach attach; /* likewise */
	struct knit_ioc_attach detach; /* likewise */
	struct knit_ioc_link link;     /* likewise */
	/* pairs that bursts serve themselves; id 0: by the doorbell */
	uint64_t kick_id[KNIT_MAX_PAIRS];
	int kick_fd[KNIT_MAX_PAIRS];
};

extern struct kmod_fake kmod_fake;

void kmod_fake_reset(void);
/* Files that are open in this process. */
unsigned int kmod_fake_open_files(void);
/* Does one region of the n-th opened file hold all of it? */
bool kmod_fake_holds(unsigned int n, const void *addr, size_t len);
unsigned int kmod_fake_calls(unsigned long call);

/* Each wants EAL started in its own way: kmod_lib_main.c. */

#endif
