// SPDX-License-Identifier: BSD-3-Clause
#include "summary.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_IPV6 0x86dd
#define TYPE_VLAN 0x8100
#define TYPE_QINQ 0x88a8

struct line {
	char *text;
	size_t size, at;
};

static void say(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct line *l, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->at, l->size - l->at, format, args);
	va_end(args);
	if (n > 0)
		l->at += (size_t)n < l->size - l->at ? (size_t)n : l->size - l->at - 1;
}

static unsigned int word(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static void say_mac(struct line *l, const uint8_t *m)
{
	say(l, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void say_address(struct line *l, int family, const uint8_t *at)
{
	char text[INET6_ADDRSTRLEN];

	say(l, "%s", inet_ntop(family, at, text, sizeof(text)) ? text : "?");
}

static void say_tcp(struct line *l, const uint8_t *at, size_t len)
{
	static const char letters[] = "FSRPAUEW";
	unsigned int i;

	say(l, ", TCP %u > %u", word(at), word(at + 2));
	if (len < 14)
		return;
	say(l, " [");
	for (i = 0; i < 8; i++)
		if (at[13] >> i & 1)
			say(l, "%c", letters[i]);
	say(l, "]");
}

static void say_transport(struct line *l, unsigned int protocol, const uint8_t *at, size_t len)
{
	if (protocol == IPPROTO_TCP && len >= 4)
		say_tcp(l, at, len);
	else if (protocol == IPPROTO_UDP && len >= 4)
		say(l, ", UDP %u > %u", word(at), word(at + 2));
	else if (protocol == IPPROTO_ICMP && len >= 2)
		say(l, ", ICMP %s", at[0] == 8 ? "echo" : at[0] == 0 ? "echo reply" : "");
	else if (protocol == IPPROTO_ICMPV6 && len >= 2)
		say(l, ", ICMPv6 type %u", at[0]);
	else
		say(l, ", protocol %u", protocol);
}

static void say_ipv4(struct line *l, const uint8_t *at, size_t len)
{
	size_t header;

	if (len < 20)
		return;
	header = (at[0] & 15u) * 4u;
	say(l, ", ");
	say_address(l, AF_INET, at + 12);
	say(l, " > ");
	say_address(l, AF_INET, at + 16);
	say(l, ", ttl %u", at[8]);
	if (word(at + 6) & 0x1fff)
		say(l, ", a later fragment");
	else if (header >= 20 && header <= len)
		say_transport(l, at[9], at + header, len - header);
}

static void say_ipv6(struct line *l, const uint8_t *at, size_t len)
{
	if (len < 40)
		return;
	say(l, ", ");
	say_address(l, AF_INET6, at + 8);
	say(l, " > ");
	say_address(l, AF_INET6, at + 24);
	say(l, ", hops %u", at[7]);
	say_transport(l, at[6], at + 40, len - 40);
}

static void say_arp(struct line *l, const uint8_t *at, size_t len)
{
	if (len < 28)
		return;
	say(l, word(at + 6) == 1 ? ", ARP: who has " : ", ARP: tells ");
	say_address(l, AF_INET, at + 24);
	say(l, ", from ");
	say_address(l, AF_INET, at + 14);
}

void summary(const uint8_t *frame, size_t len, char *text, size_t size)
{
	struct line l = { .text = text, .size = size };
	unsigned int type;
	size_t at = 12;

	text[0] = '\0';
	if (len < 14)
		return;
	say_mac(&l, frame + 6);
	say(&l, " > ");
	say_mac(&l, frame);
	type = word(frame + at);
	while ((type == TYPE_VLAN || type == TYPE_QINQ) && at + 6 <= len) {
		say(&l, ", VLAN %u", word(frame + at + 2) & 0xfff);
		at += 4;
		type = word(frame + at);
	}
	at += 2;
	if (type == TYPE_IPV4)
		say_ipv4(&l, frame + at, len - at);
	else if (type == TYPE_IPV6)
		say_ipv6(&l, frame + at, len - at);
	else if (type == TYPE_ARP)
		say_arp(&l, frame + at, len - at);
	else
		say(&l, ", type 0x%04x", type);
}
