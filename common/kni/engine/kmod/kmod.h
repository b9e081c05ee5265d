/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_KMOD_H
#define KNIT_KMOD_H

#include "abi/knit_ioctl.h"
#include "kni/private.h"

/*
 * The kmod engine: the module rte_kni is the kernel side of an interface's queues. /dev/kni tells
 * it what to serve (abi/knit_ioctl.h).
 *
 *   kmod_dev.c     /dev/kni: open, the calls, what their errors mean
 *   kmod_mem.c     the creating file, and EAL's memory in it
 *   kmod_engine.c  the engine's operations, in the creating process
 *   kmod_attach.c  attaching pairs and handlers, in any process
 *
 * A process has at most two files open: the creating file while it has interfaces, and a second one
 * while it has pairs or is a handler. A process that may not open the second one has a file for
 * each role from its broker (kni/base/broker.h). All are closed on exec. After a fork the creating
 * file stays open in the child, as with KNI: interfaces live until the last of the two processes
 * has ended. The others are closed in the child at once: pairs and roles end with the process that
 * took them.
 *
 * Nothing here is for the packet path; all of it may block for a short while, but no call waits
 * for a worker or a handler, and only knit_kmod_engine's create and destroy need RTNL.
 */

/* Why knit_kmod_open failed, as text for users. */
struct knit_kmod_why {
	char what[128];
	const char *remedy;
};

/*
 * Opens /dev/kni and reads the module's version and flags. why may be NULL. The file, or
 *   -ENOENT   no module is loaded
 *   -EACCES, -EPERM   no permission
 *   -EPROTO   it is another module, or one with another ABI
 */
int knit_kmod_open(struct knit_ioc_info *info, struct knit_kmod_why *why);

/*
 * One call: arg points to its struct, whose first member, size, is filled in. 0 or a negative
 * errno; not logged.
 */
int knit_kmod_call(int fd, unsigned long call, void *arg);

/* What an error of a call means, in words of its contract. Never NULL. */
const char *knit_kmod_meaning(unsigned long call, int err);

/*
 * The creating file of this process: with all of EAL's memory in it, which it follows from now on.
 * get and put are counted; the last put closes it. The file, or a negative errno, logged. *info is
 * what the module said when it was opened.
 *
 * get also adds the memory of rte_extmem_register. Nothing reports its end: interfaces must be
 * released before it is unregistered.
 */
int knit_kmod_mem_get(struct knit_ioc_info *info);
void knit_kmod_mem_put(void);

/* Any process. See the functions of engine.h with the same ends. */
int knit_kmod_take_pair(struct rte_kni *kni, uint16_t pair);
int knit_kmod_bind_pair(struct rte_kni *kni, uint16_t pair);
void knit_kmod_unbind_pair(struct rte_kni *kni, uint16_t pair);
int knit_kmod_bind_handler(struct rte_kni *kni, uint32_t doorbell);
void knit_kmod_unbind_handler(struct rte_kni *kni);
int knit_kmod_update_link(struct rte_kni *kni, bool up);

/*
 * fd has attached the pair: from now on bursts of this process serve it themselves
 * (kni/kick.h), unless kni->handover says otherwise, or the module is one that can't.
 */
void knit_kmod_kick_open(const struct rte_kni *kni, uint16_t pair, int fd);

/* See open_role of engine.h. */
int knit_kmod_open_role(struct rte_kni *kni, uint32_t role, uint32_t doorbell, bool take);

#endif
