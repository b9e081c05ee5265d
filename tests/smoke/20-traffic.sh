#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Packets between ports and the kernel, both ways and through the kernel's forwarding: ARP, IPv4,
# IPv6, VLAN tags, 60 to 9018 bytes.
#
#   netns left                  netns middle                 netns right
#   left0 --- port left --- worker 0 --- kl | kr --- worker 0 --- port right --- right0
#   10.1.0.2                      10.1.0.1 | 10.2.0.1                          10.2.0.2
#   left0.5 10.1.5.2          kl.5 10.1.5.1 (tagged)
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py
# Each length, but in an emulated machine, where that takes long: there each seventh.
LENGTHS=60-1514
MIB=20
[ "${KNIT_SLOW:-1}" -eq 1 ] || LENGTHS=60-1514:7 MIB=4

ping_sizes() # netns, address, sizes...: each answered, not fragmented
{
	local ns=$1 to=$2 size
	shift 2

	for size in "$@"; do
		in_ns "$ns" ping -q -c 2 -i 0.01 -W 2 -M "do" -s "$size" "$to" || return 1
	done
}

both_mtus() # mtu
{
	ip -n left link set left0 mtu "$1"
	ip -n right link set right0 mtu "$1"
	ip -n middle link set kl mtu "$1"
	ip -n middle link set kr mtu "$1"
	wait_for 5 field_is /knit/port,left mtu "$1" || die "port left does not follow to MTU $1"
	wait_for 5 field_is /knit/port,right mtu "$1" || die "port right does not follow to MTU $1"
}

# Every drop and reject counter is 0, but for packets that came while an interface was down, and
# for queues that TCP filled.
no_drops()
{
	local command

	for command in /knit/worker,0 /knit/interface,kl /knit/interface,kr; do
		! telemetry "$command" | sed 's/,/\n/g' |
			grep -E '"(drop|reject)_' |
			grep -v -E '(_down"|_full"|no_worker"|: 0}*$)' || return 1
	done
}

neighbours()
{
	ip -n left neigh show 10.1.0.1 | grep -q lladdr &&
		ip -n middle neigh show 10.1.0.2 | grep -q lladdr
}

router_up
vlan_device left left0 5
vlan_device middle kl 5
address middle kl.5 10.1.5.1/24 fd15::1/64
address left left0.5 10.1.5.2/24 fd15::2/64
check "carrier" wait_for 10 has_carrier middle kl
check "carrier of the other" wait_for 10 has_carrier middle kr

check "ping, port to interface" ping_sizes left 10.1.0.1 0 18 56
check "ARP filled both caches" neighbours
ip -n middle neigh flush dev kr
check "ping, interface to port, with ARP" ping_sizes middle 10.2.0.2 0 18 56
check "sizes of IPv4" ping_sizes left 10.1.0.1 1 19 100 499 500 501 1000 1471 1472
check "sizes of IPv6" ping_sizes left fd01::1 0 1 100 999 1451 1452
check "sizes of IPv6 from the interface" ping_sizes middle fd02::2 0 1 100 999 1451 1452
check "fragments" in_ns left ping -q -c 2 -i 0.01 -W 2 -s 20000 10.1.0.1
check "fragments of IPv6" in_ns middle ping -q -c 2 -i 0.01 -W 2 -s 20000 fd02::2
check "tagged IPv4" ping_sizes left 10.1.5.1 0 18 100 1472
check "tagged IPv6" ping_sizes middle fd15::2 0 18 100 1452
check "forwarding, IPv4" ping_sizes left 10.2.0.2 0 18 100 1472
check "forwarding, IPv6" ping_sizes right fd01::2 0 18 100 1452
check "forwarding, from tagged" ping_sizes right 10.1.5.2 0 18 100 1472

check "frames, port to interface" "$WIRE" frames left:left0 middle:kl $LENGTHS
check "frames, interface to port" "$WIRE" frames middle:kl left:left0 $LENGTHS
check "tagged frames, port to interface" "$WIRE" frames left:left0 middle:kl 60-1514:17 0x8100:5
check "tagged frames, interface to port" \
	"$WIRE" frames middle:kl left:left0 60-1514:17 0x8100:0xe005
check "802.1ad frames, port to interface" "$WIRE" frames right:right0 middle:kr 60-1510:17 0x88a8:7
check "twice tagged, port to interface" \
	"$WIRE" frames right:right0 middle:kr 60-1506:17 0x88a8:7 0x8100:9
check "twice tagged, interface to port" \
	"$WIRE" frames middle:kr right:right0 60-1510:17 0x8100:7 0x8100:9

check "datagrams, port to interface" "$WIRE" datagrams left:10.1.0.2 middle:10.1.0.1 1472
check "datagrams, interface to port" "$WIRE" datagrams middle:10.1.0.1 left:10.1.0.2 1472
check "datagrams of IPv6" "$WIRE" datagrams left:fd01::2 middle:fd01::1 1452
check "datagrams, forwarding" "$WIRE" datagrams left:10.1.0.2 right:10.2.0.2 1472
check "datagrams, forwarding IPv6" "$WIRE" datagrams right:fd02::2 left:fd01::2 1452
check "datagrams, tagged" "$WIRE" datagrams left:10.1.5.2 middle:10.1.5.1 1472
check "datagrams in fragments" "$WIRE" datagrams left:10.1.0.2 middle:10.1.0.1 9000 300
check "stream, port to interface" "$WIRE" stream left:10.1.0.2 middle:10.1.0.1 $MIB
check "stream, interface to port" "$WIRE" stream middle:10.1.0.1 left:10.1.0.2 $MIB
check "stream, forwarding IPv6" "$WIRE" stream left:fd01::2 right:fd02::2 $((MIB / 2))

both_mtus 9000
check "sizes to 9000, IPv4" ping_sizes left 10.1.0.1 2020 2048 4000 8972
check "sizes to 9000, IPv6" ping_sizes middle fd02::2 2020 2048 4000 8952
check "sizes to 9000, forwarding" ping_sizes left 10.2.0.2 2020 4000 8972
check "long frames, port to interface" "$WIRE" frames left:left0 middle:kl 60-9014:61
check "long frames, interface to port" "$WIRE" frames middle:kr right:right0 60-9014:61
check "long tagged frames, port to interface" \
	"$WIRE" frames left:left0 middle:kl 2000-9014:61 0x8100:5
check "long tagged frames, interface to port" \
	"$WIRE" frames middle:kr right:right0 2000-9014:61 0x8100:5
check "long datagrams, port to interface" "$WIRE" datagrams left:10.1.0.2 middle:10.1.0.1 8972 500
check "long datagrams, forwarding" "$WIRE" datagrams left:10.1.0.2 right:10.2.0.2 8972 500
check "long stream" "$WIRE" stream right:10.2.0.2 left:10.1.0.2 $((MIB / 2))
both_mtus 1500
check "stream with MTU 1500 again" "$WIRE" stream left:10.1.0.2 right:10.2.0.2 $((MIB / 2))
check "no packet was dropped" no_drops

system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" grep -q "domain 0: \([0-9]*\) of \1 mbufs" "$TMP/primary.log"
