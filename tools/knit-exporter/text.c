// SPDX-License-Identifier: BSD-3-Clause
#include "exporter.h"
#include "system/metrics/metrics_table.h"

#include <stdio.h>
#include <string.h>

/* Of all rows that have reasons. */
#define LOSS_HELP "lost, by reason: docs/METRICS.md and `knit drops` explain each"

struct page {
	const struct exporter *e;
	struct buffer *b;
	bool openmetrics;
	double us_of_cycle;
};

static bool is_counter(const struct knit_metric *m)
{
	return m->type == KNIT_METRIC_COUNTER || m->type == KNIT_METRIC_CYCLES ||
	       m->type == KNIT_METRIC_MICROS;
}

/* knit_[WORD_]METRIC, and the same with the _total of a counter. */
struct names {
	char family[128];
	char sample[128 + sizeof("_total")];
};

struct line {
	char start[160];
	char end[160];
};

static void make_names(struct names *n, const char *word, const struct knit_metric *m)
{
	snprintf(n->family, sizeof(n->family), "knit_%s%s%s", word, word[0] ? "_" : "", m->metric);
	snprintf(n->sample, sizeof(n->sample), "%s%s", n->family, is_counter(m) ? "_total" : "");
}

static void meta(struct buffer *b, const char *word, const char *name, const char *rest)
{
	buffer_add(b, word);
	buffer_add(b, name);
	buffer_add(b, " ");
	buffer_add(b, rest);
	buffer_add(b, "\n");
}

/* OpenMetrics has the name of a counter's family without _total, the older text with it. */
static void family(const struct page *p, const struct names *n, const struct knit_metric *m)
{
	const char *shown = p->openmetrics ? n->family : n->sample;

	meta(p->b, "# TYPE ", shown, is_counter(m) ? "counter" : "gauge");
	if (p->openmetrics && m->unit[0])
		meta(p->b, "# UNIT ", shown, m->unit);
	meta(p->b, "# HELP ", shown, m->reason ? LOSS_HELP : m->help);
}

static void add_value(const struct page *p, const struct knit_metric *m, uint64_t value)
{
	if (m->type == KNIT_METRIC_CYCLES)
		buffer_add_millionths(p->b, value * p->us_of_cycle);
	else if (m->type == KNIT_METRIC_MICROS)
		buffer_add_millionths(p->b, value);
	else
		buffer_add_number(p->b, m->type == KNIT_METRIC_MBITS ? value * 125000 : value);
	buffer_add(p->b, "\n");
}

static bool known(const struct knit_metric *m, uint64_t value)
{
	return value != UINT64_MAX && !(m->type == KNIT_METRIC_MBITS && value == UINT32_MAX);
}

/* What stands before and behind an object's label. */
static void make_line(struct line *l, const struct names *n, const char *word,
		      const struct knit_metric *m)
{
	bool braces = word[0] || m->reason;

	snprintf(l->start, sizeof(l->start), "%s%s", n->sample, braces ? "{" : "");
	if (m->reason)
		snprintf(l->end, sizeof(l->end), "%sreason=\"%s\"} ", word[0] ? "," : "",
			 m->reason);
	else
		strcpy(l->end, braces ? "} " : " ");
}

static void sample(const struct page *p, const struct line *l, const struct knit_metric *m,
		   const char *label, uint64_t value)
{
	buffer_add(p->b, l->start);
	buffer_add(p->b, label);
	buffer_add(p->b, l->end);
	add_value(p, m, value);
}

/* Prepares the lines of a row; first: of its metric, which is then introduced. */
static void begin(const struct page *p, struct line *l, const char *word,
		  const struct knit_metric *m, bool first)
{
	struct names names;

	make_names(&names, word, m);
	make_line(l, &names, word, m);
	if (first)
		family(p, &names, m);
}

static void row(const struct page *p, unsigned int kind, size_t i, bool first)
{
	const struct knit_metrics *k = &knit_metrics[kind];
	const struct scraped *s = &p->e->kind[kind];
	const struct knit_metric *m = &k->row[i];
	struct line line;
	uint64_t value;
	size_t j;

	begin(p, &line, k->word, m, first);
	for (j = 0; j < s->n; j++) {
		value = s->value[j * k->n + i];
		if (known(m, value))
			sample(p, &line, m, s->object[j].label, value);
	}
}

static void info_name(struct buffer *b, const char *word, const char *end)
{
	buffer_add(b, "knit");
	buffer_add(b, word[0] ? "_" : "");
	buffer_add(b, word);
	buffer_add(b, end);
}

/* The texts of all objects of the kind. */
static void info(const struct page *p, unsigned int kind)
{
	const char *word = knit_metrics[kind].word, *end = p->openmetrics ? "" : "_info";
	const struct scraped *s = &p->e->kind[kind];
	const char *labels;
	size_t i;

	buffer_add(p->b, "# TYPE ");
	info_name(p->b, word, end);
	buffer_add(p->b, p->openmetrics ? " info\n# HELP " : " gauge\n# HELP ");
	info_name(p->b, word, end);
	buffer_add(p->b, " what does not count, as labels\n");
	for (i = 0; i < s->n; i++) {
		labels = s->object[i].info;
		info_name(p->b, word, "_info{");
		buffer_add(p->b, s->object[i].label);
		buffer_add(p->b, s->object[i].label[0] || !labels[0] ? labels : labels + 1);
		buffer_add(p->b, "} 1\n");
	}
}

static void objects(const struct page *p, unsigned int kind)
{
	const struct knit_metrics *k = &knit_metrics[kind];
	bool texts = false, first;
	size_t i;

	if (p->e->kind[kind].n == 0)
		return;
	for (i = 0; i < k->n; i++) {
		texts |= k->row[i].type == KNIT_METRIC_TEXT;
		if (k->row[i].type == KNIT_METRIC_TEXT || k->row[i].type == KNIT_METRIC_NUMBER)
			continue;
		first = i == 0 || strcmp(k->row[i].metric, k->row[i - 1].metric) != 0;
		row(p, kind, i, first);
	}
	if (texts)
		info(p, kind);
}

static double us_of_cycle(const struct exporter *e)
{
	const struct knit_metrics *k = &knit_metrics[KNIT_METRICS_SYSTEM];
	const struct scraped *s = &e->kind[KNIT_METRICS_SYSTEM];
	size_t i;

	for (i = 0; s->n && i < k->n; i++)
		if (strcmp(k->row[i].name, "tsc_hz") == 0 && s->value[i] != UINT64_MAX)
			return s->value[i] ? 1e6 / s->value[i] : 0;
	return 0;
}

static void own(const struct exporter *e, const struct page *p)
{
	const struct knit_metric *m = knit_metrics[KNIT_METRICS_EXPORTER].row;
	struct line line;

#define X(name, metric, type, unit, value, help) \
	begin(p, &line, "", m, true);            \
	sample(p, &line, m++, "", value);
	KNIT_EXPORTER_METRICS(X)
#undef X
}

void exporter_text(const struct exporter *e, bool openmetrics, struct buffer *b)
{
	struct page p = { e, b, openmetrics, us_of_cycle(e) };
	unsigned int i;

	own(e, &p);
	for (i = 0; e->up && i < KNIT_METRIC_OBJECTS; i++)
		objects(&p, i);
	if (openmetrics)
		buffer_add(b, "# EOF\n");
}
