/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_SHIM_BUILD_BUG_H
#define KNIT_SHIM_BUILD_BUG_H

/* Nothing of it is used here. */

#endif
