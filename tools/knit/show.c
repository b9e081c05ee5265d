// SPDX-License-Identifier: BSD-3-Clause
#include "show.h"
#include "client.h"
#include "knit.h"
#include "objects.h"
#include "system/process/exit.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What `knit show` knows. A single name is NULL where there is one such thing, control. */
struct kind {
	const char *plural; /* as in the command and in JSON */
	const char *single;
	enum object_kind objects;
	const char *const *heads;
	void (*row)(struct table *t, struct json_object *object);
};

static void number(struct table *t, struct json_object *object, const char *name)
{
	table_cell(t, "%" PRIu64, field_uint(object, name));
}

static void word(struct table *t, struct json_object *object, const char *name)
{
	table_cell(t, "%s", field_text(object, name));
}

static const char *port_link(struct json_object *port)
{
	if (field_uint(port, "removed"))
		return "removed";
	if (field_uint(port, "absent"))
		return "absent";
	if (!field_uint(port, "admin_up"))
		return "off";
	return field_uint(port, "link_up") ? "up" : "down";
}

static void port_row(struct table *t, struct json_object *port)
{
	uint64_t speed = field_uint(port, "link_speed");

	word(t, port, "name");
	table_cell(t, "%s", port_link(port));
	if (speed && speed < UINT32_MAX)
		table_cell(t, "%" PRIu64, speed);
	else
		table_cell(t, "-");
	number(t, port, "mtu");
	word(t, port, "mac");
	word(t, port, "tx");
	number(t, port, "queues");
	word(t, port, "driver");
	word(t, port, "device");
}

static void iface_row(struct table *t, struct json_object *iface)
{
	word(t, iface, "name");
	word(t, iface, "engine");
	word(t, iface, "handover");
	number(t, iface, "pairs");
	number(t, iface, "to_kernel");
	number(t, iface, "from_kernel");
	table_cell(t, "%" PRIu64, objects_drops(iface, NULL));
}

static void worker_row(struct table *t, struct json_object *worker)
{
	uint64_t rounds = field_uint(worker, "rounds");

	number(t, worker, "id");
	word(t, worker, "state");
	number(t, worker, "pid");
	if (field_uint(worker, "standby_state") == 2)
		number(t, worker, "standby_pid");
	else
		table_cell(t, field_uint(worker, "standby_expected") ? "missing" : "-");
	number(t, worker, "rx_packets");
	number(t, worker, "tx_packets");
	number(t, worker, "punted");
	number(t, worker, "injected");
	number(t, worker, "xconnect");
	table_cell(t, "%" PRIu64, objects_drops(worker, NULL));
	table_cell(t, "%.0f %%", rounds ? 100.0 * field_uint(worker, "busy_rounds") / rounds : 0.0);
}

static void control_row(struct table *t, struct json_object *control)
{
	word(t, control, "state");
	number(t, control, "pid");
	number(t, control, "served");
	number(t, control, "refused");
}

static const struct kind kinds[] = {
	{ "ports", "port", OBJECT_PORT,
	  (const char *const[]){ "PORT", "LINK", ">MBIT/S", ">MTU", "MAC", "TX", ">QUEUES",
				 "DRIVER", "DEVICE", NULL },
	  port_row },
	{ "interfaces", "interface", OBJECT_INTERFACE,
	  (const char *const[]){ "INTERFACE", "ENGINE", "HANDOVER", ">PAIRS", ">TO KERNEL",
				 ">FROM KERNEL", ">DROPS", NULL },
	  iface_row },
	{ "workers", "worker", OBJECT_WORKER,
	  (const char *const[]){ ">WORKER", "STATE", ">PROCESS", ">STANDBY", ">RX", ">TX",
				 ">TO KERNEL", ">FROM KERNEL", ">BETWEEN", ">DROPS", ">BUSY",
				 NULL },
	  worker_row },
	{ "control", NULL, OBJECT_KINDS,
	  (const char *const[]){ "CONTROL", ">PROCESS", ">SERVED", ">REFUSED", NULL },
	  control_row },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Of /knit/info: what is control's, with shorter names; the rest stays there. */
static struct json_object *take_control(struct json_object *info)
{
	static const char *const fields[] = { "state", "pid", "served", "refused" };
	struct json_object *control = json_object_new_object(), *value;
	char name[32];
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		snprintf(name, sizeof(name), "control_%s", fields[i]);
		if (!json_object_object_get_ex(info, name, &value))
			continue;
		json_object_object_add(control, fields[i], json_object_get(value));
		json_object_object_del(info, name);
	}
	objects_name_state(control);
	return control;
}

static void print_table(const struct kind *k, struct json_object *objects)
{
	struct table *t = table_new(k->heads);
	size_t i;

	if (json_object_is_type(objects, json_type_array))
		for (i = 0; i < json_object_array_length(objects); i++)
			k->row(t, json_object_array_get_idx(objects, i));
	else
		k->row(t, objects);
	table_print(t, stdout);
}

static void print_info(struct client *c, struct json_object *info)
{
	printf("knit, prefix %s, process %" PRIu64 ", %s, configuration %s\n", client_prefix(c),
	       field_uint(info, "pid"), field_text(info, "dpdk"), field_text(info, "config"));
}

static struct json_object *ask_kind(struct client *c, const struct kind *k,
				    struct json_object *info)
{
	return k->single ? objects_all(c, k->objects) : take_control(info);
}

/* kind NULL: everything. */
static int show_kinds(const struct options *o, struct client *c, const struct kind *only)
{
	struct json_object *info = client_need(c, "/knit/info", json_type_object),
			   *part[KINDS] = { NULL };
	struct json_object *whole = json_object_new_object();
	size_t i;

	for (i = 0; info && i < KINDS; i++)
		if (only == NULL || only == &kinds[i])
			part[i] = ask_kind(c, &kinds[i], info);
	if (client_code(c) == 0 && o->json) {
		if (only == NULL)
			json_object_object_add(whole, "primary", json_object_get(info));
		for (i = 0; i < KINDS; i++)
			if (part[i])
				json_object_object_add(whole, kinds[i].plural,
						       json_object_get(part[i]));
		print_json(o, json_object_get(whole));
	} else if (client_code(c) == 0) {
		if (only == NULL)
			print_info(c, info);
		for (i = 0; i < KINDS; i++) {
			if (part[i] && only == NULL)
				printf("\n");
			if (part[i])
				print_table(&kinds[i], part[i]);
		}
	}
	for (i = 0; i < KINDS; i++)
		json_object_put(part[i]);
	json_object_put(whole);
	json_object_put(info);
	return client_code(c);
}

static void print_fields(struct json_object *object)
{
	int w = 0;

	json_object_object_foreach(object, name, value)
	{
		w = (int)strlen(name) > w ? (int)strlen(name) : w;
		(void)value;
	}
	json_object_object_foreach(object, field, content)
	{
		printf("%-*s  %s\n", w, field, json_object_get_string(content));
	}
}

static int show_object(const struct options *o, struct client *c, const struct kind *k,
		       const char *name)
{
	struct json_object *object = objects_one(c, k->objects, name), *whole;

	if (object == NULL)
		return client_code(c) ? client_code(c)
				      : fail(KNIT_EXIT_FAILURE,
					     "%s %s: prefix %s has none such; "
					     "`knit show %s` lists them",
					     k->single, name, client_prefix(c), k->plural);
	if (o->json) {
		whole = json_object_new_object();
		json_object_object_add(whole, k->single, object);
		print_json(o, whole);
	} else {
		print_fields(object);
		json_object_put(object);
	}
	return KNIT_EXIT_OK;
}

static const struct kind *find_kind(const char *word, bool single)
{
	const char *name;
	size_t i;

	for (i = 0; i < KINDS; i++) {
		name = single ? kinds[i].single : kinds[i].plural;
		if (name && strcmp(name, word) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* What is no object, and not part of everything. */
static const struct {
	const char *word;
	int (*show)(const struct options *o, struct client *c);
} others[] = {
	{ "memory", show_memory },
	{ "config", show_config },
};
#define OTHERS (sizeof(others) / sizeof(others[0]))

static int show_wrong(int argc, char **argv)
{
	return fail(KNIT_EXIT_USAGE,
		    "show: found \"%s%s%s\": nothing, ports, interfaces, workers, control, drops, "
		    "memory, config, port NAME, interface NAME or worker ID is expected",
		    argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
}

int show_main(const struct options *o, int argc, char **argv)
{
	const struct kind *k = argc > 1 ? find_kind(argv[1], argc == 3) : NULL;
	struct options still = *o;
	struct client *c;
	size_t other = OTHERS;
	int code;

	if (argc == 2 && strcmp(argv[1], "drops") == 0) {
		still.seconds = 0;
		return drops_main(&still, argc - 1, argv + 1);
	}
	if (argc == 2)
		for (other = 0; other < OTHERS && strcmp(argv[1], others[other].word); other++)
			;
	if (argc > 3 || (argc > 1 && k == NULL && other == OTHERS))
		return show_wrong(argc, argv);
	c = client_open(o->prefix, &code);
	if (c == NULL)
		return code;
	if (other < OTHERS)
		code = others[other].show(o, c);
	else
		code = argc == 3 ? show_object(o, c, k, argv[2]) : show_kinds(o, c, k);
	client_close(c);
	return code;
}
