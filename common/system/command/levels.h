/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMMAND_LEVELS_H
#define KNIT_COMMAND_LEVELS_H

/* The levels of rte_log, 1 to 8. */
#define KNIT_LOG_LEVEL_NAMES                                                                    \
	{                                                                                       \
		"emergency", "alert", "critical", "error", "warning", "notice", "info", "debug" \
	}
#define KNIT_LOG_LEVELS 8

#endif
