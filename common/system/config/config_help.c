// SPDX-License-Identifier: BSD-3-Clause
#include "config_keys.h"

#include <stdio.h>

static void help_key(FILE *out, const struct knit_key *key)
{
	bool text = key->type == KNIT_KEY_TEXT || key->type == KNIT_KEY_WORD ||
		    key->type == KNIT_KEY_ENUM || key->type == KNIT_KEY_MAC;
	char expect[256];

	fprintf(out, "  %s: %s\n", key->name, key->help);
	fprintf(out, "      %s; ", knit_key_expect(key, expect, sizeof(expect)));
	if (key->type == KNIT_KEY_LIST ? key->min > 0 : !key->def)
		fputs("must be given\n", out);
	else if (key->type == KNIT_KEY_LIST || (!text && !key->def[0]))
		fputs("none by default\n", out);
	else
		fprintf(out, text ? "default \"%s\"\n" : "default %s\n", key->def);
}

static void help_group(FILE *out, const struct knit_key *section, const char *path)
{
	const struct knit_key *key;
	char nested[64];

	fprintf(out, "%s = %s  %s\n", path, section->type == KNIT_KEY_LIST ? "( { }, ... )" : "{ }",
		section->help);
	for (key = section->sub->keys; key->name; key++)
		help_key(out, key);
	fputc('\n', out);
	for (key = section->sub->keys; key->name; key++) {
		if (!key->sub)
			continue;
		snprintf(nested, sizeof(nested), "%s.%s", path, key->name);
		help_group(out, key, nested);
	}
}

void knit_config_help(FILE *out)
{
	const struct knit_key *section;

	for (section = knit_conf_root.keys; section->name; section++)
		help_group(out, section, section->name);
}
