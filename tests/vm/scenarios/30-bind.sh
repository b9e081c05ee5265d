#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Takes NICs from the kernel and gives them back, on each way that DPDK drives a NIC. A probe is
# the life of one primary: bind, ping both ways, frames of 9000 bytes after a request for that
# MTU, the cable pulled and put back, and the end, after which the NIC has its driver again.
#   30-bind.sh [NUMBER:DRIVER[:INTERRUPTS]...]    probes NIC NUMBER, whose peer is the next one;
#                                                 default: NIC 0 on each
#   KNIT_PORT_TEXT in the environment: more settings of the port
#
#   netns far                                                              netns near
#   left0 (e1000) ===wire=== NIC NUMBER, bound by knit: port left --- worker 0 --- kni-left
#   10.7.1.2                                                               10.7.1.1
# shellcheck source=tests/vm/scenarios/_bind.sh
. "$(dirname "$0")/_bind.sh"

PROBES=("$@")
[ $# -gt 0 ] || PROBES=(0:vfio-pci 0:igb_uio:msix 0:igb_uio:msi 0:igb_uio:legacy 0:uio_pci_generic)

ping_sizes() # netns, address, sizes...
{
	local ns=$1 to=$2 size
	shift 2

	for size in "$@"; do
		in_ns "$ns" ping -q -c 2 -i 0.05 -W 5 -M "do" -s "$size" "$to" || return 1
	done
}

no_carrier()
{
	! has_carrier near kni-left
}

# DPDK's virtio tells of the link by interrupts, the other two do not: see port_driver.c. A vmxnet3
# of QEMU's puts no frame into more buffers than DPDK's driver allows it: one.
new_config() # number, driver, the kernel's driver
{
	local text="driver = \"$2\"; ${KNIT_PORT_TEXT:-}"

	PORTS=""
	SETTINGS[mempool]=
	case $3 in
	e1000e) text+=" tx_desc = 128;" ;;
	vmxnet3) SETTINGS[mempool]="data_room = 9728;" ;;
	esac
	port left "0000:00:1$1.0" "" "$text"
	write_config
}

# Of the PCI command register: the bit that lets the NIC use memory.
may_use_memory() # address
{
	[ $(($(od -An -tu1 -j4 -N1 "/sys/bus/pci/devices/$1/config") & 4)) -ne 0 ]
}

no_memory() # address
{
	local config=/sys/bus/pci/devices/$1/config low

	low=$(($(od -An -tu1 -j4 -N1 "$config") & ~4))
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\x$(printf %02x $low)" |
		dd of="$config" bs=1 seek=4 conv=notrunc status=none
}

# Once round the transmit ring, and one more.
goes_round()
{
	in_ns near ping -q -f -c 200 10.7.1.2
	ping_sizes far 10.7.1.1 56
}

goes_on() # why
{
	check "$what: goes on $1" wait_for 10 goes_round
}

restarted() # starts before, why
{
	check "$what: is started anew $2" wait_for 10 field_over /knit/port,left starts "$1"
	check "$what: has its memory $2" wait_for 5 may_use_memory "$at"
	goes_on "$2"
}

# uio_pci_generic stops a NIC whenever a process closes it, which none of knit's does when it ends.
# Descriptors that it was to write to then are never written, and a driver that waits for one stands
# still as soon as it comes round to it. Another program closes it; then it is stopped for as long
# as the primary takes to look for itself.
loses_memory()
{
	local uio starts

	uio=$(echo "/sys/bus/pci/devices/$at/uio/"*)
	starts=$(field /knit/port,left starts)
	start_in near flood ping -q -i 0.005 10.7.1.2
	stop control
	check "$what: has its memory when a process has ended" may_use_memory "$at"
	goes_on "when a process has ended"
	check "$what: and was not started anew" field_is /knit/port,left starts "$starts"
	start_control
	: <>"/dev/$(basename "$uio")"
	restarted "$starts" "after another program"
	starts=$(field /knit/port,left starts)
	no_memory "$at"
	restarted "$starts" "after a second"
	stop flood INT
}

# A virtio-net of QEMU's has no msi; the next mode is taken then.
interrupts_are() # the kernel's driver, mode
{
	[ "$1:$2" != virtio-pci:msi ] || set -- "$1" legacy
	dmesg | grep -E 'igb_uio 0000.* interrupts: ' | tail -n 1 | grep -q "interrupts: $2 "
}

five_steps() # number, name, the kernel's driver
{
	local what=$2 events

	connect_far_near
	check "$what: ping, NIC to interface" wait_for 10 ping_sizes far 10.7.1.1 56 1472
	check "$what: ping, interface to NIC" ping_sizes near 10.7.1.2 56 1472
	ip -n far link set left0 mtu 9000
	check "$what: MTU request" ip -n near link set kni-left mtu 9000
	check "$what: port follows" wait_for 10 field_is /knit/port,left mtu 9000
	check "$what: 9000 bytes, NIC to interface" wait_for 10 ping_sizes far 10.7.1.1 8972
	check "$what: 9000 bytes, interface to NIC" wait_for 10 ping_sizes near 10.7.1.2 8972
	events=$(field /knit/port,left link_events)
	cable "$1" off
	check "$what: cable pulled" wait_for 10 no_carrier
	cable "$1" on
	check "$what: cable back" wait_for 10 has_carrier near kni-left
	if [ "$3" = virtio-pci ]; then
		check "$what: by interrupts" field_over /knit/port,left link_events $((events + 1))
	fi
	check "$what: ping again" wait_for 10 ping_sizes far 10.7.1.1 56
}

probe() # number, driver, interrupts
{
	local at=0000:00:1$1.0 from=$SECONDS what had

	come_here "$at"
	had=$(driver_of "$at")
	what="$had on $2${3:+ ($3)}"
	load "$2" "${3:-}"
	netns far near
	far_end "0000:00:1$(($1 + 1)).0" far left0
	new_config "$1" "$2" "$had"
	system_up
	check "$what: bound" driver_is "$at" "$2"
	[ -z "${3:-}" ] || check "$what: interrupts" interrupts_are "$had" "$3"
	five_steps "$1" "$what" "$had"
	[ "$2" != uio_pci_generic ] || loses_memory
	system_down
	check "$what: primary ends well" [ "$STATUS" -eq 0 ]
	check "$what: back on $had" driver_is "$at" "$had"
	check "$what: nothing is remembered" [ ! -e "/run/knit/$PREFIX" ]
	go_home left0 far
	ip netns del far
	ip netns del near
	echo "# $what: $((SECONDS - from)) s"
}

interface kni-left left near
worker 0 "punt left"
for one in "${PROBES[@]}"; do
	IFS=: read -r number driver mode <<<"$one"
	probe "$number" "$driver" "$mode"
done
