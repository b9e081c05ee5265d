#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What speaks against a bind is said, with the remedy, and nothing is touched; what was bound goes
# back however the primary ends. NIC 0 is an e1000e, NIC 1 its peer; 0000:01:01.0 and 0000:01:02.0,
# if they are there, are two NICs behind one old bridge and so in one IOMMU group.
#   31-refuse.sh [SECTION...]      default: bad_devices in_use group life igb_uio, in this order
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"
# shellcheck source=tests/vm/scenarios/_bind.sh
. "$(dirname "$0")/_bind.sh"

BIND=$KNIT_BUILD/primary/knit-bind
PRIMARY=$KNIT_BUILD/primary/knit-primary
UIO=$ROOT/tests/vm/uio.py
NIC=0000:00:10.0
PEER=0000:00:11.0
IOVA=auto
SECTIONS=("$@")
[ $# -gt 0 ] || SECTIONS=(bad_devices in_use group life igb_uio)

config() # device, text
{
	PORTS=""
	port left "$1" "" "$2"
	write_config
}

# All of it was printed, with that exit code.
says() # code, patterns..., -- command...
{
	local code=$1 patterns=() pattern status
	shift

	while [ "$1" != -- ]; do
		patterns+=("$1")
		shift
	done
	shift
	timeout -k 5 60 "$@" >"$TMP/said" 2>&1
	status=$?
	cat "$TMP/said"
	[ $status -eq "$code" ] || return 1
	for pattern in "${patterns[@]}"; do
		grep -qE -- "$pattern" "$TMP/said" || return 1
	done
}

# By the primary, its --check, and knit-bind, which all ask the same code.
refused() # name, pattern, remedy, device, driver, text
{
	local name=$1 pattern=$2 remedy=$3 device=$4 driver=$5 had

	had=$(driver_of "$device")
	config "$device" "driver = \"$driver\"; ${6:-}"
	check "$name: primary" says 4 "port left: .*$pattern" "remedy: .*$remedy" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	check "$name: --check" says 4 "^MISSING .*$pattern" "remedy: .*$remedy" -- \
		"$PRIMARY" --check "$TMP/knit.cfg"
	check "$name: knit-bind" says 4 "$pattern" "remedy: .*$remedy" -- \
		"$BIND" bind "$driver" "$device"
	check "$name: untouched" driver_is "$device" "$had"
}

bad_devices()
{
	refused "no such device" "there is no PCI device 0000:00:1e.0" "knit-bind" 0000:00:1e.0 \
		vfio-pci
	refused "a bridge" "0000:00:00.0 is a bridge" "knit-bind" 0000:00:00.0 vfio-pci
	refused "a disk controller" "0000:00:1f.2 is a disk controller" "knit-bind" 0000:00:1f.2 \
		vfio-pci
	config 0000:00:10 'driver = "vfio-pci";'
	check "written wrongly: primary" says 3 "ports.\[0\].device: .*domain:bus:device.function" \
		-- "$PRIMARY" --config "$TMP/knit.cfg"
	check "written wrongly: knit-bind" says 2 "domain:bus:device.function" -- \
		"$BIND" bind vfio-pci 0000:00:10
}

in_use()
{
	local dev

	refused "module missing" "uio_pci_generic is not loaded" "modprobe uio_pci_generic" $NIC \
		uio_pci_generic
	modprobe vfio-pci || die "no vfio-pci"
	refused "interface elsewhere" "no interface in this network namespace" "netns" $NIC vfio-pci
	come_here $NIC
	dev=$(ls /sys/bus/pci/devices/$NIC/net)
	ip link set "$dev" up
	refused "interface up" "its interface $dev is up" "force = true" $NIC vfio-pci
	ip link set "$dev" down
	ip addr add 10.9.9.9/24 dev "$dev"
	refused "interface with an address" "its interface $dev has the address 10.9.9.9" \
		"ip addr flush dev $dev" $NIC vfio-pci
	ip addr flush dev "$dev"
	modprobe bridge && ip link add br0 type bridge && ip link set "$dev" master br0 ||
		die "no bridge"
	refused "interface of a bridge" "its interface $dev belongs to br0" "force" $NIC vfio-pci
	ip link del br0
	ip link set "$dev" up
	ip route add 10.8.0.0/16 dev "$dev"
	check "listed as JSON" listed "$dev"
	check "by force: bound" says 0 "$NIC: vfio-pci" -- "$BIND" --force bind vfio-pci $NIC
	check "by force: it is" driver_is $NIC vfio-pci
	check "given back by hand" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	check "given back: it is" driver_is $NIC e1000e
	dev=$(ls /sys/bus/pci/devices/$NIC/net)
	ip addr add 10.9.9.9/24 dev "$dev"
	check "given back twice" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	check "given back twice: the address stays" \
		sh -c "ip -o addr show dev $dev | grep -q 10.9.9.9"
	ip addr flush dev "$dev"
}

listed() # interface
{
	"$BIND" --json | python3 -c "
import json, sys
nic, = [d for d in json.load(sys.stdin) if d['address'] == '$NIC']
assert nic['interfaces'] == ['$1'], nic
assert nic['driver'] == 'e1000e' and nic['kind'] == 'network controller', nic
assert isinstance(nic['iommu_group'], int) and '$1 is up' in nic['blocked'], nic"
}

# Two in one group: alone refused, together taken.
group()
{
	local one=0000:01:01.0 two=0000:01:02.0

	[ -e /sys/bus/pci/devices/$one ] || die "no two devices in one group: see suite.sh"
	modprobe e1000
	come_here $one
	come_here $two
	refused "group shared" \
		"$one shares IOMMU group [0-9]+ with $two, which the kernel's e1000" \
		"bind that one too" $one vfio-pci
	check "group: both" says 0 "$one: vfio-pci" "$two: vfio-pci" -- \
		"$BIND" bind vfio-pci $one $two
	check "group: given back" says 0 "$one: e1000" "$two: e1000" -- "$BIND" unbind $one $two
}

back()
{
	driver_is $NIC e1000e && [ ! -e "/run/knit/$PREFIX" ]
}

remembered()
{
	driver_is $NIC vfio-pci && grep -q "^$NIC vfio-pci e1000e -$" "/run/knit/$PREFIX/bound"
}

life()
{
	modprobe vfio-pci || die "no vfio-pci"
	come_here $NIC
	config $NIC 'driver = "vfio-pci"; tx_queues = 16;'
	check "failed start: says why" says 4 "tx_queues: found 16" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	check "failed start: given back" back
	come_here $NIC
	config $NIC 'driver = "vfio-pci";'
	start_primary
	check "running: remembered" remembered
	check "running: not for others" says 4 "process ${PID[primary]} .* has it open" -- \
		"$BIND" unbind $NIC
	kill -KILL "${PID[primary]}"
	wait "${PID[primary]}" 2>/dev/null
	check "killed: remembered" remembered
	start_primary
	check "started again: still its" remembered
	stop primary
	check "ended: exit code" [ "$STATUS" -eq 0 ]
	check "ended: given back" back
	come_here $NIC
	start_primary
	kill -KILL "${PID[primary]}"
	wait "${PID[primary]}" 2>/dev/null
	config $PEER ""
	check "killed, given back by hand" says 0 -- "$PRIMARY" --give-back "$PREFIX"
	check "killed, given back: it is" back
}

igb_uio()
{
	check "intr_mode: refused" refuses_parameter intr_mode=msiy "msix, msi or legacy"
	check "dma_kib: refused" refuses_parameter dma_kib=4097 "at most 4096"
	load igb_uio msix dma_kib=64
	come_here $NIC
	check "igb_uio: bound" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	check "igb_uio: maps and ports are the BARs" "$UIO" maps $NIC
	check "igb_uio: DMA region" "$UIO" dma $NIC
	check "igb_uio: phys is read-only" [ "$(stat -c %a /sys/bus/pci/devices/$NIC/phys)" = 444 ]
	start hold "$UIO" hold $NIC
	wait_for 10 grep -q holds "$TMP/hold.log"
	check "igb_uio: unbind refused while open" says 4 "has it open" -- "$BIND" unbind $NIC
	echo $NIC >/sys/bus/pci/drivers/igb_uio/unbind
	wait_for 10 ended hold
	check "igb_uio: removed while open" gone_for_user
	echo e1000e >/sys/bus/pci/devices/$NIC/driver_override
	echo $NIC >/sys/bus/pci/drivers_probe
	echo >/sys/bus/pci/devices/$NIC/driver_override
	check "igb_uio: the kernel's driver takes it" driver_is $NIC e1000e
	check "igb_uio: unloaded" rmmod igb_uio
}

refuses_parameter() # parameter, what the kernel's log says
{
	! insmod "$IGB_UIO" "$1" && dmesg | tail -n 5 | grep -q "igb_uio: .*$2"
}

# Reads fail, and each of its maps is gone.
gone_for_user()
{
	cat "$TMP/hold.log"
	grep -q "^read: Input/output error" "$TMP/hold.log" &&
		! grep -q "no signal" "$TMP/hold.log" &&
		[ "$(grep -c "^SIGBUS" "$TMP/hold.log")" -ge 2 ]
}

interface kni-left left
worker 0 "punt left"
modprobe -a e1000e uio
wait_for 10 driver_is $NIC e1000e || die "no e1000e"
for one in "${SECTIONS[@]}"; do
	$one
done
