/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KNIT_COMMAND_EVENTS_H
#define KNIT_COMMAND_EVENTS_H

/*
 * What happens to a system, and who must know it: the log, the journal, `knit monitor`. A kind of
 * event is an entry here and a call of EVENT (primary/event/event.h) where it happens. Texts may
 * change. Names, message ids and fields stay: people's programs know them.
 *
 * columns: identifier; name; message id, of `journalctl --new-id128`; severity, of RTE_LOG_...;
 * number of fields; text, with the fields in braces, in the order in which EVENT is given them;
 * what it means; what to do
 */
#define KNIT_EVENT_TABLE(X)                                                                        \
	X(SYSTEM_UP, system_up, "9e319692310c4ca9989c473bcf17a004", NOTICE, 4,                     \
	  "knit {version}: up, {ports} ports, {interfaces} interfaces, {workers} workers",         \
	  "The primary serves: workers and control may attach.", "Nothing.")                       \
	X(SYSTEM_DOWN, system_down, "e83f95cacba244a48064024367b957ad", NOTICE, 1,                 \
	  "{why}: stopping",                                                                       \
	  "The primary ends. It asks workers and control to leave, and removes the "               \
	  "interfaces.",                                                                           \
	  "If nobody asked for it, the lines before say why.")                                     \
	X(RELOADED, reloaded, "fc58a2137f0347ccabcf009231d78801", NOTICE, 2,                       \
	  "{file}: {changes} changes taken over",                                                  \
	  "`knit reload` has changed the configuration of the running system.", "Nothing.")        \
	X(RELOAD_FAILED, reload_failed, "a765a8ed59494c9987b0195a0485bd16", WARNING, 2,            \
	  "{file}: not taken over: {why}",                                                         \
	  "`knit reload` could not bring a configuration into force. What ran before runs on.",    \
	  "The text says why; the primary's log may say more.")                                    \
	X(LINK_UP, link_up, "beb5704f6c06455790bf08543313ff92", NOTICE, 2,                         \
	  "port {port}: link up, {mbit} Mbit/s",                                                   \
	  "The port has a link, and its interface a carrier. 0 Mbit/s: not known.", "Nothing.")    \
	X(LINK_DOWN, link_down, "5aef5d54ef97431285a704706424b36d", NOTICE, 1,                     \
	  "port {port}: link down",                                                                \
	  "The port has no link any more, or its interface was set down; the interface "           \
	  "has no carrier.",                                                                       \
	  "Look at the cable and at the other end; `knit show port NAME` has admin_up.")           \
	X(PORT_ABSENT, port_absent, "ae93c826c01e4fe48e88ae43a5cb8dfe", WARNING, 2,                \
	  "port {port} is absent: {device} could not be started",                                  \
	  "The port is optional, and its device is not there or does not start. "                  \
	  "Everything else runs.",                                                                 \
	  "The lines before say what the device lacks. A start of the primary looks for "          \
	  "it again.")                                                                             \
	X(PORT_REMOVED, port_removed, "119f14653d594a66a4e458116b508f32", ERR, 2,                  \
	  "port {port}: its device {device} was taken away; the port is without one "              \
	  "until a start anew",                                                                    \
	  "The device of the port is gone: unplugged, or unbound. Its interface has no "           \
	  "carrier.",                                                                              \
	  "Start knit anew when the device is back.")                                              \
	X(PORT_RELEASED, port_released, "5ed559a99351412b820cc36635b6212f", NOTICE, 2,             \
	  "port {port}: device {device} is let go",                                                \
	  "No process of knit uses the removed device any more. The kernel may have it.",          \
	  "Nothing.")                                                                              \
	X(PORT_RESTARTED, port_restarted, "51ce07c5fb414f0c966a8d559a38e332", NOTICE, 2,           \
	  "port {port}: a process closed {device}, which stopped it: started anew",                \
	  "The driver of the kernel stops a device when one of its users closes it. The "          \
	  "port was started anew; packets of that moment are lost.",                               \
	  "Take vfio-pci, which does not stop it (docs/BINDING.md).")                              \
	X(PORT_STUCK, port_stuck, "4c592063c9264d9ba969791f6f2ae994", ERR, 2,                      \
	  "port {port}: {device} does not keep its access to memory: it stands still",             \
	  "Something switches the bus mastering of the device off again and again. The "           \
	  "port moves no packets.",                                                                \
	  "Find who else uses the device. Start knit anew.")                                       \
	X(WORKER_ATTACHED, worker_attached, "f4af8dcae8654d629042b9f816b8f83b", NOTICE, 2,         \
	  "worker {worker}: attached, process {pid}", "A worker serves its ports and interfaces.", \
	  "Nothing.")                                                                              \
	X(WORKER_LEFT, worker_left, "03036637a3544570acd0f9d62f963937", NOTICE, 2,                 \
	  "worker {worker}: process {pid} left",                                                   \
	  "A worker ended in good order. Its ports and interfaces stand still until "              \
	  "another one is started.",                                                               \
	  "Start knit-worker, if nobody wanted it to end.")                                        \
	X(WORKER_DIED, worker_died, "5304167e183f43b891445deedcaa6a1e", WARNING, 2,                \
	  "worker {worker}: process {pid} died; resetting its domain",                             \
	  "A worker was killed or crashed. What it had on its way is lost; queues and "            \
	  "buffers are made anew.",                                                                \
	  "Its own log says why it ended. Its supervisor starts the next one.")                    \
	X(WORKER_RESET, worker_reset, "bfaf94b1657345d68f46b98b8435399f", NOTICE, 3,               \
	  "worker {worker}: domain reset, {lost} mbufs taken back from rings, {ms} ms "            \
	  "after the death",                                                                       \
	  "What a dead worker left is replaced, and the next worker may attach.",                  \
	  "Nothing. If it took long, another worker of the same port stood still, or a "           \
	  "driver is slow.")                                                                       \
	X(WORKER_PARKED, worker_parked, "622010a12d6d4d8baaebb0e07660be8f", NOTICE, 2,             \
	  "worker {worker}: process {pid} is parked",                                              \
	  "Somebody has stopped a worker with `knit worker park`. It moves no packets.",           \
	  "`knit worker resume` lets it go on.")                                                   \
	X(WORKER_RESUMED, worker_resumed, "3a3f4d90b8fb4f9989392ff9f3349fa4", NOTICE, 2,           \
	  "worker {worker}: process {pid} is resumed", "A parked worker moves packets again.",     \
	  "Nothing.")                                                                              \
	X(WORKER_REPLACED, worker_replaced, "6d0c1f0e2a5b4b7f9d3c8a1e57b2940c", NOTICE, 4,         \
	  "worker {worker}: process {pid} took over from process {before}, without packets "       \
	  "for {us} us",                                                                           \
	  "The process that stood by is the worker now. With `knit worker replace` nothing is "    \
	  "lost. After a death its domain was reset before; the time is counted from then on.",    \
	  "Nothing. Start the next one that stands by.")                                           \
	X(STANDBY_ATTACHED, standby_attached, "b1f7a3c29e6d4c0f8a5d2e9b7c416f03", NOTICE, 2,       \
	  "worker {worker}: process {pid} stands by",                                              \
	  "A second process of a worker takes over if the first one ends, or when it is told "     \
	  "to by `knit worker replace`.",                                                          \
	  "Nothing.")                                                                              \
	X(STANDBY_LEFT, standby_left, "0f9e5d7c3b2a4168b7d4c6e1a8f25390", NOTICE, 2,               \
	  "worker {worker}: process {pid}, which stood by, is gone",                               \
	  "No packet was concerned. Until another one stands by, the worker is as others: its "    \
	  "supervisor has to start it anew after a death.",                                        \
	  "Start knit-worker --standby, if nobody wanted it to end.")                              \
	X(STANDBY_MISSING, standby_missing, "c84b0d6fe1374a92a05f3b9d6e27c1d8", WARNING, 1,        \
	  "worker {worker}: nobody has stood by for it for a while",                               \
	  "The configuration says that a process stands by (workers.standby), and there is none. " \
	  "After a death of the worker its ports stand still until its supervisor has started "    \
	  "the next one.",                                                                         \
	  "Start knit-worker --standby, or knit-worker-standby@.service.")                         \
	X(CONTROL_ATTACHED, control_attached, "89a59cafac964bfd81dc0c567f122973", NOTICE, 1,       \
	  "control: attached, process {pid}",                                                      \
	  "Control carries out on ports what is set on interfaces.", "Nothing.")                   \
	X(CONTROL_LEFT, control_left, "f44b5d3c4aa947fab8c51822e1199e89", NOTICE, 1,               \
	  "control: process {pid} left",                                                           \
	  "Control ended in good order. Requests of the kernel wait for the next one, or "         \
	  "time out.",                                                                             \
	  "Start knit-control, if nobody wanted it to end.")                                       \
	X(CONTROL_DIED, control_died, "74945814e4564e0ca741a70a30735f34", WARNING, 1,              \
	  "control: process {pid} died",                                                           \
	  "Control was killed or crashed. Requests of the kernel wait for the next one, "          \
	  "or time out.",                                                                          \
	  "Its own log says why it ended. Its supervisor starts the next one.")                    \
	X(ATTACH_DIED, attach_died, "085a0571b533407086db4c159f17a796", ERR, 2,                    \
	  "{role}: process {pid} died while it attached or detached; starting anew",               \
	  "The process may have held locks of DPDK's that nobody can release. The "                \
	  "primary ends with exit code 8, so that its supervisor starts it anew.",                 \
	  "The log of that process says why it ended.")                                            \
	X(PROCESS_STALLED, process_stalled, "a4c6da9ffe724c2384dfd1458c832f18", ERR, 3,            \
	  "{process}: process {pid} has been attaching or detaching for {ms} ms: killing "         \
	  "it",                                                                                    \
	  "A process stood still while it held what all others need to attach.",                   \
	  "Look whether somebody stopped it, or whether the machine lacks CPU time. "              \
	  "eal.attach_timeout is the limit.")                                                      \
	X(PROCESS_DEAF, process_deaf, "81b5612d4d73464da681910711a0ec24", ERR, 2,                  \
	  "{process}: process {pid} takes no messages, and nobody must wait for it: "              \
	  "killing it",                                                                            \
	  "The message socket of a process was full. The primary would have waited for "           \
	  "it.",                                                                                   \
	  "Look whether somebody stopped it, or whether the machine lacks CPU time.")              \
	X(REQUEST_REFUSED, request_refused, "fd1bcc6164104a078af33462073b4af6", WARNING, 3,        \
	  "port {port}: {request} refused: {why}",                                                 \
	  "What somebody set on an interface is not possible on its port. The port has "           \
	  "the old value.",                                                                        \
	  "Set a value that the device can have.")                                                 \
	X(REQUEST_TIMEOUT, request_timeout, "7cd82d3960594cce8847e4a96194cfd1", WARNING, 2,        \
	  "interface {interface}: {count} requests of the kernel had no answer in time",           \
	  "Control was not there, or too slow, while somebody set something on an "                \
	  "interface.",                                                                            \
	  "Look whether control is attached: `knit show control`.")                                \
	X(INTERFACE_MADE, interface_made, "7726ec269aa342fd890c1fe6567002f4", INFO, 2,             \
	  "interface {interface}: made, engine {engine}", "The kernel has the interface.",         \
	  "Nothing.")                                                                              \
	X(INTERFACE_GONE, interface_gone, "f62efb5efed04b21837dcfa42c74cd63", INFO, 1,             \
	  "interface {interface}: removed", "The primary removed the interface because it ends.",  \
	  "Nothing.")                                                                              \
	X(INTERFACE_REMOVED, interface_removed, "7115f2ca632d4456acb1c0807c4900d0", WARNING, 1,    \
	  "interface {interface}: somebody removed it, or its network namespace ended",            \
	  "The tap engine's interface is gone, and its port has none until a start anew.",         \
	  "Find who removed it; start knit anew.")                                                 \
	X(LOG_LEVEL, log_level, "871a7c49df6246e2ba0ef879f4ef5f74", NOTICE, 3,                     \
	  "log level of {type}: {level}, set by process {pid}",                                    \
	  "Somebody changed how much is logged (`knit log level`). It is so until the "            \
	  "primary ends.",                                                                         \
	  "Nothing.")

enum knit_event_kind {
#define X(id, name, message, severity, n, text, meaning, advice) KNIT_EVENT_##id,
	KNIT_EVENT_TABLE(X)
#undef X
	KNIT_EVENT_KINDS,
};

#endif
