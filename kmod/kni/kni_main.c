// SPDX-License-Identifier: GPL-2.0
#include "kni.h"

#include <linux/module.h>
#include <net/rtnetlink.h>

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
	err = rtnl_link_register(&kni_link_ops);
	if (err)
		goto err_thread_stop;
	err = kni_rxmode_start();
	if (err)
		goto err_unregister_link;
	err = kni_file_register();
	if (err)
		goto err_rxmode_stop;
	pr_info("loaded: ABI %d, /dev/%s\n", KNIT_ABI_VERSION, KNIT_DEV_NAME);
	return 0;

err_rxmode_stop:
	kni_rxmode_stop();
err_unregister_link:
	rtnl_link_unregister(&kni_link_ops);
err_thread_stop:
	kni_thread_stop();
err_req_stop:
	kni_req_stop();
	return err;
}

/*
 * No file is open, so no interface is left to be stopped. The core may still be freeing one whose
 * namespace was destroyed: rtnl_link_unregister waits for that.
 */
static void __exit kni_unload(void)
{
	kni_file_unregister();
	kni_rxmode_stop();
	rtnl_link_unregister(&kni_link_ops);
	kni_thread_stop();
	kni_req_stop();
	rcu_barrier();
}

module_init(kni_load);
module_exit(kni_unload);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("knit");
MODULE_DESCRIPTION("Kernel interfaces for DPDK ports (KNI)");
MODULE_VERSION("0.1.0");
