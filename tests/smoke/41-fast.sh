#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two ports without interfaces, cross-connected: nobody wants offloads, so knit transmits without.
#
#   netns left                                                          netns right
#   left0 10.5.0.1 --- port left --- worker 0 --- port right --- right0 10.5.0.2
#   left0.9 10.5.9.1                                                    right0.9 10.5.9.2
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py

no_drops()
{
	local told

	told=$(telemetry /knit/worker,0 | sed 's/,/\n/g' | grep '"drop_') &&
		! grep -v -e ': 0}*$' -e drop_no_iface <<<"$told"
}

# What the driver was told: a number, or from DPDK 24.03 on a list.
no_tx_offloads() # port
{
	local told

	told=$(telemetry "/ethdev/info,$(field "/knit/port,$1" port_id)") &&
		grep -Eq '"tx_offloads": (0|\[\])' <<<"$told"
}

netns left right
for ns in left right; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
tap_port left left
tap_port right right 'mtu = 2026;' # the longest that fits into one mbuf, with two tags
worker 0 "xconnect left right"
system_up
check "left transmits without offloads" field_is /knit/port,left tx fast
check "right transmits without offloads" field_is /knit/port,right tx fast
if telemetry / | grep -q /ethdev/info; then
	check "the driver of left has none" no_tx_offloads left
	check "the driver of right has none" no_tx_offloads right
else
	echo "skip $TEST: what the drivers have: this DPDK's telemetry has no /ethdev/info"
fi
vlan_device left left0 9
vlan_device right right0 9
address left left0 10.5.0.1/24
address right right0 10.5.0.2/24
address left left0.9 10.5.9.1/24
address right right0.9 10.5.9.2/24
# Broadcasts are for the kernel, and there is no interface.
neighbour left left0 10.5.0.2 right right0
neighbour right right0 10.5.0.1 left left0
neighbour left left0.9 10.5.9.2 right right0.9
neighbour right right0.9 10.5.9.1 left left0.9
check "ping" wait_for 10 in_ns left ping -q -c 1 -W 1 10.5.0.2
check "stream" "$WIRE" stream left:10.5.0.1 right:10.5.0.2 10
check "stream the other way" "$WIRE" stream right:10.5.0.2 left:10.5.0.1 10
check "tagged stream" "$WIRE" stream left:10.5.9.1 right:10.5.9.2 10
ip -n right link set right0 promisc on
check "a frame for anybody" "$WIRE" cross left:left0 right:right0 left:left0.9 02:00:00:00:66:66 0
check "its tag stays" "$WIRE" cross left:left0 right:right0 left:left0.9 02:00:00:00:66:66 7
check "nothing was dropped" no_drops
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" grep -q "domain 0: \([0-9]*\) of \1 mbufs" "$TMP/primary.log"
