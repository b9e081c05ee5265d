#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Checksums and segmentation. Port left has its driver's offloads, port right none, not even chains:
# there knit cuts, fills in and joins itself. Every frame that passes left0 and right0 meanwhile is
# judged: checksums, length, MTU.
#
#   netns left                  netns middle                 netns right
#   left0 --- port left --- worker 0 --- kl | kr --- worker 0 --- port right --- right0
#   10.1.0.2   offloads           10.1.0.1 | 10.2.0.1            none         10.2.0.2
#   left0.5 10.1.5.2          kl.5 10.1.5.1 | kr.5 10.2.5.1 (tagged)          right0.5 10.2.5.2
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py
SLOW=${KNIT_SLOW:-1}
# Emulated, programs of Python look at frames slowly.
MIB=$((SLOW > 1 ? 4 : 20))
MBIT=$((SLOW > 1 ? 10 : 20))
declare -A TESTS=()

start_server() # netns
{
	TESTS[$1]=1
	start_in "$1" "server-$1" iperf3 --server --forceflush
	wait_for 5 server_waits "$1" || die "no iperf3 server in $1"
}

# It says so again after each test.
server_waits() # netns
{
	[ "$(grep -c "^Server listening" "$TMP/server-$1.log")" -ge "${TESTS[$1]}" ]
}

# Sent and received amounts agree, but for what is still in sockets, and of datagrams at most one in
# a hundred is lost.
agrees()
{
	python3 - "$TMP/iperf.json" "$MIB" <<-'END'
		import json, sys
		end = json.load(open(sys.argv[1]))["end"]
		print(end.get("sum_received"), end["sum"] if "sum" in end else end["sum_sent"])
		if "sum" in end and "lost_percent" in end["sum"]:
		    sys.exit(end["sum"]["packets"] < 1000 or end["sum"]["lost_percent"] > 1)
		sys.exit(end["sum_received"]["bytes"] < int(sys.argv[2]) * 500000)
	END
}

iperf() # from, to, address, options...
{
	local from=$1 to=$2 address=$3 status=0
	shift 3

	timeout $((30 * SLOW)) ip netns exec "$from" \
		iperf3 --json --client "$address" "$@" >"$TMP/iperf.json" || status=1
	TESTS[$to]=$((TESTS[$to] + 1))
	wait_for 10 server_waits "$to" || return 1
	[ $status = 0 ] && agrees
}

# Without --reverse: iperf3 3.9 would not end then.
tcp() # one side, the other, address of the other, of the one: both directions
{
	iperf "$1" "$2" "$3" -n "${MIB}M" && iperf "$2" "$1" "$4" -n "${MIB}M"
}

# Datagrams are lost where a process was not scheduled in time; a broken way loses them every time.
udp_one_way() # as iperf
{
	local try

	for try in 1 2 3; do
		iperf "$@" -u -b "${MBIT}M" -n 2M -l 1400 -w 200K && return 0
		echo "try $try lost too many"
	done
	return 1
}

udp() # as tcp
{
	udp_one_way "$1" "$2" "$3" && udp_one_way "$2" "$1" "$4"
}

# What the capture counted: "... NAME NUMBER ..."
counted() # side, name
{
	sed -n "s/^frames .*\<$2 \([0-9]*\).*/\1/p" "$TMP/capture-$1.log"
}

# It looks at frames when nobody else wants the CPU: its socket has room for what waits.
start_capture() # side
{
	start "capture-$1" nice -n 19 "$WIRE" capture "$1:${1}0" 1500
	wait_for 20 grep -q ready "$TMP/capture-$1.log" || die "no capture at ${1}0"
}

# What it has still to look at, it may look at now.
judged() # side
{
	renice 0 -p "${PID[capture-$1]}" >/dev/null
	kill -TERM "${PID[capture-$1]}"
	wait_for 60 ended "capture-$1"
	stop "capture-$1"
	check "$1: all frames on the wire are right" [ "$STATUS" -eq 0 ]
	check "$1: there were TCP segments" [ "$(counted "$1" tcp)" -gt 5000 ]
	check "$1: there were datagrams" [ "$(counted "$1" udp)" -gt 1500 ]
	check "$1: there were tags" [ "$(counted "$1" vlan)" -gt 1000 ]
	check "$1: frames filled the MTU" [ "$(counted "$1" longest)" -ge 1514 ]
}

coalesces() # interface: writes are fewer than frames
{
	[ "$(field "/knit/interface,$1" engine_writes)" -lt \
		"$(field "/knit/interface,$1" engine_to_kernel)" ]
}

# What the kernel sends crosses knit whole: less than half as many frames as come out of the port.
# Emulated, the kernel sends slowly, two or three segments at a time, and acknowledgements outnumber
# them: there it is fewer.
cuts_late() # interface, side
{
	local out factor=$((SLOW > 1 ? 1 : 2))

	out=$(in_ns "$2" cat "/sys/class/net/${2}0/statistics/rx_packets")
	[ $((factor * $(field "/knit/interface,$1" engine_from_kernel))) -lt "$out" ]
}

no_checksum_errors() # netns
{
	in_ns "$1" nstat -asz '*CsumErrors' |
		awk '/CsumErrors/ { sum += $2 } { print } END { exit NR < 2 || sum > 0 }'
}

router_up 'tx = "fast"; rx_checksum = false; vlan = false;'
check "left has offloads" field_is /knit/port,left tx full
check "right has none" field_is /knit/port,right tx fast
vlan_device left left0 5
vlan_device middle kl 5
vlan_device middle kr 5
vlan_device right right0 5
address middle kl.5 10.1.5.1/24 fd15::1/64
address middle kr.5 10.2.5.1/24 fd25::1/64
address left left0.5 10.1.5.2/24 fd15::2/64
address right right0.5 10.2.5.2/24 fd25::2/64
check "carrier" wait_for 10 has_carrier middle kl
check "carrier of the other" wait_for 10 has_carrier middle kr
start_server left
start_server middle
start_server right
start_capture left
start_capture right

check "TCP, left and interface" tcp left middle 10.1.0.1 10.1.0.2
check "TCP, interface and right" tcp middle right 10.2.0.2 10.2.0.1
check "TCP of IPv6, left and interface" tcp left middle fd01::1 fd01::2
check "TCP of IPv6, interface and right" tcp middle right fd02::2 fd02::1
check "TCP, forwarded" tcp left right 10.2.0.2 10.1.0.2
check "TCP of IPv6, forwarded" tcp left right fd02::2 fd01::2
check "TCP, tagged" "$WIRE" stream middle:10.1.5.1 left:10.1.5.2 5
check "TCP, tagged, knit cuts" "$WIRE" stream middle:10.2.5.1 right:10.2.5.2 5
check "TCP of IPv6, tagged, knit cuts" "$WIRE" stream middle:fd25::1 right:fd25::2 5
check "TCP, tagged, towards the interface" "$WIRE" stream left:10.1.5.2 middle:10.1.5.1 5
check "TCP of IPv6, tagged, towards the interface" "$WIRE" stream right:fd25::2 middle:fd25::1 5
check "frames to left are cut late" cuts_late kl left
check "frames to right are cut late" cuts_late kr right
# The module leaves that to the kernel, which does not count it.
if [ "$ENGINE" = tap ]; then
	check "frames from left are coalesced" coalesces kl
	check "frames from right are coalesced" coalesces kr
fi

check "UDP, left and interface" udp left middle 10.1.0.1 10.1.0.2
check "UDP, interface and right" udp middle right 10.2.0.2 10.2.0.1
check "UDP of IPv6, forwarded" udp left right fd02::2 fd01::2
check "UDP cut, left" "$WIRE" segments middle:10.1.0.1 left:10.1.0.2 1400
check "UDP cut, right" "$WIRE" segments middle:10.2.0.1 right:10.2.0.2 1472
check "UDP of IPv6 cut, right" "$WIRE" segments middle:fd02::1 right:fd02::2 333
check "UDP cut, tagged" "$WIRE" segments middle:10.2.5.1 right:10.2.5.2 1000
check "UDP checksum that comes out as 0" "$WIRE" zero middle:fd02::1 right:fd02::2
check "UDP checksum that comes out as 0, port with offloads" \
	"$WIRE" zero middle:fd01::1 left:fd01::2
check "datagrams keep their boundaries" "$WIRE" datagrams left:fd01::2 middle:fd01::1 1452 4000

judged left
judged right
check "no checksum was wrong in the kernel" no_checksum_errors middle
check "no checksum was wrong at the left" no_checksum_errors left
check "no checksum was wrong at the right" no_checksum_errors right

check "datagrams without checksum, forwarded" "$WIRE" unsummed left:10.1.0.2 right:10.2.0.2 right0
check "datagrams without checksum, to the left" "$WIRE" unsummed right:10.2.0.2 left:10.1.0.2 left0
check "datagrams without checksum, to the kernel" "$WIRE" unsummed left:10.1.0.2 middle:10.1.0.1 kl

kl=$(ip -n middle -o link show kl | sed 's/.*ether \([^ ]*\).*/\1/')
kr=$(ip -n middle -o link show kr | sed 's/.*ether \([^ ]*\).*/\1/')
check "a damaged TCP segment is not mended" \
	"$WIRE" corrupt left:left0 10.1.0.2,10.2.0.2 "$kl" right:right0 tcp
check "a damaged datagram is not mended" \
	"$WIRE" corrupt left:left0 10.1.0.2,10.2.0.2 "$kl" right:right0 udp
check "a damaged TCP segment is not mended, port without offloads" \
	"$WIRE" corrupt right:right0 10.2.0.2,10.1.0.2 "$kr" left:left0 tcp
check "a damaged datagram is not mended, port without offloads" \
	"$WIRE" corrupt right:right0 10.2.0.2,10.1.0.2 "$kr" left:left0 udp

system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
