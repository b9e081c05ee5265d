// SPDX-License-Identifier: BSD-3-Clause
#include "abi/knit_desc.h"
#include "config_read.h"
#include "system/bind/bind.h"

#include <string.h>

#define DEFAULT_MTU 1500
#define PCAP_ARGS 63	    /* what the driver keeps of its arguments for secondaries */
#define NOT_READ UINT32_MAX /* what a number is after an error */

/* The device without bus, domain 0000 and arguments, in buf: equal if it is the same device. */
static const char *device_id(const struct knit_conf_port *port, char *buf, size_t size)
{
	const char *id = port->device;

	if (strncmp(id, "pci:", 4) == 0)
		id += 4;
	else if (strncmp(id, "vdev:", 5) == 0)
		id += 5;
	if (strncmp(id, "0000:", 5) == 0)
		id += 5;
	snprintf(buf, size, "%.*s", (int)strcspn(id, ","), id);
	return buf;
}

static bool same_device(const struct knit_conf_port *a, const struct knit_conf_port *b)
{
	char id_a[sizeof(a->device)], id_b[sizeof(b->device)];

	return a->device[0] &&
	       strcasecmp(device_id(a, id_a, sizeof(id_a)), device_id(b, id_b, sizeof(id_b))) == 0;
}

/*
 * Drivers that pass mbufs on instead of copying them: with several workers the mbufs of one would
 * end up in the hands of another.
 */
static bool hands_mbufs_on(const struct knit_conf_port *port)
{
	static const char *const drivers[] = { "ring", "vhost", "af_xdp", "failsafe", "bond" };
	char id[sizeof(port->device)];
	unsigned int i;

	device_id(port, id, sizeof(id));
	if (strncmp(id, "net_", 4) != 0 && strncmp(id, "eth_", 4) != 0)
		return false;
	for (i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (strncmp(id + 4, drivers[i], strlen(drivers[i])) == 0)
			return true;
	return strncmp(id + 4, "memif", 5) == 0 && strstr(port->device, "zero-copy=yes");
}

static bool is_pci(const struct knit_conf_port *port)
{
	char name[KNIT_PCI_NAME];

	return knit_pci_of_device(port->device, name);
}

/* Nothing but what an address is made of, and a colon, which no virtual device has. */
static bool looks_like_pci(const struct knit_conf_port *port)
{
	char id[sizeof(port->device)];

	device_id(port, id, sizeof(id));
	return strchr(id, ':') && id[strspn(id, "0123456789abcdefABCDEF:.")] == '\0';
}

static void check_driver(struct knit_conf_load *load, unsigned int i)
{
	const config_setting_t *group = knit_conf_elem(load, "ports", i);
	const struct knit_conf_port *port = &load->conf->ports[i];

	if (is_pci(port))
		return;
	if (looks_like_pci(port))
		knit_conf_error(load, group, "device",
				"a PCI address is written domain:bus:device.function, like "
				"\"0000:03:00.0\"");
	else if (port->driver != KNIT_DRIVER_KEEP && port->device[0])
		knit_conf_error(load, group, "driver",
				"only a PCI device like \"0000:03:00.0\" can be bound to it");
}

/* The value of the first argument with one of these names, NULL: there is none. */
static const char *device_argument(const struct knit_conf_port *port, const char *const *names)
{
	const char *at = port->device;
	size_t len;

	for (; *names; names++) {
		len = strlen(*names);
		for (at = strchr(port->device, ','); at; at = strchr(at + 1, ','))
			if (strncmp(at + 1, *names, len) == 0 && at[1 + len] == '=')
				return at + 2 + len;
	}
	return NULL;
}

/* Each process opens by itself what the arguments name. */
static void check_pcap(struct knit_conf_load *load, unsigned int i)
{
	static const char *const devices[] = { "iface", "rx_iface", "rx_iface_in", "tx_iface",
					       NULL };
	static const char *const files[] = { "rx_pcap", "tx_pcap", NULL };
	const config_setting_t *group = knit_conf_elem(load, "ports", i);
	const struct knit_conf_port *port = &load->conf->ports[i];
	char id[sizeof(port->device)];
	const char *args, *file;

	device_id(port, id, sizeof(id));
	if (strncmp(id, "net_pcap", 8) != 0 && strncmp(id, "eth_pcap", 8) != 0)
		return;
	args = strchr(port->device, ',');
	if (args && strlen(args + 1) > PCAP_ARGS)
		knit_conf_error(load, group, "device",
				"at most %d characters of arguments are expected, not %zu: "
				"net_pcap cuts what it hands to workers",
				PCAP_ARGS, strlen(args + 1));
	if (port->netns[0] && device_argument(port, devices))
		knit_conf_error(load, group, "netns",
				"none is expected: workers open the device of net_pcap by its "
				"name where they are themselves; start knit in that namespace, or "
				"use net_tap");
	file = device_argument(port, files);
	if (file && file[0] != '/')
		knit_conf_error(load, group, "device",
				"absolute paths are expected: workers open them, too");
}

static void check_tap(struct knit_conf_load *load, unsigned int i)
{
	static const char *const names[] = { "iface", NULL };
	const struct knit_conf_port *port = &load->conf->ports[i];
	const char *value = device_argument(port, names);
	char id[sizeof(port->device)];

	if (strncmp(device_id(port, id, sizeof(id)), "net_tap", 7) != 0 || value == NULL)
		return;
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(value, ","), value);
	if (strlen(id) >= IFNAMSIZ || !knit_check_ifname(id))
		knit_conf_error(load, knit_conf_elem(load, "ports", i), "device",
				"after iface= the name of a network device is expected, 1 to 15 "
				"characters");
}

static void check_port(struct knit_conf_load *load, unsigned int i)
{
	const config_setting_t *group = knit_conf_elem(load, "ports", i);
	const struct knit_config *conf = load->conf;
	const struct knit_conf_port *port = &conf->ports[i];
	unsigned int j;

	for (j = 0; j < i; j++) {
		if (port->name[0] && strcmp(port->name, conf->ports[j].name) == 0)
			knit_conf_error(load, group, "name",
					"names must be unique, and ports.[%u] has this one", j);
		if (same_device(port, &conf->ports[j]))
			knit_conf_error(load, group, "device",
					"devices must be unique, and ports.[%u] has this one", j);
	}
	check_driver(load, i);
	check_pcap(load, i);
	check_tap(load, i);
	if (conf->n_workers > 1 && hands_mbufs_on(port))
		knit_conf_error(load, group, "device",
				"this driver hands mbufs on and works with one worker only, not %u",
				conf->n_workers);
}

/* Also settles the MTU of an interface without a port. */
static void check_iface_mtu(struct knit_conf_load *load, unsigned int i)
{
	const config_setting_t *group = knit_conf_elem(load, "interfaces", i);
	struct knit_conf_iface *iface = &load->conf->ifaces[i];
	uint32_t mtu = iface->mtu;

	if (mtu == 0)
		mtu = iface->port >= 0 ? load->conf->ports[iface->port].mtu : DEFAULT_MTU;
	if (iface->port < 0)
		iface->mtu = mtu;
	if (iface->min_mtu > iface->max_mtu)
		knit_conf_error(load, group, "min_mtu", "at most max_mtu, %u, is expected",
				iface->max_mtu);
	else if (mtu < iface->min_mtu || mtu > iface->max_mtu)
		knit_conf_error(load, group, "mtu",
				"the MTU is %u, min_mtu %u to max_mtu %u is expected", mtu,
				iface->min_mtu, iface->max_mtu);
}

static void check_big_tcp(struct knit_conf_load *load, unsigned int i)
{
	const config_setting_t *group = knit_conf_elem(load, "interfaces", i);
	const struct knit_conf_iface *iface = &load->conf->ifaces[i];
	uint32_t room = load->conf->mempool.data_room;

	if (!iface->big_tcp)
		return;
	if (iface->port >= 0)
		knit_conf_error(load, group, "big_tcp",
				"false is expected for the interface of a port: ports take no "
				"frames longer than 64 KiB");
	if (strcmp(iface->engine, "tap") == 0)
		knit_conf_error(load, group, "big_tcp",
				"false is expected with engine = \"tap\": only the kernel module "
				"takes frames longer than 64 KiB");
	if (room < KNIT_BIG_BUFFER_MIN)
		knit_conf_error(load, group, "big_tcp",
				"mempool.data_room of at least %d is expected with it, and it is "
				"%u; 16384 makes it worth while",
				KNIT_BIG_BUFFER_MIN, room);
}

static void check_interface(struct knit_conf_load *load, unsigned int i)
{
	const config_setting_t *group = knit_conf_elem(load, "interfaces", i);
	const struct knit_conf_iface *ifaces = load->conf->ifaces;
	unsigned int j;

	/* whatever the namespaces: processes find an interface by its name */
	for (j = 0; j < i; j++) {
		if (ifaces[i].name[0] && strcmp(ifaces[i].name, ifaces[j].name) == 0)
			knit_conf_error(load, group, "name",
					"names must be unique, and interfaces.[%u] has this one",
					j);
		if (ifaces[i].port >= 0 && ifaces[i].port == ifaces[j].port)
			knit_conf_error(
				load, group, "port",
				"a port has one interface, and interfaces.[%u] is this port's", j);
	}
	check_iface_mtu(load, i);
	check_big_tcp(load, i);
}

static void check_worker_ids(struct knit_conf_load *load, unsigned int i)
{
	const struct knit_conf_worker *workers = load->conf->workers;
	unsigned int j;

	for (j = 0; j < i; j++)
		if (workers[i].id != NOT_READ && workers[i].id == workers[j].id)
			knit_conf_error(load, knit_conf_elem(load, "workers", i), "id",
					"ids must be unique, and workers.[%u] has this one", j);
}

struct lcore_user {
	uint32_t lcore;
	const config_setting_t *group;
	char name[24];
};

static void check_lcores(struct knit_conf_load *load)
{
	struct lcore_user users[KNIT_MAX_WORKERS + 2];
	const struct knit_config *conf = load->conf;
	unsigned int n = 0, i, j;

	users[n++] = (struct lcore_user){ conf->eal.lcore, NULL, "eal" };
	for (i = 0; i < conf->n_workers; i++) {
		users[n].lcore = conf->workers[i].lcore;
		users[n].group = knit_conf_elem(load, "workers", i);
		snprintf(users[n++].name, sizeof(users[0].name), "workers.[%u]", i);
	}
	users[n].lcore = conf->control.lcore;
	users[n].group = config_setting_get_member(load->root, "control");
	strcpy(users[n++].name, "control");
	for (i = 1; i < n; i++)
		for (j = 0; j < i; j++)
			if (users[i].lcore != NOT_READ && users[i].lcore == users[j].lcore)
				knit_conf_error(load, users[i].group, "lcore",
						"lcore ids must be unique, and %s has %u",
						users[j].name, users[j].lcore);
}

static void check_not_empty(struct knit_conf_load *load)
{
	const config_setting_t *ports = config_setting_get_member(load->root, "ports");

	if (load->conf->n_ports == 0 && load->conf->n_ifaces == 0 &&
	    (!ports || config_setting_is_list(ports)))
		knit_conf_error(load, load->root, "ports",
				"at least one port or interface is expected");
}

void knit_conf_check(struct knit_conf_load *load)
{
	unsigned int i;

	check_not_empty(load);
	for (i = 0; i < load->conf->n_ports; i++)
		check_port(load, i);
	for (i = 0; i < load->conf->n_ifaces; i++)
		check_interface(load, i);
	for (i = 0; i < load->conf->n_workers; i++) {
		check_worker_ids(load, i);
		knit_conf_check_rules(load, i);
	}
	check_lcores(load);
}
