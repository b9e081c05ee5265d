// SPDX-License-Identifier: BSD-3-Clause
#include "command/command.h"
#include "command/commands.h"
#include "eal.h"
#include "iface.h"
#include "main_loop.h"
#include "memory/handoff.h"
#include "memory/pool.h"
#include "nic/nic_bind.h"
#include "options.h"
#include "port/port.h"
#include "port/port_removal.h"
#include "port_thread.h"
#include "preflight/preflight.h"
#include "primary.h"
#include "process/change.h"
#include "process/order.h"
#include "recovery/bus_master.h"
#include "setup.h"
#include "share.h"
#include "status.h"
#include "system/config/config_place.h"
#include "system/process/notify.h"
#include "system/process/stdfds.h"
#include "system/rundir/rundir.h"
#include "telemetry.h"

#include <stdio.h>
#include <stdlib.h>

static int resources_code(int ret)
{
	return ret == 0 ? KNIT_EXIT_OK : KNIT_EXIT_RESOURCES;
}

/* Everything after EAL; undone in reverse, each step only if it was done. */
static int run_system(struct primary *p)
{
	int code;

	code = resources_code(primary_topology_create(p));
	if (code)
		return code;
	code = resources_code(primary_pools_create(p));
	if (code)
		return code;
	code = resources_code(primary_ports_open(p));
	if (code)
		goto close_ports;
	code = resources_code(primary_handoffs_create(p));
	if (code)
		goto close_ports;
	code = resources_code(primary_ifaces_create(p));
	if (code)
		goto destroy_ifaces;
	port_removal_watch(p);
	bus_master_open(p);
	code = resources_code(primary_telemetry_register() ? -1 : port_thread_start(p));
	if (code)
		goto stop_service;
	primary_topology_publish(p);
	code = resources_code(primary_share(p) ? -1 : primary_publish_args(p, p->conf));
	if (code)
		goto stop_service;
	primary_telemetry_show(p);
	order_init(port_thread_kick);
	change_init(main_loop_kick, port_thread_kick, command_kick);
	code = resources_code(commands_start(p));
	if (code)
		goto stop_service;
	primary_status_banner(p);
	knit_notify("READY=1");

	code = main_loop_run(p);

	knit_notify_status("waits for workers and control to leave");
	knit_notify("STOPPING=1");
stop_service:
	primary_telemetry_show(NULL);
	port_thread_stop(p);
destroy_ifaces:
	primary_ifaces_destroy(p);
	commands_stop(); /* who follows events sees who left, and what was removed */
	primary_handoffs_drain(p);
close_ports:
	primary_ports_close(p);
	primary_pools_check(p);
	return code;
}

int main(int argc, char **argv)
{
	static struct primary p;
	static const struct knit_places none;
	struct options o = { 0 };
	struct knit_config *conf;
	int code;

	code = knit_stdfds_fill();
	if (code)
		return code;
	knit_stdfds_raise();
	code = primary_options(argc, argv, &o);
	if (code >= 0)
		return code;
	if (o.restore)
		return nic_restore_run(o.restore, o.exit_code);
	conf = knit_config_load(o.config, stderr);
	if (conf == NULL || !knit_plan_fits(conf, stderr))
		return KNIT_EXIT_CONFIG;
	if (o.check_config)
		return KNIT_EXIT_OK;
	if (o.reserve)
		return preflight_reserve(conf);
	if (o.check_host)
		return o.json ? primary_preflight_json(conf) : primary_preflight(conf, true);
	code = primary_preflight(conf, false);
	if (code == KNIT_EXIT_OK && knit_config_place(conf, &none, stderr) < 0)
		code = KNIT_EXIT_CONFIG;
	if (code)
		goto free_conf;
	primary_init(&p, conf, o.status);
	p.group = o.group;
	code = resources_code(knit_rundir_create(conf->eal.prefix));
	if (code)
		goto free_conf;
	code = resources_code(nic_bind(&p));
	if (code)
		goto restore_nics;
	code = resources_code(primary_share_prepare(&p));
	if (code)
		goto restore_nics;
	code = resources_code(primary_eal_init(&p, argv[0], o.log_level));
	if (code)
		goto restore_nics;
	code = main_loop_exit_code(run_system(&p));
	conf = p.conf; /* another one, maybe */
	primary_eal_cleanup(conf);
restore_nics:
	nic_restore_all(conf, code);
	knit_rundir_remove(conf->eal.prefix);
free_conf:
	free(conf);
	return code;
}
