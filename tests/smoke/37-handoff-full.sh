#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Hand-off queues that are always full: two ports that have packets without end and one transmit
# queue each, for two workers. What finds no room is dropped under its name; either worker may be
# told to end, or be killed in the middle of a copy, and no buffer is lost for good.
#
#   port n0 -- rx 0: worker 0 -- tx 0 of n1      port n1 -- rx 0: worker 0 -- tx 0 of n0
#           \- rx 1: worker 1 -- through 0               \- rx 1: worker 1 -- through 0
#
# KNIT_SEED repeats the moments of an earlier run; KNIT_KILLS is the number of rounds, 10 if unset.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

SEED=${KNIT_SEED:-$((EPOCHSECONDS % 32768))}
ROUNDS=${KNIT_KILLS:-10}
RANDOM=$SEED

relays() # seconds
{
	wait_for "$1" field_over /knit/worker,0 relayed $(($(field /knit/worker,0 relayed) + 10000))
}

moment() # up to so many ms
{
	read -rt "0.$(printf %03d $((RANDOM % $1)))" <> <(:)
}

kill_one() # round
{
	local id=$(($1 % 2))

	moment 200
	kill -KILL "${PID[worker$id]}"
	left_with "worker$id" 137 || die "round $1 (seed $SEED): worker $id is not dead"
	restart_worker "$id"
	relays 20 || die "round $1 (seed $SEED): no traffic after the death of worker $id"
	ended primary && die "round $1 (seed $SEED): the primary ended"
}

hand_over() # id
{
	stop "worker$1"
	check "worker $1 is told to end: exit code 0" [ "$STATUS" -eq 0 ]
	restart_worker "$1"
	check "worker $1 is back: traffic" relays 20
}

port n0 net_null0 "" 'tx_queues = 1; tx_desc = 64;'
port n1 net_null1 "" 'tx_queues = 1; tx_desc = 64;'
WORKER_TEXT='idle = "poll";'
worker 0 "xconnect n0 n1"
worker 1 "xconnect n0 n1"
system_up
check "each port has one transmit queue" field_is /knit/port,n1 tx_queues 1
check "packets of worker 1 leave through worker 0" relays 20
check "what finds no room is dropped under its name" \
	wait_for 20 field_over /knit/worker,1 drop_handoff_full 1000
check "worker 1 sends nothing itself" field_is /knit/worker,1 tx_packets 0
hand_over 0
hand_over 1
for ((round = 0; round < ROUNDS; round++)); do
	kill_one $round
done
ok "traffic after each of $ROUNDS deaths (seed $SEED)"
check "every death of worker 0 was a reset" field_is /knit/worker,0 resets $(((ROUNDS + 1) / 2))
check "every death of worker 1 was a reset" field_is /knit/worker,1 resets $((ROUNDS / 2))
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs of both domains are accounted for" conserved
