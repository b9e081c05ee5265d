#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What speaks against a bind is said, with the remedy, and nothing is touched; what was bound goes
# back however the primary ends. NIC 0 is an e1000e, NIC 1 an e1000, NIC 2 virtio-net, NIC 3 an
# RTL8139; 0000:01:01.0 and 0000:01:02.0 are two NICs behind one old bridge and so in one IOMMU
# group.
#   31-refuse.sh [SECTION...]      default: bad_devices in_use group translated limits life igb_uio
#                                  interrupts write_combining small_bars; others are
#   taints         igb_uio taints the kernel; before anybody else does
#   no_noiommu     the machine has no IOMMU, and its kernel's vfio can't do without
#   noiommu        the machine has no IOMMU, and its kernel's vfio can
#   lockdown       locks the kernel down, so it comes last
# shellcheck source=tests/vm/scenarios/_bind.sh
. "$(dirname "$0")/_bind.sh"
# shellcheck source=tests/vm/scenarios/_igb_uio.sh
. "$(dirname "$0")/_igb_uio.sh"

BIND=$KNIT_BUILD/tools/knit-bind/knit-bind
PRIMARY=$KNIT_BUILD/primary/knit-primary
UIO=$ROOT/tests/vm/uio.py
NIC=0000:00:10.0
PEER=0000:00:11.0
VIRTIO=0000:00:12.0
SMALL=0000:00:13.0
MEMTYPES=/sys/kernel/debug/x86/pat_memtype_list
SECTIONS=("$@")
[ $# -gt 0 ] || SECTIONS=(bad_devices in_use group translated limits life igb_uio
	interrupts write_combining small_bars)

config() # device, text
{
	PORTS=""
	port left "$1" "" "$2"
	write_config
}

# Port left on a NIC, and port right on another one, or on a net_tap where the device is "".
config_two() # device, text, device, text
{
	PORTS=""
	port left "$1" "" "$2"
	port right "${3:-net_tap0,iface=right0}" "" "${4:-}"
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
	dev=$(device_here $NIC)
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
	check "sysfs of another network namespace" says 4 \
		"can't find out how its interface $dev is used" "remedy: .*network namespace" -- \
		unshare --net "$BIND" bind vfio-pci $NIC
	ip link set "$dev" up
	# Behind the route that the kernel makes for the address.
	ip addr add 10.9.9.9/24 dev "$dev"
	ip route add 10.10.0.0/16 dev "$dev"
	refused "interface with a route" \
		"its interface $dev is up, has the address 10.9.9.9, has a route to 10.10.0.0/16" \
		"force = true" $NIC vfio-pci
	check "listed as JSON" listed "$dev"
	check "by force: bound" says 0 "$NIC: vfio-pci" -- "$BIND" --force bind vfio-pci $NIC
	check "by force: it is" driver_is $NIC vfio-pci
	check "unbound by hand" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	check "restored: it is" driver_is $NIC e1000e
	come_here $NIC
	dev=$(device_here $NIC)
	ip addr add 10.9.9.9/24 dev "$dev"
	check "restored twice" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	check "restored twice: the address stays" \
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
	check "group: restored" says 0 "$one: e1000" "$two: e1000" -- "$BIND" unbind $one $two
}

# Only while it has no driver.
group_type() # type
{
	echo $NIC >/sys/bus/pci/drivers/e1000e/unbind
	echo "$1" >"/sys/bus/pci/devices/$NIC/iommu_group/type" || die "no IOMMU domain of type $1"
	echo $NIC >/sys/bus/pci/drivers/e1000e/bind
	come_here $NIC
}

translated()
{
	modprobe -a uio uio_pci_generic || die "no uio"
	load igb_uio
	come_here $NIC
	group_type DMA
	refused "translated" "is behind an IOMMU that translates its addresses .*type DMA" \
		"iommu=pt" $NIC igb_uio
	refused "translated, generic" "is behind an IOMMU .* and uio_pci_generic can't" \
		"take vfio-pci" $NIC uio_pci_generic
	group_type identity
	check "translated no more" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	check "translated no more: restored" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	rmmod igb_uio
}

# What vfio would say only when EAL opens the NIC.
limits()
{
	local entries=/sys/module/vfio_iommu_type1/parameters/dma_entry_limit had
	local small=(prlimit --memlock=65536 setpriv --bounding-set -ipc_lock "$PRIMARY")

	modprobe -a vfio-pci vfio_iommu_type1 || die "no vfio"
	come_here $NIC
	config $NIC 'driver = "vfio-pci";'
	check "memory limit: --check" says 4 "^MISSING .*RLIMIT_MEMLOCK allows 64 KiB" \
		"remedy: .*ulimit -l unlimited" -- "${small[@]}" --check "$TMP/knit.cfg"
	check "memory limit: primary" says 4 "RLIMIT_MEMLOCK allows 64 KiB" \
		"remedy: .*LimitMEMLOCK=infinity" -- "${small[@]}" --config "$TMP/knit.cfg"
	had=$(cat $entries)
	echo 5 >$entries
	check "mappings: --check" says 4 "^MISSING .*5 pieces of memory \(dma_entry_limit\)" \
		"remedy: echo [0-9]+ >$entries; .*dma_entry_limit=[0-9]+ in /etc/modprobe.d" -- \
		"$PRIMARY" --check "$TMP/knit.cfg"
	check "mappings: primary" says 4 "5 pieces of memory" "remedy: echo " -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	eval "$(sed -n 's/.*remedy: \(echo [0-9]* >[^;]*\);.*/\1/p' "$TMP/said")"
	check "mappings: by the remedy they are enough" says 0 -- "$PRIMARY" --check "$TMP/knit.cfg"
	echo "$had" >$entries
	check "limits: untouched" driver_is $NIC e1000e
}

no_noiommu()
{
	check "no IOMMU, no vfio: listed" says 0 "$NIC .*has no IOMMU: with vfio-pci it could" -- \
		"$BIND"
	modprobe vfio-pci || die "no vfio-pci"
	come_here $NIC
	refused "no IOMMU" "$NIC has no IOMMU, .* without CONFIG_VFIO_NOIOMMU" "take igb_uio" $NIC \
		vfio-pci
	refused "no IOMMU, allowed" "$NIC has no IOMMU, .* without CONFIG_VFIO_NOIOMMU" \
		"intel_iommu=on" $NIC vfio-pci "allow_noiommu = true;"
}

noiommu_is() # Y or N
{
	[ "$(cat /sys/module/vfio/parameters/enable_unsafe_noiommu_mode)" = "$1" ]
}

noiommu()
{
	modprobe vfio-pci || die "no vfio-pci"
	come_here $NIC
	refused "no IOMMU" "$NIC has no IOMMU: .* read and write all memory" \
		"allow_noiommu = true" $NIC vfio-pci
	check "no IOMMU: nothing is switched on" noiommu_is N
	check "no IOMMU: bound by hand" says 0 "$NIC: vfio-pci" -- \
		"$BIND" --allow-noiommu bind vfio-pci $NIC
	check "no IOMMU: listed" says 0 "$NIC .* vfio-pci .* noiommu" -- "$BIND"
	check "no IOMMU: unbound by hand" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	echo N >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
	come_here $NIC
	config_two $NIC 'driver = "vfio-pci"; optional = true;' ""
	start_primary
	check "no IOMMU, optional: nothing is switched on" noiommu_is N
	check "no IOMMU, optional: absent" field_is /knit/port,left absent 1
	check "no IOMMU, optional: untouched" driver_is $NIC e1000e
	stop primary
	config $NIC 'driver = "vfio-pci"; allow_noiommu = true;'
	start_primary
	check "no IOMMU: says what is lost" grep -q \
		"port left: no IOMMU: $NIC can read and write all" "$TMP/primary.log"
	check "no IOMMU: switched on" noiommu_is Y
	stop primary
	check "no IOMMU: exit code" [ "$STATUS" -eq 0 ]
	check "no IOMMU: restored" back
	check "no IOMMU: switched off" noiommu_is N
	noiommu_of_others
}

# Switched on by this primary, and then in use by somebody else too.
noiommu_of_others()
{
	come_here $NIC
	come_here $PEER
	start_primary
	check "no IOMMU, others: bound by hand" says 0 "$PEER: vfio-pci" -- \
		"$BIND" --allow-noiommu bind vfio-pci $PEER
	stop primary
	check "no IOMMU, others: restored" driver_is $NIC e1000e
	check "no IOMMU, others: it stays on" noiommu_is Y
	check "no IOMMU, others: says so" grep -q "stays on, needed by $PEER" \
		"$TMP/primary.log"
	check "no IOMMU, others: remembered" grep -qx noiommu "/run/knit/$PREFIX/bound"
	check "no IOMMU, others: unbound" says 0 "$PEER: e1000" -- "$BIND" unbind $PEER
	check "no IOMMU, others: later" says 0 -- "$PRIMARY" --give-back "$PREFIX"
	check "no IOMMU, others: switched off" noiommu_is N
	check "no IOMMU, others: nothing is left" back
}

lockdown()
{
	modprobe -a uio uio_pci_generic || die "no uio"
	mount -t securityfs none /sys/kernel/security
	load igb_uio msix
	come_here $NIC
	check "locked down later: bound" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	check "locked down later: neither opened nor mapped" "$UIO" locked $NIC
	check "locked down later: restored" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	rmmod igb_uio
	come_here $NIC
	refused "locked down" "kernel is locked down .*: igb_uio can't give" "take vfio-pci" $NIC \
		igb_uio
	refused "locked down, generic" "kernel is locked down .*: uio_pci_generic" "Secure Boot" \
		$NIC uio_pci_generic
	check "locked down: igb_uio does not load" not insmod "$IGB_UIO"
	# Without a signature the kernel refuses it before it can speak.
	if [ -e /sys/module/module/parameters/sig_enforce ] &&
		! grep -q "~Module signature appended~" "$IGB_UIO"; then
		check "locked down: the kernel refuses an igb_uio without signature, and says so" \
			said_by_kernel 'unsigned module loading is restricted'
	else
		check "locked down: igb_uio refuses by itself, and says why" \
			said_by_kernel 'igb_uio: the kernel is locked down'
	fi
}

back()
{
	driver_is $NIC e1000e && [ ! -e "/run/knit/$PREFIX" ]
}

remembered() # driver
{
	driver_is $NIC "$1" && grep -q "^$NIC $1 e1000e - " "/run/knit/$PREFIX/bound"
}

kill_primary()
{
	kill -KILL "${PID[primary]}"
	wait "${PID[primary]}" 2>/dev/null
}

life()
{
	modprobe vfio-pci || die "no vfio-pci"
	failed_start
	life_on vfio-pci
	come_here $NIC
	start_primary
	kill_primary
	config $PEER ""
	check "killed, unbound by hand" says 0 -- "$PRIMARY" --restore "$PREFIX"
	check "killed, restored: it is" back
	started_anew
	optional_ports
	load igb_uio msix
	life_on igb_uio
	optional_on_igb_uio
	rmmod igb_uio
}

failed_start()
{
	local override=/sys/bus/pci/devices/$PEER/driver_override

	come_here $NIC
	config $NIC 'driver = "vfio-pci"; tx_queues = 16;'
	check "failed start: says why" says 4 "tx_queues: found 16" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	check "failed start: restored" back
	come_here $NIC
	come_here $PEER
	config_two $NIC 'driver = "vfio-pci";' $PEER 'driver = "vfio-pci"; tx_queues = 16;'
	check "second NIC does not start" says 4 "port right: tx_queues: found 16" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	check "second NIC does not start: both restored" both_back
	come_here $NIC
	come_here $PEER
	# Its driver is not named to the kernel, which takes the usual one.
	echo >"$TMP/override"
	mount --bind "$TMP/override" $override
	check "second NIC can't be bound" says 4 "port right: $PEER: vfio-pci did not take it" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	umount $override
	check "second NIC can't be bound: both restored" both_back
}

both_back()
{
	back && driver_is $PEER e1000
}

# A primary that runs, is killed, and started again.
life_on() # driver
{
	come_here $NIC
	config $NIC "driver = \"$1\";"
	start_primary
	check "$1, running: remembered" remembered "$1"
	check "$1, running: not for others" says 4 "process ${PID[primary]} .* has it locked" -- \
		"$BIND" unbind $NIC
	kill_primary
	check "$1, killed: remembered" remembered "$1"
	check "$1, killed: left no hugepage free" leave_no_page
	start_primary
	echo "$PAGES" >/proc/sys/vm/nr_hugepages
	check "$1, started again: still its" remembered "$1"
	stop primary
	check "$1, ended: exit code" [ "$STATUS" -eq 0 ]
	check "$1, ended: restored" back
}

# All there are hold what the killed primary left.
leave_no_page()
{
	local free

	PAGES=$(cat /proc/sys/vm/nr_hugepages)
	free=$(awk '$1 == "HugePages_Free:" { print $2 }' /proc/meminfo)
	echo $((PAGES - free)) >/proc/sys/vm/nr_hugepages
	grep -q "^HugePages_Free: *0$" /proc/meminfo
}

# A worker that dies while it attaches: the primary asks for a new start, and keeps its NIC for it.
started_anew()
{
	local tries

	come_here $NIC
	config $NIC 'driver = "vfio-pci";'
	start_primary
	for ((tries = 0; tries < 5; tries++)); do
		start worker0 "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
		wait_for 10 attaching && kill -KILL "${PID[worker0]}"
		stop worker0
		wait_for 5 ended primary && break
	done
	check "asks for a new start" left_with primary 8
	check "asks for a new start: keeps its NIC" remembered vfio-pci
	start_primary
	stop primary
	check "started anew, ended: restored" back
}

attaching()
{
	grep -q attaching "/run/knit/$PREFIX/worker-0.lock"
}

# The other port runs, and whoever has the NIC keeps it.
runs_without() # what
{
	start_primary
	check "$1: absent" field_is /knit/port,left absent 1
	check "$1: the other port is there" field_is /knit/port,right absent 0
	stop primary
	check "$1: exit code" [ "$STATUS" -eq 0 ]
}

optional_ports()
{
	local dev group

	come_here $NIC
	dev=$(device_here $NIC)
	ip link set "$dev" up
	config_two $NIC 'driver = "vfio-pci"; optional = true;' ""
	check "optional, in use: --check" says 0 "^note .*port left: .*$dev is up" -- \
		"$PRIMARY" --check "$TMP/knit.cfg"
	runs_without "optional, in use"
	check "optional, in use: untouched" driver_is $NIC e1000e
	check "optional, in use: still up" sh -c "ip -o link show $dev | grep -q [,\<]UP"
	ip link set "$dev" down
	# EAL can't open it.
	check "optional, probe fails: bound" says 0 "$NIC: vfio-pci" -- "$BIND" bind vfio-pci $NIC
	group=/dev/vfio/$(basename "$(readlink /sys/bus/pci/devices/$NIC/iommu_group)")
	mount --bind /dev/null "$group"
	runs_without "optional, probe fails"
	config_two $NIC 'driver = "vfio-pci";' ""
	check "probe fails: nothing starts" says 4 "port left: no DPDK port $NIC" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	umount "$group"
	check "probe fails: unbound by hand" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
}

# One that has its driver already may be somebody else's.
optional_on_igb_uio()
{
	come_here $NIC
	check "optional, held: bound" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	start hold "$UIO" hold $NIC
	wait_for 10 grep -q holds "$TMP/hold.log"
	config_two $NIC 'driver = "igb_uio"; optional = true;' ""
	runs_without "optional, held"
	config_two $NIC 'optional = true;' ""
	runs_without "optional, held, keep"
	check "optional, held: still" not ended hold
	config $NIC 'driver = "igb_uio";'
	check "held: refused" says 4 "process ${PID[hold]} .* has it open" -- \
		"$PRIMARY" --config "$TMP/knit.cfg"
	stop hold
	check "optional, held: unbound by hand" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
}

interface kni-left left
worker 0 "punt left"
modprobe -a e1000e uio
wait_for 10 driver_is $NIC e1000e || die "no e1000e"
for one in "${SECTIONS[@]}"; do
	$one
done
