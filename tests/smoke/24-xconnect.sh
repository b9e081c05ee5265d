#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The fast path: between two ports, where only frames for the kernel reach an interface, and between
# two interfaces, where the kernel's frames cross uncut.
#
#   netns left               netns middle: kl 10.3.0.1, kr 10.3.1.1             netns right
#   left0 --- port left ------------------ worker 0 ------------------ port right --- right0
#   10.3.0.2                                                                          10.3.0.3
#
#   netns a                                                              netns b
#   va 10.4.0.1 -------------------------- worker 0 --------------------------- vb 10.4.0.2
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py
OTHER=02:00:00:00:66:66
VRRP=00:00:5e:00:01:07
BRIDGE=02:00:00:00:55:0
SLOW=${KNIT_SLOW:-1}
MIB=$((20 / (SLOW > 1 ? 5 : 1)))

goes() # mac, to, not to, [vlan]
{
	"$WIRE" cross left:left0 "$2" "$3" "$1" "${4:-0}"
}

goes_to_kl() # [vlan]: what is addressed to the port, so to its interface
{
	goes "$(mac_of middle kl)" middle:kl right:right0 "$@"
}

to_kernel()
{
	echo $(($(field /knit/interface,kl to_kernel) + $(field /knit/interface,kr to_kernel)))
}

crossed()
{
	field /knit/worker,0 xconnect
}

both_mtus() # mtu
{
	ip -n left link set left0 mtu "$1"
	ip -n right link set right0 mtu "$1"
	ip -n middle link set kl mtu "$1"
	ip -n middle link set kr mtu "$1"
	wait_for 5 field_is /knit/port,left mtu "$1" &&
		wait_for 5 field_is /knit/port,right mtu "$1"
}

# ARP is broadcast, which goes to the kernel. A device that gets another MAC forgets its neighbours,
# and a tap port's far end is one with it.
neighbours()
{
	ip -n left neigh replace 10.3.0.3 lladdr "$(mac_of right right0)" dev left0
	ip -n right neigh replace 10.3.0.2 lladdr "$(mac_of left left0)" dev right0
}

# What keepalived and FRR make for VRRP: an address of its own on top of the interface.
further()
{
	ip -n middle link add link kl name vrrp address $VRRP type macvlan mode bridge
	address middle vrrp 10.3.0.7/24
	ip -n left neigh replace 10.3.0.7 lladdr $VRRP dev left0
	check "ports: a further address is punted" wait_for 5 goes $VRRP middle:kl right:right0
	check "ports: so is its tagged frame" goes $VRRP middle:kl right:right0 9
	check "ports: ping of it" in_ns left ping -q -c 5 -i 0.01 -W 2 10.3.0.7
	check "ports: other's MAC crosses beside it" goes $OTHER right:right0 middle:kl
	ip -n middle link del vrrp
	check "ports: it crosses when it is gone" wait_for 5 goes $VRRP right:right0 middle:kl
}

# A bridge with an address that none of its ports has.
bridged()
{
	ip -n middle link add br0 address ${BRIDGE}1 type bridge
	ip -n middle link set kl master br0
	address middle br0 10.3.0.8/24
	ip -n left neigh replace 10.3.0.8 lladdr ${BRIDGE}1 dev left0
	check "ports: the address of its bridge is punted" \
		wait_for 5 goes ${BRIDGE}1 middle:kl right:right0
	check "ports: ping of the bridge" in_ns left ping -q -c 5 -i 0.01 -W 2 10.3.0.8
	check "ports: other's MAC crosses beside a bridge" goes $OTHER right:right0 middle:kl
	ip -n middle link set br0 address ${BRIDGE}2
	check "ports: its new address is punted" \
		wait_for 5 goes ${BRIDGE}2 middle:kl right:right0
	check "ports: its old address crosses" goes ${BRIDGE}1 right:right0 middle:kl
	ip -n middle link del br0
	check "ports: the bridge's address crosses when it is gone" \
		wait_for 5 goes ${BRIDGE}2 right:right0 middle:kl
}

ports()
{
	local kernel before mac

	kernel=$(to_kernel)
	before=$(crossed)
	check "ports: ping crosses" in_ns left ping -q -c 20 -i 0.01 -W 2 10.3.0.3
	check "ports: worker counts both ways" [ "$(crossed)" -ge $((before + 40)) ]
	check "ports: stream" "$WIRE" stream left:10.3.0.2 right:10.3.0.3 $MIB
	check "ports: stream the other way" "$WIRE" stream right:10.3.0.3 left:10.3.0.2 $MIB
	check "ports: datagrams" "$WIRE" datagrams left:10.3.0.2 right:10.3.0.3 1472
	check "ports: the kernel saw nothing" [ "$(to_kernel)" -eq "$kernel" ]

	check "ports: other's MAC crosses" goes $OTHER right:right0 middle:kl
	check "ports: so does a tagged frame" goes $OTHER right:right0 middle:kl 9
	check "ports: own MAC is punted" goes_to_kl
	check "ports: tagged, own MAC is punted" goes_to_kl 9
	check "ports: broadcast is punted" goes ff:ff:ff:ff:ff:ff middle:kl right:right0
	check "ports: multicast is punted" goes 01:00:5e:00:00:09 middle:kl right:right0
	before=$(field /knit/worker,0 punted)
	check "ports: ping of the interface, with ARP" in_ns left ping -q -c 5 -i 0.01 -W 2 10.3.0.1
	check "ports: worker counts what is punted" field_over /knit/worker,0 punted $((before + 4))

	mac=$(mac_of middle kl)
	ip -n middle link set kl address 02:00:00:00:55:01
	check "ports: new MAC" wait_for 5 field_is /knit/port,left mac 02:00:00:00:55:01
	check "ports: new MAC is punted" goes 02:00:00:00:55:01 middle:kl right:right0
	check "ports: old MAC crosses" goes "$mac" right:right0 middle:kl
	ip -n middle link set kl address "$mac"
	wait_for 5 field_is /knit/port,left mac "$mac"
	neighbours
	further
	bridged

	check "ports: MTU 9000" both_mtus 9000
	check "ports: long stream" "$WIRE" stream left:10.3.0.2 right:10.3.0.3 $((MIB / 2))
	check "ports: long datagrams" "$WIRE" datagrams right:10.3.0.3 left:10.3.0.2 8972 500
	check "ports: MTU 1500" both_mtus 1500
	check "ports: stream again" "$WIRE" stream left:10.3.0.2 right:10.3.0.3 $((MIB / 2))
}

# Fewer frames than a quarter of the segments that 20 MiB make.
whole()
{
	local frames mib=$1
	shift

	frames=$(field /knit/interface,va engine_from_kernel)
	"$WIRE" stream "$@" "$mib" || return 1
	frames=$(($(field /knit/interface,va engine_from_kernel) - frames))
	echo "$frames frames for $mib MiB"
	[ "$frames" -lt $((mib * 1048576 / 1448 / 4)) ]
}

# The one that is up first speaks to the other before that is.
no_losses() # interface
{
	! telemetry "/knit/interface,$1" | sed 's/,/\n/g' |
		grep -E '"(drop|reject)_' | grep -v -E '(_down"|: 0}*$)'
}

no_checksum_errors() # netns
{
	in_ns "$1" nstat -asz '*CsumErrors' |
		awk '/CsumErrors/ { sum += $2 } { print } END { exit NR < 2 || sum > 0 }'
}

interfaces()
{
	check "interfaces: ping" in_ns a ping -q -c 20 -i 0.01 -W 2 10.4.0.2
	check "interfaces: ping of a full frame" \
		in_ns a ping -q -c 2 -i 0.01 -W 2 -M "do" -s 1472 10.4.0.2
	check "interfaces: TCP crosses whole" whole $MIB a:10.4.0.1 b:10.4.0.2
	check "interfaces: TCP of IPv6 crosses whole" whole $MIB a:fd04::1 b:fd04::2
	check "interfaces: tagged TCP" "$WIRE" stream a:10.4.9.1 b:10.4.9.2 $((MIB / 2))
	check "interfaces: stream the other way" "$WIRE" stream b:10.4.0.2 a:10.4.0.1 $MIB
	check "interfaces: datagrams" "$WIRE" datagrams a:10.4.0.1 b:10.4.0.2 1472
	check "interfaces: datagrams of IPv6" "$WIRE" datagrams b:fd04::2 a:fd04::1 1452
	check "interfaces: uncut datagrams" "$WIRE" segments a:10.4.0.1 b:10.4.0.2 1200
	check "interfaces: uncut datagrams of IPv6" "$WIRE" segments a:fd04::1 b:fd04::2 1200
	check "interfaces: frames" "$WIRE" frames a:va b:vb 60-1514:13
	check "interfaces: tagged frames" "$WIRE" frames b:vb a:va 60-1514:13 0x8100:0xe009
	start_in b server iperf3 --server
	wait_for 5 grep -q "Server listening" "$TMP/server.log"
	check "interfaces: iperf3, four flows" \
		timeout $((30 * SLOW)) ip netns exec a \
		iperf3 --client 10.4.0.2 -P 4 -n $((5 * MIB))M
	stop server
	check "interfaces: nothing lost or refused at one end" no_losses va
	check "interfaces: nothing lost or refused at the other" no_losses vb
	check "interfaces: all checksums were right" no_checksum_errors b
	check "interfaces: all checksums were right the other way" no_checksum_errors a
}

netns left middle right a b
for ns in left middle right; do
	in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
tap_port left left
tap_port right right
interface kl left middle
interface kr right middle
interface va "" a
interface vb "" b
worker 0 "xconnect left right" "join va vb"
system_up
address middle kl 10.3.0.1/24
address middle kr 10.3.1.1/24
address left left0 10.3.0.2/24
address right right0 10.3.0.3/24
# Link-local addresses: the kernel has no other to ask an old neighbour from, and would forget it,
# and what is sent while it finds it again arrives in another order.
address a va 10.4.0.1/24 fd04::1/64 fe80::4:1/64
address b vb 10.4.0.2/24 fd04::2/64 fe80::4:2/64
vlan_device a va 9
vlan_device b vb 9
address a va.9 10.4.9.1/24
address b vb.9 10.4.9.2/24
neighbours
# A tap port's far end hears everything anyway.
ip -n right link set right0 promisc on
check "carrier at the ports" wait_for 10 has_carrier middle kl
check "carrier at the other port" wait_for 10 has_carrier middle kr
check "carrier between interfaces" wait_for 10 has_carrier a va
check "carrier at the other interface" wait_for 10 has_carrier b vb
ports
interfaces
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" grep -q "domain 0: \([0-9]*\) of \1 mbufs" "$TMP/primary.log"
