// SPDX-License-Identifier: BSD-3-Clause
#define KNIT_LOGTYPE knit_log_main
#include "claim.h"
#include "control.h"
#include "kni/base/log.h"
#include "loop.h"
#include "net_tap.h"
#include "options.h"
#include "signals.h"
#include "system/process/stdfds.h"

#include <stdio.h>

/* The steps while the primary knows the process, undone in reverse. */
static int run_control(struct control *c)
{
	int code;

	code = knit_secondary_attach(&c->secondary);
	if (code)
		return code;
	code = control_claim(c);
	if (code)
		goto unclaim;
	code = knit_secondary_ready(&c->secondary);
	if (code)
		goto unclaim;
	log_notice("control of %u interfaces is ready", knit_topo_count_ifaces(c->topo));

	knit_notify("READY=1");
	control_status(c);
	code = control_run(c);
	knit_notify("STOPPING=1");

unclaim:
	control_unclaim(c);
	knit_secondary_detach(&c->secondary);
	return code;
}

int main(int argc, char **argv)
{
	static struct control c;
	int code;

	code = knit_stdfds_fill();
	if (code)
		return code;
	knit_stdfds_raise();
	code = control_options(&c, argc, argv);
	if (code >= 0)
		return code;
	c.signals = control_signals();
	if (c.signals < 0) {
		fprintf(stderr, "knit-control: signalfd: %s\n", rte_strerror(-c.signals));
		return KNIT_EXIT_RESOURCES;
	}
	code = knit_secondary_enter(&c.secondary);
	if (code)
		goto leave;
	c.topo = c.secondary.topo;
	control_net_tap_init(&c);
	code = run_control(&c);
leave:
	knit_secondary_leave(&c.secondary);
	return code;
}
