/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_PRIMARY_EVENT_H
#define KNIT_PRIMARY_EVENT_H

#include "system/command/events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Events (system/command/events.h). Each has a number, one more than the one before, and is logged;
 * the last EVENT_KEPT are kept for those who ask. Any thread; it waits for nobody.
 *
 * Where the log goes to the journal of systemd, an event goes there with its fields and its message
 * id, and not as a line, too.
 */
#define EVENT_KEPT 256

/* A field: a text, or, if that is NULL, a number. */
struct event_value {
	const char *text;
	uint64_t number;
};

static inline struct event_value event_text(const char *text)
{
	return (struct event_value){ .text = text };
}

static inline struct event_value event_number(uint64_t number)
{
	return (struct event_value){ .number = number };
}

/* clang-format off */
#define EV(value)                               \
	_Generic((value),                       \
		char *: event_text,             \
		const char *: event_text,       \
		default: event_number)(value)
/* clang-format on */

enum {
#define X(id, name, message, severity, n, text, meaning, advice) KNIT_EVENT_##id##_FIELDS = (n),
	KNIT_EVENT_TABLE(X)
#undef X
};

/* EVENT(LINK_UP, EV(name), EV(mbit)); for a source that includes kni/base/log.h. */
#define EVENT(kind, ...)                                                                           \
	do {                                                                                       \
		const struct event_value values_[] = { __VA_ARGS__ };                              \
                                                                                                   \
		_Static_assert(sizeof(values_) / sizeof(values_[0]) == KNIT_EVENT_##kind##_FIELDS, \
			       "the table says how many fields this kind has");                    \
		event_happened(KNIT_LOGTYPE, KNIT_EVENT_##kind, values_);                          \
	} while (0)
void event_happened(int logtype, enum knit_event_kind kind, const struct event_value *values);

/* Main thread, at start, before any event. wake is called after each event. */
void event_init(const char *prefix, void (*wake)(void));

/* Of this start of the primary, as no other start has it. */
uint64_t event_start(void);

/* The number of the last event; 0: there was none. */
uint64_t event_last(void);

/*
 * The first event that is kept and has a larger number, as JSON, for free(3); its number is stored.
 * NULL: there is none.
 */
char *event_after(uint64_t number, uint64_t *next);

#endif
