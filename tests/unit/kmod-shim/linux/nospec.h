/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_NOSPEC_H
#define KNIT_SHIM_NOSPEC_H

/* The module's pure files in user space: the index as it is, which must be inside. */
#define array_index_nospec(index, size) ((index) < (size) ? (index) : (size))

#endif
