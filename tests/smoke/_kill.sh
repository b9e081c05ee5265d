# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced after _life.sh by tests that kill supervised processes again and again under a flood of
# pings between left0 (10.7.1.2) in far and kni-left (10.7.1.1) in near. KNIT_SEED repeats the
# moments of an earlier run.
#   flood NETNS ADDRESS [SECONDS]  pings until $TMP/enough exists; for `start`
#   flood_flows SECONDS            packets arrive at both ends
#   kill_some ROLE...              at a random moment; succeeds when other processes have the roles
#   resources                      FDS, MAPS, HUGE, MEMZONES, HEAP, BLOCKS of the primary
#   at_most FOUND ALLOWED
# shellcheck disable=SC2034

SEED=${KNIT_SEED:-$((EPOCHSECONDS % 32768))}
RANDOM=$SEED

# As many packets in flight as fit into a few bursts, anew each second, since a kill loses them.
flood() # netns, address, further arguments of ping
{
	local ns=$1 to=$2
	shift 2

	until [ -e "$TMP/enough" ]; do
		ip netns exec "$ns" ping -qf -l 100 -w 1 -s 1000 "$@" "$to"
	done
}

received() # netns, device
{
	ip netns exec "$1" awk -v dev="$2:" '$1 == dev { print $3 }' /proc/net/dev
}

# Both ways, at both ends. A ping of its own would drown in the answers to the flood, which it gets
# too.
flood_flows()
{
	local far near packets=$((1000 / ${KNIT_SLOW:-1}))

	far=$(received far left0)
	near=$(received near kni-left)
	wait_for "$1" grown $((far + packets)) $((near + packets))
}

grown() # far, near
{
	[ "$(received far left0)" -gt "$1" ] && [ "$(received near kni-left)" -gt "$2" ]
}

moment() # up to so many ms
{
	read -rt "0.$(printf %03d $((RANDOM % $1)))" <> <(:)
}

# What must not grow with the number of deaths: fds and memory of the primary.
resources()
{
	local primary=${PID[primary]}

	FDS=$(find "/proc/$primary/fd" -mindepth 1 | wc -l)
	MAPS=$(wc -l <"/proc/$primary/maps")
	HUGE=$(find /dev/hugepages -name "${PREFIX}map_*" | wc -l)
	MEMZONES=$(telemetry /eal/memzone_list |
		tr ',' '\n' | wc -l)
	HEAP=$(field /eal/heap_info,0 Alloc_size)
	BLOCKS=$(field /eal/heap_info,0 Alloc_count)
}

# Not while they attach or detach: a death there restarts the primary, as documented.
kill_some() # roles, names of lock files
{
	local role pids=()

	for role in "$@"; do
		wait_for 10 attached "$role" || return 1
	done
	moment 150
	for role in "$@"; do
		pids+=("$(role_pid "$role")")
		attached "$role" || return 1
	done
	echo "kill $* ${pids[*]}" >>"$TMP/kills.log"
	kill -KILL "${pids[@]}"
	for role in "$@"; do
		wait_for 10 attached_anew "$role" "${pids[0]}" || return 1
		pids=("${pids[@]:1}")
	done
}

at_most() # found, allowed
{
	[ "$1" -le "$2" ]
}
