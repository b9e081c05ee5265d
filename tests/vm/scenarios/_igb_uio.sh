# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Sections of 31-refuse.sh about igb_uio by itself. Sourced.

# By hand, since knit-bind refuses them before; those that no driver of the kernel's has.
refuses_bridges()
{
	local dir one=

	for dir in /sys/bus/pci/devices/*; do
		[[ $(cat "$dir/class") == 0x06* ]] && [ ! -e "$dir/driver" ] || continue
		one=$(basename "$dir")
		echo igb_uio >"$dir/driver_override"
		echo "$one" >/sys/bus/pci/drivers_probe
		check "igb_uio, the bridge $one: not bound" driver_is "$one" none
		check "igb_uio, the bridge $one: says why" said_by_kernel \
			"igb_uio $one: a bridge, not a device"
		echo >"$dir/driver_override"
	done
	check "igb_uio, a bridge: there was one" [ -n "$one" ]
}

igb_uio()
{
	check "intr_mode: refused" refuses_parameter intr_mode=msiy "msix, msi or legacy"
	check "dma_kib: refused" refuses_parameter dma_kib=4097 "at most 4096"
	load igb_uio msix dma_kib=64
	refuses_bridges
	come_here $NIC
	check "igb_uio: bound" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	check "igb_uio: maps and ports are the BARs" "$UIO" maps $NIC
	check "igb_uio: DMA region" "$UIO" dma $NIC
	check "igb_uio: opened while it is being bound" "$UIO" early $NIC
	check "igb_uio: its irq is as it was" sh -c '! dmesg | grep "Unbalanced enable"'
	echo $NIC >/sys/bus/pci/drivers/igb_uio/unbind
	echo igb_uio >/sys/bus/pci/devices/$NIC/driver_override
	echo $NIC >/sys/bus/pci/drivers_probe
	check "igb_uio: DMA region of the next bind" "$UIO" dma $NIC
	check "igb_uio: phys is read-only" [ "$(stat -c %a /sys/bus/pci/devices/$NIC/phys)" = 444 ]
	rm -f "$TMP/hold.log" # of another section
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

# An RTL8139 has 256 bytes of registers.
small_bars()
{
	load igb_uio msix
	check "small BARs: bound" says 0 "$SMALL: igb_uio" -- "$BIND" bind igb_uio $SMALL
	check "small BARs: not to be mapped" "$UIO" small $SMALL
	check "small BARs: unbound" rmmod igb_uio
}

taints()
{
	modprobe uio || die "no uio"
	load igb_uio msix
	come_here $NIC
	check "taints: bound" says 0 "$NIC: igb_uio" -- "$BIND" bind igb_uio $NIC
	check "taints: with the first open" "$UIO" taint $NIC
	check "taints: restored" says 0 "$NIC: e1000e" -- "$BIND" unbind $NIC
	rmmod igb_uio
}

took() # mode
{
	dmesg | grep 'igb_uio 0000:.* interrupts: ' | tail -n 1 | grep -q "interrupts: $1 "
}

# Each mode, and what is taken where a device has none of that: an e1000 knows neither message.
interrupts()
{
	local mode one

	modprobe uio || die "no uio"
	for mode in msix msi legacy; do
		load igb_uio $mode
		for one in $NIC $PEER; do
			come_here $one
			check "interrupts $mode, $one: bound" says 0 "$one: igb_uio" -- \
				"$BIND" bind igb_uio $one
			[ $one = $NIC ] || mode=legacy
			check "interrupts $mode, $one: it is what it got" took $mode
			check "interrupts $mode, $one" "$UIO" irq $one
		done
		check "interrupts $mode: restored" says 0 -- "$BIND" unbind $NIC $PEER
		rmmod igb_uio
	done
}

# The kernel's list of what is cached in another way than memory is there.
nothing_combines_writes()
{
	[ -r $MEMTYPES ] && ! grep write-combining $MEMTYPES
}

# The file systems in /sys are hidden by the one that this script has of its own.
write_combining()
{
	mount -t debugfs none /sys/kernel/debug || die "no debugfs"
	check "wc_activate: nothing is reserved before" nothing_combines_writes
	load igb_uio msix wc_activate=1
	come_here $VIRTIO
	check "wc_activate: bound" says 0 -- "$BIND" bind igb_uio $VIRTIO
	check "wc_activate: a prefetchable BAR" "$UIO" wc $VIRTIO
	check "wc_activate: restored" says 0 -- "$BIND" unbind $VIRTIO
	check "wc_activate: nothing stays reserved" nothing_combines_writes
	rmmod igb_uio
	umount /sys/kernel/debug
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
