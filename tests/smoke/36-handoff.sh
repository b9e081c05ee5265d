#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port with one transmit queue and three workers: workers 1 and 2 send through worker 0. All
# packets arrive whole; whoever dies or leaves, the others go on, and no buffer is lost for good.
#
#   netns far                    primary, control                            netns near
#   left0 10.7.1.2  ---- port left ---- rx 0, tx 0: worker 0, pair 0 ---- kni-left 10.7.1.1
#                            \--------- rx 1: worker 1, pair 1 -- tx through 0 --/
#                             \-------- rx 2: worker 2, pair 2 -- tx through 0 -/
#
# KNIT_SEED repeats the moments of an earlier run; KNIT_KILLS is the number of rounds, 12 if unset.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

WIRE=$(dirname "$0")/wire.py
ONEWAY=$(dirname "$0")/oneway.py
TO_FAR="near:10.7.1.1 far:10.7.1.2"
SEED=${KNIT_SEED:-$((EPOCHSECONDS % 32768))}
ROUNDS=${KNIT_KILLS:-12}
RANDOM=$SEED

# Of each worker that sends through worker 0, and of worker 0.
traced_in_both()
{
	timeout 20 "$KNIT_BUILD/tools/knit/knit" --prefix "$PREFIX" trace -j -n 3000 port left \
		-d tx >"$TMP/trace.json" 2>"$TMP/trace.err" || return 1
	python3 -c '
import json, sys
seen = {(p["worker"], p["steps"][0].get("other_worker"), p["steps"][-1].get("other_worker"))
        for p in map(json.loads, open(sys.argv[1]))}
print(seen)
assert {(1, None, 0), (2, None, 0), (0, 1, None), (0, 2, None)} <= seen' "$TMP/trace.json"
}

sum() # name of a counter of workers
{
	local id n=0

	for id in "${WORKER_IDS[@]}"; do
		n=$((n + $(field "/knit/worker,$id" "$1")))
	done
	echo $n
}

sum_is() # name, value
{
	[ "$(sum "$1")" -eq "$2" ]
}

sum_over() # name, value
{
	[ "$(sum "$1")" -gt "$2" ]
}

# Workers without a transmit queue send nothing themselves, and worker 0 sends all of it. What is
# cut on the way is cut there.
all_through_0()
{
	field_over /knit/worker,1 handed_off 0 || return 1
	field_over /knit/worker,2 handed_off 0 || return 1
	field_is /knit/worker,0 handed_off 0 || return 1
	field_is /knit/worker,1 tx_packets 0 || return 1
	field_is /knit/worker,2 tx_packets 0 || return 1
	field_over /knit/worker,0 relayed "$(sum handed_off)" || return 1
	field_is /knit/worker,0 tx_packets $(($(field /knit/worker,0 injected) + \
		$(field /knit/worker,0 relayed)))
}

mtu() # mtu
{
	ip -n far link set left0 mtu "$1"
	ip -n near link set kni-left mtu "$1"
	wait_for 5 field_is /knit/port,left mtu "$1" || die "port left does not follow to MTU $1"
}

# Some hundred more packets of workers 1 and 2 leave through worker 0.
relays() # seconds
{
	wait_for "$1" field_over /knit/worker,0 relayed $(($(field /knit/worker,0 relayed) + 300))
}

moment() # up to so many ms
{
	read -rt "0.$(printf %03d $((RANDOM % $1)))" <> <(:)
}

# A sender, the one it sends through, or both at once, at any moment, with packets on their way.
kill_some() # round
{
	local id ids=(1)

	case $(($1 % 4)) in
	0) ids=(0) ;;
	2) ids=(2) ;;
	3) ids=(0 1) ;;
	esac
	moment 100
	for id in "${ids[@]}"; do
		kill -KILL "${PID[worker$id]}"
		DEATHS=$((DEATHS + 1))
	done
	for id in "${ids[@]}"; do
		left_with "worker$id" 137 || die "round $1 (seed $SEED): worker $id is not dead"
	done
	for id in "${ids[@]}"; do
		restart_worker "$id"
	done
	relays 10 || die "round $1 (seed $SEED): no traffic after the death of ${ids[*]}"
	ended primary && die "round $1 (seed $SEED): the primary ended"
}

# A worker that leaves as asked leaves its end as it is, and its successor goes on there.
hand_over() # id
{
	stop "worker$1"
	check "worker $1 is told to end: exit code 0" [ "$STATUS" -eq 0 ]
	restart_worker "$1"
	check "worker $1 is back: traffic" relays 10
	check "worker $1 is back: nothing was reset" sum_is resets 0
}

owner_away()
{
	stop worker0
	check "no worker 0: what has no way out is dropped under its name" \
		wait_for 10 sum_over drop_handoff_no_worker 0
	restart_worker 0
	check "worker 0 is back: traffic" relays 10
}

netns far near
tap_port left far 'tx_queues = 1; tx_desc = 256;'
interface kni-left left near
for id in 0 1 2; do
	worker $id "punt left"
done
system_up
connect_far_near
check "the port has one transmit queue for three workers" field_is /knit/port,left tx_queues 1
check "and three receive queues" field_is /knit/port,left queues 3

# shellcheck disable=SC2086 # two words
{
	check "datagrams of all sizes" "$ONEWAY" all $TO_FAR 8 9 64 500 1000 1471 1472
	check "all of it through the transmit queue of worker 0" wait_for 5 all_through_0
	check "worker 0 sleeps, and is woken for a packet of another's" "$ONEWAY" lone $TO_FAR 30
	check "frames, 60 to 1514 bytes" "$WIRE" frames near:kni-left far:left0 60-1514:3
	check "stream" "$WIRE" stream $TO_FAR 10
	mtu 9000
	check "long datagrams, of several segments" "$ONEWAY" all $TO_FAR 1473 2048 4000 5000 8972
	check "long stream" "$WIRE" stream $TO_FAR 10
	mtu 1500
}
check "nothing was lost on the way" sum_is drop_handoff_full 0
check "nor for want of buffers" sum_is drop_handoff_no_buffer 0

SHOWN=$(shown near kni-left)
# shellcheck disable=SC2086
start flood "$ONEWAY" flood $TO_FAR "$TMP/enough"
relays 10 || die "no flood"
check "knit trace: the packets of three workers, from one to the other" traced_in_both
hand_over 0
hand_over 1
owner_away
DEATHS=0
for ((round = 0; round < ROUNDS; round++)); do
	kill_some $round
done
ok "traffic after each of $DEATHS deaths of senders, or of whom they send through (seed $SEED)"
check "every death was a reset" sum_is resets "$DEATHS"
check "what waited for worker 0 when it died is counted" sum_over drop_handoff_lost 0
touch "$TMP/enough"
check "nothing arrived damaged, or twice" left_with flood 0
# shellcheck disable=SC2086
check "datagrams of all sizes, after all that" "$ONEWAY" all $TO_FAR 8 9 64 500 1000 1471 1472
check "index, address and carrier are those of before" unchanged_since "$SHOWN" shown near kni-left
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs of the three domains are accounted for" conserved
