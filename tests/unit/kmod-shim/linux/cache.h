/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_CACHE_H
#define KNIT_SHIM_CACHE_H

#define SMP_CACHE_BYTES 64
#define ALIGN(x, to) (((x) + (to)-1) / (to) * (to))

#endif
