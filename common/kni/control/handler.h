/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_HANDLER_H
#define KNIT_HANDLER_H

#include "iface.h"

/*
 * The handler of an interface: the one process that carries out what the kernel asks for. The role
 * is an owner word in the interface (kni->handler); the callbacks are pointers, so they stay in
 * the memory of the process that gave them, in a table by interface. An entry is used only for the
 * interface of that index *and* generation, and only while the owner word still carries the stamp
 * of the claim: an index used again, a forked child and a lost role never lead to an old callback.
 *
 * Interfaces made by rte_kni_alloc are special in two ways. While nobody holds the role their
 * creator is the handler, with the callbacks of knit_handler_fallback; it also takes the role back
 * from a dead handler, when it next looks and finds a request. And a holder that is not `fixed`
 * may be replaced.
 *
 * If the role moved while the old handler is in the middle of a request, resp_q would have two
 * producers. So a handler stores its pid in kni->serving and then reads the owner word again. A
 * process that changes the owner word waits afterwards until kni->serving names no other live
 * process.
 *
 * Control plane: callbacks may block. So may all functions here, except knit_handler_serve when
 * there is no request.
 */

/* Each returns the answer: 0 or a negative errno. A callback that is not set counts as success. */
struct knit_handler_ops {
	int (*link)(void *arg, bool up);
	int (*mtu)(void *arg, uint32_t mtu);
	int (*mac)(void *arg, const uint8_t mac[6]);
	int (*promisc)(void *arg, bool on);
	int (*allmulti)(void *arg, bool on);
	int (*rxlist)(void *arg, const struct knit_iface_state *state);
};

struct knit_handler {
	const struct knit_handler_ops *ops; /* must outlive the role */
	void *arg;
	/* the engine rings it for requests; KNIT_DOORBELL_NONE: the handler polls */
	uint32_t doorbell;
	bool fixed; /* others get -EBUSY while this process lives */
};

/*
 * Makes the calling process the handler; the engine then sends the requests again that the handler
 * before it did not answer. 0, -EBUSY (a live process has the role, or is still in the middle of a
 * request), -EBADMSG (ring indexes are corrupt).
 */
int knit_handler_claim(struct rte_kni *kni, const struct knit_handler *h);

/*
 * Handler: asks the engine for a request of each kind, with the state as it is now. 0, -EPERM (the
 * calling process is not the handler), -EBUSY (it is in the middle of a request), -EAGAIN (the
 * engine is slow to take answers), -EBADMSG as above.
 */
int knit_handler_state(struct rte_kni *kni);

/*
 * Ends the role. 0: no callback runs any more; -EBUSY: one did not end within three seconds. On
 * interfaces of rte_kni_alloc any process may call it; on others -EPERM if another process has the
 * role.
 */
int knit_handler_unclaim(struct rte_kni *kni);

/*
 * Creator: the callbacks it uses while no other process has the role. ops NULL: it does nothing,
 * and each request succeeds.
 */
void knit_handler_fallback(struct rte_kni *kni, const struct knit_handler_ops *ops, void *arg);

/* True: the calling process has claimed the role, or has it as the creator. */
bool knit_handler_is_self(const struct rte_kni *kni);

/*
 * Serves up to max requests, synchronous ones first. Returns how many. 0 also if the calling
 * process is not the handler; then it changed nothing. -EBADMSG: the ring indexes are corrupt.
 * Costs four loads if there is no request.
 */
int knit_handler_serve(struct rte_kni *kni, unsigned int max);

/*
 * Handler: call it before sleeping. True: there is no request, and the engine will ring the
 * doorbell. Call knit_handler_disarm after waking.
 */
bool knit_handler_arm(struct rte_kni *kni);
void knit_handler_disarm(struct rte_kni *kni);

#endif
