// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "change_main.h"

#include "eal.h"
#include "iface.h"
#include "kni/base/log.h"
#include "process/change.h"
#include "system/rundir/rundir.h"

#include <errno.h>

static void make_ifaces(struct primary *p, struct change *c)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < KNIT_MAX_CONF_IFACES && ret == 0; i++)
		if (c->new_ifaces & UINT64_C(1) << i)
			ret = primary_iface_create(p, i, c->wanted, c->plan);
	/* Who is told to start anew reads them. */
	if (ret == 0)
		ret = primary_publish_args(p, c->wanted);
	if (ret < 0)
		change_fail(c, CHANGE_UNMAKE, ret,
			    "an interface can't be made: %s; the log says more",
			    rte_strerror(-ret));
	else
		change_next(c, CHANGE_SWITCH);
}

static void unmake_ifaces(struct primary *p, struct change *c,
			  void (*watch_link)(struct primary *p, unsigned int port, bool on))
{
	uint64_t gone = c->in_force ? c->gone_ifaces : c->new_ifaces;
	unsigned int i;

	for (i = 0; i < KNIT_MAX_PORTS && c->in_force; i++) {
		if (c->gone_ports & UINT64_C(1) << i)
			watch_link(p, i, false);
		if (c->new_ports & UINT64_C(1) << i)
			watch_link(p, i, true);
	}
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		if (gone & UINT64_C(1) << i)
			primary_iface_destroy(p, i);
	if (!c->in_force && primary_publish_args(p, p->conf) < 0)
		log_warn("the arguments of secondaries are those of a configuration that is not "
			 "in force");
	change_next(c, CHANGE_CLEAN);
}

void change_main_poll(struct primary *p,
		      void (*watch_link)(struct primary *p, unsigned int port, bool on))
{
	struct change *c = change_in(CHANGE_MAKE);

	if (c)
		make_ifaces(p, c);
	c = change_in(CHANGE_UNMAKE);
	if (c)
		unmake_ifaces(p, c, watch_link);
}
