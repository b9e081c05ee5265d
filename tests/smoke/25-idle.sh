#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Without packets nothing of knit needs a CPU, and the first packet finds everybody awake in time.
#
#   netns far               primary, worker 0, control             netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

SLOW=${KNIT_SLOW:-1}
SECONDS_IDLE=$((SLOW > 1 ? 1 : 3))
PERCENT=5 # of one CPU

ticks() # name
{
	local stat

	read -r stat <"/proc/${PID[$1]}/stat" || return 1
	# shellcheck disable=SC2086 # words: from the state, field 3, on
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

took() # name, ticks before, more than so many
{
	[ $(($(ticks "$1") - $2)) -gt "$3" ]
}

not()
{
	! "$@"
}

idle() # name
{
	local hz

	hz=$(getconf CLK_TCK)
	check "$1: without packets less than $PERCENT % of a CPU" \
		not wait_for $SECONDS_IDLE took "$1" "$(ticks "$1")" \
		$((hz * SECONDS_IDLE * SLOW * PERCENT / 100))
}

# So far apart that all have gone to sleep. A wake-up that is lost costs far more than this; one
# that is not takes a tenth of a millisecond, if others leave the CPUs alone.
lone() # netns, address
{
	in_ns "$1" ping -c 30 -i 0.05 -W 2 "$2" | awk -v ms=$((5 * SLOW)) '
	/time=/ { sub(/.*time=/, ""); n++; fast += $1 < ms }
	END { print fast " of " n; exit n != 30 || fast < 15 }'
}

netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
system_up
connect_far_near
check "packets flow" wait_for 10 in_ns far ping -q -c 1 -W 1 10.7.1.1
idle worker0
idle primary
idle control
check "lone packets towards the kernel" lone far 10.7.1.1
check "lone packets from the kernel" lone near 10.7.1.2
check "the worker slept between them" field_over /knit/worker,0 sleeps 30
system_down
check "primary ends with 0" [ "$STATUS" -eq 0 ]
check "all mbufs are accounted for" conserved
