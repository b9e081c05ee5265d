#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Worker and control are killed again and again at random moments, with packets on their way both
# ways. What the kernel sees must not change, traffic must come back each time, and nothing may be
# lost for good.
#
#   netns far             primary, worker 0, control          netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1   flood both ways
#                                      ^ killed          no change of index, address, carrier
#
# KNIT_SEED repeats the moments of an earlier run; KNIT_KILLS is the number of kills, 55 if not set.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"
# shellcheck source=tests/smoke/_kill.sh
. "$(dirname "$0")/_kill.sh"

KILLS=${KNIT_KILLS:-55}
IFACE=/knit/interface,kni-left

flows()
{
	ip netns exec far ping -qc 1 -W 1 10.7.1.1
}

# What a death of all traffic looked like.
lost_all() # why
{
	local what

	for what in /knit/worker,0 $IFACE /knit/port,left; do
		telemetry "$what"
	done >"$TMP/telemetry.log" 2>&1
	for what in far near; do
		ip -n $what -s link
		ip -n $what route
		ip -n $what neigh
	done >"$TMP/kernel.log"
	die "$1"
}

kill_all()
{
	local n role

	for ((n = 1; n <= KILLS; n++)); do
		role=worker-0
		[ $((RANDOM % 11)) -ge 3 ] || role=control
		kill_some "$role" || die "kill $n (seed $SEED): $role does not come back"
		flood_flows 5 || lost_all "kill $n (seed $SEED): no traffic after $role came back"
		N_KILLED[$role]=$((N_KILLED[$role] + 1))
		ended primary && die "kill $n (seed $SEED): primary ended"
		if [ $n -eq 10 ]; then
			resources
			BEFORE="$FDS $MAPS $HUGE $MEMZONES $HEAP $BLOCKS"
		fi
	done
}

declare -A N_KILLED=([worker-0]=0 [control]=0)

netns far near
# Looked at so often, a link that goes down for a moment is seen, unless the port is held.
tap_port left far 'link_poll = 10;'
interface kni-left left near
worker 0 "punt left"
write_config
start_primary
supervise worker-0 knit-worker --id 0
supervise control knit-control
wait_for 10 attached worker-0 || die "worker does not attach"
wait_for 10 attached control || die "control does not attach"
connect_far_near
wait_for 10 flows || die "no traffic"
SHOWN=$(shown near kni-left)
start monitor ip -n near -o monitor link address
start flood-far flood far 10.7.1.1
start flood-near flood near 10.7.1.2

echo "# seed $SEED"
kill_all
resources
read -r fds maps huge memzones heap blocks <<<"$BEFORE"
deaths=$((KILLS - 10))
echo "# ${N_KILLED[worker-0]} workers and ${N_KILLED[control]} controls killed;" \
	"from kill 10 to the end:" \
	"fds $fds to $FDS, maps $maps to $MAPS, hugepages $huge to $HUGE," \
	"memzones $memzones to $MEMZONES," \
	"heap $heap to $HEAP bytes ($(((HEAP - heap) / deaths)) for each kill)," \
	"$blocks to $BLOCKS blocks"
ok "traffic after each of $KILLS kills (seed $SEED)"
check "fds of the primary do not grow" at_most "$FDS" $((fds + 2))
check "memory maps of the primary do not grow" at_most "$MAPS" $((maps + deaths / 2))
check "hugepages do not grow" at_most "$HUGE" "$huge"
check "memzones do not grow" at_most "$MEMZONES" "$memzones"
if [ -n "$HEAP" ]; then
	check "heap grows by less than 2 KiB with each kill" \
		at_most "$HEAP" $((heap + deaths * 2048))
else
	echo "skip $TEST: heap and memzones: this DPDK's telemetry does not show them"
fi
check "index, address, MTU and flags of the interface are those of before" \
	unchanged_since "$SHOWN" shown near kni-left
check "the kernel never saw a change of the interface" quiet "$TMP/monitor.log" kni-left
check "every death was a reset" field_is /knit/worker,0 resets "${N_KILLED[worker-0]}"

touch "$TMP/enough"
end_supervised
stop primary
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs are accounted for" conserved
