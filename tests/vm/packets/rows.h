/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_VM_ROWS_H
#define KNIT_VM_ROWS_H

#include "test.h"

/* UDP datagrams that follow each other, and how they pass the stack. */
#define ROW 40
#define TRACE "/sys/kernel/tracing/"

/*
 * Puts a row of datagrams there, each numbered and all of len bytes, and has them taken by one
 * visit.
 */
bool row_of_datagrams(struct world *w, uint32_t len);
/* As how many packets such a row passes the stack. */
uint32_t row_as(struct world *w, uint32_t len);
/* All of them, one by one and in order. */
bool row_arrived(struct world *w, int fd, uint32_t len);
/* How many packets are there. */
uint32_t pieces(struct world *w, int fd);
/* What the module handed to the stack since the last call, as its tracepoint tells. */
uint32_t handed_over(void);

/* flags: of open, beside O_WRONLY. */
bool write_to(const char *path, int flags, const char *text);
/* The exit code of a command, whose words are separated by single blanks. */
int run_one(char *command);
/* Commands with ; between them, which succeed. */
void run(const char *commands);

#endif
