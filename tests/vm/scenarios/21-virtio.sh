#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two workers on a virtio-net with two queue pairs, behind the IOMMU.
#   21-virtio.sh [SPREAD]     rx_spread, "auto" unless given
#
#   netns far                                                              netns near
#   left0 (e1000) ===bridge=== virtio-net, vfio-pci: port left -+ worker 0 +- kni-left
#   10.7.1.2                                       two queues   + worker 1 +  10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"

WIRE=$ROOT/tests/smoke/wire.py

# Datagrams from many ports: the device spreads flows over its queues.
both_work()
{
	local before0 before1

	before0=$(field /knit/worker,0 punted)
	before1=$(field /knit/worker,1 punted)
	in_ns far timeout 20 python3 -c "
import socket
for port in range(2000, 2032):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('10.7.1.2', port))
    s.sendto(b'knit', ('10.7.1.1', 9))" || return 1
	wait_for 5 field_over /knit/worker,0 punted "$((before0 + 4))" &&
		wait_for 5 field_over /knit/worker,1 punted "$((before1 + 4))"
}

port_is() # field, value
{
	wait_for 10 field_is /knit/port,left "$1" "$2"
}

netns far near
pci_port left far "rx_spread = \"${1:-auto}\";"
interface kni-left left near
worker 0 "punt left"
worker 1 "punt left"
system_up
connect_far_near
check "ping, NIC to interface" in_ns far ping -q -c 5 -i 0.05 -W 5 -s 1400 10.7.1.1
check "ping, interface to NIC" in_ns near ping -q -c 5 -i 0.05 -W 5 10.7.1.2
check "both workers receive" both_work
check "frames, NIC to interface" "$WIRE" frames far:left0 near:kni-left 60-1514:61
check "frames, interface to NIC" "$WIRE" frames near:kni-left far:left0 60-1514:61
check "stream, NIC to interface" "$WIRE" stream far:10.7.1.2 near:10.7.1.1 2
check "stream, interface to NIC" "$WIRE" stream near:10.7.1.1 far:10.7.1.2 2
ip -n far link set left0 mtu 9000
ip -n near link set kni-left mtu 9000
check "MTU 9000: port follows" port_is mtu 9000
check "MTU 9000: ping" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 -M "do" -s 8972 10.7.1.1
check "MTU 9000: frames of chains" "$WIRE" frames far:left0 near:kni-left 2000-9014:701
ip -n near link set kni-left mtu 1500
check "MTU 1500: port follows" port_is mtu 1500
ip -n near link set kni-left down
check "down: port follows" port_is admin_up 0
ip -n near link set kni-left up
check "up: ping" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 10.7.1.1
stop worker1
check "worker 1 leaves" [ "$STATUS" -eq 0 ]
start_worker 1
check "a new worker 1: ping" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 10.7.1.1
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" conserved
