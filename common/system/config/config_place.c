// SPDX-License-Identifier: BSD-3-Clause
#include "config_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* From the index in the file to the place. */
struct moves {
	int port[KNIT_MAX_PORTS];
	int iface[KNIT_MAX_CONF_IFACES];
};

void knit_places_of(struct knit_places *p, const struct knit_config *c)
{
	unsigned int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < c->n_ports; i++)
		memcpy(p->ports[i], c->ports[i].name, sizeof(p->ports[i]));
	for (i = 0; i < c->n_ifaces; i++)
		memcpy(p->ifaces[i], c->ifaces[i].name, sizeof(p->ifaces[i]));
}

/* n names of size bytes each. The place of that name, else the first one that is free, else -1. */
static int find_place(const char *names, size_t size, unsigned int n, const char *name)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (strncmp(names + i * size, name, size) == 0)
			return i;
	return name[0] ? find_place(names, size, n, "") : -1;
}

static int no_place(FILE *err, const char *file, const char *what, const char *name, int most)
{
	fprintf(err,
		"%s:0: %s \"%s\": found no place for it beside those that run: at most %d are "
		"expected, those that go away included\n",
		file, what, name, most);
	return -ENOSPC;
}

static int place_ports(struct knit_config *c, const struct knit_config *from,
		       struct knit_places *taken, struct moves *m, FILE *err)
{
	unsigned int i;

	memset(c->ports, 0, sizeof(c->ports));
	c->n_ports = 0;
	for (i = 0; i < from->n_ports; i++) {
		if (!from->ports[i].there)
			continue;
		m->port[i] =
			find_place(taken->ports[0], KNIT_NAME, KNIT_MAX_PORTS, from->ports[i].name);
		if (m->port[i] < 0)
			return no_place(err, c->file, "port", from->ports[i].name, KNIT_MAX_PORTS);
		memcpy(taken->ports[m->port[i]], from->ports[i].name, KNIT_NAME);
		c->ports[m->port[i]] = from->ports[i];
		if (c->n_ports <= (unsigned int)m->port[i])
			c->n_ports = m->port[i] + 1;
	}
	return 0;
}

static int place_ifaces(struct knit_config *c, const struct knit_config *from,
			struct knit_places *taken, struct moves *m, FILE *err)
{
	struct knit_conf_iface *iface;
	unsigned int i;

	memset(c->ifaces, 0, sizeof(c->ifaces));
	for (i = 0; i < KNIT_MAX_CONF_IFACES; i++)
		c->ifaces[i].port = -1;
	c->n_ifaces = 0;
	for (i = 0; i < from->n_ifaces; i++) {
		if (!from->ifaces[i].there)
			continue;
		m->iface[i] = find_place(taken->ifaces[0], IFNAMSIZ, KNIT_MAX_CONF_IFACES,
					 from->ifaces[i].name);
		if (m->iface[i] < 0)
			return no_place(err, c->file, "interface", from->ifaces[i].name,
					KNIT_MAX_CONF_IFACES);
		memcpy(taken->ifaces[m->iface[i]], from->ifaces[i].name, IFNAMSIZ);
		iface = &c->ifaces[m->iface[i]];
		*iface = from->ifaces[i];
		if (iface->port >= 0)
			iface->port = m->port[iface->port];
		if (c->n_ifaces <= (unsigned int)m->iface[i])
			c->n_ifaces = m->iface[i] + 1;
	}
	return 0;
}

static void move_rule(struct knit_conf_rule *r, const struct moves *m)
{
	const int *move = r->ifaces ? m->iface : m->port;

	r->a = move[r->a];
	if (r->b >= 0)
		r->b = move[r->b];
}

static void place_workers(struct knit_config *c, const struct knit_config *from,
			  const struct moves *m)
{
	struct knit_conf_worker *w;
	unsigned int i, k;

	memset(c->workers, 0, sizeof(c->workers));
	c->n_workers = 0;
	for (i = 0; i < from->n_workers; i++) {
		if (!from->workers[i].there)
			continue;
		w = &c->workers[from->workers[i].id];
		*w = from->workers[i];
		for (k = 0; k < w->n_rules; k++)
			move_rule(&w->rules[k], m);
		if (c->n_workers <= w->id)
			c->n_workers = w->id + 1;
	}
}

int knit_config_place(struct knit_config *c, const struct knit_places *taken, FILE *err)
{
	struct knit_config *from = malloc(sizeof(*from));
	struct knit_places used = *taken;
	struct moves m;
	int ret;

	if (from == NULL) {
		fprintf(err, "%s:0: file: found no memory to read it\n", c->file);
		return -ENOMEM;
	}
	*from = *c;
	ret = place_ports(c, from, &used, &m, err);
	if (ret == 0)
		ret = place_ifaces(c, from, &used, &m, err);
	if (ret == 0)
		place_workers(c, from, &m);
	free(from);
	return ret;
}
