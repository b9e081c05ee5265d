#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An observer on the tap engine sees what arrived: datagrams reach the kernel one by one unless that
# is configured otherwise, and then as long as nobody looks.
#
#   netns left                     netns middle                     netns right
#   left0 --- port left --- worker 0 --- kl | kr --- worker 0 --- port right --- right0
#   10.1.0.2                      10.1.0.1 | 10.2.0.1, merge_datagrams          10.2.0.2
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py

entered() # interface: writes and frames so far
{
	local at=/knit/interface,$1

	echo "$(field "$at" engine_writes) $(field "$at" engine_to_kernel)"
}

# Frames and writes of what enters by an interface while a command of wire.py runs.
counted() # interface, arguments of wire.py...
{
	local from to

	from=$(entered "$1")
	"$WIRE" "${@:2}" || return 1
	to=$(entered "$1")
	FRAMES=$((${to#* } - ${from#* }))
	WRITES=$((${to% *} - ${from% *}))
	echo "$FRAMES frames in $WRITES writes"
}

left_datagrams()
{
	counted kl datagrams left:10.1.0.2 middle:10.1.0.1 1000 300
}

right_datagrams()
{
	counted kr datagrams right:10.2.0.2 middle:10.2.0.1 1000 300
}

right_stream()
{
	counted kr stream right:10.2.0.2 middle:10.2.0.1 5
}

merged() # command
{
	"$1" && [ "$WRITES" -lt $((FRAMES - 20)) ]
}

# The two are not asked for at once.
each() # command
{
	"$1" && [ "$WRITES" -ge $((FRAMES - 2)) ]
}

tried() # name, command that ends it
{
	check "not while there is $1" wait_for 5 each right_datagrams
	"${@:2}"
	check "again without $1" wait_for 5 merged right_datagrams
}

netns left middle right
tap_port left left
tap_port right right
interface kl left middle
interface kr right middle "merge_datagrams = true;"
worker 0 "punt left" "punt right"
system_up
address middle kl 10.1.0.1/24
address middle kr 10.2.0.1/24
address left left0 10.1.0.2/24
address right right0 10.2.0.2/24
check "carrier" wait_for 10 has_carrier middle kl
check "carrier of the other" wait_for 10 has_carrier middle kr
in_ns left ping -q -c 1 -W 3 10.1.0.1 >/dev/null
in_ns right ping -q -c 1 -W 3 10.2.0.1 >/dev/null

check "a packet socket sees each datagram" "$WIRE" seen left:10.1.0.2 middle:10.1.0.1 kl 300
check "none is merged without being told to" each left_datagrams
check "they are merged where it is configured" wait_for 5 merged right_datagrams
check "TCP segments are merged" merged right_stream

start_in middle dump tcpdump -i kr -w /dev/null udp
tried "a packet socket" stop dump
ip -n middle link add link kr name mv type macvlan mode bridge
ip -n middle link set mv up
tried "a macvlan device" ip -n middle link del mv
in_ns middle sysctl -qw net.ipv4.conf.kr.forwarding=1
tried "forwarding" in_ns middle sysctl -qw net.ipv4.conf.kr.forwarding=0
tc -n middle qdisc add dev kr clsact
tried "tc at ingress" tc -n middle qdisc del dev kr clsact
"$WIRE" nft middle add >>"$TMP/check.log" || die "no chain of nftables"
end_filter()
{
	"$WIRE" nft middle del >>"$TMP/check.log"
}
tried "a filter" end_filter
in_ns middle ethtool -K kr gro off
check "no TCP segment is merged without GRO" wait_for 5 each right_stream
tried "a switch that is off" in_ns middle ethtool -K kr gro on

system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
