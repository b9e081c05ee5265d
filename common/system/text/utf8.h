/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_UTF8_H
#define KNIT_UTF8_H

#include <stddef.h>

/*
 * For texts that go into JSON or OpenMetrics. Names of files, programs and interfaces may hold any
 * byte, and readers refuse all of an answer for one that is no UTF-8.
 */

/* What stands for a byte that is no UTF-8: U+FFFD. */
#define KNIT_UTF8_BAD "\xef\xbf\xbd"

/* The length of the character of UTF-8 at text, which is not "" (RFC 3629); 0: it is none. */
unsigned int knit_utf8_length(const char *text);

/*
 * Copies what fits of text, with KNIT_UTF8_BAD for each byte that is no UTF-8, and never a part of
 * a character. size is not 0. Returns to.
 */
char *knit_utf8_copy(char *to, size_t size, const char *text);

/*
 * The same for DPDK's telemetry, with "?" for each character but printable ASCII, and for quotation
 * marks and backslashes: DPDK 20.11 escapes nothing, and 22.11 writes what happens to be in its
 * memory in the place of other bytes than ASCII.
 */
char *knit_telemetry_copy(char *to, size_t size, const char *text);

#endif
