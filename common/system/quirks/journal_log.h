/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_JOURNAL_LOG_H
#define KNIT_JOURNAL_LOG_H

#include <stdbool.h>

/* Whether standard error goes to systemd's journal: JOURNAL_STREAM of systemd.exec(5). */
bool knit_journal_is_log(void);

/*
 * If so, rte_log writes each line to standard error, with its severity as sd-daemon(3) has it. By
 * itself, EAL before 24.11 sends each line to syslog, too, so that the journal has it twice, and
 * later ones have a socket of their own, and lose what they write while journald is away. To be
 * called before EAL is initialised and once more after it: in between EAL sets its own stream. Main
 * thread.
 */
void knit_journal_log(void);

#endif
