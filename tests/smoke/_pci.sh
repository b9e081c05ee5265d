# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced by _system.sh where ports are NICs: in the virtual machine that `tests/vm/run.sh` boots
# with `--nics pci` or `--nics plain`. They come in pairs on one wire, the first for DPDK, the
# second for the kernel: 0000:00:10.0 and :11.0, 0000:00:12.0 and :13.0
#
#   pci_port NAME NETNS [TEXT]     the next pair: a port on the first, which PCI_DRIVER drives, if
#                                  not vfio-pci; the other is NAME0 in NETNS
#   bind_pci ADDRESS               gives a device to PCI_DRIVER
#   far_end ADDRESS NETNS NAME     moves the kernel's device of a NIC there
#   cable N on|off                 pulls the cable of the N-th NIC: the machine's side of it
N_PCI=0

bind_pci() # address
{
	local device=/sys/bus/pci/devices/$1 driver=${PCI_DRIVER:-vfio-pci}

	modprobe "$driver" || die "no $driver"
	[ "$(basename "$(readlink "$device/driver")")" != "$driver" ] || return 0
	echo "$driver" >"$device/driver_override"
	[ ! -e "$device/driver" ] || echo "$1" >"$device/driver/unbind"
	echo "$1" >/sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$device/driver")")" = "$driver" ] || die "$1 not on $driver"
}

# The namespace that the machine started with, where NICs return when theirs ends.
outside() # command...
{
	nsenter --target 1 --net --mount "$@"
}

# virtio's devices are one level deeper.
device_outside() # address
{
	local index

	for index in $(outside sh -c "ls -d /sys/bus/pci/devices/$1/net/*/ifindex \
		/sys/bus/pci/devices/$1/virtio*/net/*/ifindex" 2>/dev/null); do
		basename "$(dirname "$index")"
		return
	done
	return 1
}

# Takes all frames: with 8021q loaded, a NIC may else drop tags that no VLAN device of its own has.
far_end() # address, netns, name
{
	local dev

	wait_for 5 device_outside "$1" || die "NIC $1 has no kernel device"
	dev=$(device_outside "$1")
	outside ip link set dev "$dev" down netns $$ &&
		ip link set dev "$dev" netns "$2" name "$3" promisc on ||
		die "NIC $1 can't move to $2"
}

pci_port() # name, netns[, text]
{
	local near=0000:00:1$((2 * N_PCI)).0 far=0000:00:1$((2 * N_PCI + 1)).0

	bind_pci $near
	modprobe -a e1000 virtio_net || die "no driver for the far end"
	far_end $far "$2" "${1}0"
	port "$1" $near "" "${3:-}"
	N_PCI=$((N_PCI + 1))
}

cable() # number, on or off
{
	echo "set_link nic$1 $2" >/run/monitor
}
