// SPDX-License-Identifier: BSD-3-Clause
#include "requests.h"

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>

#define LINK KNIT_REQ_LINK
#define MTU KNIT_REQ_MTU
#define MAC KNIT_REQ_MAC

/* Asynchronous requests: the kernel has its new value at once, and takes it back if need be. */

void test_async(struct iface *i)
{
	struct op op, other;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	op = op_start(i, set_mtu, 3000);
	other = op_start(i, unrelated, 700);
	EXPECT(op_end(&op) == 0 && op_end(&other) == 0);
	EXPECT(op.ms < SOON_MS && other.ms < SOON_MS);
	printf("# asynchronous %u ms, unrelated %u ms\n", op.ms, other.ms);
	EXPECT(set_mac(i->name, 9) == 0);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(get_mtu(i->name) == 3000 && get_mac(i->name) == 9);
	EXPECT(i->plan->port.value[MTU] == 1500);
	handler_signal(i, SIGCONT);
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[MTU] == 3000 && i->plan->sync == 0);
	handler_kill(i);
	EXPECT(set_mtu(i->name, 4000) == 0); /* nobody answers anyway */
	handler_attach(i);
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[MTU] == 4000);
}

static bool is_back(const void *arg)
{
	const struct iface *i = arg;

	return get_mtu(i->name) == 1500 && get_mac(i->name) == 1;
}

static bool is_reverted(const void *arg)
{
	return iface_stats(arg).req_reverted == 2;
}

void test_async_refused(struct iface *i)
{
	handler_attach(i);
	EXPECT(agree(i));
	i->plan->result[MTU] = -EINVAL;
	i->plan->result[MAC] = -EINVAL;
	EXPECT(set_mtu(i->name, 3000) == 0);
	EXPECT(set_mac(i->name, 9) == 0);
	EXPECT(wait_for(is_back, i, 5000));
	EXPECT(wait_for(is_reverted, i, SOON_MS));
	EXPECT(agree(i));
	EXPECT(iface_stats(i).req_refused == 2);
	i->plan->result[MTU] = 0;
	EXPECT(set_mtu(i->name, 4000) == 0);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 4000);
	i->plan->result[MTU] = -EINVAL;
	EXPECT(set_mtu(i->name, 5000) == 0);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 4000); /* the last one that was taken */
}

static bool tried_twice(const void *arg)
{
	return __atomic_load_n(&((const struct iface *)arg)->plan->seen[MTU], __ATOMIC_ACQUIRE) >=
	       3;
}

void test_async_busy(struct iface *i)
{
	handler_attach(i);
	EXPECT(agree(i));
	i->plan->result[MTU] = -EBUSY;
	EXPECT(set_mtu(i->name, 3000) == 0);
	EXPECT(wait_for(tried_twice, i, 5000));
	EXPECT(get_mtu(i->name) == 3000);
	i->plan->result[MTU] = 0;
	EXPECT(agree(i));
	EXPECT(i->plan->port.value[MTU] == 3000);
}

/* However many values while it sleeps: it is told the first and the last. */
void test_async_many(struct iface *i)
{
	int k;

	handler_attach(i);
	EXPECT(agree(i));
	handler_signal(i, SIGSTOP);
	for (k = 0; k < 200; k++) {
		EXPECT(set_mtu(i->name, 2000 + k) == 0);
		EXPECT(set_up(i->name, !(k & 1)) == 0);
	}
	EXPECT(iface_stats(i).req_async <= 6 + 3); /* up brings a multicast address */
	handler_signal(i, SIGCONT);
	EXPECT(agree(i));
	EXPECT(get_mtu(i->name) == 2199);
	EXPECT(iface_stats(i).req_async <= 6 + 6);
}

void test_async_up_refused(struct iface *i)
{
	iface_link(i, true, 1000);
	handler_attach(i);
	EXPECT(agree(i));
	i->plan->result[LINK] = -EIO;
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(wait_for(has_none, i, SOON_MS));
	EXPECT(settle(i));
	EXPECT(get_flags(i->name) & IFF_UP);
	i->plan->result[LINK] = 0;
	EXPECT(set_up(i->name, 0) == 0);
	EXPECT(set_up(i->name, 1) == 0);
	EXPECT(agree(i));
	EXPECT(wait_for(has_carrier, i, SOON_MS));
}
