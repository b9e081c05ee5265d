#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Process 1 of the guest once the host's root is there: runs what run.sh asks for in /run/out/job,
# one script after the other, and resets the machine, which ends QEMU.
#
# The scripts find KNIT_BUILD and KNIT_IN_VM=1 in their environment, may write to /run/out, which is
# a folder of the host, and print to the host's terminal. All of them must end with 0. What the
# The port /run/monitor takes commands for QEMU's monitor: "set_link nic0 off". What the
# kernel has to say is judged by the host, which reads its console.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=${TERM:-dumb} KNIT_IN_VM=1
KERNEL=
DEADLINE=
SCRIPTS=()

to_kernel_log()
{
	echo "knit-vm: $*" >/dev/kmsg
}

mount_all()
{
	mkdir -p /dev/pts /dev/shm /dev/hugepages /run/netns
	mount -t devpts devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t hugetlbfs none /dev/hugepages
	mount -t tmpfs none /var/tmp
	mount -t tracefs none /sys/kernel/tracing 2>/dev/null
	mount -t debugfs none /sys/kernel/debug 2>/dev/null
	[ ! -d "$KERNEL/lib/modules" ] || mount --bind "$KERNEL/lib/modules" /lib/modules
	ln -sf /proc/self/fd /dev/fd
	# Elsewhere udev makes its node, and opening that loads it.
	modprobe tun
}

# DPDK opens all drivers that it finds. Debian has 190 of them, and in an emulated machine that
# takes each process 20 seconds. These are for what is in here. dpdk-testpmd is linked with others;
# who starts it finds them with LD_LIBRARY_PATH=/run/linked.
few_drivers()
{
	local all name testpmd=/usr/bin/dpdk-testpmd

	mkdir /run/linked
	for name in $(ldd $testpmd 2>/dev/null | awk '/\/dpdk\/pmds-/ { print $3 }'); do
		cp "$name" /run/linked
	done

	for all in /usr/lib/*/dpdk/pmds-* /usr/local/lib/*/dpdk/pmds-*; do
		[ -d "$all" ] || continue
		mkdir -p "/run/drivers$all"
		for name in bus_{pci,vdev} mempool_{ring,stack} \
			net_{af_{packet,xdp},e1000,null,ring,tap,virtio,vmxnet3}; do
			cp -d "$all/librte_$name".so* "/run/drivers$all"
		done
		mount --bind "/run/drivers$all" "$all"
	done
	# the same file, not a second one of that name
	for name in /usr/lib/*/dpdk/pmds-*/*.so.*; do
		[ ! -e "/run/linked/${name##*/}" ] || ln -sf "$name" /run/linked
	done
}

# Nobody reads the answers: they would fill the queue.
open_monitor()
{
	local port

	for port in /sys/class/virtio-ports/*; do
		[ "$(cat "$port/name" 2>/dev/null)" = monitor ] || continue
		ln -s "/dev/$(basename "$port")" /run/monitor
	done
}

# Bits of a warning, an oops, a bad page, a machine check, a soft lockup
tainted()
{
	local bits

	bits=$(($(cat /proc/sys/kernel/tainted) & (1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14)))
	[ $bits -eq 0 ] || to_kernel_log "BUG: tainted by $bits"
}

# Only a kernel with KCSAN has it. It begins here, since booting has nothing to do with the module.
races_begin()
{
	[ ! -w /sys/kernel/debug/kcsan ] || echo on >/sys/kernel/debug/kcsan
}

# How much it has looked at: "setup_watchpoints: N" and so on
races_end()
{
	[ -w /sys/kernel/debug/kcsan ] || return
	echo off >/sys/kernel/debug/kcsan
	cat /sys/kernel/debug/kcsan >/run/out/kcsan
}

# Only debug kernels have it. Twice: what was freed a moment ago may still be named somewhere.
leaks()
{
	local file=/sys/kernel/debug/kmemleak

	[ -w $file ] || return
	echo scan >$file
	echo scan >$file
	grep -q . $file || return
	to_kernel_log "BUG: memory leak"
	cp $file /run/out/kmemleak
	while read -r line; do
		to_kernel_log "$line"
	done < <(head -n 100 $file)
}

# Seconds that a script may take: an interrupted one cleans up and prints its logs before the
# machine's own deadline comes.
seconds_left()
{
	local uptime

	read -r uptime _ </proc/uptime
	echo $((DEADLINE - ${uptime%.*} - (DEADLINE > 150 ? 50 : 10)))
}

run_one() # command line
{
	local left status name from=$SECONDS

	name=$(basename "$1" .sh)
	left=$(seconds_left)
	if [ "$left" -le 0 ]; then
		echo "not ok $name: no time left in the guest"
		return 1
	fi
	to_kernel_log "starts $1"
	timeout -s INT -k 15 "$left" bash -c "exec $1" </dev/null
	status=$?
	echo "# $1: $((SECONDS - from)) s"
	case $status in
	0) return 0 ;;
	1) ;; # it has said itself what failed
	124) echo "not ok $name: out of time in the guest" ;;
	*) echo "not ok $name: exit code $status" ;;
	esac
	return 1
}

run_scripts()
{
	local script status=0

	for script in "${SCRIPTS[@]}"; do
		run_one "$script" || status=1
	done
	return $status
}

interactive()
{
	stty -F /dev/hvc0 sane
	setsid -c bash -i </dev/hvc0 >/dev/hvc0 2>&1
}

main()
{
	stty -F /dev/hvc0 raw -echo
	. /run/out/job
	mount_all
	few_drivers
	open_monitor
	hostname knit-vm
	ip link set lo up
	cd "$KNIT_ROOT" || return
	to_kernel_log "up"
	races_begin
	if [ "${KNIT_VM_SHELL:-}" ]; then
		interactive && echo success >/run/out/result
	else
		run_scripts && echo success >/run/out/result
	fi
	races_end
	leaks
	tainted
	to_kernel_log "end"
	sync
}

exec >/dev/hvc0 2>&1 </dev/null
main
echo b >/proc/sysrq-trigger
exec tail -f /dev/null
