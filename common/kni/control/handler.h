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
 * Moving the role while the old handler is in the middle of a request would give resp_q two
 * producers. So a handler stores its pid in kni->serving before it looks at the owner word a
 * second time, and whoever changes the owner word waits afterwards until nobody else alive stands
 * in kni->serving.
 *
 * Control plane: callbacks may block, and so may everything here but a serve that finds no request.
 */

/* Each returns 0 or a negative errno: the answer. An unset one counts as success. */
struct knit_handler_ops {
	int (*link)(void *arg, bool up);
	int (*mtu)(void *arg, uint32_t mtu);
	int (*mac)(void *arg, const uint8_t mac[6]);
	int (*promisc)(void *arg, bool on);
	int (*allmulti)(void *arg, bool on);
	int (*rxlist)(void *arg, const struct knit_wanted *wanted);
};

struct knit_handler {
	const struct knit_handler_ops *ops; /* must outlive the role */
	void *arg;
	/* the engine rings it for requests; KNIT_DOORBELL_NONE: the handler polls */
	uint32_t doorbell;
	bool fixed; /* others get -EBUSY while this process lives */
};

/*
 * Makes the calling process the handler; the engine then posts anew what the one before it did not
 * answer. 0, -EBUSY (a live process has the role, or is still in the middle of a request), -EBADMSG
 * (ring indexes are corrupt).
 */
int knit_handler_claim(struct rte_kni *kni, const struct knit_handler *h);

/*
 * Handler: has the engine post every attribute. 0, -EPERM (the calling process is not the handler),
 * -EBUSY (it is in the middle of a request), -EAGAIN (the engine is slow to take answers), -EBADMSG
 * as above.
 */
int knit_handler_state(struct rte_kni *kni);

/*
 * Ends the role; on return no callback runs any more, or -EBUSY if one did not end within three
 * seconds. On interfaces of rte_kni_alloc anyone may call it; -EPERM if on others somebody else
 * has the role.
 */
int knit_handler_unclaim(struct rte_kni *kni);

/*
 * Creator: what it does as the handler of last resort. ops NULL: nothing, every request succeeds.
 */
void knit_handler_fallback(struct rte_kni *kni, const struct knit_handler_ops *ops, void *arg);

/* The calling process has claimed the role, or has it as the creator. */
bool knit_handler_is_self(const struct rte_kni *kni);

/*
 * Serves up to max requests, what somebody in the kernel waits for first. Returns how many; 0 also
 * if the calling process is not the handler, then nothing was touched; -EBADMSG if the ring indexes
 * are corrupt. Costs four loads if there is no request.
 */
int knit_handler_serve(struct rte_kni *kni, unsigned int max);

/*
 * Handler: before it sleeps. True: there is no request and the engine will ring its doorbell.
 * knit_handler_disarm after waking.
 */
bool knit_handler_arm(struct rte_kni *kni);
void knit_handler_disarm(struct rte_kni *kni);

#endif
