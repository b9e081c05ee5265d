/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_CONFIG_KEYS_H
#define KNIT_CONFIG_KEYS_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The tables that describe the configuration file: every key with its type, what is allowed, its
 * default and its meaning. Reading, defaults, error texts, help and the check of docs/CONFIG.md all
 * come from them. CONTRIBUTING.md has the recipe for a new key.
 */

enum knit_key_type {
	KNIT_KEY_INT,	     /* int or uint32_t: min..max */
	KNIT_KEY_POW2,	     /* uint32_t: a power of two, min..max */
	KNIT_KEY_BOOL,	     /* bool */
	KNIT_KEY_ENUM,	     /* an enum, or a bool: position in values */
	KNIT_KEY_WORD,	     /* char array: one of values */
	KNIT_KEY_TEXT,	     /* char array: what check takes; the default is always allowed */
	KNIT_KEY_MAC,	     /* uint8_t[6] */
	KNIT_KEY_PORT,	     /* int: index of the port of that name, -1 for none */
	KNIT_KEY_PORT_PAIR,  /* struct knit_conf_rule: a and b */
	KNIT_KEY_IFACE_PAIR, /* struct knit_conf_rule: a, b and ifaces */
	KNIT_KEY_GROUP,	     /* a struct: keys of sub */
	KNIT_KEY_LIST,	     /* an array of structs: min..max groups with the keys of sub */
};

/* What has to happen before another value of a key is in force */
enum knit_needs {
	KNIT_NEEDS_START,   /* of knit: `knit reload` refuses the whole file */
	KNIT_NEEDS_NOTHING, /* somebody reads it again: no packet waits */
	KNIT_NEEDS_PAUSE,   /* workers, and maybe ports, pause */
	KNIT_NEEDS_RESTART, /* the object goes away and comes back */
};

struct knit_key {
	const char *name; /* NULL: end of the table */
	enum knit_key_type type;
	size_t offset; /* of the member in the group's struct */
	size_t size;   /* of the member; LIST: of one element */
	size_t count;  /* LIST: offset of the number of elements */
	int64_t min;
	int64_t max;
	const char *def; /* as one would write it, without quotes; NULL: the key must be given */
	const char *const *values;	 /* NULL-terminated */
	const char *const *old_values;	 /* ENUM: old spellings of values, NULL for none */
	bool (*check)(const char *text); /* TEXT */
	const char *expect;		 /* TEXT: what check takes, in words */
	const struct knit_group *sub;	 /* GROUP, LIST */
	const char *help;
	enum knit_needs needs;
};

#define KNIT_NO_PLACE SIZE_MAX

struct knit_group {
	const struct knit_key *keys;
	size_t at; /* offset of the struct knit_conf_at, or KNIT_NO_PLACE */
};

/* The whole file, a struct knit_config. Sections stand in the order in which they are read. */
extern const struct knit_group knit_conf_root;

/* What is allowed, in words: "a whole number from 16 to 32768". Returns buf. */
char *knit_key_expect(const struct knit_key *key, char *buf, size_t size);

/* The values of TEXT keys; each is false for "" too. None cares about the length of the member. */
bool knit_check_name(const char *text);	  /* letters, digits, - and _ */
bool knit_check_prefix(const char *text); /* the same, and shorter than KNIT_NAME */
bool knit_check_ifname(const char *text); /* what Linux takes as a name, and no pattern */
bool knit_check_netns(const char *text);
bool knit_check_path(const char *text);
bool knit_check_device(const char *text);
bool knit_check_cpus(const char *text);

/* Six bytes in hex with colons, unicast or all zero. False leaves mac alone. */
bool knit_mac_parse(const char *text, uint8_t mac[6]);

#endif
