/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_EXIT_H
#define KNIT_EXIT_H

/* Exit codes of all knit programs, documented in docs/RUNNING.md. */
enum knit_exit {
	KNIT_EXIT_OK = 0,
	KNIT_EXIT_FAILURE = 1,	  /* anything else */
	KNIT_EXIT_USAGE = 2,	  /* command line */
	KNIT_EXIT_CONFIG = 3,	  /* configuration file */
	KNIT_EXIT_RESOURCES = 4,  /* hugepages, permission, devices, memory */
	KNIT_EXIT_NO_PRIMARY = 5, /* secondary: there is none, or it went away */
	KNIT_EXIT_MISMATCH = 6,	  /* secondary: other DPDK, ABI, mempool drivers or instance */
	KNIT_EXIT_TAKEN = 7,	  /* the name, domain or role belongs to a live process */
	KNIT_EXIT_RESTART = 8,	  /* ended so that its supervisor starts it anew */
};

#endif
