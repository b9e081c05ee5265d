/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PREFLIGHT_H
#define KNIT_PREFLIGHT_H

struct knit_config;

/*
 * What must be there before anything is touched. Each check tells what is missing and the remedy,
 * and all checks are made, so that one run shows all of it. 0, or enum knit_exit.
 */
void preflight_good(const char *what);
/* Works without, but not as well. */
void preflight_note(const char *what, const char *remedy);
int preflight_missing(const char *what, const char *remedy);

/* machine.c. What vfio limits: pinned memory, number of mappings. */
int preflight_vfio(const struct knit_config *conf);
/*
 * Only for --check. Hugepages by NUMA node: a start finds more, because it clears what an earlier
 * run with its prefix left. CPUs, and who else may use them; the IOMMU.
 */
int preflight_machine(const struct knit_config *conf);

#endif
