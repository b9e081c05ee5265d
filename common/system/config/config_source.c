// SPDX-License-Identifier: BSD-3-Clause
#include "config_source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define EXPECT_FILE "a readable file in UTF-8 of at most 1 MiB is expected"
#define FNV_PRIME UINT64_C(0x100000001b3)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* One file on its way into the joined text. */
struct scan {
	struct knit_conf_source *src;
	const char *p; /* what has not been copied */
	unsigned int file;
	unsigned int line; /* of p */
	unsigned int depth;
	bool line_start; /* only blanks before p */
};

static void add_file(struct knit_conf_source *src, const struct scan *parent, const char *path);

/* Names the line of an @include, or the file itself if nothing includes it. */
__attribute__((format(printf, 3, 4))) static void
source_error(struct knit_conf_source *src, const struct scan *at, const char *fmt, ...)
{
	va_list ap;

	src->errors++;
	fprintf(src->err, "%s:%u: ", src->files[at ? at->file : 0], at ? at->line : 0);
	va_start(ap, fmt);
	vfprintf(src->err, fmt, ap);
	va_end(ap);
	fputc('\n', src->err);
}

/* The file as a string, or NULL with errno set. O_NONBLOCK: a FIFO must not make us wait. */
static char *file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t len = 0;
	struct stat st;
	ssize_t n = 1;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		goto err_close;
	errno = S_ISDIR(st.st_mode) ? EISDIR : !S_ISREG(st.st_mode) ? EINVAL : EFBIG;
	if (!S_ISREG(st.st_mode) || st.st_size > KNIT_CONF_MAX_SIZE)
		goto err_close;
	text = malloc(KNIT_CONF_MAX_SIZE + 1);
	if (!text)
		goto err_close;
	while (n > 0 && len < KNIT_CONF_MAX_SIZE) {
		n = read(fd, text + len, KNIT_CONF_MAX_SIZE - len);
		if (n < 0)
			goto err_close;
		len += n;
	}
	text[len] = '\0';
	close(fd);
	errno = strncmp(text, "\xff\xfe", 2) == 0 || strncmp(text, "\xfe\xff", 2) == 0 ? EPROTO
										       : EILSEQ;
	if (strlen(text) == len)
		return text;
	free(text);
	return NULL;

err_close:
	n = errno;
	free(text);
	close(fd);
	errno = n;
	return NULL;
}

static const char *file_read_error(int err)
{
	switch (err) {
	case EINVAL:
		return "something that is not a regular file";
	case EFBIG:
		return "a file larger than 1 MiB";
	case EILSEQ:
		return "a zero byte";
	case EPROTO:
		return "text in UTF-16";
	default:
		return strerror(err);
	}
}

static void scan_copy(struct scan *s, size_t n)
{
	size_t i;

	fwrite(s->p, 1, n, s->src->out);
	for (i = 0; i < n; i++)
		if (s->p[i] == '\n') {
			s->line++;
			s->src->lines++;
		}
	s->p += n;
}

static void copy_unended(struct scan *s, const struct scan *start, const char *what)
{
	scan_copy(s, strlen(s->p));
	source_error(s->src, start, "%s: found the end of the file: %s must be closed", what, what);
}

static void copy_comment(struct scan *s)
{
	struct scan start = *s;
	const char *end;

	if (*s->p == '#' || s->p[1] == '/') {
		scan_copy(s, strcspn(s->p, "\n"));
		return;
	}
	end = strstr(s->p + 2, "*/");
	if (end)
		scan_copy(s, end + 2 - s->p);
	else
		copy_unended(s, &start, "comment");
}

static void copy_string(struct scan *s)
{
	struct scan start = *s;
	const char *end = s->p + 1;

	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	if (*end)
		scan_copy(s, end + 1 - s->p);
	else
		copy_unended(s, &start, "string");
}

/* A whole number gets an "L"; a sign has been copied before. */
static void copy_number(struct scan *s)
{
	bool hex = s->p[0] == '0' && (s->p[1] == 'x' || s->p[1] == 'X');
	size_t n =
		hex ? 2 + strspn(s->p + 2, "0123456789abcdefABCDEF") : strspn(s->p, "0123456789");

	if (!hex && strchr(".eE", s->p[n]) && s->p[n]) {
		scan_copy(s, n + strspn(s->p + n, "0123456789.eE+-"));
		return;
	}
	errno = 0;
	if (strtoull(s->p, NULL, hex ? 16 : 10) > INT64_MAX || errno) {
		fprintf(s->src->out, "%lld", (long long)INT64_MAX);
		s->p += n;
	} else {
		scan_copy(s, n);
	}
	s->p += strspn(s->p, "L");
	fputc('L', s->src->out);
}

static void add_chunk(struct scan *s)
{
	s->src->chunks[s->src->n_chunks++] = (struct knit_conf_chunk){
		.first = s->src->lines,
		.file = s->file,
		.line = s->line,
	};
}

/* At "@include": relative names are looked for beside the file that includes. */
static void scan_include(struct scan *s)
{
	const char *parent = s->src->files[s->file];
	const char *slash = strrchr(parent, '/');
	const char *name = s->p + strlen("@include");
	unsigned int n_files = s->src->n_files;
	int beside;
	char path[KNIT_CONF_PATH];
	size_t len;

	name += strspn(name, " \t");
	len = *name == '"' ? strcspn(name + 1, "\"\n") : 0;
	if (len == 0 || name[len + 1] != '"') {
		source_error(s->src, s, "@include: found no name: @include \"FILE\" is expected");
		s->p += strcspn(s->p, "\n");
		return;
	}
	s->p = name + len + 2;
	name++;
	beside = *name != '/' && slash ? (int)(slash + 1 - parent) : 0;
	if (snprintf(path, sizeof(path), "%.*s%.*s", beside, parent, (int)len, name) >=
	    (int)sizeof(path)) {
		source_error(s->src, s,
			     "@include: found \"%.*s\": a path of at most %zu characters is "
			     "expected",
			     (int)len, name, sizeof(path) - 1);
		return;
	}
	add_file(s->src, s, path);
	if (s->src->n_files > n_files)
		add_chunk(s);
}

/* What libconfig would call a syntax error: quotes, dashes and blanks of a word processor. */
static void refuse_foreign(struct scan *s)
{
	char bytes[3 * 4 + 1];
	size_t n = 0;

	do
		snprintf(bytes + 3 * n, 4, " %02x", (unsigned char)s->p[n]);
	while (++n < 4 && ((unsigned char)s->p[n] & 0xc0) == 0x80);
	source_error(s->src, s,
		     "syntax: found \"%.*s\" (%s): outside of strings and comments only ASCII is "
		     "expected",
		     (int)n, s->p, bytes + 1);
	s->p += n;
}

static void scan_text(struct scan *s)
{
	while (*s->p) {
		const char *p = s->p;

		if (*p == '#' || (*p == '/' && (p[1] == '/' || p[1] == '*')))
			copy_comment(s);
		else if (*p == '"')
			copy_string(s);
		else if (s->line_start && strncmp(p, "@include", 8) == 0)
			scan_include(s);
		else if ((unsigned char)*p >= 0x80)
			refuse_foreign(s);
		else if (isdigit((unsigned char)*p) || (*p == '.' && isdigit((unsigned char)p[1])))
			copy_number(s);
		else if (isalpha((unsigned char)*p) || *p == '*')
			scan_copy(s,
				  1 + strspn(p + 1,
					     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					     "0123456789-_*"));
		else
			scan_copy(s, 1);
		s->line_start = *p == '\n' || (s->line_start && isblank((unsigned char)*p));
	}
	if (s->line_start || s->p[-1] == '\n')
		return;
	fputc('\n', s->src->out);
	s->src->lines++;
}

static void add_file(struct knit_conf_source *src, const struct scan *parent, const char *path)
{
	struct scan s = { .src = src, .file = src->n_files, .line = 1, .line_start = true };
	char *text;

	s.depth = parent ? parent->depth + 1 : 0;
	if (s.depth >= KNIT_CONF_MAX_DEPTH || src->n_files >= KNIT_MAX_FILES) {
		source_error(src, parent,
			     "@include: found \"%s\": at most %d levels and %d files are "
			     "allowed",
			     path, KNIT_CONF_MAX_DEPTH - 1, KNIT_MAX_FILES);
		return;
	}
	text = file_read(path);
	if (!text && parent)
		source_error(src, parent, "@include: found \"%s\", %s: " EXPECT_FILE, path,
			     file_read_error(errno));
	else if (!text)
		source_error(src, NULL, "file: found %s: " EXPECT_FILE, file_read_error(errno));
	if (!text)
		return;
	snprintf(src->files[src->n_files++], sizeof(src->files[0]), "%s", path);
	for (s.p = text; *s.p; s.p++)
		src->hash = (src->hash ^ (uint8_t)*s.p) * FNV_PRIME;
	/* Some editors put one in front, and what they include has its own. */
	s.p = text + (strncmp(text, BYTE_ORDER_MARK, 3) ? 0 : 3);
	add_chunk(&s);
	if (*s.p)
		scan_text(&s);
	free(text);
}

static int no_memory(struct knit_conf_source *src)
{
	source_error(src, NULL, "file: found no memory to read it");
	return -ENOMEM;
}

int knit_conf_source_read(struct knit_conf_source *src, const char *file, FILE *err)
{
	memset(src, 0, sizeof(*src));
	snprintf(src->files[0], sizeof(src->files[0]), "%s", file);
	src->hash = FNV_BASIS;
	src->lines = 1;
	src->err = err;
	src->out = open_memstream(&src->text, &src->size);
	if (!src->out)
		return no_memory(src);
	add_file(src, NULL, file);
	if (fclose(src->out) || !src->text)
		return no_memory(src);
	return src->errors ? -EINVAL : 0;
}

void knit_conf_source_free(struct knit_conf_source *src)
{
	free(src->text);
	src->text = NULL;
}

struct knit_conf_place knit_conf_source_place(const struct knit_conf_source *src, unsigned int line)
{
	const struct knit_conf_chunk *chunk = src->chunks;
	unsigned int i;

	for (i = 1; i < src->n_chunks && src->chunks[i].first <= line; i++)
		chunk = &src->chunks[i];
	return (struct knit_conf_place){
		.file = src->files[chunk->file],
		.index = chunk->file,
		.line = line - chunk->first + chunk->line,
	};
}
