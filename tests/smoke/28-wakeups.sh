#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# No wake-up is lost: packets at random moments, one or many, between two interfaces, while the
# engine's thread and the worker fall asleep and wake up. In the ways to share a pair between the
# two, with a worker that sleeps and one that polls.
#
#   netns a                                                              netns b
#   va 10.4.0.1 -------------------------- worker 0 --------------------------- vb 10.4.0.2
#
# KNIT_PACKETS: packets in each way, 4000 if not set. KNIT_SEED repeats an earlier run.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

SLOW=${KNIT_SLOW:-1}
SEED=${KNIT_SEED:-$((EPOCHSECONDS % 32768))}
unset KNIT_HANDOVER # each mode has its turn
PACKETS=${KNIT_PACKETS:-$((4000 / SLOW))}
BOUND_MS=2000

served_by_owner() # interface
{
	field_over "/knit/interface,$1" engine_kicks $((PACKETS / 10))
}

only_by_thread() # interface
{
	field_is "/knit/interface,$1" engine_kicks 0
}

# What the configuration says is what happens.
serves_as() # handover
{
	if [ "$1" = thread ]; then
		check "$1: the engine's thread serves alone" only_by_thread vb
	else
		check "$1: the worker serves itself" served_by_owner vb
	fi
}

way() # handover, idle
{
	INTERFACES=""
	WORKERS=""
	WORKER_IDS=()
	WORKER_TEXT="idle = \"$2\";"
	interface va "" a "handover = \"$1\";"
	interface vb "" b "handover = \"$1\";"
	worker 0 "join va vb"
	system_up
	address a va 10.4.0.1/24
	address b vb 10.4.0.2/24
	check "$1, $2: ping" in_ns a ping -q -c 3 -i 0.01 -W 2 10.4.0.2
	check "$1, $2: each answer comes (seed $SEED)" in_ns a \
		"$KNIT_BUILD/tests/knit-wakeups" 10.4.0.2 "$PACKETS" $BOUND_MS "$SEED"
	serves_as "$1"
	system_down
	check "$1, $2: primary ends well" [ "$STATUS" -eq 0 ]
}

netns a b
in_ns a sysctl -qw net.ipv4.ping_group_range="0 0"
for ns in a b; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
for modes in "auto adaptive" "auto poll" "inline poll" "thread adaptive"; do
	# shellcheck disable=SC2086 # two words
	way $modes
done
