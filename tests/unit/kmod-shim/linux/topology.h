/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_TOPOLOGY_H
#define KNIT_SHIM_TOPOLOGY_H

int numa_mem_id(void); /* the test's */

#endif
