#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Kernel devices that are moved and renamed, as container managers do it, while others take the name
# and the number they had; and namespaces that end.
#
#   netns left                                     netns middle
#   left0 --- port left  --- worker 0 --- kl        10.1.0.1
#    netns right
#   right0 -- port right --- worker 1 --- kr        10.2.0.1
#             (none)     --- worker 0 --- ka, kb    joined
#
# A device is who it is, whatever it is called: what happens to another one of its old name is not
# told to the port, and the other one is neither changed nor removed.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

FOREIGN=02:00:00:00:66:01

not()
{
	! "$@"
}

link() # netns, device, pattern
{
	ip -n "$1" -d -o link show dev "$2" | grep -q -- "$3"
}

port_is() # name, value: of port left
{
	wait_for 5 field_is /knit/port,left "$1" "$2"
}

pings()
{
	in_ns "$FAR_NS" ping -q -c 5 -i 0.01 -W 2 10.1.0.1
}

index() # netns, device
{
	ip -n "$1" -o link show dev "$2" | sed 's/:.*//'
}

# Another one, of a name and perhaps with an index that were ours.
foreign() # netns, name[, index]
{
	local type

	for type in dummy ifb; do
		ip -n "$1" link add "$2" ${3:+index "$3"} address $FOREIGN mtu 1234 \
			type $type 2>/dev/null && return
	done
	not_ok "no foreign $2"
}

untouched() # netns, name
{
	link "$1" "$2" "mtu 1234 .*$FOREIGN"
}

# MTU and address set at the interface reach the port, and traffic passes.
followed() # what, netns, device, mtu
{
	local mac=02:00:00:00:77:${4: -2}

	ip -n "$2" addr flush dev "$3"
	address "$2" "$3" 10.1.0.1/24
	check "$1: carrier" wait_for 5 has_carrier "$2" "$3"
	check "$1: traffic" wait_for 5 pings
	ip -n "$2" link set "$3" mtu "$4"
	check "$1: port has its MTU" port_is mtu "$4"
	ip -n "$2" link set "$3" address "$mac"
	check "$1: port has its address" port_is mac "$mac"
	ip -n "$FAR_NS" neigh flush dev "$FAR"
	check "$1: traffic, still" wait_for 5 pings
}

# What Docker does. The other one of the old name was there before.
moved_with_a_new_name()
{
	netns other
	foreign other kl
	ip -n middle link set kl netns other name eth0
	followed "moved and renamed" other eth0 1300
	check "moved and renamed: the other of the old name is as it was" untouched other kl
}

renamed()
{
	ip -n other link set eth0 down
	ip -n other link set eth0 name eth7
	foreign other eth0
	followed "renamed" other eth7 1310
	check "renamed: the other of the old name is as it was" untouched other eth0
	ip -n other link set eth0 mtu 1400
	check "renamed: what happens to the other is not told" not wait_for 1 \
		field_is /knit/port,left mtu 1400
	ip -n other link del eth0
	check "renamed: the other's end is not ours" port_is mtu 1310
}

# The other one has name and index that were ours, in the namespace where it was ours.
moved_and_replaced()
{
	local number

	number=$(index other eth7)
	stop control
	ip -n other link set eth7 netns middle name kl
	foreign other eth7 "$number"
	start_control
	followed "moved and replaced" middle kl 1320
	check "moved and replaced: the other is as it was" untouched other eth7
}

# Nobody tells of it: the port is asked each second.
allmulti_from_inside()
{
	start_in middle member python3 -c '
import signal, socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex("kl"), 2, 0, b""))
signal.pause()'
	check "all multicast, from inside the kernel: port follows" port_is allmulti 1
	stop member
	check "all multicast, from inside the kernel: ends" port_is allmulti 0
}

far_renamed()
{
	ip -n left link set left0 down
	port_is link_up 0
	ip -n left link set left0 name wan0
	foreign left left0
	FAR=wan0
	ip -n left addr flush dev wan0
	address left wan0 10.1.0.2/24
	check "far end renamed: port has its link" port_is link_up 1
	followed "far end renamed" middle kl 1330
	check "far end renamed: it has the MTU" link left wan0 "mtu 1330 "
	ip -n middle link set kl down
	check "far end renamed: it goes down" port_is admin_up 0
	check "far end renamed: it is down" not link left wan0 "[<,]UP[,>]"
	ip -n middle link set kl up
	check "far end renamed: it is up again" wait_for 5 link left wan0 LOWER_UP
	check "far end renamed: the other of the old name is as it was" untouched left left0
	ip -n left link set left0 up
	ip -n left link set wan0 down
	check "far end renamed: the other's link is not the port's" port_is link_up 0
	ip -n left link set wan0 up
	port_is link_up 1
}

# Another namespace takes its name and its number, too.
far_moved()
{
	local number

	number=$(index left wan0)
	netns away
	ip -n left link set wan0 netns away name eth0
	foreign left wan0 "$number"
	address away eth0 10.1.0.2/24
	FAR=eth0
	FAR_NS=away
	check "far end moved: port has its link" port_is link_up 1
	followed "far end moved" middle kl 1340
	check "far end moved: it has the MTU" link away eth0 "mtu 1340 "
	check "far end moved: the other is as it was" untouched left wan0
}

both_ping()
{
	pings && in_ns right ping -q -c 5 -i 0.01 -W 2 10.2.0.1
}

told() # port, name
{
	grep -q "port $1: its kernel device is $2 now" "$TMP/primary.log"
}

# Worker 0 has copies of both devices' queues and closes none but old ones of its own.
far_ends_of_one_name()
{
	ip -n right link set right0 down
	ip -n right link set right0 name eth0
	address right eth0 10.2.0.2/24
	address middle kr 10.2.0.1/24
	wait_for 5 told right eth0
	stop worker0
	start powerless setpriv --bounding-set=-net_admin --inh-caps=-net_admin \
		"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
	check "far ends of one name: a worker that can't tell them apart is refused" \
		left_with powerless 4
	check "far ends of one name: and says why" \
		grep -q "port left: .* eth0.*needs CAP_NET_ADMIN" "$TMP/powerless.log"
	start_worker 0
	check "far ends of one name: traffic" wait_for 5 both_ping
	ip -n middle link set kr mtu 1350
	check "far ends of one name: one is started anew" \
		wait_for 5 field_is /knit/port,right mtu 1350
	check "far ends of one name: the worker of the other looks for new queues" \
		wait_for 5 both_ping
	ip -n middle link set kl mtu 1360
	check "far ends of one name: the other is started anew" port_is mtu 1360
	check "far ends of one name: traffic, still" wait_for 5 both_ping
}

# A veth whose one end is there ends with the namespace, and so shows its end.
canary() # netns
{
	ip link add "canary-$1" type veth peer name canary netns "$1"
}

namespace_ends() # netns, interface
{
	canary "$1"
	ip netns del "$1"
	check "$2: its namespace ends" wait_for 10 not ip link show "canary-$1"
	[ "$ENGINE" != tap ] || check "$2: seen to be gone" wait_for 5 \
		grep -q "$2: the interface was removed" "$TMP/primary.log"
	[ "$ENGINE" != tap ] || check "$2: which is an event" wait_for 5 \
		grep -q "interface $2: somebody removed it" "$TMP/primary.log"
}

netns left middle right one
FAR_NS=left
FAR=left0
tap_port left left
tap_port right right
interface kl left middle
interface kr right middle
interface ka "" one
interface kb ""
worker 0 "punt left" "join ka kb"
worker 1 "punt right"
system_up
address left left0 10.1.0.2/24
followed "at first" middle kl 1290
moved_with_a_new_name
renamed
moved_and_replaced
[ "$ENGINE" != tap ] || allmulti_from_inside
if [ "$PORT_KIND" = tap ]; then
	far_renamed
	far_moved
	far_ends_of_one_name
fi
namespace_ends one ka
netns two
ip link set kb netns two
[ "$ENGINE" != tap ] || wait_for 5 grep -q "kb: moved to another" "$TMP/primary.log"
namespace_ends two kb
check "ends of namespaces: the others go on" pings
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "at the end: no interface is left" not ip -n middle link show dev kl
check "at the end: the other of its name and number is there" untouched other eth7
check "at the end: the other of its first name is there" untouched other kl
