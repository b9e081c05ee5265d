/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_JOURNAL_H
#define KNIT_PRIMARY_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries with fields for systemd's journal, in its native protocol. Any thread. */
struct journal_entry {
	size_t len;
	char text[3000];
};

/* A line break in a value becomes a blank. A field that has no room is left out. */
void journal_add(struct journal_entry *e, const char *name, const char *value);
void journal_add_number(struct journal_entry *e, const char *name, uint64_t value);

/* False: the journal did not take it. Does not wait for it. */
bool journal_send(const struct journal_entry *e);

#endif
