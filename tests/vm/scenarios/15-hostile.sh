#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# User space at its worst, in all modes of the module: nothing of it hurts the kernel, and nothing
# of a neighbour's traffic is lost. knit-hostile says what it does; its seed repeats a run:
#
#   KNIT_SEED=N KNIT_ROUNDS=N tests/vm/scenarios/15-hostile.sh
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

PROGRAM=$KNIT_BUILD/tests/vm/hostile/knit-hostile
ROUNDS=${KNIT_ROUNDS:-8}
# Slower machines get longer rounds.
OPTIONS=(--duration $((${KNIT_SLOW:-5} * 600)) ${KNIT_SEED:+--seed "$KNIT_SEED"})

# The module's part of the kernel's log, and all that looks like trouble, is the runner's to judge.
hostile() # name, rounds, module's parameters; arguments follow --
{
	local name=$1 rounds=$2 parameters=()
	shift 2

	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		parameters+=("$1")
		shift
	done
	load_module "${parameters[@]}" || die "$name: no module"
	"$PROGRAM" --rounds "$rounds" "${OPTIONS[@]}" "${@:2}" 2>&1 |
		sed -u "s/^ok /ok $TEST: $name: /; s/^not ok /not ok $TEST: $name: /"
	[ "${PIPESTATUS[0]}" -eq 0 ] || not_ok "$name"
	check "$name: no packet thread is left" no_packet_thread
	check "$name: rmmod" unload_module
}

# Of a debug kernel: allocations fail when the program says so, those of packet threads that it
# marks one time in ten, without a word in the log.
fault_injection()
{
	local dir

	for dir in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
		[ -d "$dir" ] || return 0
		echo 0 >"$dir/verbose"
		echo Y >"$dir/task-filter"
		echo -1 >"$dir/times"
		echo 10 >"$dir/probability"
		echo N >"$dir/ignore-gfp-wait"
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	OPTIONS+=(--fail)
}

mount -t debugfs none /sys/kernel/debug 2>/dev/null
fault_injection
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
hostile "single thread" "$ROUNDS"
hostile "multiple threads" $(((ROUNDS + 2) / 3)) kthread_mode=multiple carrier=on
# Threads for NAPI are newer than 5.10.
[ ! -e /sys/class/net/lo/threaded ] ||
	hostile "threads of the core" $(((ROUNDS + 2) / 3)) kthread_mode=napi
hostile "loopback of rings" $(((ROUNDS + 5) / 6)) lo_mode=lo_mode_fifo -- --loopback
hostile "loopback of skbs" $(((ROUNDS + 5) / 6)) lo_mode=lo_mode_fifo_skb -- --loopback
