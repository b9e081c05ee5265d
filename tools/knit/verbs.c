// SPDX-License-Identifier: BSD-3-Clause
#include "knit.h"
#include "system/process/exit.h"

#include <json-c/json.h>

static int version_main(const struct options *o, int argc, char **argv);

const struct command commands[] = {
	{ "show", "[ports | interfaces | workers | control | drops | memory | config | KIND NAME]",
	  "Pjpa", "what runs, and its counters",
	  "What runs, and its counters.\n"
	  "\n"
	  "  ports, interfaces, workers, control    a table of them; default: all of these\n"
	  "  port NAME, interface NAME, worker ID   everything about one\n"
	  "  drops                                  as `knit drops`, without a rate\n"
	  "  memory                                 hugepages, heaps, buffers of each NUMA node\n"
	  "  config                                 what the primary read, with all defaults",
	  show_main },
	{ "top", "", "Pjp1s", "rates of all, live; --once for programs",
	  "Rates of all ports, interfaces and workers, live.\n"
	  "\n"
	  "Keys: q end, t by traffic, n by name, b only what is busy, + and - the time,\n"
	  "arrows and pages choose, Enter shows all about one, Escape leads back.\n"
	  "With --json a line for each look, with --once a single look as text.",
	  top_main },
	{ "drops", "", "Pjpas", "each way to lose a packet that lost one, and what to do",
	  "Each way to lose a packet that lost one, with its rate, what it means and what to do.",
	  drops_main },
	{ "trace", "[OBJECT...] [FILTER]", "PjpndlS", "what happens to packets, step by step",
	  "What happens to packets in the workers, step by step.\n"
	  "\n"
	  "  OBJECT    port NAME, interface NAME or worker ID: packets that pass one of them;\n"
	  "            default: all\n"
	  "  FILTER    an expression of pcap-filter(7); `where` before it makes clear where it\n"
	  "            begins",
	  trace_main },
	{ "capture", "[OBJECT...] [FILTER]", "PndlSw", "packets of the fast path, as a pcapng file",
	  "Packets that pass ports and interfaces, as a pcapng file with what was done to each.\n"
	  "For a look as it happens: knit capture | wireshark -k -i -\n"
	  "\n"
	  "  OBJECT    port NAME, interface NAME or worker ID: packets that pass one of them;\n"
	  "            default: all\n"
	  "  FILTER    an expression of pcap-filter(7); `where` before it makes clear where it\n"
	  "            begins",
	  capture_main },
	{ "monitor", "[KIND...]", "Pjp1i", "what happens: links, workers, requests, as it happens",
	  "What happens, as it happens: a line for each event, until the primary ends.\n"
	  "\n"
	  "KIND is the name of a kind, as worker_died, or of several, as worker. Each event has a\n"
	  "number. With --since those after that number come first, as far as the primary still\n"
	  "has them: it keeps the last 256. With --once only what there is. Events that are\n"
	  "lost, because nobody read them in time, are told. A start of the primary begins with\n"
	  "number 1 anew: with `start` before the number, as --json has both, that is seen.\n"
	  "docs/RUNNING.md lists the kinds.",
	  monitor_main },
	{ "log", "level [TYPE [LEVEL]]", "Pjp", "how much is logged, in all processes",
	  "How much is logged. With a LEVEL it is changed, in the primary, all workers and\n"
	  "control, until the primary ends; a process that is started later has it, too.\n"
	  "\n"
	  "  TYPE   a part of knit, as knit.port or port, or a pattern, as '*'\n"
	  "  LEVEL  emergency, alert, critical, error, warning, notice, info or debug; or 1 to 8",
	  log_main },
	{ "reload", "[FILE]", "Pjpr", "another configuration, while everything runs",
	  "Compares FILE, or the file of the start, with what runs, and takes over what has\n"
	  "changed, if all of it can change while everything runs. Each change is a line:\n"
	  "\n"
	  "  live   it takes effect at once\n"
	  "  start  it needs a start of knit; then nothing at all is taken over\n"
	  "\n"
	  "A file with errors changes nothing. Only root may do it.",
	  reload_main },
	{ "worker", "park | resume | restart | replace ID", "Pjpt",
	  "a worker stops, goes on, starts anew, or hands over to its standby",
	  "An order to a worker, and its answer.\n"
	  "\n"
	  "  park     it stops between two bursts, and moves no packets until `resume`. What\n"
	  "           waits in the queues of its devices stays there as far as they have room\n"
	  "  resume   it goes on\n"
	  "  restart  it ends in good order, and the next process, which its supervisor starts,\n"
	  "           has --timeout to attach\n"
	  "  replace  a second process of that worker, which stands by, takes over between two\n"
	  "           bursts, and the first one ends: no packet is lost",
	  worker_main },
	{ "check", "FILE", "jpfy", "what the machine lacks for a configuration, with remedies",
	  "What this machine lacks for the configuration FILE, with remedies.\n"
	  "\n"
	  "With --fix it prints the commands that mend it: hugepages, modules of the kernel,\n"
	  "limits, network namespaces. At a terminal it asks whether to run them, with --yes it\n"
	  "does not ask. Then it checks again. What they change lasts until the next boot. What\n"
	  "could hurt others, or needs another boot, is marked `by hand` and left to people.",
	  check_main },
	{ "bind", "[ARGUMENTS]", "", "NICs and their drivers; as knit-bind", NULL, bind_main,
	  .other = true },
	{ "version", "", "jp", "the version of knit", NULL, version_main },
};
const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

static int version_main(const struct options *o, int argc, char **argv)
{
	struct json_object *version;

	if (argc > 1)
		return fail(KNIT_EXIT_USAGE, "version: it has no arguments");
	if (o->json) {
		version = json_object_new_object();
		json_object_object_add(version, "version", json_object_new_string(KNIT_VERSION));
		print_json(o, version);
	} else {
		printf("knit " KNIT_VERSION "\n");
	}
	return KNIT_EXIT_OK;
}
