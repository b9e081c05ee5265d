// SPDX-License-Identifier: BSD-3-Clause
#include "client.h"

#include "knit.h"
#include "system/process/exit.h"

#include <stdlib.h>

struct client {
	struct knit_client *asked;
	bool told; /* that it failed */
};

static void tell(struct client *c)
{
	if (client_code(c) && !c->told)
		fail(0, "%s", knit_client_error(c->asked));
	c->told = client_code(c) != 0;
}

struct client *client_open(const char *prefix, int *code)
{
	struct client *c = calloc(1, sizeof(*c));

	*code = KNIT_EXIT_FAILURE;
	if (c)
		c->asked = knit_client_open(prefix, CLIENT_SECONDS * 1000);
	if (c == NULL || c->asked == NULL) {
		free(c);
		fail(0, "no memory");
		return NULL;
	}
	tell(c);
	*code = client_code(c);
	if (*code == 0)
		return c;
	client_close(c);
	return NULL;
}

void client_close(struct client *c)
{
	knit_client_close(c->asked);
	free(c);
}

const char *client_prefix(const struct client *c)
{
	return knit_client_prefix(c->asked);
}

int client_code(const struct client *c)
{
	return knit_client_code(c->asked);
}

struct json_object *client_ask(struct client *c, const char *command, const char *parameter,
			       enum json_type type)
{
	struct json_object *told;

	knit_client_limit(c->asked, CLIENT_SECONDS * 1000);
	told = knit_client_ask(c->asked, command, parameter, type);
	tell(c);
	return told;
}

struct json_object *client_need(struct client *c, const char *command, enum json_type type)
{
	struct json_object *told;

	knit_client_limit(c->asked, CLIENT_SECONDS * 1000);
	told = knit_client_need(c->asked, command, NULL, type);
	tell(c);
	return told;
}

uint64_t field_uint(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_uint64(value) : 0;
}

const char *field_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value
		       ? json_object_get_string(value)
		       : "";
}
