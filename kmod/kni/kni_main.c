// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/module.h>

static int __init kni_load(void)
{
	int err;

	err = kni_params_parse();
	if (err)
		return err;
	err = kni_req_start();
	if (err)
		return err;
	err = kni_thread_start();
	if (err)
		goto err_req_stop;
	err = kni_net_register();
	if (err)
		goto err_thread_stop;
	err = kni_file_register();
	if (err)
		goto err_net_unregister;
	pr_info("loaded: ABI %d, /dev/%s\n", KNIT_ABI_VERSION, KNIT_DEV_NAME);
	return 0;

err_net_unregister:
	kni_net_unregister();
err_thread_stop:
	kni_thread_stop();
err_req_stop:
	kni_req_stop();
	return err;
}

/*
 * No file is open, so no interface is left to be stopped. The core may still be freeing one whose
 * namespace was destroyed: kni_net_unregister waits for that.
 */
static void __exit kni_unload(void)
{
	kni_file_unregister();
	kni_net_unregister();
	kni_thread_stop();
	kni_req_stop();
	rcu_barrier();
}

module_init(kni_load);
module_exit(kni_unload);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("knit");
MODULE_DESCRIPTION("Kernel interfaces for DPDK ports (KNI)");
MODULE_VERSION(KNIT_VERSION);
