#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What `ip link` changes at an interface: carried out on its port, refused and rolled back, in
# bursts and under traffic; and what changes at the port's side, seen at the interface.
#
#   netns left                      netns middle
#   left0 --- port left --- worker 0 --- kl        net_tap or a NIC: does everything
#   10.1.0.2                             10.1.0.1
#             port stub --- worker 0 --- ks        net_ring: has neither MTU nor MAC; not there
#                                                  with a DPDK whose net_ring no worker can use
#
# Engines and ports differ. The tap engine carries out what has happened, and puts it back if the
# port refuses; the module waits for the answer. A tap port and its far end are one device, which
# shows what the port was told; a NIC's far end is a NIC with an address and an MTU of its own.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

link() # netns, device, pattern
{
	ip -n "$1" -d -o link show dev "$2" | grep -q -- "$3"
}

no_link() # netns, device, pattern
{
	ip -n "$1" -o link show dev "$2" >/dev/null && ! link "$@"
}

not()
{
	! "$@"
}

far_shows() # what, pattern: of a tap port, which follows; a NIC stays as it was
{
	if [ "$PORT_KIND" = tap ]; then
		check "$1: far end too" wait_for 5 link left left0 "$2"
	else
		check "$1: far end stays" [ "$(ip -n left -o link show dev left0)" = "$FAR" ]
	fi
}

# Does `ip link` wait for what the port says? Not beside a net_tap, which needs the kernel itself.
requests_are_sync()
{
	[ "$ENGINE" = kmod ] && [ "$PORT_KIND" != tap ]
}

# Of a NIC: to make it send and take frames of that length.
far_mtu() # mtu
{
	[ "$PORT_KIND" = tap ] || ip -n left link set left0 mtu "$1"
}

# The way to the far end breaks, and is there again.
far_link() # down or up
{
	if [ "$PORT_KIND" = tap ]; then
		ip -n left link set left0 "$1"
	elif [ "$1" = down ]; then
		cable 0 off
	else
		cable 0 on
	fi
}

set_kl() # arguments of ip link set
{
	ip -n middle link set kl "$@"
}

speed() # pattern
{
	in_ns middle ethtool kl | grep -q "$1"
}

port_is() # name, value: of port left
{
	wait_for 5 field_is /knit/port,left "$1" "$2"
}

pings()
{
	in_ns left ping -q -c 5 -i 0.01 -W 2 10.1.0.1
}

alive()
{
	! ended primary && ! ended worker0 && ! ended control
}

settled() # interface: every request was answered, or ended otherwise
{
	telemetry "/knit/interface,$1" | sed 's/[,{}]/\n/g' | awk -F '[":]+' '
	/"requests_(async|sync)"/ { made += $3 }
	/"requests_(answered|timeout|killed|detached|cancelled)"/ { ended += $3 }
	END { exit made == 0 || made != ended }'
}

# What the port refuses: the kernel's old value is back, or has never gone.
put_back() # what, interface, refused arguments, pattern of the old value
{
	local before

	before=$(field "/knit/interface,$2" requests_reverted)
	if requests_are_sync; then
		# shellcheck disable=SC2086 # arguments
		check "$1: fails at once" not ip -n middle link set "$2" $3
		check "$1: old value stays" link middle "$2" "$4"
		check "$1: nothing to put back" \
			field_is "/knit/interface,$2" requests_reverted "$before"
		return
	fi
	# shellcheck disable=SC2086 # arguments
	ip -n middle link set "$2" $3
	check "$1: counted" \
		wait_for 5 field_is "/knit/interface,$2" requests_reverted $((before + 1))
	check "$1: old value is back" wait_for 5 link middle "$2" "$4"
	check "$1: once" field_is "/knit/interface,$2" requests_reverted $((before + 1))
}

up_and_down()
{
	address middle kl 10.1.0.1/24
	check "up: port follows" port_is admin_up 1
	[ "$PORT_KIND" != tap ] || check "up: far end too" wait_for 5 link left left0 LOWER_UP
	check "up: carrier" wait_for 5 has_carrier middle kl
	address left left0 10.1.0.2/24
	wait_for 5 has_carrier left left0
	FAR=$(ip -n left -o link show dev left0)
	check "up: traffic" pings
	check "speed and duplex" wait_for 5 speed "Speed: $SPEED"
	check "duplex" speed "Duplex: Full"
	check "link detected" speed "Link detected: yes"

	set_kl down
	check "down: port follows" port_is admin_up 0
	if [ "$PORT_KIND" = tap ]; then
		check "down: far end too" wait_for 5 no_link left left0 "[<,]UP[,>]"
	else
		far_shows "down" ""
	fi
	check "down: no traffic" not in_ns left ping -q -c 1 -W 1 10.1.0.1
	set_kl up
	check "up again: carrier" wait_for 5 has_carrier middle kl
	far_shows "up again" LOWER_UP
	check "up again: port follows" port_is admin_up 1
	check "up again: traffic" pings

	far_link down
	check "far end down: no carrier" wait_for 5 link middle kl NO-CARRIER
	check "far end down: address stays" grep -q 10.1.0.1 <(ip -n middle addr show kl)
	check "far end down: no link detected" speed "Link detected: no"
	check "far end down: telemetry says so" port_is link_up 0
	far_link up
	check "far end up: carrier" wait_for 5 has_carrier middle kl
	check "far end up: traffic" pings
}

mtu()
{
	local size

	for size in 68 1280 9000 1500; do
		set_kl mtu "$size"
		check "mtu $size: port follows" port_is mtu "$size"
		far_shows "mtu $size" "mtu $size "
		check "mtu $size: stays" link middle kl "mtu $size "
	done
	if [ "$ENGINE" = tap ]; then
		put_back "mtu above the interface's limit" kl "mtu 9001" "mtu 1500 "
	else
		check "mtu above the interface's limit: refused by the kernel" \
			not set_kl mtu 9001
	fi
	check "port stays as it was" field_is /knit/port,left mtu 1500
	! $STUB || put_back "mtu that the port refuses" ks "mtu 1400" "mtu 1500 "
	for size in 1400 1600 2000 3000 4000 1600 1500 8000 1450; do
		set_kl mtu "$size"
	done
	check "many mtus: the last one counts" port_is mtu 1450
	check "many mtus: all answered" wait_for 5 settled kl
	check "many mtus: it stays" link middle kl "mtu 1450 "
	set_kl mtu 1500
	port_is mtu 1500
}

mac()
{
	local mac=02:00:00:00:77:01 stub

	set_kl address $mac
	check "mac: port follows" port_is mac $mac
	far_shows "mac" $mac
	check "mac: stays" link middle kl $mac
	ip -n left neigh flush dev left0
	check "mac: traffic" pings
	check "multicast mac: refused by the kernel" not set_kl address 01:00:00:00:77:01
	$STUB || return 0
	stub=$(ip -n middle -o link show ks | sed 's/.*ether \([^ ]*\).*/\1/')
	put_back "mac that the port refuses" ks "address 02:00:00:00:77:02" "$stub"
}

# Two reasons to be promiscuous: it ends with the second one.
modes()
{
	set_kl promisc on
	check "promisc: port follows" port_is promisc 1
	start_in middle listener tcpdump -i kl -w "$TMP/listener.pcap"
	wait_for 5 link middle kl "promiscuity 2"
	set_kl promisc off
	check "promisc: stays for a listener" not wait_for 1 field_is /knit/port,left promisc 0
	stop listener
	check "promisc: ends with the last" port_is promisc 0
	set_kl allmulticast on
	check "allmulti: port follows" port_is allmulti 1
	set_kl allmulticast off
	check "allmulti: ends" port_is allmulti 0
}

# 600 of them. `ip -batch` does only the first.
many_groups() # 0x8931, SIOCADDMULTI, or 0x8932, SIOCDELMULTI
{
	in_ns middle python3 - "$1" <<-'END'
		import fcntl, socket, struct, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for i in range(600):
		    mac = bytes((1, 0, 0x5e, 0x77, i >> 8, i & 255))
		    fcntl.ioctl(s, int(sys.argv[1], 0), struct.pack("16sH6s10x", b"kl", 0, mac))
	END
}

multicast()
{
	local before

	wait_for 5 settled kl
	before=$(field /knit/port,left multicast_filters)
	ip -n middle maddr add 01:00:5e:11:22:33 dev kl
	ip -n middle maddr add 33:33:00:11:22:33 dev kl
	check "multicast: port follows" port_is multicast_filters $((before + 2))
	ip -n middle maddr del 01:00:5e:11:22:33 dev kl
	check "multicast: one less" port_is multicast_filters $((before + 1))
	ip -n middle maddr del 33:33:00:11:22:33 dev kl
	check "multicast: as before" port_is multicast_filters "$before"
	many_groups 0x8931
	check "more groups than the list holds: all of them" port_is allmulti 1
	many_groups 0x8932
	check "fewer groups: the list again" port_is allmulti 0
	check "fewer groups: as before" port_is multicast_filters "$before"
}

fdb() # add|del, address, interface
{
	in_ns middle bridge fdb "$1" "$2" dev "$3"
}

no_filters()
{
	ONE=(promisc 1)
	fdb add 02:00:00:00:88:01 kl
	check "unicast, port without filters: promiscuous" port_is promisc 1
	check "unicast, port without filters: none counted" \
		field_is /knit/port,left unicast_filters 0
	fdb del 02:00:00:00:88:01 kl
	check "unicast removed: not promiscuous" port_is promisc 0
}

# A NIC has some, an e1000e not 20.
filters()
{
	local i

	ONE=(unicast_filters 1)
	fdb add 02:00:00:00:88:00 kl
	check "unicast, port with filters: one" port_is unicast_filters 1
	check "unicast, port with filters: not promiscuous" field_is /knit/port,left promisc 0
	for i in {1..19}; do
		fdb add "$(printf '02:00:00:00:88:%02x' "$i")" kl
	done
	check "more addresses than filters: promiscuous" port_is promisc 1
	for i in {1..19}; do
		fdb del "$(printf '02:00:00:00:88:%02x' "$i")" kl
	done
	check "fewer addresses: not promiscuous" port_is promisc 0
	check "fewer addresses: one filter" port_is unicast_filters 1
	fdb del 02:00:00:00:88:00 kl
	check "unicast removed: no filter" port_is unicast_filters 0
}

unicast_stub()
{
	ip -n middle link set ks up
	fdb add 02:00:00:00:88:01 ks
	check "unicast: port follows" wait_for 5 field_is /knit/port,stub unicast_filters 1
	fdb del 02:00:00:00:88:01 ks
	check "unicast: removed" wait_for 5 field_is /knit/port,stub unicast_filters 0
}

# The kernel itself makes a tap promiscuous that has a unicast list.
unicast()
{
	! $STUB || unicast_stub
	if [ "$PORT_KIND" = tap ]; then
		no_filters
	else
		filters
	fi
	if ip -n middle link add link kl name mv0 address 02:00:00:00:99:01 type macvlan; then
		address middle mv0 10.1.0.9/24
		check "macvlan: port follows" port_is "${ONE[0]}" "${ONE[1]}"
		check "macvlan: traffic" in_ns left ping -q -c 3 -i 0.01 -W 2 10.1.0.9
		ip -n middle link del mv0
		check "macvlan gone: port follows" port_is "${ONE[0]}" 0
	fi
}

bytes() # counter of left0
{
	in_ns left cat "/sys/class/net/left0/statistics/$1"
}

above() # counter of left0, number
{
	[ "$(bytes "$1")" -gt "$2" ]
}

moves() # counter of left0, bytes
{
	wait_for 5 above "$1" $(($(bytes "$1") + $2))
}

goes_on() # mtu
{
	set_kl mtu "$1"
	far_mtu "$1"
	check "under traffic: port follows to $1" port_is mtu "$1"
	check "under traffic: out of the port with $1" moves rx_bytes 1000000
	check "under traffic: into the port with $1" moves tx_bytes 1000000
}

under_traffic()
{
	local mtu

	start_in middle server iperf3 --server
	wait_for 5 grep -q "Server listening" "$TMP/server.log"
	start_in left client iperf3 --client 10.1.0.1 --bidir --time $((60 * SLOW)) \
		-b $((200000 / SLOW / SLOW))K
	start_in left flood ping -i "$(printf '0.%03d' $((2 * SLOW)))" -W 1 10.1.0.1
	for mtu in 9000 1500 9000 1500 9000 1500; do
		goes_on $mtu
	done
	set_kl down
	port_is admin_up 0
	set_kl up
	wait_for 5 has_carrier middle kl
	check "under traffic: goes on after down and up" moves rx_bytes 1000000
	check "under traffic: TCP connections survived" not ended client
	check "under traffic: no process was lost" alive
	check "under traffic: pings were answered" \
		[ "$(grep -c "bytes from" "$TMP/flood.log")" -gt 100 ]
	stop flood
	stop client
	stop server
	check "after traffic: ping" pings
}

moved()
{
	netns other
	ip -n middle link set kl netns other
	address other kl 10.1.0.1/24
	check "moved: carrier" wait_for 5 has_carrier other kl
	check "moved: traffic, after the port was down and up" wait_for 5 pings
	ip -n other link set kl mtu 1300
	check "moved: port follows" port_is mtu 1300
}

SLOW=${KNIT_SLOW:-1}
SPEED=10000Mb/s
[ "$PORT_KIND" = tap ] || SPEED=1000Mb/s
netns left middle
tap_port left left
interface kl left middle "min_mtu = 68;"
STUB=false
if stub_driver; then
	STUB=true
	port stub net_ring0
	interface ks stub middle
	worker 0 "punt left" "punt stub"
else
	echo "skip $TEST: what a port without MTU and MAC refuses: no worker can use net_ring"
	worker 0 "punt left"
fi
system_up
check "down at start: port follows" port_is admin_up 0
up_and_down
mtu
mac
modes
multicast
unicast
under_traffic
check "all requests answered" wait_for 5 settled kl
check "no request was unknown" field_is /knit/interface,kl requests_unknown 0
moved

stop control
if requests_are_sync; then
	check "without control: refused" not ip -n other link set kl mtu 1200
else
	check "without control: ip link works" ip -n other link set kl mtu 1200
fi
check "without control: the port does not move" not wait_for 1 field_is /knit/port,left mtu 1200
start_control
! requests_are_sync || check "new control: answers" ip -n other link set kl mtu 1200
check "new control: port has it" port_is mtu 1200
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "all buffers are accounted for" grep -q "domain 0: \([0-9]*\) of \1 mbufs" "$TMP/primary.log"
