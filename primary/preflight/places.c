// SPDX-License-Identifier: BSD-3-Clause
#include "kni/base/netns.h"
#include "preflight.h"
#include "report.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if_arp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A network device that will be made, and what was found in its namespace. */
struct place {
	struct preflight_key key; /* of the group */
	const char *netns;
	char name[IFNAMSIZ]; /* "": the driver chooses */
	bool port;
	bool optional;
	bool bad; /* the namespace cannot be examined */
};

#define MAX_PLACES (KNIT_MAX_PORTS + KNIT_MAX_CONF_IFACES)

__attribute__((format(printf, 4, 5))) static int
place_wrong(const struct place *place, const char *member, const char *remedy, const char *fmt, ...)
{
	struct preflight_key key = place->key;
	size_t at = strlen(key.name);
	char what[400], text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(key.name + at, sizeof(key.name) - at, ".%s", member);
	if (!place->optional)
		return preflight_wrong(&key, what, remedy);
	snprintf(text, sizeof(text), "optional %s: %s", key.name, what);
	preflight_note(text, remedy);
	return 0;
}

/*
 * Asks for permission with an invalid change of lo, which every namespace has. The kernel checks
 * the permission before the value.
 */
static int may_make_interfaces(int sock)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_hwaddr.sa_family = ARPHRD_ETHER };

	return ioctl(sock, SIOCSIFHWBROADCAST, &ifr) < 0 && errno == EPERM ? -EPERM : 0;
}

static bool is_tap(int sock, const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_data = (void *)&info };

	strcpy(ifr.ifr_name, name);
	return ioctl(sock, SIOCETHTOOL, &ifr) == 0 && strcmp(info.driver, "tun") == 0;
}

static int place_enter(const struct place *place, int *back)
{
	char path[PATH_MAX], remedy[400];
	int fd, ret, err;

	*back = -1;
	if (place->netns[0] == '\0')
		return 0;
	ret = knit_netns_path(place->netns, path, sizeof(path));
	fd = ret < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	err = errno;
	snprintf(remedy, sizeof(remedy), "ip netns add %s, or another netns", place->netns);
	if (fd < 0 && err == ENOENT && strchr(place->netns, '/') == NULL)
		preflight_run("ip", "netns", "add", place->netns, NULL);
	if (fd < 0)
		return place_wrong(place, "netns", remedy, "found \"%s\": %s: %s", place->netns,
				   path, strerror(err));
	ret = knit_netns_enter_fd(fd, back);
	close(fd);
	if (ret == -EPERM)
		return place_wrong(place, "netns", "run it with CAP_SYS_ADMIN",
				   "found \"%s\": no permission to enter it", place->netns);
	if (ret < 0)
		return place_wrong(place, "netns", remedy,
				   "found \"%s\": %s is no network namespace", place->netns, path);
	return 0;
}

static int place_check_name(const struct place *places, const struct place *place, int sock)
{
	const struct place *other;

	if (!preflight_reports() || place->name[0] == '\0')
		return 0;
	for (other = places; other < place; other++)
		if (strcmp(other->name, place->name) == 0 &&
		    strcmp(other->netns, place->netns) == 0)
			return place_wrong(place, place->port ? "device" : "name", "another name",
					   "found \"%s\": %s has a device of that name in the same "
					   "network namespace",
					   place->name, other->key.name);
	/* net_tap uses a tap device that exists. */
	if (if_nametoindex(place->name) == 0 || (place->port && is_tap(sock, place->name)))
		return 0;
	return place_wrong(
		place, place->port ? "device" : "name", "another name, or ip link del of that one",
		"found \"%s\": the network namespace has an interface of that name", place->name);
}

static const struct place *first_in_namespace(const struct place *places, const struct place *place)
{
	const struct place *other = places;

	while (strcmp(other->netns, place->netns) != 0)
		other++;
	return other;
}

static int place_check(const struct place *places, struct place *place)
{
	const struct place *first = first_in_namespace(places, place);
	int back, sock, ret;

	place->bad = first != place && first->bad;
	if (place->bad)
		return 0;
	ret = place_enter(place, &back);
	place->bad = place->netns[0] && back < 0;
	if (place->bad)
		return ret;
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (may_make_interfaces(sock) < 0) {
		place->bad = true;
		ret = place_wrong(place, "netns", "run it with CAP_NET_ADMIN",
				  "found \"%s\": no permission to make interfaces there",
				  place->netns);
	} else {
		ret = place_check_name(places, place, sock);
	}
	close(sock);
	knit_netns_leave(&back);
	return ret;
}

/*
 * A port that is no kernel device counts if it has a namespace, because knit enters that namespace
 * too.
 */
static unsigned int add_port(const struct knit_config *c, unsigned int i, struct place *place)
{
	const struct knit_conf_port *port = &c->ports[i];
	bool tap = strncmp(port->device, "net_tap", 7) == 0;
	const char *name = strstr(port->device, ",iface=");

	if (!tap && port->netns[0] == '\0')
		return 0;
	*place = (struct place){ .key = { c, &port->at, "" }, .netns = port->netns };
	snprintf(place->key.name, sizeof(place->key.name), "ports.[%u]", i);
	place->port = true;
	place->optional = port->optional;
	if (tap && name)
		snprintf(place->name, sizeof(place->name), "%.*s", (int)strcspn(name + 7, ","),
			 name + 7);
	return 1;
}

static unsigned int add_iface(const struct knit_config *c, unsigned int i, struct place *place)
{
	const struct knit_conf_iface *iface = &c->ifaces[i];

	*place = (struct place){ .key = { c, &iface->at, "" }, .netns = iface->netns };
	snprintf(place->key.name, sizeof(place->key.name), "interfaces.[%u]", i);
	memcpy(place->name, iface->name, sizeof(place->name));
	return 1;
}

int preflight_places(const struct knit_config *c)
{
	static struct place places[MAX_PLACES];
	unsigned int i, n = 0;
	int ret = 0;

	for (i = 0; i < c->n_ports; i++)
		n += add_port(c, i, &places[n]);
	for (i = 0; i < c->n_ifaces; i++)
		n += add_iface(c, i, &places[n]);
	for (i = 0; i < n; i++)
		ret |= place_check(places, &places[i]);
	if (ret == 0 && n)
		preflight_good("network namespaces: interfaces can be made there");
	return ret ? KNIT_EXIT_RESOURCES : 0;
}
