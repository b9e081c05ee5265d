#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit reload: rules, interfaces, ports and workers change while other traffic goes on.
#
#   netns left                               netns right
#   left0 --- port left --- worker 0 --- port right --- right0
#
# At first left is punted to interface kl, and right to kr, both in netns host.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

PUNT='{ mode = "punt"; port = "left"; }, { mode = "punt"; port = "right"; }'
CROSS='{ mode = "xconnect"; ports = [ "left", "right" ]; }'
TWO="{ name = \"kx\"; engine = \"$ENGINE\"; netns = \"right\"; ring_size = 256; },"
TWO+=" { name = \"ky\"; engine = \"$ENGINE\"; netns = \"left\"; ring_size = 256; }"
THIRD='{ name = "third"; device = "net_tap7,iface=third0"; netns = "right"; mtu = 1400; }'
KT="{ name = \"kt\"; engine = \"$ENGINE\"; port = \"third\"; netns = \"left\"; }"
KS="{ name = \"ks\"; engine = \"$ENGINE\"; port = \"spare\"; netns = \"left\"; }"

# change SED-ARGUMENT...: the file in force with other text, and taken over
change()
{
	sed -i "$@" "$TMP/now.cfg" && knit reload "$TMP/now.cfg"
}

pings() # netns, address
{
	in_ns "$1" ping -c 2 -i 0.2 -W 2 "$2" >/dev/null
}

# Packets between both ends, with the workers as they are now.
crosses()
{
	wait_for 10 pings left 10.9.0.2
}

# The same process serves; nothing was started anew.
same_processes()
{
	field_is /knit/worker,0 pid "${PID[worker0]}" && field_is /knit/worker,0 generation 1
}

rules()
{
	check "at first the kernel answers" pings left 10.1.0.1
	in_ns host cat /sys/class/net/kl/ifindex >"$TMP/kl"
	check "cross-connect" says 0 "1 change taken over; worker 0 paused" \
		change "s/forward = ([^)]*)/forward = ($CROSS)/"
	check "that is its rule" says 0 'ports = \[ "left", "right" \]' knit show config
	check "its ports receive what is for others" field_is /knit/port,left promisc 1
	check "packets cross" crosses
	check "the interface is the same" test "$(in_ns host cat /sys/class/net/kl/ifindex)" = \
		"$(cat "$TMP/kl")"
	check "punt again" says 0 "1 change taken over; worker 0 paused" \
		change "s/forward = ([^)]*)/forward = ($PUNT)/"
	check "its ports do not any more" field_is /knit/port,left promisc 0
	check "the kernel answers again" wait_for 10 pings left 10.1.0.1
	check "no process was started anew" same_processes
}

interfaces()
{
	check "two more interfaces" says 0 "2 changes taken over" \
		change "s/interfaces = (/& $TWO,/"
	check "it is there" in_ns right test -d /sys/class/net/kx
	check "joined by the worker" says 0 "worker 0 paused" \
		change 's/forward = (/& { mode = "xconnect"; interfaces = [ "kx", "ky" ]; },/'
	address right kx 10.5.0.1/24
	address left ky 10.5.0.2/24
	check "packets pass there" wait_for 10 pings left 10.5.0.1
	check "and where they did" pings left 10.1.0.1
	check "they go again" says 0 "taken over; worker 0 paused" \
		change -e 's/ { mode = "xconnect"; interfaces = [^}]*},//' \
		-e 's/ { name = "kx";[^}]*}, { name = "ky";[^}]*},//'
	check "the device is gone" in_ns right test ! -d /sys/class/net/kx
	check "others are as before" pings left 10.1.0.1
}

held()
{
	knit worker park 0 >/dev/null
	check "a parked worker can't follow" says 1 \
		"taken over: worker 0 is parked, and has to follow: .knit worker resume 0" \
		change "s/forward = ([^)]*)/forward = ($CROSS)/"
	sed "s/forward = ([^)]*)/forward = ($PUNT)/; s/interfaces = (/& $TWO,/" "$TMP/now.cfg" \
		>"$TMP/held.cfg"
	check "nor what does not concern it" says 1 "worker 0 is parked, and has to follow" \
		knit reload "$TMP/held.cfg"
	sed "s/forward = ([^)]*)/forward = ($PUNT)/; s/eal = {/& log_level = \"info\";/" \
		"$TMP/now.cfg" >"$TMP/held.cfg"
	check "what nobody has to follow comes" says 0 "1 change taken over$" \
		knit reload "$TMP/held.cfg"
	knit worker resume 0 >/dev/null
	check "it can, resumed" says 0 "worker 0 paused" knit reload "$TMP/now.cfg"
	check "and back" says 0 "worker 0 paused" change "s/forward = ([^)]*)/forward = ($PUNT)/"
}

# A control that stands still holds the change up.
under_way()
{
	local pid

	kill -STOP "${PID[control]}"
	change "s/forward = ([^)]*)/forward = ($CROSS)/" >"$TMP/under_way.log" 2>&1 &
	pid=$!
	check "the worker follows at once" wait_for 10 field_is /knit/port,left promisc 1
	check "nobody parks it now" says 1 "the configuration is being changed" knit worker park 0
	check "it serves" crosses
	kill -CONT "${PID[control]}"
	wait "$pid"
	check "the change ends well" grep -q "1 change taken over" "$TMP/under_way.log"
	check "it can be parked again" says 0 "" knit worker park 0
	knit worker resume 0 >/dev/null
	check "and all is as before" says 0 "worker 0 paused" \
		change "s/forward = ([^)]*)/forward = ($PUNT)/"
}

# The driver net_tap sends fds to every process. Flows that go to one in control are lost.
control_has_no_queue()
{
	! readlink "/proc/${PID[control]}/fd/"* | grep -q /dev/net/tun
}

# Its interface has a MAC of its own, and then another interface has none.
addresses()
{
	local own with="${KS/name/mac = \"02:00:00:00:00:77\"; name}"

	own=$(field /knit/port,spare mac)
	check "an interface with a MAC" says 0 "taken over" \
		change "s/interfaces = (/& $with,/"
	check "the port gets it" wait_for 10 field_is /knit/port,spare mac 02:00:00:00:00:77
	check "another interface" says 0 "taken over" \
		change 's/{ mac = "[^"]*"; name = "ks"/{ name = "kz"/'
	check "it has the device's" [ "$(mac_of left kz)" = "$own" ]
	check "so has the port" field_is /knit/port,spare mac "$own"
	check "it goes" says 0 "taken over" change 's/ { name = "kz";[^}]*},//'
}

# It was there from the start on, without an interface and without a worker.
spare()
{
	check "the port has no worker" field_is /knit/port,spare queues 0
	check "it gets an interface and one" says 0 "taken over; worker 0 and port spare paused" \
		change -e "s/interfaces = (/& $KS,/" \
		-e 's/forward = (/& { mode = "punt"; port = "spare"; },/'
	address right spare0 10.7.0.1/24
	address left ks 10.7.0.2/24
	check "packets pass" wait_for 10 pings left 10.7.0.1
	check "it loses them" says 0 "taken over; worker 0 and port spare paused" \
		change -e 's/ { name = "ks";[^}]*},//; s/ { mode = "punt"; port = "spare"; },//'
	check "no process was started anew" same_processes
}

# kl would have to be made anew, and the port can't have so many descriptors.
refused()
{
	sed -e 's/name = "kl";/& ring_size = 256;/; s/name = "left";/& tx_desc = 32768;/' \
		"$TMP/now.cfg" >"$TMP/refused.cfg"
	check "too much, said before" says 1 "a larger mempool.headroom is needed" \
		knit reload --dry-run "$TMP/refused.cfg"
	check "too much" says 1 "a larger mempool.headroom is needed" \
		knit reload "$TMP/refused.cfg"
	check "nothing was made anew" test "$(in_ns host cat /sys/class/net/kl/ifindex)" = \
		"$(cat "$TMP/kl")"
	check "packets pass as before" pings left 10.1.0.1
}

ports()
{
	check "one more port" says 0 "taken over" \
		change -e "s/ports = (/& $THIRD,/" -e "s/interfaces = (/& $KT,/" \
		-e 's/forward = (/& { mode = "punt"; port = "third"; },/'
	address right third0 10.6.0.1/24
	address left kt 10.6.0.2/24
	check "packets pass through it" wait_for 10 pings left 10.6.0.1
	check "it has the port's MTU" [ "$(in_ns left cat /sys/class/net/kt/mtu)" -eq 1400 ]
	check "and through the others" pings left 10.1.0.1
	check "other descriptors" says 0 "worker 0 and port third paused" \
		change 's/name = "third";/& rx_desc = 64;/'
	check "packets pass" wait_for 10 pings left 10.6.0.1
	check "a device with another name" says 0 "taken over" change 's/iface=third0/iface=third1/'
	check "the old one is gone" in_ns right test ! -d /sys/class/net/third0
	address right third1 10.6.0.1/24
	check "packets pass, too" wait_for 10 pings left 10.6.0.1
	check "the port goes" says 0 "taken over" \
		change -e 's/ { name = "third";[^}]*},//; s/ { name = "kt";[^}]*},//' \
		-e 's/ { mode = "punt"; port = "third"; },//'
	check "with its device" in_ns right test ! -d /sys/class/net/third1
	check "and from the list" [ "$(telemetry /knit/ports | grep -c third)" -eq 0 ]
	check "others are as before" pings left 10.1.0.1
	check "control keeps no queue of it" wait_for 5 control_has_no_queue
	check "no process was started anew" same_processes
}

# More workers: ports get more queues, interfaces have them.
workers()
{
	local more='{ id = 1; lcore = 21; cpus = "0"; idle = "adaptive"; forward = ('
	more+="$PUNT); }"

	check "one more worker" says 0 "taken over; worker 0 and ports left, right paused" \
		change "s/workers = (/& $more,/"
	check "its queues" field_is /knit/port,left queues 2
	start_worker 1
	check "both serve" worker_serves 1
	check "packets pass" wait_for 10 pings left 10.1.0.1
	check "in many flows" many_flows
	check "to both" wait_for 10 both_got
	check "other CPUs: it ends" says 0 "worker 1 paused" change 's/lcore = 21/lcore = 22/'
	wait_for 10 ended worker1
	stop worker1
	check "to be started anew" [ "$STATUS" -eq 8 ]
	start_worker 1
	check "as configured now" grep -q 'lcores=22' "/run/knit/$PREFIX/worker-1.args"
	check "the first one goes" says 0 "taken over; workers 0, 1 and ports left, right paused" \
		change -z 's/,\s*{ id = 0;.*control =/ );\ncontrol =/'
	wait_for 10 ended worker0
	stop worker0
	check "for good" [ "$STATUS" -eq 6 ]
	check "nobody comes for it" says 2 "has no such worker" \
		"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
	check "the other one serves all" wait_for 10 pings left 10.1.0.1
	check "one queue" field_is /knit/port,left queues 1
	check "one is left" [ "$(telemetry /knit/workers)" = '{"/knit/workers": [1]}' ]
	check "the interface is the same" test "$(in_ns host cat /sys/class/net/kl/ifindex)" = \
		"$(cat "$TMP/kl")"
}

many_flows()
{
	in_ns left python3 -c '
import socket
for port in range(2000, 2064):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.1.0.2", port))
    s.sendto(b"x", ("10.1.0.1", port))'
}

both_got()
{
	field_over /knit/worker,0 punted 0 && field_over /knit/worker,1 punted 0
}

netns left right host
tap_port left left
tap_port right right
tap_port spare right
setting mempool "headroom = 16384;"
setting eal "max_workers = 2;"
interface kl left host
interface kr right host
WORKER_TEXT='idle = "adaptive";'
worker 0 "punt left" "punt right"
system_up
address host kl 10.1.0.1/24
address host kr 10.2.0.1/24
address left left0 10.1.0.2/24 10.9.0.1/24
address right right0 10.2.0.2/24 10.9.0.2/24
neighbour left left0 10.9.0.2 right right0
neighbour right right0 10.9.0.1 left left0
cp "$TMP/knit.cfg" "$TMP/now.cfg"
rules
interfaces
held
under_way
refused
addresses
spare
ports
workers
knit show config >"$TMP/last"
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "and was of the worker that left" \
	[ "$(grep -c "its memory is kept" "$TMP/primary.log")" -eq 0 ]
check "every mbuf is there" grep -qE "domain 1: ([0-9]+) of \1 mbufs" "$TMP/primary.log"
