// SPDX-License-Identifier: BSD-3-Clause
#include "config_keys.h"
#include "abi/knit_shm.h"

/* What a tap takes, and with its Ethernet header the longest frame of a descriptor chain. */
#define MAX_MTU 65521
#define MAX_CPU 1023
#define MAX_LCORE (RTE_MAX_LCORE - 1)

_Static_assert(MAX_LCORE <= MAX_CPU, "without cpus an lcore has the CPU of its number");

#define MEMBER(owner, member) \
	.offset = offsetof(struct owner, member), .size = sizeof(((struct owner *)NULL)->member)
#define FIELD(owner, member) .name = #member, MEMBER(owner, member)
#define RANGE(lo, hi) .min = (lo), .max = (hi)
#define LIST_OF(owner, array, number)                                   \
	.type = KNIT_KEY_LIST, .offset = offsetof(struct owner, array), \
	.size = sizeof(((struct owner *)NULL)->array[0]), .count = offsetof(struct owner, number)

#define EXPECT_CPUS "a list of CPUs from 0 to 1023 such as \"0\" or \"0,2-3\""
#define EXPECT_NETNS "the name of a network namespace or an absolute path"
#define EXPECT_NAME "a name of 1 to 31 letters, digits, \"-\" and \"_\""

static const char *const iova_modes[] = { "auto", "pa", "va", NULL };
static const char *const log_levels[] = { "emergency", "alert", "critical", "error", "warning",
					  "notice",    "info",	"debug",    NULL };
static const char *const kthread_modes[] = { "single", "multiple", NULL };
static const char *const handover_modes[] = { "auto", "inline", "thread", NULL };
static const char *const engines[] = { "auto", "kmod", "tap", NULL };
static const char *const port_drivers[] = {
	[KNIT_DRIVER_KEEP] = "keep",
	[KNIT_DRIVER_VFIO] = "vfio-pci",
	[KNIT_DRIVER_IGB_UIO] = "igb_uio",
	[KNIT_DRIVER_UIO_GENERIC] = "uio_pci_generic",
	NULL,
};
static const char *const spreads[] = {
	[KNIT_SPREAD_AUTO] = "auto",
	[KNIT_SPREAD_RSS] = "rss",
	[KNIT_SPREAD_DEVICE] = "device",
	[KNIT_SPREAD_NONE] = "none",
	NULL,
};
static const char *const tx_modes[] = {
	[KNIT_TX_AUTO] = "auto",
	[KNIT_TX_FULL] = "full",
	[KNIT_TX_FAST] = "fast",
	NULL,
};
static const char *const request_modes[] = {
	[KNIT_REQUEST_AUTO] = "auto",
	[KNIT_REQUEST_SYNC] = "synchronous",
	[KNIT_REQUEST_ASYNC] = "asynchronous",
	NULL,
};
static const char *const old_request_modes[] = {
	[KNIT_REQUEST_SYNC] = "ask",
	[KNIT_REQUEST_ASYNC] = "post",
};
static const char *const idle_modes[] = {
	[KNIT_IDLE_ADAPTIVE] = "adaptive",
	[KNIT_IDLE_POLL] = "poll",
	NULL,
};
static const char *const forward_modes[] = {
	[KNIT_FORWARD_PUNT] = "punt",
	[KNIT_FORWARD_XCONNECT] = "xconnect",
	NULL,
};

static const struct knit_key eal_keys[] = {
	{ FIELD(knit_conf_eal, prefix), .type = KNIT_KEY_TEXT, .def = KNIT_DEFAULT_PREFIX,
	  .check = knit_check_name, .expect = EXPECT_NAME,
	  .help = "names this knit: hugepage files, sockets, /run/knit/<prefix>" },
	{ FIELD(knit_conf_eal, lcore), .type = KNIT_KEY_INT, RANGE(0, MAX_LCORE), .def = "0",
	  .help = "lcore id of the primary, unique in the file" },
	{ FIELD(knit_conf_eal, cpus), .type = KNIT_KEY_TEXT, .def = "", .check = knit_check_cpus,
	  .expect = EXPECT_CPUS,
	  .help = "CPUs the primary may run on; empty: the CPU of the lcore's number" },
	{ FIELD(knit_conf_eal, memory), .type = KNIT_KEY_INT, RANGE(0, 1048576), .def = "0",
	  .help = "MiB of hugepages on each NUMA node in use; 0: computed from the file" },
	{ FIELD(knit_conf_eal, headroom), .type = KNIT_KEY_INT, RANGE(0, 1048576), .def = "16",
	  .help = "MiB of hugepages beyond what is computed, for ports and interfaces that "
		  "`knit reload` adds" },
	{ FIELD(knit_conf_eal, max_workers), .type = KNIT_KEY_INT, RANGE(0, KNIT_MAX_WORKERS),
	  .def = "0",
	  .help = "workers that `knit reload` can get to: so many have memory, and queue pairs of "
		  "each interface; 0: those of the file" },
	{ FIELD(knit_conf_eal, huge_dir), .type = KNIT_KEY_TEXT, .def = "",
	  .check = knit_check_path, .expect = "an absolute path of at most 127 characters",
	  .help = "where hugetlbfs is mounted; empty: any such mount" },
	{ FIELD(knit_conf_eal, iova), .type = KNIT_KEY_WORD, .def = "auto", .values = iova_modes,
	  .help = "addresses given to devices: physical, virtual, or EAL's choice" },
	{ FIELD(knit_conf_eal, log_level), .type = KNIT_KEY_WORD, .def = "notice",
	  .values = log_levels, .needs = KNIT_NEEDS_NOTHING,
	  .help = "the least important messages to log" },
	{ FIELD(knit_conf_eal, attach_timeout), .type = KNIT_KEY_INT, RANGE(5, 3600), .def = "30",
	  .needs = KNIT_NEEDS_NOTHING,
	  .help = "seconds after which a process that stands still on its way in is killed; a "
		  "third of it if the reset of a dead worker's domain waits for it" },
	{ NULL },
};

static const struct knit_key mempool_keys[] = {
	{ FIELD(knit_conf_mempool, data_room), .type = KNIT_KEY_INT, RANGE(1024, 16384),
	  .def = "2048",
	  .help = "bytes of packet in one mbuf, headroom excluded; longer frames take several" },
	{ FIELD(knit_conf_mempool, extra), .type = KNIT_KEY_INT, RANGE(0, 1048576), .def = "4096",
	  .help = "mbufs per worker beyond what its queues can hold" },
	{ FIELD(knit_conf_mempool, headroom), .type = KNIT_KEY_INT, RANGE(0, 1048576),
	  .def = "4096",
	  .help = "mbufs per worker for the queues of ports and interfaces that `knit reload` "
		  "adds" },
	{ NULL },
};

static const struct knit_key tap_keys[] = {
	{ .name = "kthread_mode",
	  MEMBER(knit_conf_tap, thread_per_pair),
	  .type = KNIT_KEY_ENUM,
	  .def = "single",
	  .values = kthread_modes,
	  .help = "tap engine: one thread for all interfaces, or one for each queue pair. Of "
		  "kmod the module's parameter of that name decides" },
	{ FIELD(knit_conf_tap, cpus), .type = KNIT_KEY_TEXT, .def = "", .check = knit_check_cpus,
	  .expect = EXPECT_CPUS,
	  .help = "CPUs for engine threads without a core of their own; empty: any but lcores'" },
	{ FIELD(knit_conf_tap, io_uring), .type = KNIT_KEY_BOOL, .def = "true",
	  .help = "hand over many frames with one system call, where the kernel has io_uring and "
		  "allows it" },
	{ NULL },
};

static const struct knit_key watch_keys[] = {
	{ FIELD(knit_conf_watch, buffer), .type = KNIT_KEY_INT, RANGE(0, 65536), .def = "1024",
	  .help = "KiB for each worker, for packets on their way to knit trace or knit capture; "
		  "a power of two from 128 on, or the next one; 0: packets can't be watched" },
	{ NULL },
};

static const struct knit_key port_keys[] = {
	{ FIELD(knit_conf_port, name), .type = KNIT_KEY_TEXT, .check = knit_check_name,
	  .expect = EXPECT_NAME, .help = "how the rest of the file calls the port; unique" },
	{ FIELD(knit_conf_port, device), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_TEXT,
	  .check = knit_check_device,
	  .expect = "a PCI address or a virtual device with its arguments (1 to 255 "
		    "characters, no white space)",
	  .help = "PCI address, or virtual device with its arguments; unique" },
	{ FIELD(knit_conf_port, netns), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_TEXT,
	  .def = "", .check = knit_check_netns, .expect = EXPECT_NETNS,
	  .help = "where a virtual device makes its kernel device; empty: the primary's own" },
	{ FIELD(knit_conf_port, driver), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_ENUM,
	  .def = "keep", .values = port_drivers,
	  .help = "kernel driver to bind a PCI device to, for as long as the primary runs; keep: "
		  "leave it where it is" },
	{ FIELD(knit_conf_port, force), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_BOOL,
	  .def = "false",
	  .help = "bind it although its network interface is up, or has an address or a route, or "
		  "it has virtual functions" },
	{ FIELD(knit_conf_port, allow_noiommu), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_BOOL,
	  .def = "false",
	  .help = "vfio-pci: also without an IOMMU, where nothing keeps the device from other "
		  "memory" },
	{ FIELD(knit_conf_port, optional), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_BOOL,
	  .def = "false",
	  .help = "start without it if it can't be started; its interface then has no carrier" },
	{ FIELD(knit_conf_port, rx_desc), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_INT,
	  RANGE(16, 32768), .def = "512", .help = "descriptors of each receive queue" },
	{ FIELD(knit_conf_port, tx_desc), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_INT,
	  RANGE(16, 32768), .def = "512", .help = "descriptors of each transmit queue" },
	{ FIELD(knit_conf_port, mtu), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_INT,
	  RANGE(68, MAX_MTU), .def = "1500", .help = "MTU at start" },
	{ FIELD(knit_conf_port, promisc), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_BOOL,
	  .def = "false", .help = "promiscuous at start; later the kernel's interface decides" },
	{ FIELD(knit_conf_port, rx_spread), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_ENUM,
	  .def = "auto", .values = spreads,
	  .help = "how received flows are spread over the workers' queues: by RSS, by the "
		  "device itself, or not at all" },
	{ FIELD(knit_conf_port, tx_queues), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_INT,
	  RANGE(0, KNIT_MAX_WORKERS), .def = "0",
	  .help = "transmit queues to use; 0: one for each worker, as far as the port has them. "
		  "Workers without one send through the others" },
	{ FIELD(knit_conf_port, tx), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_ENUM,
	  .def = "auto", .values = tx_modes,
	  .help = "transmit with the offloads below, or fast: without, so that drivers take their "
		  "fastest function; auto: fast where no interface is concerned" },
	{ FIELD(knit_conf_port, rx_checksum), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_BOOL,
	  .def = "true", .help = "let the port verify checksums, if it can" },
	{ FIELD(knit_conf_port, tx_checksum), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_BOOL,
	  .def = "true", .help = "let the port fill in checksums, if it can" },
	{ FIELD(knit_conf_port, tso), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_BOOL,
	  .def = "true", .help = "let the port cut TCP segments, if it can" },
	{ FIELD(knit_conf_port, vlan), .needs = KNIT_NEEDS_PAUSE, .type = KNIT_KEY_BOOL,
	  .def = "true", .help = "let the port strip and insert VLAN tags, if it can" },
	{ FIELD(knit_conf_port, link_poll), .type = KNIT_KEY_INT, RANGE(10, 60000), .def = "200",
	  .needs = KNIT_NEEDS_NOTHING,
	  .help = "ms between looks at the links; the shortest of all ports counts" },
	{ NULL },
};

static const struct knit_key iface_keys[] = {
	{ FIELD(knit_conf_iface, name), .type = KNIT_KEY_TEXT, .check = knit_check_ifname,
	  .expect = "the name of a network interface (1 to 15 characters; no \"/\", \":\", \"%\" "
		    "or white space; not \".\", \"..\", \"all\", \"default\")",
	  .help = "name of the network interface; unique in the file" },
	{ FIELD(knit_conf_iface, port), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_PORT,
	  .def = "", .help = "the port it stands for; each port has at most one interface" },
	{ FIELD(knit_conf_iface, engine), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_WORD,
	  .def = "auto", .values = engines,
	  .help = "kmod: the kernel module rte_kni; tap: threads of the primary; auto: kmod if "
		  "/dev/kni is there and usable, else tap" },
	{ FIELD(knit_conf_iface, mtu), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_INT,
	  RANGE(0, MAX_MTU), .def = "0",
	  .help = "MTU at start; 0: the port's, or 1500 without a port" },
	{ FIELD(knit_conf_iface, min_mtu), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_INT,
	  RANGE(68, MAX_MTU), .def = "68", .help = "smallest MTU that may be set" },
	{ FIELD(knit_conf_iface, max_mtu), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_INT,
	  RANGE(68, MAX_MTU), .def = "9000", .help = "largest MTU that may be set" },
	{ FIELD(knit_conf_iface, mac), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_MAC,
	  .def = "00:00:00:00:00:00",
	  .help = "hardware address; all zero: the port's, or a random one without a port" },
	{ FIELD(knit_conf_iface, netns), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_TEXT,
	  .def = "", .check = knit_check_netns, .expect = EXPECT_NETNS,
	  .help = "network namespace of the interface; empty: the primary's own" },
	{ FIELD(knit_conf_iface, core), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_INT,
	  RANGE(-1, MAX_CPU), .def = "-1",
	  .help = "CPU of its engine threads; tap: with kthread_mode multiple only; -1: any" },
	{ FIELD(knit_conf_iface, ring_size), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_POW2,
	  RANGE(KNIT_RING_MIN_SG, KNIT_RING_MAX), .def = "1024",
	  .help = "descriptors of each queue between worker and engine" },
	{ FIELD(knit_conf_iface, requests), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_ENUM,
	  .def = "auto", .values = request_modes, .old_values = old_request_modes,
	  .help = "whether ip link waits for the port's answer; auto: synchronous if the drivers "
		  "of all ports make that safe. The tap engine's requests are always "
		  "asynchronous. Old spellings: \"ask\" and \"post\"" },
	{ FIELD(knit_conf_iface, handover), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_WORD,
	  .def = "auto", .values = handover_modes,
	  .help = "who does the kernel's part: a thread of the engine, or inline whoever sends or "
		  "receives, in a system call; auto: inline while that thread sleeps, and tap: "
		  "a few frames wait" },
	{ FIELD(knit_conf_iface, merge_datagrams), .needs = KNIT_NEEDS_RESTART,
	  .type = KNIT_KEY_BOOL, .def = "false",
	  .help = "let datagrams of a flow that arrive together reach the kernel as one; tap: "
		  "while nobody is known to look at them. Kmod: what ethtool calls lro" },
	{ FIELD(knit_conf_iface, big_tcp), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_BOOL,
	  .def = "false",
	  .help = "frames of TCP up to 192 KiB to and from another interface that has it; kmod "
		  "only, Linux 5.19 or newer" },
	{ NULL },
};

static const struct knit_key rule_keys[] = {
	{ FIELD(knit_conf_rule, mode), .type = KNIT_KEY_ENUM, .values = forward_modes,
	  .help = "punt: between a port and its interface; xconnect: between two ports (frames "
		  "for the kernel are punted) or two interfaces" },
	{ .name = "port",
	  MEMBER(knit_conf_rule, a),
	  .type = KNIT_KEY_PORT,
	  .def = "",
	  .help = "punt: the port; it must have an interface" },
	{ .name = "ports",
	  MEMBER(knit_conf_rule, a),
	  .type = KNIT_KEY_PORT_PAIR,
	  .def = "",
	  .help = "xconnect: the two ports" },
	{ .name = "interfaces",
	  MEMBER(knit_conf_rule, a),
	  .type = KNIT_KEY_IFACE_PAIR,
	  .def = "",
	  .help = "xconnect: the two interfaces" },
	{ NULL },
};

static const struct knit_group rule_group = { rule_keys, offsetof(struct knit_conf_rule, at) };

static const struct knit_key worker_keys[] = {
	{ FIELD(knit_conf_worker, id), .type = KNIT_KEY_INT, RANGE(0, KNIT_MAX_WORKERS - 1),
	  .help = "number of the worker; unique" },
	{ FIELD(knit_conf_worker, lcore), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_INT,
	  RANGE(0, MAX_LCORE), .help = "lcore id, unique in the file" },
	{ FIELD(knit_conf_worker, cpus), .needs = KNIT_NEEDS_RESTART, .type = KNIT_KEY_TEXT,
	  .def = "", .check = knit_check_cpus, .expect = EXPECT_CPUS,
	  .help = "CPUs it may run on; empty: the CPU of the lcore's number" },
	{ FIELD(knit_conf_worker, idle), .type = KNIT_KEY_ENUM, .def = "adaptive",
	  .values = idle_modes, .needs = KNIT_NEEDS_NOTHING,
	  .help = "without packets: sleep until a doorbell, or poll on" },
	{ FIELD(knit_conf_worker, burst), .type = KNIT_KEY_INT, RANGE(4, 256), .def = "32",
	  .needs = KNIT_NEEDS_NOTHING, .help = "packets moved at a time" },
	{ FIELD(knit_conf_worker, standby), .needs = KNIT_NEEDS_NOTHING, .type = KNIT_KEY_BOOL,
	  .def = "false", .help = "a second process stands by; it is missed if it is not there" },
	{ .name = "forward",
	  .needs = KNIT_NEEDS_PAUSE,
	  LIST_OF(knit_conf_worker, rules, n_rules),
	  RANGE(1, KNIT_MAX_RULES),
	  .sub = &rule_group,
	  .help = "what it forwards; a port or interface at most once" },
	{ NULL },
};

static const struct knit_key control_keys[] = {
	{ FIELD(knit_conf_control, lcore), .type = KNIT_KEY_INT, RANGE(0, MAX_LCORE),
	  .help = "lcore id, unique in the file" },
	{ FIELD(knit_conf_control, cpus), .type = KNIT_KEY_TEXT, .def = "",
	  .check = knit_check_cpus, .expect = EXPECT_CPUS,
	  .help = "CPUs it may run on; empty: the CPU of the lcore's number" },
	{ NULL },
};

static const struct knit_group eal_group = { eal_keys, offsetof(struct knit_conf_eal, at) };
static const struct knit_group mempool_group = { mempool_keys, KNIT_NO_PLACE };
static const struct knit_group tap_group = { tap_keys, offsetof(struct knit_conf_tap, at) };
static const struct knit_group watch_group = { watch_keys, offsetof(struct knit_conf_watch, at) };
static const struct knit_group port_group = { port_keys, offsetof(struct knit_conf_port, at) };
static const struct knit_group iface_group = { iface_keys, offsetof(struct knit_conf_iface, at) };
static const struct knit_group worker_group = { worker_keys,
						offsetof(struct knit_conf_worker, at) };
static const struct knit_group control_group = { control_keys,
						 offsetof(struct knit_conf_control, at) };

/* ports before interfaces before workers: names are looked up while reading */
static const struct knit_key root_keys[] = {
	{ FIELD(knit_config, eal), .type = KNIT_KEY_GROUP, .def = "", .sub = &eal_group,
	  .help = "the primary process, and what all processes share of EAL" },
	{ FIELD(knit_config, mempool), .type = KNIT_KEY_GROUP, .def = "", .sub = &mempool_group,
	  .help = "packet buffers" },
	{ FIELD(knit_config, tap), .type = KNIT_KEY_GROUP, .def = "", .sub = &tap_group,
	  .help = "the tap engine" },
	{ FIELD(knit_config, watch), .type = KNIT_KEY_GROUP, .def = "", .sub = &watch_group,
	  .help = "knit trace and knit capture" },
	{ .name = "ports",
	  LIST_OF(knit_config, ports, n_ports),
	  RANGE(0, KNIT_MAX_PORTS),
	  .sub = &port_group,
	  .help = "DPDK ports" },
	{ .name = "interfaces",
	  LIST_OF(knit_config, ifaces, n_ifaces),
	  RANGE(0, KNIT_MAX_CONF_IFACES),
	  .sub = &iface_group,
	  .help = "kernel interfaces" },
	{ .name = "workers",
	  LIST_OF(knit_config, workers, n_workers),
	  RANGE(1, KNIT_MAX_WORKERS),
	  .sub = &worker_group,
	  .help = "processes that move packets" },
	{ FIELD(knit_config, control), .type = KNIT_KEY_GROUP, .sub = &control_group,
	  .help = "the process that answers the kernel" },
	{ NULL },
};

const struct knit_group knit_conf_root = { root_keys, KNIT_NO_PLACE };
