/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_DROPS_H
#define KNIT_DROPS_H

/*
 * Each reason to drop a packet, by where that happens: identifier, name (telemetry, docs), meaning.
 * The engines' reject reasons are in knit_desc.h. Each counter has one writer: the worker of the
 * domain, or the engine thread of the pair; on kmod also ndo_start_xmit, under HARD_TX_LOCK.
 */

/* Worker, and any user of rte_kni.h: struct knit_rx_end, knit_tx_end */
#define KNIT_USER_DROP_TABLE(X)                                                                    \
	X(RX_TOO_LONG, rx_too_long,                                                                \
	  "frame longer or of more segments than a descriptor chain holds")                        \
	X(RX_OFFLOAD, rx_offload,                                                                  \
	  "rte_kni_tx_burst: an offload could not be carried out: bad headers, or no mbuf")        \
	X(TX_BAD_COOKIE, tx_bad_cookie, "the engine returned a cookie that was not given out")     \
	X(TX_BAD_LEN, tx_bad_len, "the engine returned a segment outside the buffer it was given") \
	X(TX_BAD_CHAIN, tx_bad_chain, "the engine returned a chain that is too long")              \
	X(FREE_BAD_COOKIE, free_bad_cookie, "free_q named a cookie that was not given out")

/* Worker: struct knit_worker_stats */
#define KNIT_WORKER_DROP_TABLE(X)                                                           \
	X(PORT_TX_FULL, port_tx_full, "the port's transmit queue took no more")             \
	X(PORT_TX_PREPARE, port_tx_prepare, "the driver refused the offloads of a frame")   \
	X(PORT_NO_BUFFER, port_no_buffer, "no mbuf left for segmentation or checksumming")  \
	X(PORT_TOO_LONG, port_too_long, "frame longer than the port's MTU")                 \
	X(PORT_DOWN, port_down, "the outgoing port is stopped or was removed")              \
	X(HANDOFF_FULL, handoff_full,                                                       \
	  "the queue to the worker that owns the transmit queue took no more")              \
	X(HANDOFF_NO_WORKER, handoff_no_worker, "likewise, while that worker does not run") \
	X(HANDOFF_LOST, handoff_lost, "waited for that worker when it died")                \
	X(HANDOFF_NO_BUFFER, handoff_no_buffer,                                             \
	  "no mbuf left to copy another worker's packet into")                              \
	X(IFACE_FULL, iface_full, "the interface's rx_q took no more")                      \
	X(NO_IFACE, no_iface, "frame for the kernel on a port that has no interface")

/* Engine, per pair: struct knit_engine_stats */
#define KNIT_ENGINE_DROP_TABLE(X)                                                             \
	X(RX_KERNEL, rx_kernel, "tap: the kernel refused the frame")                          \
	X(RX_DOWN, rx_down, "the interface is down")                                          \
	X(RX_NO_MEMORY, rx_no_memory, "kmod: no memory for an skb")                           \
	X(TX_NO_WORKER, tx_no_worker,                                                         \
	  "no live worker serves the queue pair; at least: frames that wait in the kernel's " \
	  "queue when it is detached are dropped there and not counted here")                 \
	X(TX_TOO_LONG, tx_too_long, "frame from the kernel longer than the buffers on offer") \
	X(TX_BAD_FRAME, tx_bad_frame, "frame from the kernel truncated, or with an invalid header")

enum knit_user_drop {
#define X(id, name, text) KNIT_USER_DROP_##id,
	KNIT_USER_DROP_TABLE(X)
#undef X
	KNIT_USER_DROPS,
};

enum knit_worker_drop {
#define X(id, name, text) KNIT_WORKER_DROP_##id,
	KNIT_WORKER_DROP_TABLE(X)
#undef X
	KNIT_WORKER_DROPS,
};

enum knit_engine_drop {
#define X(id, name, text) KNIT_ENGINE_DROP_##id,
	KNIT_ENGINE_DROP_TABLE(X)
#undef X
	KNIT_ENGINE_DROPS,
};

#endif
