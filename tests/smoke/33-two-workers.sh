#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two workers share a port and its interface, each with a queue and a queue pair of its own; on the
# tap engine each pair has a thread, too. One dies: the other goes on, and the kernel sends nothing
# to the pair that nobody serves. One stands still: the reset of the other one waits for it, without
# harm.
#
#   netns far                         primary, control                       netns near
#   left0 10.7.1.2    ---- port left ---- queue 0, worker 0, pair 0 ---- kni-left 10.7.1.1
#   and 10.7.1.101-116                \-- queue 1, worker 1, pair 1 --/
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

HOSTS=$(seq 101 116)
IFACE=/knit/interface,kni-left

# One ping to each of the 16 addresses in far, all at once: 16 flows for the hash of the kernel.
ping_all() # netns, ping's arguments with @ for the number of the host...
{
	local host pids=() pid failed=0
	local ns=$1
	shift

	for host in $HOSTS; do
		ip netns exec "$ns" ping -qc 1 -W 1 "${@//@/$host}" >/dev/null &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=$((failed + 1))
	done
	echo "$failed of ${#pids[@]} failed: $ns $*"
	[ $failed -eq 0 ]
}

from_near()
{
	ping_all near 10.7.1.@
}

from_far()
{
	ping_all far -I 10.7.1.@ 10.7.1.1
}

flow() # host
{
	ip netns exec far ping -qc 1 -W 1 -I "10.7.1.$1" 10.7.1.1
}

# A tap device sends what belongs together where knit wrote the like of it last, for seconds, and
# first of all where a hash says. That is what counts when a worker has died: with the kernel in
# near silent, nothing else has a say.
silent() # 1 or 0
{
	in_ns near sysctl -qw net.ipv4.icmp_echo_ignore_all="$1"
}

# A host whose flow worker 0 has, so that the death of worker 1 is none of its business.
find_flow_of_0()
{
	local host before

	for host in $HOSTS; do
		before=$(field /knit/worker,0 punted)
		ip netns exec far ping -qc 20 -i 0.002 -W 0.1 -I "10.7.1.$host" 10.7.1.1 >/dev/null
		wait_for 1 field_over /knit/worker,0 punted $((before + 19)) &&
			MINE=$host && return
	done
	die "no flow of 16 reaches worker 0"
}

# So that nobody asks for them: that question, too, could go to a dead worker's queue.
known_neighbours()
{
	local host mac

	mac=$(ip -n near -o link show dev kni-left | sed 's/.*ether \([^ ]*\).*/\1/')
	ip -n far neigh replace 10.7.1.1 lladdr "$mac" dev left0 nud permanent
	mac=$(ip -n far -o link show dev left0 | sed 's/.*ether \([^ ]*\).*/\1/')
	for host in $HOSTS; do
		ip -n near neigh replace "10.7.1.$host" lladdr "$mac" dev kni-left nud permanent
	done
}

pings_at_far()
{
	in_ns far nstat -asz IcmpInEchos | awk '/InEchos/ { print $2 }'
}

# The answers are another matter.
all_reach_far()
{
	local before

	before=$(pings_at_far)
	from_near
	[ $(($(pings_at_far) - before)) -ge 16 ]
}

both_forward()
{
	local id

	for id in 0 1; do
		field_over "/knit/worker,$id" punted 0 || return 1
		field_over "/knit/worker,$id" injected 0 || return 1
	done
}

logged() # pattern
{
	grep -q "$1" "$TMP/primary.log"
}

one_killed()
{
	local drops

	kill -KILL "${PID[worker1]}"
	left_with worker1 137
	check "worker 1 dead: its domain is reset" wait_for 5 field_is /knit/worker,1 resets 1
	# The tap device went down and up, and forgot even these.
	wait_for 5 has_carrier far left0
	known_neighbours
	check "worker 1 dead: worker 0 carries on with its flow" wait_for 10 flow "$MINE"
	check "worker 1 dead: worker 0 is the same process" field_is /knit/worker,0 pid \
		"${PID[worker0]}"
	drops=$(field $IFACE drop_tx_no_worker)
	check "worker 1 dead: nothing that the kernel sends goes astray" wait_for 5 all_reach_far
	check "worker 1 dead: and so it stays" all_reach_far
	check "worker 1 dead: no packet met a pair without worker" \
		field_is $IFACE drop_tx_no_worker "${drops:-0}"
	restart_worker 1
	check "worker 1 back: all flows from far" wait_for 5 from_far
	check "worker 1 back: all flows from near" wait_for 5 from_near
	check "worker 1 back: a later generation" field_over /knit/worker,1 generation 1
}

# Worker 0 cannot be parked, so the queue of worker 1 stays as it is until worker 0 goes on.
one_killed_while_the_other_stands_still()
{
	local resets

	resets=$(field /knit/worker,1 resets)
	kill -STOP "${PID[worker0]}"
	kill -KILL "${PID[worker1]}"
	left_with worker1 137
	check "worker 0 stopped, 1 dead: the primary says whom it waits for" \
		wait_for 5 logged "worker 0 (process ${PID[worker0]}) did not stop"
	check "worker 0 stopped, 1 dead: ip link works" \
		timeout "${KNIT_SLOW:-1}" ip -n near link set dev kni-left mtu 1400
	check "worker 0 stopped, 1 dead: telemetry answers" field_is /knit/worker,1 state 4
	check "worker 0 stopped, 1 dead: no flood of messages" few_messages
	stop control
	start_control
	ok "worker 0 stopped, 1 dead: another control attaches"
	kill -CONT "${PID[worker0]}"
	check "worker 0 goes on: the reset is done" wait_for 5 field_is /knit/worker,1 resets \
		$((resets + 1))
	restart_worker 1
	check "worker 0 goes on, 1 back: all flows from far" wait_for 5 from_far
	check "worker 0 goes on, 1 back: all flows from near" wait_for 5 from_near
}

# For a second.
few_messages()
{
	! wait_for 1 many_messages
}

many_messages()
{
	[ "$(grep -c 'did not stop' "$TMP/primary.log")" -gt 5 ]
}

both_killed()
{
	kill -KILL "${PID[worker0]}" "${PID[worker1]}"
	left_with worker0 137
	left_with worker1 137
	restart_worker 1
	restart_worker 0
	check "both killed at once: all flows from far" wait_for 5 from_far
	check "both killed at once: all flows from near" wait_for 5 from_near
}

engine_threads()
{
	cat "/proc/${PID[primary]}"/task/*/comm | grep -c "^knit-tap-"
}

netns far near
tap_port left far
interface kni-left left near
# Worker 0 never sleeps, so that it is in the middle of something when it is stopped.
setting tap 'kthread_mode = "multiple";'
WORKER_TEXT='idle = "poll";'
worker 0 "punt left"
WORKER_TEXT=""
worker 1 "punt left"
system_up
connect_far_near
for host in $HOSTS; do
	ip -n far addr add "10.7.1.$host/24" dev left0
done
known_neighbours
SHOWN=$(shown near kni-left)
silent 1
find_flow_of_0
silent 0

check "port has two queues" field_is /knit/port,left queues 2
check "interface has two pairs" field_is $IFACE pairs 2
if [ "$ENGINE" = tap ]; then
	check "each pair has a thread" [ "$(engine_threads)" -eq 2 ]
fi
check "all flows from far" wait_for 5 from_far
check "all flows from near" wait_for 5 from_near
check "both workers forward, both ways" both_forward
one_killed
both_killed
check "index, address and carrier are those of before" unchanged_since "$SHOWN" shown near kni-left
one_killed_while_the_other_stands_still
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs of both domains are accounted for" conserved
