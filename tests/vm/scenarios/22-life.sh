#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Processes that are killed or stand still under traffic, with interfaces of the module: what the
# kernel sees of them must not change, and nobody waits for them longer than promised. Then a
# namespace that ends with an interface in it, and the death of the primary.
# usage: 22-life.sh va|pa
#
#   netns far                                                         netns near
#   left0 ===wire=== e1000e, vfio-pci: port left --- worker 0 --- kni-left, sync
#   10.7.1.2                                                      10.7.1.1
#                                                                     netns doomed
#   right0 ==wire=== e1000e, vfio-pci: port right -- worker 0 --- kni-right, async
#   10.7.2.2                                                      10.7.2.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

# An `ip link` that has nothing to do with knit, at another device.
other_link()
{
	ip -n near link set lo mtu $((60000 + ++UNRELATED))
}

unrelated() # name[, is_bounded]
{
	timed "$1: an unrelated ip link" other_link
	check "$1: an unrelated ip link succeeds" [ $STATUS -eq 0 ]
	check "$1: an unrelated ip link is in time" "${2:-is_quick}"
}

says() # pattern, command...: it fails, with that
{
	local pattern=$1
	shift

	! "$@" >"$TMP/says" 2>&1 && grep -q -- "$pattern" "$TMP/says"
}

pings()
{
	in_ns far ping -q -c 3 -i 0.05 -W 5 10.7.1.1
}

traffic()
{
	start_in far ping-far ping -q -i 0.005 -s 1000 10.7.1.1
	start_in near ping-near ping -q -i 0.005 -s 200 10.7.1.2
	start_in far ping-right ping -q -i 0.005 -s 500 10.7.2.1
	wait_for 10 moves || not_ok "pings flow"
}

received() # netns, device
{
	in_ns "$1" cat "/sys/class/net/$2/statistics/rx_packets"
}

above() # far, near
{
	[ "$(received far left0)" -gt "$1" ] && [ "$(received near kni-left)" -gt "$2" ]
}

# Both ways.
moves()
{
	wait_for 10 above $(($(received far left0) + 20)) $(($(received near kni-left) + 20))
}

still() # name
{
	kill -STOP "${PID[$1]}"
	wait_for 5 grep -q '^State:.T' "/proc/${PID[$1]}/status"
}

goes_on() # name
{
	kill -CONT "${PID[$1]}"
}

caller_waits()
{
	grep -q rte_kni "/proc/${PID[caller]}/stack"
}

# An `ip link` that waits for the port of kni-left.
set_mtu() # mtu
{
	start_in near caller ip link set kni-left mtu "$1"
	wait_for 5 caller_waits
}

caller_says() # pattern
{
	wait_for 2 ended caller && stop caller && [ $STATUS -ne 0 ] &&
		grep -q "$1" "$TMP/caller.log"
}

# The last that the kernel told of the interface
told_1500()
{
	grep kni-left "$TMP/monitor.log" | tail -n 1 | grep -q "mtu 1500 "
}

# To begin the next part as the first one.
mtu_1500()
{
	ip -n near link set kni-left mtu 1500
	wait_for 5 told_1500
	: >"$TMP/monitor.log"
}

# Kernel and port have the same MTU.
agree() # mtu
{
	ip -n near -o link show kni-left | grep -q "mtu $1 " && field_is /knit/port,left mtu "$1"
}

as_before() # name
{
	check "$1: traffic" wait_for 10 moves
	check "$1: interface as before" unchanged_since "$BEFORE" shown near kni-left
	check "$1: the kernel saw no change of it" quiet "$TMP/monitor.log" kni-left
}

worker_stopped_and_killed()
{
	measure_quick other_link
	still worker0
	unrelated "worker stopped"
	goes_on worker0
	as_before "worker stopped and continued"
	check "worker stopped: no reset" field_is /knit/worker,0 resets 0
	kill -KILL "${PID[worker0]}"
	check "worker killed" left_with worker0 137
	check "worker killed: domain reset" wait_for 10 field_is /knit/worker,0 resets 1
	unrelated "worker killed"
	restart_worker 0
	as_before "worker killed"
	check "worker killed: ping" wait_for 10 pings
}

control_stopped()
{
	measure_quick other_link
	still control
	unrelated "control stopped"
	timed "control stopped: asynchronous" ip -n doomed link set kni-right mtu 1400
	check "control stopped: asynchronous waits for nobody" is_quick
	unrelated "control stopped, asynchronous"
	check "control stopped: synchronous waits" set_mtu 1400
	unrelated "control stopped, synchronous" is_bounded
	check "control stopped: its caller has an error" caller_says "Timer expired"
	goes_on control
	check "control continued: asynchronous is done" \
		wait_for 10 field_is /knit/port,right mtu 1400
	check "control continued: synchronous is not" wait_for 10 agree 1500
	as_before "control continued"
	check "control continued: answers" ip -n near link set kni-left mtu 1400
	check "control continued: agree" agree 1400
	mtu_1500
}

control_killed()
{
	measure_quick other_link
	still control
	check "control killed: synchronous waits" set_mtu 1400
	kill -KILL "${PID[control]}"
	timed "control killed: synchronous" caller_says "not connected"
	check "control killed: its caller has an error at once" is_quick
	check "control killed" left_with control 137
	unrelated "control killed"
	as_before "control killed"
	check "without control: refused" says "not connected" ip -n near link set kni-left mtu 1400
	check "without control: agree" agree 1500
	start_control
	check "new control: answers" ip -n near link set kni-left mtu 1400
	check "new control: agree" agree 1400
	mtu_1500
}

primary_stopped()
{
	measure_quick other_link
	still primary
	unrelated "primary stopped"
	check "primary stopped: traffic" moves
	timed "primary stopped: synchronous" ip -n near link set kni-left mtu 1400
	check "primary stopped: synchronous fails" [ $STATUS -ne 0 ]
	check "primary stopped: synchronous ends in time" is_bounded
	goes_on primary
	check "primary continued: kernel and port agree" wait_for 10 agree 1500
	as_before "primary continued"
	check "primary continued: nobody left" [ "$(field /knit/worker,0 pid)" = "${PID[worker0]}" ]
}

# An interface that ends goes down first. If control hears of it before it is gone, the port is
# down.
port_or_worker_drops()
{
	field_is /knit/port,right admin_up 0 || field_over /knit/worker,0 drop_iface_full 100
}

# A NIC would return to the first namespace; an interface ends, and its owner does not mind.
namespace_ends()
{
	local mac

	# Nobody will answer for the address, and what can't be sent is not dropped by the worker.
	mac=$(ip -n doomed -o link show dev kni-right | sed 's/.*ether \([^ ]*\).*/\1/')
	ip -n far neigh replace 10.7.2.1 dev right0 lladdr "$mac" nud permanent ||
		not_ok "neighbour"
	check "namespace ends" ip netns del doomed
	check "namespace ends: what comes for its interface is dropped" \
		wait_for 10 port_or_worker_drops
	check "namespace ends: it went nowhere else" not outside ip link show kni-right
	check "namespace ends: the worker does not mind" worker_serves 0
	check "namespace ends: nor does the other interface" wait_for 10 pings
	stop ping-right INT
}

not()
{
	! "$@"
}

no_kni() # netns
{
	[ -z "$(ip -n "$1" -o link show type kni)" ]
}

primary_killed()
{
	kill -KILL "${PID[primary]}"
	check "primary killed" left_with primary 137
	check "primary killed: its interfaces are gone" wait_for 10 no_kni near
	check "primary killed: the worker says so" left_with worker0 5
	check "primary killed: so does control" left_with control 5
	check "primary killed: nobody uses the module" wait_for 10 module_is_unused
	check "primary killed: no packet thread is left" no_packet_thread
	check "primary killed: no interface anywhere" [ -z "$(outside ip -o link show type kni)" ]
	stop ping-far INT
	stop ping-near INT
}

up()
{
	netns doomed
	system_up
	ip -n far addr flush dev left0
	ip -n far addr flush dev right0
	connect_far_near
	address doomed kni-right 10.7.2.1/24
	address far right0 10.7.2.2/24
	wait_for 10 has_carrier doomed kni-right || die "no carrier of the other"
}

refused_del()
{
	check "ip link del is refused" says "not supported" ip -n near link del kni-left
	check "ip link del: still there" pings
}

[ $# -eq 1 ] || die "usage: $0 va|pa"
IOVA=$1
TEST+=" $1"
UNRELATED=0
ENGINE=kmod
load_module
netns far near
pci_port left far
pci_port right far
interface kni-left left near
interface kni-right right doomed 'requests = "asynchronous"; ring_size = 128;'
worker 0 "punt left" "punt right"
up
check "EAL was told which addresses devices get" \
	grep -q -- "--iova-mode=$IOVA" <(telemetry /eal/params)
check "ping" wait_for 10 pings
refused_del
BEFORE=$(shown near kni-left)
start monitor ip -n near -o monitor link address
traffic
worker_stopped_and_killed
control_stopped
control_killed
primary_stopped
namespace_ends
check "interface as before all that" unchanged_since "$BEFORE" shown near kni-left
primary_killed
stop monitor
up
check "started again: ping" wait_for 10 pings
system_down
check "started again: primary ends well" [ "$STATUS" -eq 0 ]
check "started again: all buffers are accounted for" conserved
check "module unloads" unload_module
