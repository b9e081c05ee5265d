// SPDX-License-Identifier: BSD-3-Clause
#include "pcapng.h"
#include "system/process/exit.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* knit capture: packets at each place that they pass, as a pcapng file. */

#define LENGTH KNIT_WATCH_SNAP_MAX

struct capture {
	FILE *out;
	const char *file; /* NULL: standard output */
	const char *name; /* in messages */
	uint32_t length;
};

static bool written(const struct capture *c, bool ok)
{
	if (!ok)
		fail(0, "%s: %s", c->name, strerror(errno));
	return ok;
}

/*
 * What passes a router is not for everybody to read. A file is opened when workers watch: until
 * then an older one keeps what is in it.
 */
static bool capture_open(struct capture *c)
{
	struct stat st;
	int fd;

	if (c->file == NULL)
		return true;
	fd = open(c->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	c->out = fd < 0 ? NULL : fdopen(fd, "w");
	return written(c, c->out && fstat(fd, &st) == 0 &&
				  (!S_ISREG(st.st_mode) || fchmod(fd, 0600) == 0));
}

/* All ports, then all interfaces: the index of a place is its number. */
static bool capture_begin(struct watch *w)
{
	struct capture *c = w->user;
	char name[48];
	uint32_t i;
	bool ok;

	if (!capture_open(c))
		return false;
	ok = pcapng_begin(c->out, "knit " KNIT_VERSION);
	for (i = 0; ok && i < w->with.n_ports; i++) {
		watch_place(w, KNIT_WATCH_PORT, (uint16_t)i, name, sizeof(name));
		ok = pcapng_interface(c->out, name, c->length);
	}
	for (i = 0; ok && i < w->with.n_ifaces; i++) {
		watch_place(w, KNIT_WATCH_IFACE, (uint16_t)i, name, sizeof(name));
		ok = pcapng_interface(c->out, name, c->length);
	}
	return written(c, ok && fflush(c->out) == 0);
}

static void comment(const struct watch *w, const struct knit_watch_record *r, char *text,
		    size_t size)
{
	size_t at = (size_t)snprintf(text, size, "worker %u", w->with.worker[w->head->worker]);
	char step[256];
	uint32_t i;

	for (i = 0; i < r->n_steps && at < size; i++) {
		watch_step(w, &r->steps[i], step, sizeof(step));
		at += (size_t)snprintf(text + at, size - at, "; %s", step);
	}
}

/* What left is of the moment at which it was sent. */
static uint64_t when(const struct watch *w, const struct knit_watch_record *r)
{
	bool arrived = (r->end == KNIT_WATCH_PORT) == (r->direction == KNIT_WATCH_RX);
	uint32_t i = arrived || r->n_steps < 2 ? 0 : 1;

	return r->n_steps ? watch_time(w, r->steps[i].tsc) : w->head->ns;
}

static bool capture_record(struct watch *w, const struct knit_watch_record *r)
{
	struct capture *c = w->user;
	char text[1024];
	struct pcapng_packet p = {
		.interface = r->index + (r->end == KNIT_WATCH_IFACE ? w->with.n_ports : 0),
		.ns = when(w, r),
		.captured = r->captured,
		.len = r->len,
		.outbound = r->direction == KNIT_WATCH_TX,
		.data = r->data,
		.comment = text,
	};

	comment(w, r, text, sizeof(text));
	return written(c, pcapng_packet(c->out, &p));
}

static bool capture_pause(struct watch *w)
{
	struct capture *c = w->user;

	return written(c, fflush(c->out) == 0);
}

int capture_main(const struct options *o, int argc, char **argv)
{
	bool to_stdout = o->file == NULL || strcmp(o->file, "-") == 0;
	struct capture c = { .out = to_stdout ? stdout : NULL,
			     .file = to_stdout ? NULL : o->file,
			     .name = to_stdout ? "standard output" : o->file,
			     .length = o->length ? o->length : LENGTH };
	struct watch w = { .o = o,
			   .length = LENGTH,
			   .user = &c,
			   .begin = capture_begin,
			   .record = capture_record,
			   .pause = capture_pause };
	int code;

	if (to_stdout && isatty(STDOUT_FILENO))
		return fail(
			KNIT_EXIT_USAGE,
			"capture: standard output is a terminal: --write FILE, or a pipe into a "
			"program");
	code = watch_run(&w, argc, argv);
	if (c.out && c.out != stdout && fclose(c.out) != 0 && code == KNIT_EXIT_OK)
		code = fail(KNIT_EXIT_FAILURE, "%s: %s", c.name, strerror(errno));
	return code;
}
