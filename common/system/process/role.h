/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_ROLE_H
#define KNIT_ROLE_H

/* What a secondary process is. */
enum knit_role {
	KNIT_ROLE_WORKER,
	KNIT_ROLE_CONTROL,
};

#endif
