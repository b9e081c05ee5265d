/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_HANDLER_H
#define KNIT_VM_HANDLER_H

#include "abi/knit_ioctl.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the tests of the module's requests are made of: an interface, and a handler in a process of
 * its own that does as a plan says. No DPDK, nothing of the library: only include/abi.
 *
 * The plan is shared memory. The test writes what is to be done, the handler what it has done; the
 * port is what a port would have by now.
 */
struct plan {
	/* test: wo */
	int result[KNIT_REQ_COUNT]; /* the answer; not 0: the port stays as it is */
	unsigned int delay_ms;	    /* before each answer */
	bool silent;		    /* takes no request */
	bool junk;		    /* wrong answers before each right one */
	bool blind;		    /* does not look whether a request was cancelled */
	bool mute;		    /* does not ring when it has answered */
	bool chatty;		    /* prints what it has done, as "mtu 1500" */

	/* handler: wo */
	int attached; /* 1, or -errno of its ATTACH; 0: not yet */
	uint32_t sync;
	uint32_t seen[KNIT_REQ_COUNT];
	struct {
		uint32_t value[KNIT_REQ_COUNT];
		uint8_t mac[6];
		uint16_t n_uc;
		uint16_t n_mc;
	} port;
};

struct iface {
	char name[16];
	int creator; /* /dev/kni */
	int request_doorbell;
	int packet_doorbell;
	uint64_t id;
	void *shm;
	struct plan *plan;
	pid_t handler; /* 0: none */
};

/* All of these end the program with a message if they fail. */
void iface_open(struct iface *i, const char *name, unsigned int flags);
void iface_close(struct iface *i); /* handler and interface; both may be gone already */
void iface_release(struct iface *i);
struct knit_ioc_stats iface_stats(const struct iface *i);
void iface_link(const struct iface *i, bool up, unsigned int speed);

/* plan->attached says how it went. */
void handler_start(struct iface *i);
void handler_attach(struct iface *i); /* starts it and expects that it went well */
void handler_signal(const struct iface *i, int signal); /* on return it has stopped, if so */
void handler_kill(struct iface *i);
void handler_serve(struct iface *i); /* in this process, for ever */

/* The handler, or the creator in its place, wants to be told everything. */
void handler_state(const struct iface *i);

/* The creator itself, of an interface with KNIT_CREATE_ATTACHED. True: served one. */
bool creator_serve(struct iface *i);

unsigned int now_ms(void);
bool wait_for(bool (*cond)(const void *arg), const void *arg, unsigned int ms);
void die(const char *what);

#endif
