#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A NIC is taken away under traffic: its interface loses its carrier, everybody lives, the other
# port goes on, and the kernel gets the device back; then starts without it. Or another driver of
# the kernel's is given the device by hand: the kernel takes registers out of knit's processes, and
# their next touch is a SIGBUS.
#   32-unplug.sh [DRIVER[:INTERRUPTS[:by-hand|:whole|:by-hand-whole]]...]
# Whole: also what stops a port of uio, the reset of a domain and the primary's end. DPDK's driver
# polls what is not there 100000 times then: seconds elsewhere, minutes in an emulated machine.
# The machine has e1000 as the NICs 0 and 1, and two e1000e in slots, `hot0` and `hot1`.
#
#   netns far                                                        netns near
#   left0 ===wire=== hot0, 0000:01:00.0: port left ----- worker 0 --- kni-left
#   10.7.1.2, 10.7.3.2                                 |           |  10.7.1.1
#   netns right                                    xconnect        |
#   right0 ==wire=== hot1, 0000:02:00.0: port right ---            -- kni-right
#   10.7.2.2, 10.7.3.3                                                10.7.2.1
# shellcheck source=tests/vm/scenarios/_bind.sh
. "$(dirname "$0")/_bind.sh"

UIO=$ROOT/tests/vm/uio.py
WAYS=("$@")
[ $# -gt 0 ] || WAYS=(vfio-pci igb_uio:msix uio_pci_generic igb_uio:msix:by-hand)
LEFT=0000:01:00.0
RIGHT=0000:02:00.0

monitor() # command
{
	echo "$1" >/run/monitor
}

is_there() # address
{
	[ -e "/sys/bus/pci/devices/$1" ]
}

is_away() # address
{
	! is_there "$1"
}

# Looks at links are rare, one a second: the registers are gone before the primary sees that.
new_config() # driver, text of port left
{
	local text="driver = \"$1\"; link_poll = 5000;"

	PORTS=""
	port left $LEFT "" "$text ${2:-}"
	port right $RIGHT "" "$text"
	write_config
}

received() # netns, device
{
	in_ns "$1" cat "/sys/class/net/$2/statistics/rx_packets"
}

above() # netns, device, packets
{
	[ "$(received "$1" "$2")" -gt "$3" ]
}

flows() # netns, device
{
	wait_for 10 above "$1" "$2" $(($(received "$1" "$2") + 20))
}

no_carrier() # device
{
	! has_carrier near "$1"
}

hosts()
{
	address near kni-left 10.7.1.1/24
	address near kni-right 10.7.2.1/24
	address far left0 10.7.1.2/24 10.7.3.2/24
	address right right0 10.7.2.2/24 10.7.3.3/24
	wait_for 10 has_carrier near kni-left || die "no carrier on kni-left"
	wait_for 10 has_carrier near kni-right || die "no carrier on kni-right"
}

# Is sent to without asking, also when nobody answers any more.
neighbour() # netns, device, address, its netns, its device
{
	ip -n "$1" neigh replace "$3" dev "$2" nud permanent \
		lladdr "$(in_ns "$4" cat "/sys/class/net/$5/address")"
}

traffic()
{
	neighbour right right0 10.7.3.2 far left0
	neighbour far left0 10.7.3.3 right right0
	start_in far ping-far ping -q -i 0.005 10.7.1.1
	start_in near ping-near ping -q -i 0.005 10.7.1.2
	start_in near ping-right ping -q -i 0.005 10.7.2.2
	check "$WHAT: traffic on the one" flows near kni-left
	check "$WHAT: traffic on the other" flows near kni-right
	check "$WHAT: traffic from one to the other" \
		in_ns right ping -q -c 3 -i 0.05 -W 5 10.7.3.2
	start_in right ping-over ping -q -i 0.005 10.7.3.2
}

no_traffic()
{
	local name

	for name in ping-far ping-near ping-right ping-over; do
		stop $name INT
	done
}

alive()
{
	! ended primary && ! ended worker0 && ! ended control &&
		field_is /knit/worker,0 pid "${PID[worker0]}" &&
		field_is /knit/info control_pid "${PID[control]}"
}

says() # pattern
{
	grep -q "$1" "$TMP/primary.log"
}

registers() # name: how many mappings of the NIC the process has
{
	grep -c "$LEFT/resource" "/proc/${PID[$1]}/maps"
}

fewer_registers() # name, number
{
	[ "$(registers "$1")" -lt "$2" ]
}

# The kernel's driver asks for the registers for itself. The primary stands still until the worker
# has touched them: if it looked at the port before, it would tell the worker to keep away.
take_by_hand() # driver
{
	local before

	before=$(registers worker0)
	kill -STOP "${PID[primary]}"
	echo $LEFT >"/sys/bus/pci/drivers/$1/unbind"
	echo e1000e >/sys/bus/pci/devices/$LEFT/driver_override
	echo $LEFT >/sys/bus/pci/drivers_probe
	check "$WHAT: another driver has it" driver_is $LEFT e1000e
	check "$WHAT: the worker has zeros instead" wait_for 10 fewer_registers worker0 "$before"
	kill -CONT "${PID[primary]}"
}

take_away() # driver, how
{
	if [[ $2 == by-hand* ]]; then
		take_by_hand "$1"
	else
		monitor "device_del hot0"
	fi
}

# By hand: the first touch in each process, the worker's, and perhaps the primary's.
after() # driver, how
{
	if [ "$1" = vfio-pci ]; then
		check "$WHAT: it is let go" wait_for 10 says "port left: device $LEFT is let go"
	fi
	if [[ $2 == by-hand* ]]; then
		check "$WHAT: SIGBUS was handled" field_over /knit/info device_faults 0
		check "$WHAT: the other driver goes on" driver_is $LEFT e1000e
	else
		check "$WHAT: the kernel gets it back" wait_for 20 is_away $LEFT
	fi
}

unplug() # driver, how
{
	take_away "$1" "$2"
	check "$WHAT: no carrier" wait_for 20 no_carrier kni-left
	check "$WHAT: the port is removed" wait_for 5 field_is /knit/port,left removed 1
	check "$WHAT: it is told" says "port left: its device $LEFT was taken away"
	check "$WHAT: drops have a name" wait_for 5 field_over /knit/worker,0 drop_port_down 20
	check "$WHAT: the other port goes on" flows near kni-right
	check "$WHAT: its carrier stays" has_carrier near kni-right
	check "$WHAT: the other port is not removed" field_is /knit/port,right removed 0
	after "$1" "$2"
	check "$WHAT: everybody lives" alive
}

# What `says` looks at begins here; the rest is printed too if anything fails.
new_log()
{
	[ ! -e "$TMP/primary.log" ] || cat "$TMP/primary.log" >>"$TMP/earlier.log"
	: >"$TMP/primary.log"
}

has() # text: kni-left
{
	[[ $(ip -n near -o link show dev kni-left) == *"$1"* ]]
}

# By the port, since there is nothing to set: then the kernel's old value is back, or never went.
refused() # what, pattern of the old value, arguments of ip link set
{
	local before name="$WHAT: $1 refused" old=$2

	before=$(field /knit/interface,kni-left requests_reverted)
	if [ "$ENGINE" = kmod ]; then
		check "$name" fails_with "No such device" ip -n near link set kni-left "${@:3}"
	else
		ip -n near link set kni-left "${@:3}"
		check "$name" wait_for 5 field_is /knit/interface,kni-left requests_reverted \
			$((before + 1))
		check "$name: No such device" says \
			"kni-left: $1 was refused (No such device): old value put back"
	fi
	check "$name: why" says "port left: $1 refused: its device was taken away"
	check "$name: the old one stays" wait_for 5 has "$old"
}

fails_with() # text, command...
{
	local text=$1
	shift

	! "$@" 2>"$TMP/said" && grep "$text" "$TMP/said"
}

requests()
{
	local mac

	mac=$(in_ns near cat /sys/class/net/kni-left/address)
	refused mtu "mtu 1500 " mtu 1400
	refused mac "$mac" address 02:00:00:00:77:01
	check "$WHAT: promiscuous mode means nothing" ip -n near link set kni-left promisc on
	check "$WHAT: interface down" ip -n near link set kni-left down
	check "$WHAT: interface up" ip -n near link set kni-left up
}

# What else comes and goes while the port is without a device.
life_goes_on()
{
	stop worker0
	check "$WHAT: worker ends well" [ "$STATUS" -eq 0 ]
	start_worker 0
	check "$WHAT: new worker" flows near kni-right
	kill -KILL "${PID[worker0]}"
	check "$WHAT: worker killed" left_with worker0 137
	check "$WHAT: domain reset" wait_for 20 field_is /knit/worker,0 resets 1
	restart_worker 0
	check "$WHAT: worker after the reset" flows near kni-right
	check "$WHAT: still without carrier" no_carrier kni-left
}

# uio_pci_generic stops a NIC's access to memory when any process closes it.
control_ends()
{
	stop control
	check "$WHAT: traffic goes on when a process has ended" flows near kni-right
	start_control
}

ends_well()
{
	no_traffic
	system_down
	check "$WHAT: primary ends well" [ "$STATUS" -eq 0 ]
	check "$WHAT: all mbufs are there" says "^domain 0: .* accounted for"
	check "$WHAT: all mbufs are there, counted" conserved
}

ends_killed()
{
	no_traffic
	stop primary KILL
	check "$WHAT: worker follows a primary that is killed" wait_for 10 ended worker0
	check "$WHAT: control follows it" wait_for 10 ended control
	stop worker0
	stop control
}

# After one that was killed the other NIC is still the next one's.
starts_without() # driver, how
{
	new_log
	if [[ $2 == by-hand* ]]; then
		timeout -k 5 60 "$KNIT_BUILD/primary/knit-primary" --restore "$PREFIX"
		return
	fi
	if ! driver_is $RIGHT "$1"; then
		come_here $RIGHT
		new_config "$1"
		start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
		check "$WHAT: does not start without it" left_with primary 4
		check "$WHAT: and says why" says "there is no PCI device $LEFT"
	fi
	new_config "$1" "optional = true;"
	start_primary
	check "$WHAT: starts without an optional one" field_is /knit/port,left absent 1
	stop primary
	check "$WHAT: ends well without it" [ "$STATUS" -eq 0 ]
}

# What a killed process told the NIC is forgotten when the next one opens it, and when igb_uio gives
# it away. QEMU's e1000e has no reset that does anything; its bus has.
forgets()
{
	"$KNIT_BUILD/tools/knit-bind/knit-bind" --force bind igb_uio $LEFT
	echo bus >/sys/bus/pci/devices/$LEFT/reset_method || die "$LEFT can't be reset by its bus"
	check "$WHAT: is reset by the first who opens it" "$UIO" reset $LEFT
	check "$WHAT: is reset when it is removed" "$UIO" rebind $LEFT
	echo default >/sys/bus/pci/devices/$LEFT/reset_method
	"$KNIT_BUILD/tools/knit-bind/knit-bind" unbind $LEFT
}

put_back()
{
	is_there $LEFT || monitor "device_add e1000e,id=hot0,netdev=hot0,bus=slot0"
	wait_for 20 is_there $LEFT || die "$LEFT does not come back"
}

one_way() # driver, interrupts, how
{
	local from=$SECONDS

	WHAT="$1${2:+ ($2)}${3:+, $3}"
	new_log
	put_back
	load "$1" "${2:-}"
	[ "$1:$3" != igb_uio: ] || forgets
	come_here $LEFT
	come_here $RIGHT
	netns far near right
	far_end 0000:00:10.0 far left0
	far_end 0000:00:11.0 right right0
	new_config "$1"
	start_primary
	start_worker 0
	start_control
	hosts
	traffic
	unplug "$1" "$3"
	requests
	[ "$1" != uio_pci_generic ] || control_ends
	if [ "$1" = vfio-pci ] || [[ $3 == *whole ]]; then
		life_goes_on
		ends_well
	else
		ends_killed
	fi
	starts_without "$1" "$3"
	go_home left0 far
	go_home right0 right
	ip netns del far
	ip netns del near
	ip netns del right
	echo "# $WHAT: $((SECONDS - from)) s"
}

interface kni-left left near
interface kni-right right near
worker 0 "xconnect left right"
for way in "${WAYS[@]}"; do
	IFS=: read -r driver mode how <<<"$way"
	one_way "$driver" "$mode" "$how"
done
