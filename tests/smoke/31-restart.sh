#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Worker and control end, are started again, or stand still, while packets flow and the kernel asks
# things. What the kernel sees does not change, and what it asked for meanwhile is done afterwards.
#
#   netns far               primary, worker 0, control             netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
#   100 pings per second ------------------------------>
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

WORKER=/knit/worker,0
PORT=/knit/port,left

flows()
{
	ip netns exec far ping -qc 1 -W 1 10.7.1.1
}

far_shows() # pattern
{
	ip -n far -o link show dev left0 | grep -q -- "$1"
}

near_shows() # pattern
{
	ip -n near -o link show dev kni-left | grep -q -- "$1"
}

# An `ip link set` must come back at once, whatever stands still.
link_set() # arguments of ip link set...
{
	timeout "${KNIT_SLOW:-1}" ip -n near link set dev kni-left "$@"
}

# A line of -O for each answer that did not come.
count_lost()
{
	grep -c 'no answer yet' "$TMP/pings.log"
}

at_most() # found, allowed
{
	[ "$1" -le "$2" ]
}

pings_between() # fewest, most
{
	local lost

	stop pings INT
	lost=$(count_lost)
	echo "# $lost of $(grep -c 'icmp_seq' "$TMP/pings.log") pings had no answer"
	at_most "$lost" "$1"
}

start_pings()
{
	: >"$TMP/pings.log"
	start pings env --default-signal=INT ip netns exec far ping -nOi 0.01 10.7.1.1
	wait_for 5 pinging
}

pinging()
{
	[ "$(grep -c 'bytes from' "$TMP/pings.log")" -gt 20 ]
}

worker_upgrade()
{
	local punted resets

	start_pings
	punted=$(field $WORKER punted)
	kill -TERM "${PID[worker0]}"
	check "worker: SIGTERM ends it with 0" left_with worker0 0
	check "worker: its domain is free" field_is $WORKER state 0
	restart_worker 0
	wait_for 5 flows || not_ok "worker: traffic after its successor came"
	resets=$(field $WORKER resets)
	check "worker: a clean change resets nothing" [ "$resets" -eq 0 ]
	check "worker: the successor is generation 2" field_is $WORKER generation 2
	check "worker: counters go on" field_over $WORKER punted "$punted"
	# One second is 100 pings; EAL takes most of a second to start on a busy machine.
	check "worker: the change cost less than 3 seconds of traffic" pings_between 300
}

control_restarts() # signal, exit code
{
	kill "-$1" "${PID[control]}"
	check "control, SIG$1: ends with $2" left_with control "$2"
	check "control, SIG$1: packets flow without it" flows
	check "control, SIG$1: MTU is taken meanwhile" link_set mtu "$3"
	check "control, SIG$1: promisc is taken meanwhile" link_set promisc on
	check "control, SIG$1: the port has neither" not far_shows "mtu $3"
	start_control
	check "control, SIG$1: the MTU reaches the port afterwards" wait_for 5 far_shows "mtu $3"
	check "control, SIG$1: the kernel keeps it" near_shows "mtu $3"
	check "control, SIG$1: promisc reaches the port afterwards" wait_for 5 field_is $PORT \
		promisc 1
	link_set promisc off
	wait_for 5 field_is $PORT promisc 0 || not_ok "control, SIG$1: promisc off"
}

control_down_and_up()
{
	kill -KILL "${PID[control]}"
	left_with control 137
	link_set down
	start_control
	check "control: down, asked meanwhile, reaches the port" wait_for 5 field_is $PORT \
		admin_up 0
	kill -KILL "${PID[control]}"
	left_with control 137
	link_set up
	start_control
	check "control: and up" wait_for 5 field_is $PORT admin_up 1
	check "control: packets flow again" wait_for 5 flows
}

not()
{
	! "$@"
}

worker_stopped()
{
	local mac=02:00:00:00:77:02

	kill -STOP "${PID[worker0]}"
	check "worker stopped: ip link works, MTU" link_set mtu 1450
	check "worker stopped: the MTU reaches the port" wait_for 5 far_shows "mtu 1450"
	check "worker stopped: ip link works, address" link_set address $mac
	check "worker stopped: the address reaches the port" wait_for 5 field_is $PORT mac $mac
	check "worker stopped: telemetry answers" field_is $WORKER state 2
	kill -CONT "${PID[worker0]}"
	check "worker stopped: goes on" wait_for 5 flows
	check "worker stopped: no reset" field_is $WORKER resets 0
}

kill_worker() # times
{
	local n

	for ((n = 0; n < $1; n++)); do
		kill -KILL "${PID[worker0]}"
		left_with worker0 137
		restart_worker 0
	done
}

# Its carrier is off when the port is restarted, and so there is nothing to hold.
down_at_restart()
{
	link_set down
	check "restart of a port that is down: it is" wait_for 5 field_is $PORT link_up 0
	kill -KILL "${PID[worker0]}"
	link_set up
	left_with worker0 137
	restart_worker 0
	check "restart of a port that is down: carrier at once" wait_for 3 has_carrier near kni-left
	check "restart of a port that is down: packets flow" wait_for 5 flows
}

control_stopped()
{
	local fds

	fds=$(find "/proc/${PID[control]}/fd" -mindepth 1 | wc -l)
	kill -STOP "${PID[control]}"
	check "control stopped: packets flow" flows
	check "control stopped: ip link works, MTU" link_set mtu 1400
	check "control stopped: ip link works, down" link_set down
	check "control stopped: ip link works, up" link_set up
	check "control stopped: packets flow on" wait_for 5 flows
	kill_worker 3
	check "control stopped: packets flow after 3 deaths of the worker" wait_for 5 flows
	check "control stopped: telemetry answers" field_is /knit/info control_state 2
	kill -CONT "${PID[control]}"
	check "control stopped: goes on, the MTU reaches the port" wait_for 5 far_shows "mtu 1400"
	check "control stopped: its fds did not grow" wait_for 5 has_fds control "$fds"
}

# Each start of the port sends it a message, which it does not read: with its queue full it is
# ended.
control_stopped_for_long()
{
	kill -STOP "${PID[control]}"
	kill_worker 12
	check "control stopped for long: packets flow after 12 deaths of the worker" wait_for 5 \
		flows
	check "control stopped for long: it was killed" left_with control 137
	check "control stopped for long: which was said" \
		grep -q "^control: process [0-9]* takes no messages" "$TMP/primary.log"
	start_control
	check "control stopped for long: goes on with another, ip link works" link_set mtu 1420
	check "control stopped for long: the MTU reaches the port" wait_for 5 far_shows "mtu 1420"
}

has_fds() # name, number
{
	at_most "$(find "/proc/${PID[$1]}/fd" -mindepth 1 | wc -l)" "$2"
}

# A bounded time later they have left, or go on.
primary_stopped()
{
	local resets

	resets=$(field $WORKER resets)
	freeze primary
	kill -TERM "${PID[control]}" "${PID[worker0]}"
	check "primary stopped: control ends in time" wait_for 8 ended control
	check "primary stopped: the worker ends in time" wait_for 8 ended worker0
	kill -CONT "${PID[primary]}"
	stop control
	stop worker0
	check "primary stopped: the worker's registry entry is free" \
		wait_for 5 field_is $WORKER state 0
	start_worker 0
	check "primary stopped: it left in good order" field_is $WORKER resets "$resets"
	start_control
	check "primary stopped: goes on with another control" link_set mtu 1350
	check "primary stopped: whose requests reach the port" wait_for 5 far_shows "mtu 1350"
}

# As kernels have it, whatever this machine is set to.
sysctl -qw net.unix.max_dgram_qlen=10
netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
system_up
connect_far_near
wait_for 10 flows || die "no traffic"
SHOWN=$(shown near kni-left)
start monitor ip -n near -o monitor link address

worker_upgrade
check "worker: index, address and carrier are those of before" unchanged_since "$SHOWN" shown near \
	kni-left
check "worker: the kernel never saw a change of the interface" quiet "$TMP/monitor.log" kni-left
stop monitor
control_restarts TERM 0 1400
control_restarts KILL 137 1300
control_down_and_up
worker_stopped
down_at_restart
control_stopped
control_stopped_for_long
primary_stopped
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs are accounted for" conserved
