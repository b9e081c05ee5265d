/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DROPS_H
#define KNIT_DROPS_H

/*
 * Each reason to drop a packet, by where that happens: identifier, name (telemetry, docs), how bad
 * it is, meaning, and what to do about it. The engines' reject reasons are in knit_desc.h. Each
 * counter has one writer: the worker of the domain, or the engine thread of the pair; on kmod also
 * ndo_start_xmit, under HARD_TX_LOCK.
 *
 *   NORMAL  happens in good order, as with an interface that is down
 *   LOSS    packets that should have arrived: an alert if it goes on
 *   FAULT   of knit or of who uses it: an alert if it happens at all
 */
#define KNIT_REJECT_ADVICE                                                                        \
	"A worker or an application of rte_kni.h wrote what no ring may hold: a fault of it, or " \
	"somebody else has its memory. Look at the log of that process, and at its version of knit."
#define KNIT_BAD_ENGINE                                                                        \
	"The other side of the rings wrote what none may hold: a fault, or somebody else has " \
	"the memory. Please report it with the logs."

/* Worker, and any user of rte_kni.h: struct knit_rx_end, knit_tx_end */
#define KNIT_USER_DROP_TABLE(X)                                                                    \
	X(RX_TOO_LONG, rx_too_long, LOSS,                                                          \
	  "frame longer or of more segments than a descriptor chain holds",                        \
	  "Larger buffers make shorter chains: mempool.data_room.")                                \
	X(RX_OFFLOAD, rx_offload, LOSS,                                                            \
	  "rte_kni_tx_burst: an offload could not be carried out: bad headers, or no mbuf",        \
	  "Check the header lengths that the application sets, and the size of its pool.")         \
	X(PAIR_MOVED, pair_moved, LOSS,                                                            \
	  "waited in the queue pair when a reload took the pair from its worker",                  \
	  "Rules or workers were changed: reload when there is less traffic.")                     \
	X(TX_BAD_COOKIE, tx_bad_cookie, FAULT,                                                     \
	  "the engine returned a cookie that was not given out", KNIT_BAD_ENGINE)                  \
	X(TX_BAD_LEN, tx_bad_len, FAULT,                                                           \
	  "the engine returned a segment outside the buffer it was given", KNIT_BAD_ENGINE)        \
	X(TX_BAD_CHAIN, tx_bad_chain, FAULT, "the engine returned a chain that is too long",       \
	  KNIT_BAD_ENGINE)                                                                         \
	X(FREE_BAD_COOKIE, free_bad_cookie, FAULT, "free_q named a cookie that was not given out", \
	  KNIT_BAD_ENGINE)

/* Worker: struct knit_worker_stats */
#define KNIT_WORKER_DROP_TABLE(X)                                                                \
	X(PORT_TX_FULL, port_tx_full, LOSS, "the port's transmit queue took no more",            \
	  "More arrives than the port can send: raise its tx_desc for bursts, or send less.")    \
	X(PORT_TX_PREPARE, port_tx_prepare, LOSS, "the driver refused the offloads of a frame",  \
	  "Switch offloads of the port off: tso, tx_checksum, vlan, or tx = \"fast\".")          \
	X(PORT_NO_BUFFER, port_no_buffer, LOSS, "no mbuf left for segmentation or checksumming", \
	  "Raise mempool.extra.")                                                                \
	X(PORT_TOO_LONG, port_too_long, LOSS, "frame longer than the port's MTU",                \
	  "Give all ports of a cross connection the same MTU.")                                  \
	X(PORT_DOWN, port_down, NORMAL, "the outgoing port is stopped or was removed",           \
	  "`knit show ports` shows it; ip link set NAME up, unless it was removed.")             \
	X(HANDOFF_FULL, handoff_full, LOSS,                                                      \
	  "the queue to the worker that owns the transmit queue took no more",                   \
	  "That worker is too busy. More transmit queues (tx_queues) need no hand-off.")         \
	X(HANDOFF_NO_WORKER, handoff_no_worker, LOSS,                                            \
	  "the worker that owns the transmit queue does not run",                                \
	  "Start that worker: `knit show workers`.")                                             \
	X(HANDOFF_LOST, handoff_lost, LOSS,                                                      \
	  "was on its way to the owner of the transmit queue when that died",                    \
	  "It died or was killed: see its log.")                                                 \
	X(HANDOFF_NO_BUFFER, handoff_no_buffer, LOSS,                                            \
	  "no mbuf left to copy another worker's packet into", "Raise mempool.extra.")           \
	X(IFACE_FULL, iface_full, LOSS, "the interface's rx_q took no more",                     \
	  "The kernel takes frames more slowly than they arrive: raise the interface's "         \
	  "ring_size for bursts, or give the engine's threads a CPU of their own (tap.cpus).")   \
	X(NO_IFACE, no_iface, NORMAL, "frame for the kernel on a port that has no interface",    \
	  "Broadcasts end here, too. Give the port an interface if the kernel shall see them.")

/*
 * The NIC and its driver, per port; with the member of struct rte_eth_stats that counts it.
 */
#define KNIT_PORT_DROP_TABLE(X)                                                                    \
	X(MISSED, nic_missed, imissed, LOSS,                                                       \
	  "the NIC had no free descriptor for what it received",                                   \
	  "The workers are too slow: raise the port's rx_desc for bursts, give it more workers, "  \
	  "or set their idle to \"poll\".")                                                        \
	X(RX_ERRORS, nic_rx_errors, ierrors, LOSS, "the NIC received a broken frame",              \
	  "Look at cable and transceiver, and at the other side's MTU. `dpdk-telemetry.py` says "  \
	  "more: /ethdev/xstats,PORT_ID.")                                                         \
	X(TX_ERRORS, nic_tx_errors, oerrors, LOSS, "the NIC or its driver could not send a frame", \
	  "Look at /ethdev/xstats,PORT_ID. net_tap counts here, too, what knit counts as "         \
	  "drop_port_tx_full.")                                                                    \
	X(NO_MBUF, nic_no_mbuf, rx_nombuf, LOSS, "the driver had no mbuf to receive into",         \
	  "The pool of a worker is empty: raise mempool.extra.")

/* Engine, per pair: struct knit_engine_stats */
#define KNIT_ENGINE_DROP_TABLE(X)                                                             \
	X(RX_KERNEL, rx_kernel, LOSS, "tap: the kernel refused the frame",                    \
	  "The frame has bad headers, or the kernel no memory: see the kernel's log.")        \
	X(RX_DOWN, rx_down, NORMAL, "the interface is down", "ip link set NAME up")           \
	X(RX_NO_MEMORY, rx_no_memory, LOSS, "kmod: no memory for an skb",                     \
	  "The kernel is short of memory: see its log, and vm.min_free_kbytes.")              \
	X(TX_NO_WORKER, tx_no_worker, NORMAL,                                                 \
	  "no live worker serves the queue pair; at least: frames that wait in the kernel's " \
	  "queue when it is detached are dropped there and not counted here",                 \
	  "Start the worker: `knit show workers`.")                                           \
	X(TX_TOO_LONG, tx_too_long, LOSS,                                                     \
	  "frame from the kernel longer than the buffers on offer",                           \
	  "Raise mempool.data_room, or lower the interface's MTU.")                           \
	X(TX_BAD_FRAME, tx_bad_frame, LOSS,                                                   \
	  "frame from the kernel truncated, or with an invalid header",                       \
	  "A program sends such frames through a packet socket, or the kernel has a fault.")

enum knit_user_drop {
#define X(id, name, level, text, advice) KNIT_USER_DROP_##id,
	KNIT_USER_DROP_TABLE(X)
#undef X
	KNIT_USER_DROPS,
};

enum knit_worker_drop {
#define X(id, name, level, text, advice) KNIT_WORKER_DROP_##id,
	KNIT_WORKER_DROP_TABLE(X)
#undef X
	KNIT_WORKER_DROPS,
};

enum knit_port_drop {
#define X(id, name, member, level, text, advice) KNIT_PORT_DROP_##id,
	KNIT_PORT_DROP_TABLE(X)
#undef X
	KNIT_PORT_DROPS,
};

enum knit_engine_drop {
#define X(id, name, level, text, advice) KNIT_ENGINE_DROP_##id,
	KNIT_ENGINE_DROP_TABLE(X)
#undef X
	KNIT_ENGINE_DROPS,
};

#endif
