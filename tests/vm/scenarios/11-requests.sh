#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Requests of the module: what `ip link`, ethtool, tcpdump and bridge want of an interface, and what
# a handler makes of it. knit-requests is the handler and prints what it was told.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

PROGRAM=$KNIT_BUILD/tests/vm/requests/knit-requests

# An interface and its handler, which is its creator too
serving() # name [async]
{
	start "$1" "$PROGRAM" --serve "$@"
	wait_for 10 told "$1" rxlist
}

told() # name, what
{
	grep -q "^$2" "$TMP/$1.log"
}

tells() # name, command...: the handler is told that
{
	wait_for 10 told "$1" "$2"
}

refused() # command...
{
	! "$@"
}

says() # pattern, command...
{
	local pattern=$1
	shift

	"$@" 2>&1 | grep -Eq -- "$pattern"
}

counter() # interface, name
{
	ethtool -S "$1" | awk -v name="$2:" '$1 == name { print $2 }'
}

more_than() # interface, counter, least
{
	[ "$(counter "$1" "$2")" -gt "$3" ]
}

by_ip()
{
	check "ip: MTU" ip link set kreq0 mtu 3000
	check "ip: MTU reached the port" tells kreq0 "mtu 3000"
	check "ip: address" ip link set kreq0 address 02:00:00:00:00:77
	check "ip: address reached the port" tells kreq0 "mac 02:00:00:00:00:77"
	check "ip: MTU above the limit" refused ip link set kreq0 mtu 9001
	check "ip: up" ip link set kreq0 up
	check "ip: up reached the port" tells kreq0 "link 1"
	check "ip: kind" says "^ +kni" ip -d link show kreq0
	check "ip: del is refused" refused ip link del kreq0
	check "ip: add is refused" refused ip link add kreq1 type kni
	check "ip: it is still there" says "mtu 3000 .*state UP" ip link show kreq0
}

by_ethtool()
{
	check "ethtool: speed" says "Speed: 10000Mb/s" ethtool kreq0
	check "ethtool: duplex" says "Duplex: Full" ethtool kreq0
	check "ethtool: link" says "Link detected: yes" ethtool kreq0
	check "ethtool: driver" says "^driver: rte_kni$" ethtool -i kreq0
	check "ethtool: ring" says "^TX:.*64" ethtool -g kreq0
	check "ethtool: channels" says "^Combined:.*1" ethtool -l kreq0
	check "ethtool: counters of a pair" says "q0_bad_gso: 0" ethtool -S kreq0
	check "ethtool: counters of requests" more_than kreq0 req_sync 2
	check "sysfs: speed" says "^10000$" cat /sys/class/net/kreq0/speed
	check "sysfs: carrier off" eval "echo 0 >/sys/class/net/kreq0/carrier"
	check "ethtool: no link" says "Link detected: no" ethtool kreq0
	check "ethtool: no speed" says "Speed: Unknown" ethtool kreq0
	check "sysfs: carrier on" eval "echo 1 >/sys/class/net/kreq0/carrier"
}

modes()
{
	start tcpdump tcpdump -i kreq0 -w /dev/null
	check "tcpdump: promiscuous" tells kreq0 "promisc 1"
	stop tcpdump
	: >"$TMP/kreq0.log"
	check "bridge: unicast address" bridge fdb add 02:00:00:00:09:09 dev kreq0 self
	check "bridge: is listed" tells kreq0 "rxlist 1 "
	for ((k = 0; k < 600; k++)); do
		printf 'fdb add 02:00:00:01:%02x:%02x dev kreq0 self\n' $((k / 200)) $((k % 200))
	done >"$TMP/batch"
	check "bridge: 600 addresses" bridge -batch "$TMP/batch"
	check "bridge: too many, so all" tells kreq0 "promisc 1"
	check "bridge: counted" more_than kreq0 rxlist_over 0
	sed -i 's/ add / del /' "$TMP/batch"
	: >"$TMP/kreq0.log"
	check "bridge: removed" bridge -batch "$TMP/batch"
	check "bridge: listed again" tells kreq0 "promisc 0"
}

stopped()
{
	measure_quick ip link set lo mtu 65535
	kill -STOP "${PID[kreq0]}"
	timed "synchronous, to a stopped handler" ip link set kreq0 mtu 4000
	check "stopped: synchronous: waits" [ "$MS" -ge $((SYNC_MS - 100)) ]
	check "stopped: synchronous: ends in time" is_bounded
	check "stopped: synchronous: fails" [ $STATUS -ne 0 ]
	check "stopped: with its reason" grep -q "Timer expired" "$TMP/command.log"
	timed "down, of a stopped handler" ip link set kreq0 down
	check "stopped: down does not wait" is_quick
	kill -CONT "${PID[kreq0]}"
	check "stopped: told later" tells kreq0 "link 0"
	check "stopped: the next one is answered" ip link set kreq0 mtu 4000
	kill -STOP "${PID[kreq1]}"
	timed "asynchronous, to a stopped handler" ip link set kreq1 mtu 4000
	check "stopped: asynchronous: does not wait" is_quick
	kill -CONT "${PID[kreq1]}"
	check "stopped: asynchronous: arrives" tells kreq1 "mtu 4000"
}

namespaces()
{
	ip netns add far
	check "netns: moved" ip link set kreq0 netns far
	check "netns: still answers" ip -n far link set kreq0 mtu 2000 up
	check "netns: port follows" tells kreq0 "mtu 2000"
	ip netns del far
	check "netns: gone with it" wait_for 10 says "cannot find|not find|does not exist" \
		ip link show kreq0
}

load_module || die "no module"
"$PROGRAM" >"$TMP/tests.log" 2>&1 || not_ok "knit-requests"
sed "s/^ok /ok $TEST: /; s/^not ok /not ok $TEST: /" "$TMP/tests.log"
serving kreq0 || die "serve"
serving kreq1 async || die "serve"
by_ip
by_ethtool
modes
stopped
check "rmmod is refused" refused rmmod rte_kni
namespaces
stop kreq0 KILL
stop kreq1 KILL
check "gone with its creator" refused ip link show kreq1
check "rmmod" unload_module
