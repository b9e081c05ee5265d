/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CLIENT_H
#define KNIT_CLIENT_H

#include <json-c/json.h>

#include <stdint.h>

/*
 * Questions to a primary, by DPDK's telemetry socket; for programs that are no DPDK process. What
 * fails leaves an exit code of process/exit.h and a text, and every later question fails at once.
 */
struct knit_client;

/*
 * prefix: of the system; NULL: the only one whose folder is in /run/knit, or "knit" if there is
 * none. ms: as knit_client_limit. NULL: no memory. Look at knit_client_code.
 */
struct knit_client *knit_client_open(const char *prefix, int ms);
void knit_client_close(struct knit_client *c);

/* The questions from now on have that much time, all together. */
void knit_client_limit(struct knit_client *c, int ms);

/*
 * What the command says of the parameter, or without one if that is NULL; of that type. The caller
 * puts it. NULL: the primary knows no such object, or there is no answer of use, which
 * knit_client_code tells. knit_client_need: to know nothing of it is an error, too: the primary is
 * about to start or to end, or it is no knit.
 */
struct json_object *knit_client_ask(struct knit_client *c, const char *command,
				    const char *parameter, enum json_type type);
struct json_object *knit_client_need(struct knit_client *c, const char *command,
				     const char *parameter, enum json_type type);

const char *knit_client_prefix(const struct knit_client *c);
int knit_client_code(const struct knit_client *c);	    /* 0: all went well */
const char *knit_client_error(const struct knit_client *c); /* without a line break */

#endif
