/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_METRICS_TABLE_H
#define KNIT_METRICS_TABLE_H

#include "kni/drops.h"

#include <abi/knit_desc.h>

/*
 * Everything that knit counts, measures and tells of itself: a row each, in a table for each kind
 * of object. Telemetry (primary/telemetry_report.c), `knit drops`, knit-exporter, docs/METRICS.md,
 * the dashboard and the alerts of config/grafana come from these rows. After a change: make
 * metrics.
 *
 *   X(name, metric, type, unit, value, help)
 *
 *   name    in telemetry. It never changes
 *   metric  in OpenMetrics, behind knit_ and the kind of object. With a unit it ends with it
 *   type    a KNIT_METRIC_ of metrics.h
 *   unit    of OpenMetrics, in the plural; "" for a number of something that the name says
 *   value   an expression in the function of primary/telemetry_report.c or telemetry_memory.c that
 *           tells of the object; programs without DPDK never see it
 *   help    one line
 *
 * What is lost has its rows in kni/drops.h.
 */

/* /knit/info. The state of a process is a number of enum knit_process_state. */
#define KNIT_SYSTEM_METRICS(X)                                                                \
	X(prefix, prefix, TEXT, "", primary->conf->eal.prefix, "eal.prefix of the system")    \
	X(config, config, TEXT, "", primary->conf->file, "configuration file")                \
	X(dpdk, dpdk, TEXT, "", t->dpdk, "release of DPDK")                                   \
	X(version, version, TEXT, "", KNIT_VERSION, "version of knit")                        \
	X(abi, abi, NUMBER, "", t->abi_version, "version of what processes share")            \
	X(tsc_hz, tsc_hz, NUMBER, "", rte_get_tsc_hz(), "TSC cycles in a second")             \
	X(config_hash, config_hash, NUMBER, "", t->config_hash, "hash of the configuration")  \
	X(pid, pid, NUMBER, "", t->primary_pid, "process id of the primary")                  \
	X(start_time, start_time_seconds, GAUGE, "seconds", primary->started,                 \
	  "when the primary was started, in seconds since 1970")                              \
	X(control_state, control_state, GAUGE, "", t->control.state,                          \
	  "state of knit-control: 0 none, 1 attaching, 2 attached, 3 leaving, 4 dead")        \
	X(control_pid, control_pid, NUMBER, "", t->control.pid, "process id of knit-control") \
	X(control_served, control_requests, COUNTER, "requests", t->control.served,           \
	  "requests of the kernel that knit-control answered")                                \
	X(control_refused, control_refused_requests, COUNTER, "requests", t->control.refused, \
	  "of these, answered with an error")                                                 \
	X(events, events, COUNTER, "", event_last(), "events; `knit monitor` tells them")     \
	X(device_faults, device_faults, COUNTER, "",                                          \
	  __atomic_load_n(&t->device_faults, __ATOMIC_RELAXED),                               \
	  "times a process met the registers of a NIC that is gone")

/* /knit/port. sum: of all workers. */
#define KNIT_PORT_METRICS(X)                                                                       \
	X(device, device, TEXT, "", port->device, "its device, as configured")                     \
	X(driver, driver, TEXT, "", port->driver, "its driver in DPDK")                            \
	X(port_id, port_id, NUMBER, "", port->port_id, "its number in DPDK")                       \
	X(queues, rx_queues, GAUGE, "", plan->n_queues, "receive queues, one for each worker")     \
	X(tx_queues, tx_queues, GAUGE, "", plan->n_tx_queues, "transmit queues")                   \
	X(tx, tx, TEXT, "", port->tx_fast ? "fast" : "full", "transmit functions of its driver")   \
	X(mtu, mtu_bytes, GAUGE, "bytes", port->mtu, "MTU in force")                               \
	X(mac, mac, TEXT, "", mac, "hardware address in force")                                    \
	X(admin_up, admin_up, GAUGE, "", port->admin_up, "1: switched on, by its interface")       \
	X(absent, absent, GAUGE, "", cold->absent, "1: optional, and missing at the start")        \
	X(removed, removed, GAUGE, "", port->removed, "1: its device was taken away")              \
	X(link_up, link_up, GAUGE, "", port->link_up, "1: the link is up")                         \
	X(link_speed, link_speed_bytes, MBITS, "bytes", port->link_speed, "bytes per second")      \
	X(link_interrupt, link_interrupt, GAUGE, "", cold->lsc,                                    \
	  "1: the driver reports changes of the link; 0: it is asked")                             \
	X(link_events, link_events, COUNTER, "", cold->link_events, "changes that it reported")    \
	X(starts, starts, COUNTER, "", port->starts, "times the port was started")                 \
	X(promisc, promiscuous, GAUGE, "",                                                         \
	  !port->removed && rte_eth_promiscuous_get(cold->id) == 1, "1: receives all frames")      \
	X(allmulti, allmulticast, GAUGE, "",                                                       \
	  !port->removed && rte_eth_allmulticast_get(cold->id) == 1, "1: receives all multicasts") \
	X(unicast_filters, unicast_filters, GAUGE, "", cold->n_uc,                                 \
	  "further unicast addresses in its filter")                                               \
	X(multicast_filters, multicast_filters, GAUGE, "", cold->n_mc,                             \
	  "multicast addresses in its filter")                                                     \
	X(rx_packets, rx_packets, COUNTER, "packets", sum.rx_packets, "packets received")          \
	X(rx_bytes, rx_bytes, COUNTER, "bytes", sum.rx_bytes, "bytes received")                    \
	X(tx_packets, tx_packets, COUNTER, "packets", sum.tx_packets, "packets sent")              \
	X(tx_bytes, tx_bytes, COUNTER, "bytes", sum.tx_bytes, "bytes sent")

/* /knit/interface. s: sums over its queue pairs. requests: of its handler. */
#define KNIT_IFACE_METRICS(X)                                                                      \
	X(engine, engine, TEXT, "", kni->engine->name, "tap or kmod")                              \
	X(ifindex, ifindex, NUMBER, "", kni->ifindex, "its index in its namespace")                \
	X(handover, handover, TEXT, "", knit_handover_name(kni->handover),                         \
	  "who does the kernel's part: inline, thread or auto")                                    \
	X(pairs, queue_pairs, GAUGE, "", kni->n_pairs, "queue pairs, one for each worker")         \
	X(held_mbufs, held_mbufs, GAUGE, "mbufs", s.held, "mbufs in the hands of the engine")      \
	X(to_kernel_queued, to_kernel_queue_entries, GAUGE, "entries", s.rx_queued,                \
	  "buffers that wait for the engine at this moment, on their way to the kernel")           \
	X(from_kernel_queued, from_kernel_queue_entries, GAUGE, "entries", s.tx_queued,            \
	  "buffers that wait for the worker at this moment, on their way from the kernel")         \
	X(to_kernel, to_kernel_packets, COUNTER, "packets", s.rx_packets,                          \
	  "packets that workers handed to the engine")                                             \
	X(to_kernel_bytes, to_kernel_bytes, COUNTER, "bytes", s.rx_bytes, "their bytes")           \
	X(from_kernel, from_kernel_packets, COUNTER, "packets", s.tx_packets,                      \
	  "packets that workers took from the engine")                                             \
	X(from_kernel_bytes, from_kernel_bytes, COUNTER, "bytes", s.tx_bytes, "their bytes")       \
	X(from_kernel_buffers, from_kernel_buffers, COUNTER, "buffers", s.tx_buffers,              \
	  "buffers that these took")                                                               \
	X(no_mbuf, pool_empty, COUNTER, "", s.no_mbuf,                                             \
	  "times a worker's pool had no buffers for frames of the kernel")                         \
	X(engine_to_kernel, engine_to_kernel_packets, COUNTER, "packets", s.engine.rx_packets,     \
	  "packets that the engine gave to the kernel")                                            \
	X(engine_writes, engine_writes, COUNTER, "", s.engine.rx_writes,                           \
	  "hand-overs to the kernel: fewer than packets where some were merged")                   \
	X(engine_from_kernel, engine_from_kernel_packets, COUNTER, "packets", s.engine.tx_packets, \
	  "packets that the engine got from the kernel")                                           \
	X(engine_calls, engine_calls, COUNTER, "", s.engine.calls,                                 \
	  "tap: system calls that moved frames, or found none")                                    \
	X(engine_starved, engine_starved, COUNTER, "", s.engine.tx_starved,                        \
	  "tap: times the kernel had frames and the engine no buffers for them")                   \
	X(engine_stops, engine_stops, COUNTER, "", s.engine.tx_stops,                              \
	  "kmod: times the kernel's queue was stopped for want of buffers or room")                \
	X(engine_wakes, engine_wakes, COUNTER, "", s.engine.tx_wakes,                              \
	  "kmod: times it went on after that")                                                     \
	X(engine_free_full, engine_free_full, COUNTER, "", s.engine.free_full,                     \
	  "kmod: buffers lost because a worker spoilt the queue of free ones")                     \
	X(engine_kicks, engine_kicks, COUNTER, "", s.engine.kicks,                                 \
	  "times a worker did the engine's part itself")                                           \
	X(engine_kicks_over, engine_kicks_over, COUNTER, "", s.engine.kicks_over,                  \
	  "times it left something to the engine's thread")                                        \
	X(engine_wakeups, engine_wakeups, COUNTER, "", s.engine.wakeups,                           \
	  "times the engine's thread slept and was woken")

/* The same, after its ways to lose packets */
#define KNIT_REQUEST_METRICS(X)                                                            \
	X(requests_async, async_requests, COUNTER, "requests", requests.async,             \
	  "requests of the kernel that nobody there waits for")                            \
	X(requests_sync, sync_requests, COUNTER, "requests", requests.sync,                \
	  "kmod: requests for whose answer ip waits")                                      \
	X(requests_timeout, timed_out_requests, COUNTER, "requests", requests.timeout,     \
	  "requests without an answer in time")                                            \
	X(requests_killed, killed_requests, COUNTER, "requests", requests.killed,          \
	  "kmod: requests whose caller was killed while it waited")                        \
	X(requests_detached, detached_requests, COUNTER, "requests", requests.detached,    \
	  "kmod: requests that ended with knit-control")                                   \
	X(requests_cancelled, cancelled_requests, COUNTER, "requests", requests.cancelled, \
	  "requests that were sent again after knit-control had ended")                    \
	X(requests_answered, answered_requests, COUNTER, "requests", requests.answered,    \
	  "requests with an answer")                                                       \
	X(requests_refused, refused_requests, COUNTER, "requests", requests.refused,       \
	  "of these, answered with an error")                                              \
	X(requests_reverted, reverted_requests, COUNTER, "requests", requests.reverted,    \
	  "values of the kernel that were put back after an error")                        \
	X(requests_late, late_answers, COUNTER, "answers", requests.late,                  \
	  "answers to requests that had timed out")                                        \
	X(requests_duplicate, duplicate_answers, COUNTER, "answers", requests.duplicate,   \
	  "second answers to a request")                                                   \
	X(requests_unknown, unknown_answers, COUNTER, "answers", requests.unknown,         \
	  "answers to requests that never were")                                           \
	X(requests_bad_index, request_bad_index, COUNTER, "", requests.bad_index,          \
	  "kmod: times a queue of requests had an impossible index")                       \
	X(rxlist_over, address_lists_too_long, COUNTER, "", requests.rxlist_over,          \
	  "kmod: address lists that did not fit, and became promiscuous or all multicasts")

/* /knit/worker. w: its entry in the topology. s: what it counts itself. */
#define KNIT_WORKER_METRICS(X)                                                                    \
	X(state, state, GAUGE, "", w->state,                                                      \
	  "state: 0 none, 1 attaching, 2 attached, 3 leaving, 4 dead")                            \
	X(parked, parked, GAUGE, "", w->held && w->held == w->generation,                         \
	  "1: parked by `knit worker park`, 0: not")                                              \
	X(pid, pid, NUMBER, "", w->pid, "its process id")                                         \
	X(standby_expected, standby_expected, GAUGE, "", w->standby,                              \
	  "1: another process is expected to stand by, 0: not")                                   \
	X(standby_state, standby_state, GAUGE, "", w->next.state,                                 \
	  "the process that stands by: 0 none, 1 attaching, 2 ready, 3 leaving")                  \
	X(standby_pid, standby_pid, NUMBER, "", w->next.pid, "its process id")                    \
	X(generation, attaches, COUNTER, "", w->attaches, "times a process attached")             \
	X(resets, resets, COUNTER, "", w->resets, "times the primary cleaned up after its death") \
	X(lost_mbufs, recovered_mbufs, COUNTER, "mbufs", w->lost_mbufs,                           \
	  "mbufs that these clean-ups took back from queues")                                     \
	X(numa_node, numa_node, NUMBER, "", primary->pools.worker[w - t->workers],                \
	  "NUMA node of its memory")                                                              \
	X(pool_size, pool_mbufs, GAUGE, "mbufs", w->pool->size, "mbufs in its pool")              \
	X(free_mbufs, pool_free_mbufs, GAUGE, "mbufs", rte_mempool_avail_count(w->pool),          \
	  "of these, not in use")                                                                 \
	X(rx_packets, rx_packets, COUNTER, "packets", rx, "packets that it received from ports")  \
	X(tx_packets, tx_packets, COUNTER, "packets", tx, "packets that it sent through ports")   \
	X(rounds, rounds, COUNTER, "", s->rounds, "times it looked at all its inputs")            \
	X(busy_rounds, busy_rounds, COUNTER, "", s->busy_rounds,                                  \
	  "of these, with at least one packet")                                                   \
	X(cycles_busy, busy_seconds, CYCLES, "seconds", s->cycles_busy,                           \
	  "time that it spent on packets")                                                        \
	X(sleeps, sleeps, COUNTER, "", s->sleeps, "times it slept for want of packets")           \
	X(parks, parks, COUNTER, "", s->parks, "times the primary made it pause")                 \
	X(xconnect, forwarded_packets, COUNTER, "packets", s->xconnect,                           \
	  "packets from port to port, or from interface to interface")                            \
	X(punted, to_kernel_packets, COUNTER, "packets", s->punted,                               \
	  "packets from ports to interfaces")                                                     \
	X(injected, from_kernel_packets, COUNTER, "packets", s->injected,                         \
	  "packets from interfaces to ports")                                                     \
	X(handed_off, handed_off_packets, COUNTER, "packets", s->handed_off,                      \
	  "of its packets to ports, sent through a queue of another worker")                      \
	X(relayed, relayed_packets, COUNTER, "packets", s->relayed,                               \
	  "packets of other workers that it sent for them")                                       \
	X(handoff_held, handoff_mbufs, GAUGE, "mbufs", worker_handoff_held(plan),                 \
	  "its mbufs on their way to other workers, or back")

/* /knit/memory: a NUMA node in use. m: what was read of it; in primary/telemetry_memory.c. */
#define KNIT_NODE_METRICS(X)                                                                       \
	X(needed_bytes, needed_bytes, GAUGE, "bytes", m.needed,                                    \
	  "hugepages that the configuration needs")                                                \
	X(hugepage_bytes, hugepage_bytes, GAUGE, "bytes", m.hugepages, "hugepages of the machine") \
	X(hugepage_free_bytes, hugepage_free_bytes, GAUGE, "bytes", m.hugepages_free,              \
	  "of these, not in use")                                                                  \
	X(heap_bytes, heap_bytes, GAUGE, "bytes", m.heap.heap_totalsz_bytes,                       \
	  "heap of EAL, where all else is")                                                        \
	X(heap_free_bytes, heap_free_bytes, GAUGE, "bytes", m.heap.heap_freesz_bytes,              \
	  "of this, not in use")                                                                   \
	X(heap_largest_free_bytes, heap_largest_free_bytes, GAUGE, "bytes",                        \
	  m.heap.greatest_free_size, "the largest part of that in one piece")                      \
	X(heap_allocations, heap_allocations, GAUGE, "", m.heap.alloc_count,                       \
	  "parts of the heap in use")                                                              \
	X(memzones, memzones, GAUGE, "", m.zones.n, "memzones: parts of the heap with a name")     \
	X(memzone_bytes, memzone_bytes, GAUGE, "bytes", m.zones.bytes, "their bytes")

/* /knit/pool. After a reset of a worker, its pool is the one that was the spare. */
#define KNIT_POOL_METRICS(X)                                                               \
	X(owner, owner, TEXT, "", owner, "worker whose pool it is, as worker 0, or spare") \
	X(numa_node, numa_node, TEXT, "", node_text, "NUMA node of its memory")            \
	X(node, node, NUMBER, "", node, "NUMA node of its memory")                         \
	X(buffers, mbufs, GAUGE, "mbufs", pool->size, "mbufs in it")                       \
	X(free_buffers, free_mbufs, GAUGE, "mbufs", rte_mempool_avail_count(pool),         \
	  "of these, not in use")                                                          \
	X(buffer_bytes, mbuf_bytes, GAUGE, "bytes",                                        \
	  pool->header_size + pool->elt_size + pool->trailer_size, "bytes that each takes")

/* knit-exporter itself. e: its struct exporter */
#define KNIT_EXPORTER_METRICS(X)                                                                 \
	X(up, up, GAUGE, "", e->up, "1: the primary answered; 0: none runs, or it stands still") \
	X(scrapes, exporter_scrapes, COUNTER, "", e->scrapes,                                    \
	  "times somebody asked knit-exporter")                                                  \
	X(repeated_scrapes, exporter_repeated_scrapes, COUNTER, "", e->repeated,                 \
	  "of these, answered with numbers of less than 200 ms before")                          \
	X(failed_scrapes, exporter_failed_scrapes, COUNTER, "", e->failed,                       \
	  "of these, with no answer of the primary")                                             \
	X(wait, exporter_wait_seconds, MICROS, "seconds", e->wait_us,                            \
	  "time that it took to ask the primary")                                                \
	X(cpu, exporter_cpu_seconds, MICROS, "seconds", exporter_cpu_us(),                       \
	  "processor time of knit-exporter")

#endif
