#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The module's packet path, without DPDK: both directions, offloads, queues that stop, owners that
# go away, rejects, loopback modes; in 4 KiB pages and in hugepages.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

PROGRAM=$KNIT_BUILD/tests/vm/packets/knit-packets
EVENTS=/sys/kernel/tracing/events/kni
HUGEPAGE=2097152

# docs/MODULE.md says where the module merges. Of the kernels that are tested, only 5.10 cannot.
MERGING=()
[[ $(uname -r) != 5.* ]] || MERGING=(--never-merges)

packets() # options... page size
{
	"$PROGRAM" "${MERGING[@]}" "$@" || not_ok "packets, ${*:1:$#-1} in pages of ${*: -1} bytes"
}

# Each of the four places is passed.
traced()
{
	local event

	echo 1 >$EVENTS/enable &&
		"$PROGRAM" 4096 "rx sizes" "tx sizes" >/dev/null || return
	echo 0 >$EVENTS/enable
	for event in kni_rx_take kni_rx_stack kni_tx_stack kni_tx_submit; do
		grep -q " $event: dev=full pair=0 " /sys/kernel/tracing/trace || return
	done
}

modprobe -a 8021q sch_ingress cls_matchall act_gact act_mirred act_tunnel_key
modprobe -a macvlan ipvlan vrf geneve nf_tables
mount -t tracefs none /sys/kernel/tracing
# Threads for NAPI are newer than 5.10.
NAPI=(kthread_mode=napi)
[ -e /sys/class/net/lo/threaded ] || NAPI=()
for parameters in "" kthread_mode=multiple "${NAPI[@]}" lo_mode=lo_mode_fifo{,_skb}; do
	# shellcheck disable=SC2086 # none, or one
	check "loads ${parameters:-without parameters}" load_module $parameters
	packets 4096
	packets $HUGEPAGE
	# with a loopback mode KICK is the doorbell
	[[ $parameters == lo_mode=* ]] || packets --kick 4096
done
load_module
check "tracepoints" traced
check "unloads" unload_module
