#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port on an e1000e behind the IOMMU: traffic, requests, the cable, processes that die.
#
#   netns far                                                           netns near
#   left0 (e1000) ===wire=== e1000e, vfio-pci: port left --- worker 0 --- kni-left
#   10.7.1.2                                                            10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"

WIRE=$ROOT/tests/smoke/wire.py

ping_sizes() # netns, address, sizes...: each answered, not fragmented
{
	local ns=$1 to=$2 size
	shift 2

	for size in "$@"; do
		in_ns "$ns" ping -q -c 2 -i 0.05 -W 5 -M "do" -s "$size" "$to" || return 1
	done
}

traffic()
{
	check "ping, NIC to interface" ping_sizes far 10.7.1.1 0 18 56 1000 1472
	check "ping, interface to NIC" ping_sizes near 10.7.1.2 0 18 56 1000 1472
	check "frames, NIC to interface" "$WIRE" frames far:left0 near:kni-left 60-1514:61
	check "frames, interface to NIC" "$WIRE" frames near:kni-left far:left0 60-1514:61
	check "tagged frames, NIC to interface" "$WIRE" frames far:left0 near:kni-left 60-1514:97 \
		0x8100:5
	check "tagged frames, interface to NIC" "$WIRE" frames near:kni-left far:left0 60-1514:97 \
		0x8100:5
	check "stream, NIC to interface" "$WIRE" stream far:10.7.1.2 near:10.7.1.1 2
	check "stream, interface to NIC" "$WIRE" stream near:10.7.1.1 far:10.7.1.2 2
}

# Fewer than any ring on the way holds: what is missing then was lost by knit.
FRAMES=64
# Reads the numbers that pktgen writes behind UDP's header: all frames, in their order.
RECEIVER="
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
s.bind(('10.7.1.2', 9))
s.settimeout(30)
print('ready', flush=True)
numbers = [struct.unpack_from('!I', s.recv(2048), 4)[0] for _ in range($FRAMES)]
print(numbers)
sys.exit(numbers != sorted(numbers))"

pktgen() # file, line...
{
	local file=/proc/net/pktgen/$1 line
	shift

	for line in "$@"; do
		in_ns near sh -c "echo '$line' >$file" || return 1
	done
}

# Eight frames at a time, of which the driver is told that more follow: as queueing disciplines and
# sockets hardly ever do.
bursts()
{
	local mac

	if ! modprobe pktgen; then
		echo "skip $TEST: bursts of the kernel's: it has no pktgen"
		return
	fi
	mac=$(ip -n far -o link show dev left0 | sed 's/.*ether \([^ ]*\).*/\1/')
	start_in far receiver python3 -c "$RECEIVER"
	wait_for 10 grep -q ready "$TMP/receiver.log" || not_ok "bursts: no receiver"
	check "bursts: pktgen takes them" pktgen kpktgend_0 "add_device kni-left"
	check "bursts: of eight" pktgen kni-left "count $FRAMES" "burst 8" "pkt_size 60" \
		"dst 10.7.1.2" "dst_mac $mac" "src_min 10.7.1.1" "src_max 10.7.1.1"
	check "bursts: sent" pktgen pgctrl start
	check "bursts: all arrive, in their order" left_with receiver 0
	rmmod pktgen
}

port_is() # field, value
{
	wait_for 10 field_is /knit/port,left "$1" "$2"
}

mtu()
{
	ip -n far link set left0 mtu 9000
	ip -n near link set kni-left mtu 9000
	check "MTU 9000: port follows" port_is mtu 9000
	wait_for 10 has_carrier far left0
	check "MTU 9000: carrier was held" has_carrier near kni-left
	check "MTU 9000: ping both ways" answers_long
	check "MTU 9000: frames of chains" "$WIRE" frames far:left0 near:kni-left 2000-9014:701
	check "MTU 9000: frames the other way" "$WIRE" frames near:kni-left far:left0 2000-9014:701
	ip -n near link set kni-left mtu 1500
	ip -n far link set left0 mtu 1500
	check "MTU 1500: port follows" port_is mtu 1500
	check "MTU 1500: ping" wait_for 10 ping_sizes far 10.7.1.1 1472
}

answers_long()
{
	wait_for 10 ping_sizes far 10.7.1.1 8972 && ping_sizes near 10.7.1.2 2048 4000 8972
}

no_carrier()
{
	! has_carrier near kni-left
}

links()
{
	cable 0 off
	check "cable pulled: no carrier" wait_for 10 no_carrier
	check "cable pulled: port says so" port_is link_up 0
	cable 0 on
	check "cable back: carrier" wait_for 10 has_carrier near kni-left
	check "cable back: ping" wait_for 10 ping_sizes far 10.7.1.1 56
	ip -n near link set kni-left down
	check "down: port follows" port_is admin_up 0
	ip -n near link set kni-left up
	check "up: port follows" port_is admin_up 1
	check "up: carrier" wait_for 10 has_carrier near kni-left
	check "up: ping" wait_for 10 ping_sizes far 10.7.1.1 56
}

addresses()
{
	local mac=02:00:00:00:77:01

	ip -n near link set kni-left address $mac
	check "MAC: port follows" port_is mac $mac
	in_ns far ip neigh flush dev left0
	check "MAC: ping" wait_for 10 ping_sizes far 10.7.1.1 56
	ip -n near link set kni-left promisc on
	check "promiscuous" port_is promisc 1
	ip -n near link set kni-left promisc off
	check "promiscuous no more" port_is promisc 0
	ip -n near link set kni-left allmulticast on
	check "all multicast" port_is allmulti 1
	ip -n near link set kni-left allmulticast off
	check "all multicast no more" port_is allmulti 0
}

# Killed in the middle of a flood, three times.
kill_worker()
{
	local before round

	before=$(shown near kni-left)
	for round in 1 2 3; do
		start_in far flood ping -q -f -s 1000 10.7.1.1
		wait_for 10 field_over /knit/worker,0 punted $((round * 100)) ||
			not_ok "flood $round"
		kill -KILL "${PID[worker0]}"
		wait "${PID[worker0]}" 2>/dev/null
		check "killed $round: domain reset" \
			wait_for 10 field_is /knit/worker,0 resets "$round"
		restart_worker 0
		stop flood INT
		check "killed $round: ping again" wait_for 10 ping_sizes far 10.7.1.1 56 1472
	done
	check "killed: interface as before" unchanged_since "$before" shown near kni-left
}

netns far near
pci_port left far
interface kni-left left near
worker 0 "punt left"
system_up
connect_far_near
traffic
# A tap device shares no frame with pktgen, which bursts need.
[ "$ENGINE" != kmod ] || bursts
mtu
links
addresses
kill_worker
traffic
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" conserved
