// SPDX-License-Identifier: BSD-3-Clause
/*
 * LD_PRELOAD for a secondary: it dies on its way in, with locks of EAL's shared memory, as one may
 * that is killed at a bad moment.
 */
#include <rte_eal.h>
#include <rte_eal_memconfig.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

int rte_eal_init(int argc, char **argv)
{
	int (*init)(int, char **) = (int (*)(int, char **))dlsym(RTLD_NEXT, "rte_eal_init");

	if (init == NULL || init(argc, argv) < 0)
		abort();
	rte_mcfg_mem_write_lock();
	rte_mcfg_tailq_write_lock();
	rte_mcfg_mempool_write_lock();
	raise(SIGKILL);
	return -1;
}
