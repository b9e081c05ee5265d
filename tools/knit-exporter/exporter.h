/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_EXPORTER_H
#define KNIT_EXPORTER_H

#include "buffer.h"
#include "system/metrics/metrics.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * knit-exporter: the table of metrics for Prometheus. It is no DPDK process: it asks the primary's
 * telemetry socket, anew for each scrape.
 *
 *   main.c      start and end
 *   options.c   the command line
 *   listen.c    the address
 *   http.c      pages, by libmicrohttpd; its one thread calls all that follows
 *   accept.c    which format a client wants
 *   scrape.c    what the primary tells
 *   text.c      the page of it
 *   buffer.c    text that grows
 *   list.c      --list: the table itself
 */

/* A scrape that takes longer fails. After one the primary is left alone for as long. */
#define SCRAPE_MS 1000
/*
 * What was read is told again for so long: however many ask, the primary is asked five times a
 * second at most. Prometheus asks once in a second or less, and sees the numbers of that moment.
 */
#define FRESH_MS 200

struct exporter_options {
	const char *listen; /* ADDRESS:PORT */
	const char *prefix;
	bool list;
};

/* An object, ready to be printed. */
struct scraped_object {
	char label[160]; /* as `port="left"`; "": there is one such object */
	char info[2048]; /* its texts, each as `,mac="02:..."` */
};

/* The objects of a kind. */
struct scraped {
	size_t n;
	struct scraped_object *object;
	uint64_t *value; /* n times as many as the kind has rows; UINT64_MAX: not known */
	size_t n_fields; /* what the primary tells of each; 0: not asked yet */
	int *row;	 /* of a field; -1: it is none of ours */
};

struct exporter {
	const char *prefix;
	struct knit_client *client; /* NULL: not connected */
	struct scraped kind[KNIT_METRIC_KINDS];
	int64_t silent_until_us; /* it stood still: it is not asked before */
	int64_t fresh_until_us;	 /* if up */
	bool up;
	uint64_t scrapes, repeated, failed, wait_us;
};

/* Returns -1 to go on, or the exit code. */
int exporter_options(struct exporter_options *o, int argc, char **argv);

/* A socket that listens, or a negative exit code after a message. name: its address then. */
int exporter_listen(const char *text, char *name, size_t size);

/* Prints the table of metrics as JSON. */
void exporter_list(void);

/* Asks the primary: all of e but prefix. */
void exporter_scrape(struct exporter *e);
void exporter_free(struct exporter *e);

/* What was scraped, to the end of b; as text of Prometheus, version 0.0.4, or as OpenMetrics. */
void exporter_text(const struct exporter *e, bool openmetrics, struct buffer *b);

/* What a client with that header Accept, NULL: without one, is to get: the type of its page. */
const char *exporter_format(const char *accept, bool *openmetrics);

uint64_t exporter_cpu_us(void);

#endif
