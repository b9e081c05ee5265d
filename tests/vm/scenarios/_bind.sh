# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced first by what takes NICs from the kernel: _init.sh and the rest of tests/smoke, and
#   driver_of ADDRESS, driver_is ADDRESS DRIVER     "none" if it has none
#   load DRIVER [INTERRUPTS] [PARAMETER...]         its module; igb_uio anew, with that intr_mode
#   come_here ADDRESS              its interface, down, into this script's network namespace, where
#                                  a primary looks for it; device_here ADDRESS is its name then
#   go_home DEVICE NETNS           a far end back to where far_end finds it
#   said_by_kernel PATTERN         in the last lines of its log
#   not COMMAND...
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"

IOVA=auto
IGB_UIO=$(dirname "$(dirname "$KNIT_MODULE")")/igb_uio/igb_uio.ko

driver_of() # address
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo none)"
}

driver_is() # address, driver
{
	[ "$(driver_of "$1")" = "$2" ]
}

load() # driver, interrupts, parameters...
{
	local driver=$1 mode=${2:-msix}
	shift 2

	if [ "$driver" = igb_uio ]; then
		modprobe uio || die "no uio"
		[ ! -e /sys/module/igb_uio ] || rmmod igb_uio || die "igb_uio is in use"
		insmod "$IGB_UIO" intr_mode="$mode" "$@" || die "no igb_uio"
	else
		modprobe "$driver" || die "no $driver"
	fi
}

# Its interface, if it is in this namespace.
device_here() # address
{
	local dir

	for dir in "/sys/bus/pci/devices/$1/net/"* "/sys/bus/pci/devices/$1"/virtio*/net/*; do
		[ ! -e "$dir/ifindex" ] || basename "$dir"
	done
}

come_here() # address
{
	local dev

	dev=$(device_here "$1")
	[ -z "$dev" ] || ip link set "$dev" down || die "NIC $1 can't be taken down"
	[ -z "$dev" ] || return 0
	modprobe -a e1000e e1000 virtio_net vmxnet3
	wait_for 5 device_outside "$1" || die "NIC $1 has no kernel device"
	dev=$(device_outside "$1")
	outside ip link set dev "$dev" down netns $$ || die "NIC $1 can't move here"
}

go_home() # device, netns
{
	ip -n "$2" link set "$1" mtu 1500 down netns 1
}

not() # command...
{
	! "$@"
}

said_by_kernel() # pattern
{
	dmesg | tail -n 5 | grep -qE "$1"
}
