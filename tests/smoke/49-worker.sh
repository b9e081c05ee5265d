#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit worker: park, resume and restart, with and without somebody who starts the next process, and
# while other things happen to the worker.
#
#   netns left                               netns right
#   left0 --- port left --- worker 0 --- port right --- right0
#             kl, in netns middle
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

neighbours()
{
	neighbour left left0 10.5.0.2 right right0
	neighbour right right0 10.5.0.1 left left0
}

flows()
{
	in_ns left ping -q -c 1 -W 1 10.5.0.2
}

state_is() # word
{
	knit -j show worker 0 | grep -q "\"state\":\"$1\""
}

# Nothing goes on between two looks with a ping between them.
stands_still()
{
	local before

	before=$(field /knit/worker,0 rounds)
	! flows && [ "$(field /knit/worker,0 rounds)" -eq "$before" ]
}

told() # kind
{
	knit monitor --once -j "$1" | tail -n 1 | grep -q "\"pid\":${PID[worker0]}}"
}

parks() # MTU
{
	local pid=${PID[worker0]}

	check "before: packets pass" wait_for 10 flows
	check "park" says 0 "^worker 0: process $pid is parked$" knit worker park 0
	check "it stands still" stands_still
	check "shown as parked" state_is parked
	check "in the table, too" says 0 "^ *0  *parked  *$pid" knit show workers
	check "a metric" field_is /knit/worker,0 parked 1
	check "an event" told worker_parked
	check "park again" says 0 "^worker 0: process $pid is parked$" knit worker park 0
	ip -n middle link set kl mtu $1
	check "its port takes an MTU meanwhile" wait_for 10 field_is /knit/port,left mtu $1
	check "and it stands still as before" stands_still
	check "resume" says 0 "^worker 0: process $pid goes on$" knit worker resume 0
	check "packets pass again" wait_for 5 flows
	check "shown as attached" state_is attached
	check "another event" told worker_resumed
	check "resume again, as JSON" says 0 \
		"^\{\"worker\":0,\"order\":\"resume\",\"pid\":$pid\}$" knit -j worker resume 0
}

# A worker that was stopped in a burst does not obey. When it goes on, it runs.
does_not_obey()
{
	local pid=${PID[worker0]} order

	freeze worker0
	for order in park restart; do
		check "$order: a worker that stands still" says 1 \
			"worker 0 \(process $pid\) did not stop within 100 ms" knit worker $order 0
	done
	kill -CONT "$pid"
	check "then it runs on" wait_for 5 flows
	check "and is not parked" state_is attached
}

ends_parked() # signal
{
	knit worker park 0
	stop worker0 "$1"
	check "$1: an order to a worker that is gone" says 1 "worker 0 is not attached" \
		knit worker resume 0
	check "$1: it is not parked any more" wait_for 5 field_is /knit/worker,0 parked 0
	start_worker 0
	neighbours # a reset sets the devices down and up
	check "$1: the successor of a parked worker runs" wait_for 5 flows
}

restarts_alone()
{
	local pid=${PID[worker0]}

	knit worker park 0
	check "nobody starts the next one" says 1 \
		"process $pid ended after [0-9]+ ms, and no other one has attached within 500 ms" \
		knit worker restart 0 --timeout 0.5
	stop worker0
	check "a parked worker that is told to start anew ends so" [ "$STATUS" -eq 8 ]
	check "an event, as of any worker that leaves" told_left "$pid"
	start_worker 0
	check "the next one runs" wait_for 5 flows
}

told_left() # pid
{
	knit monitor --once -j worker_left | tail -n 1 | grep -q "\"pid\":$1}"
}

# What systemd does. The worker leaves at the end because the primary ends.
supervise()
{
	"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
	while [ $? -eq 8 ]; do
		"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
	done
}

restarts()
{
	stop worker0
	start supervisor supervise
	wait_for 20 state_is attached
	wait_for 5 flows
	check "restart" says 0 "^worker 0: process [0-9]+ ended after [0-9]+ ms, process [0-9]+ \
attached after [0-9]+ ms$" knit worker restart 0
	check "packets pass after that" wait_for 5 flows
	check "restart, as JSON" says 0 "^\{\"worker\":0,\"order\":\"restart\",\"pid\":[0-9]+,\
\"left_ms\":[0-9]+,\"successor\":[0-9]+,\"attached_ms\":[0-9]+\}$" knit -j worker restart 0
	check "its successor is the one that runs" successor_runs
}

successor_runs()
{
	local pid

	pid=$(sed 's/.*"successor":\([0-9]*\).*/\1/' "$TMP/said")
	field_is /knit/worker,0 pid "$pid" && field_is /knit/worker,0 state 2
}

words()
{
	check "no such worker" says 1 "there is no worker 7" knit worker park 7
	check "no order" says 2 "found \"stop\": park, resume, restart or replace is expected" \
		knit worker stop 0
	check "an id that is too large" says 2 "found \"4294967296\": the id of a worker" \
		knit worker park 4294967296
	check "no id" says 2 "found \"x\": the id of a worker is expected" knit worker park x
	check "too few words" says 2 "park, resume, restart or replace, and the id" knit worker park
	check "no time" says 2 "timeout: found \"soon\": a number from 0 to 3600" \
		knit worker restart 0 --timeout soon
}

# A sleeping worker is parked as it is; one that polls has to end its round first.
with() # idle
{
	WORKERS=""
	WORKER_IDS=()
	WORKER_TEXT="idle = \"$1\";"
	worker 0 "xconnect left right"
	system_up
	ip -n middle link set kl up
	address left left0 10.5.0.1/24
	address right right0 10.5.0.2/24
	neighbours
}

netns left middle right
for ns in left right; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
tap_port left left
tap_port right right
interface kl left middle
with poll
parks 1400
does_not_obey
ends_parked TERM
ends_parked KILL
restarts_alone
words
system_down
with adaptive
parks 1300
restarts
system_down
wait_for 10 ended supervisor
check "primary ends well" [ "$STATUS" -eq 0 ]
