// SPDX-License-Identifier: BSD-3-Clause
#include "attach.h"
#include "fail.h"
#include "loop.h"
#include "options.h"
#include "serves.h"
#include "signals.h"
#include "standby.h"
#include "system/process/stdfds.h"
#include "worker.h"

#include <string.h>

/*
 * The steps while the primary knows the process, undone in reverse. The DETACH message comes last.
 * After it, nothing of the domain is touched.
 */
static int run_worker(struct knit_worker *w)
{
	int code;

	code = knit_secondary_attach(&w->secondary);
	if (code)
		return code;
	if (w->secondary.role == KNIT_ROLE_STANDBY) {
		code = knit_standby_wait(w);
	} else {
		code = knit_worker_claim(w);
		if (code == KNIT_EXIT_OK)
			code = knit_secondary_ready(&w->secondary);
	}
	if (code || w->secondary.role == KNIT_ROLE_STANDBY)
		goto unclaim;

	knit_signals_unblock(w->entry->doorbell);
	/* One that took over has said so, and says the rest when there is time. */
	if (!w->promote) {
		knit_notify("READY=1");
		knit_worker_status(w);
	}
	code = knit_worker_run(w);
	knit_notify("STOPPING=1");
	if (code == KNIT_WORKER_REPLACED) {
		knit_standby_leave_cpu(w);
		code = KNIT_EXIT_OK;
	}

unclaim:
	knit_worker_unclaim(w);
	knit_secondary_detach(&w->secondary);
	return code;
}

/*
 * EAL's clean-up, in knit_secondary_leave, closes only this process's side of the ports. In a
 * secondary, the drivers' remove functions leave everything that is shared to the primary. The
 * clean-up frees the driver's private memory. It removes the message socket and this process's
 * copies of the memory map.
 */
int main(int argc, char **argv)
{
	static struct knit_worker w;
	int code, ret;

	code = knit_stdfds_fill();
	if (code)
		return code;
	knit_stdfds_raise();
	code = knit_worker_options(&w, argc, argv);
	if (code >= 0)
		return code;
	ret = knit_signals_block();
	if (ret < 0)
		return knit_worker_fail(&w, KNIT_EXIT_FAILURE, "signals: %s", strerror(-ret));
	code = knit_secondary_enter(&w.secondary);
	if (code == KNIT_EXIT_OK)
		code = run_worker(&w);
	knit_secondary_leave(&w.secondary);
	return code;
}
