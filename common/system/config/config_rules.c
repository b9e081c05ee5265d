// SPDX-License-Identifier: BSD-3-Clause
#include "config_read.h"

#include <string.h>

/*
 * The forward rules of one worker, and which of them has taken what: index of the rule, -1 if
 * free.
 */
struct usage {
	struct knit_conf_load *load;
	const config_setting_t *group; /* of the rule being checked */
	int rule;
	int port[KNIT_MAX_PORTS];
	int iface[KNIT_MAX_CONF_IFACES];
};

static bool rule_has(const struct usage *use, const char *key)
{
	return config_setting_get_member(use->group, key);
}

static int iface_of_port(const struct knit_config *conf, int port)
{
	unsigned int i;

	for (i = 0; i < conf->n_ifaces; i++)
		if (conf->ifaces[i].port == port)
			return i;
	return -1;
}

/* Whoever takes a port takes its interface too: punted packets come out there. */
static void usage_take_iface(struct usage *use, int iface, const char *key)
{
	if (use->iface[iface] >= 0)
		knit_conf_error(use->load, use->group, key,
				"an interface may be used once per worker, and forward.[%d] has "
				"\"%s\"",
				use->iface[iface], use->load->conf->ifaces[iface].name);
	else
		use->iface[iface] = use->rule;
}

static void usage_take_port(struct usage *use, int port, const char *key)
{
	int iface = iface_of_port(use->load->conf, port);

	if (use->port[port] >= 0) {
		knit_conf_error(use->load, use->group, key,
				"a port may be used once per worker, and forward.[%d] has \"%s\"",
				use->port[port], use->load->conf->ports[port].name);
		return;
	}
	use->port[port] = use->rule;
	if (iface >= 0)
		usage_take_iface(use, iface, key);
}

static void check_punt(struct usage *use, const struct knit_conf_rule *rule)
{
	const struct knit_config *conf = use->load->conf;

	if (rule_has(use, "ports"))
		knit_conf_error(use->load, use->group, "ports",
				"punt takes port, only xconnect takes ports");
	if (rule_has(use, "interfaces"))
		knit_conf_error(use->load, use->group, "interfaces",
				"punt takes port, only xconnect takes interfaces");
	if (!rule_has(use, "port")) {
		knit_conf_error(use->load, use->group, "port", "punt needs the name of a port");
		return;
	}
	if (rule->a < 0 || rule->ifaces || rule->b >= 0)
		return; /* said already */
	if (iface_of_port(conf, rule->a) < 0)
		knit_conf_error(use->load, use->group, "port",
				"a port with an interface is expected, and no interface has port = "
				"\"%s\"",
				conf->ports[rule->a].name);
	usage_take_port(use, rule->a, "port");
}

/* Drivers of ports count on 64 KiB: knit would cut there what the kernel leaves whole for knit. */
static void check_big_tcp(struct usage *use, const struct knit_conf_rule *rule)
{
	const struct knit_conf_iface *a = &use->load->conf->ifaces[rule->a],
				     *b = &use->load->conf->ifaces[rule->b];

	if (a->big_tcp != b->big_tcp)
		knit_conf_error(use->load, use->group, "interfaces",
				"both or none with big_tcp = true are expected, and only \"%s\" "
				"has it",
				a->big_tcp ? a->name : b->name);
}

static void check_xconnect(struct usage *use, const struct knit_conf_rule *rule)
{
	bool ports = rule_has(use, "ports"), ifaces = rule_has(use, "interfaces");

	if (rule_has(use, "port"))
		knit_conf_error(use->load, use->group, "port",
				"xconnect takes ports or interfaces, only punt takes port");
	if (ports && ifaces)
		knit_conf_error(use->load, use->group, "interfaces",
				"either ports or interfaces is expected, not both");
	if (!ports && !ifaces)
		knit_conf_error(use->load, use->group, "ports",
				"xconnect needs the names of two ports, or of two interfaces");
	if (ports == ifaces || rule->a < 0 || rule->b < 0)
		return; /* said already */
	if (ports) {
		usage_take_port(use, rule->a, "ports");
		usage_take_port(use, rule->b, "ports");
	} else {
		usage_take_iface(use, rule->a, "interfaces");
		usage_take_iface(use, rule->b, "interfaces");
		check_big_tcp(use, rule);
	}
}

void knit_conf_check_rules(struct knit_conf_load *load, unsigned int worker)
{
	const struct knit_conf_worker *w = &load->conf->workers[worker];
	const config_setting_t *rules =
		config_setting_get_member(knit_conf_elem(load, "workers", worker), "forward");
	struct usage use = { .load = load };

	memset(use.port, 0xff, sizeof(use.port));
	memset(use.iface, 0xff, sizeof(use.iface));
	for (use.rule = 0; use.rule < (int)w->n_rules; use.rule++) {
		use.group = config_setting_get_elem(rules, use.rule);
		if (w->rules[use.rule].mode == KNIT_FORWARD_PUNT)
			check_punt(&use, &w->rules[use.rule]);
		else if (w->rules[use.rule].mode == KNIT_FORWARD_XCONNECT)
			check_xconnect(&use, &w->rules[use.rule]);
	}
}
