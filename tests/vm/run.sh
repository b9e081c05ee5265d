#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Boots a kernel in QEMU (without KVM), runs scripts in it one after the other and prints what they
# print. The exit code is 0 only if all of them ended with 0, the guest wrote that down, and the
# kernel's log is clean: nothing in it matches dirty.txt. A hang ends with the deadline, a panic or
# a lockup at once. README.md beside this file has examples.
#
# usage: tests/vm/run.sh [options] SCRIPT... [-- QEMU_ARGUMENT...]
#   SCRIPT             a command line: "tests/vm/20-x.sh --option". The guest sees the host's files,
#                      all of them read-only under an overlay, and starts in the repository.
#   --kernel WHAT      a version of Debian's kernels or a folder with boot/vmlinuz-* and, if it is
#                      not built in, lib/modules; default: the version of linux-headers-amd64
#   --module FILE      the kernel module for it: KNIT_MODULE in the guest; default: make kmod's
#   --nic WIRE:MODEL[,PROPERTY=VALUE...]   a NIC. The n-th (from 0) is 0000:00:1<n>.0 and has
#                      the MAC 52:54:00:00:00:1<n>. NICs on one wire see each other. A wire is a
#                      number, or a name: then it is a bridge and its NICs may have queues=N.
#                      virtio with the property legacy: as before virtio 1.0, past the IOMMU.
#   --nics pci         four NICs: e1000e and e1000 on wire 1, e1000e and e1000 on wire 2
#   --nics plain       the same with virtio-net instead of e1000, which neither filters nor changes
#                      VLAN tags
#   --env NAME=VALUE   for the scripts
#   --out FOLDER       what they write to /run/out is kept there, with the kernel's log, console.log
#   --mem MIB, --smp CPUS, --timeout SECONDS, --append KERNEL_PARAMETERS
#   --secure-boot      UEFI firmware that starts signed kernels only. It knows the key of Debian's
#                      ovmf, which signs this kernel, and modules: secure-boot.sh
#   --icount           one CPU whose clock counts instructions
#   --known PATTERN    lines of the kernel's log that are clean, whatever dirty.txt says
#   --console          print the kernel's log too, when all is over
#   --shell            no scripts, but a shell in the guest; its exit ends it
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"
ARGUMENTS=("$@")

KERNEL=
MODULE=$KNIT_BUILD/kmod/kni/rte_kni.ko
MEM=3072
SMP=2
TIMEOUT=300
APPEND=
OUT=
ICOUNT=
SECURE=
CONSOLE=
SHELL_WANTED=
ENVIRONMENT=()
SCRIPTS=()
NICS=()
KNOWN=(-e 'BUG: KCSAN: ') # races.awk judges these
QEMU=()
LINES_OF_LOG=150
PLAIN=virtio-net-pci,ctrl_vlan=off
OVMF=/usr/share/OVMF

usage()
{
	sed -n '/^# usage/,/^# shellcheck/s/^# \{0,1\}//p' "$0" | sed '$d'
	exit "$1"
}

options() # arguments
{
	while [ $# -gt 0 ]; do
		case $1 in
		--console) CONSOLE=1 ;;
		--icount) ICOUNT=1 ;;
		--secure-boot) SECURE=1 ;;
		--shell) SHELL_WANTED=1 TIMEOUT=86400 ;;
		--help) usage 0 ;;
		--)
			shift
			QEMU=("$@")
			return
			;;
		--*)
			[ $# -ge 2 ] || die "$1 needs a value"
			option "$1" "$2"
			shift
			;;
		*) SCRIPTS+=("$1") ;;
		esac
		shift
	done
}

option() # name, value
{
	case $1 in
	--kernel) KERNEL=$2 ;;
	--module) MODULE=$2 ;;
	--nic) NICS+=("$2") ;;
	--nics)
		case $2 in
		pci) NICS+=(1:e1000e 1:e1000 2:e1000e 2:e1000) ;;
		plain) NICS+=(1:e1000e 1:"$PLAIN" 2:e1000e 2:"$PLAIN") ;;
		*) die "no such set of NICs: $2" ;;
		esac
		;;
	--env) ENVIRONMENT+=("$2") ;;
	--out) OUT=$2 ;;
	--mem) MEM=$2 ;;
	--smp) SMP=$2 ;;
	--timeout) TIMEOUT=$2 ;;
	--append) APPEND+=" $2" ;;
	--known) KNOWN+=(-e "$2") ;;
	*) die "no such option: $1; --help lists them" ;;
	esac
}

# A name instead of a number: a bridge, whose place is a namespace of ours.
wants_bridge()
{
	local nic

	for nic in "${NICS[@]}"; do
		[[ $nic == [0-9]*:* ]] || return 0
	done
	return 1
}

bridge_port() # bridge, tap, queues
{
	if [ ! -e "/sys/class/net/$1" ]; then
		ip link add "$1" type bridge mcast_snooping 0 && ip link set "$1" mtu 9500 up
	fi
	if [ "$3" -gt 1 ]; then
		ip tuntap add "$2" mode tap multi_queue
	else
		ip tuntap add "$2" mode tap
	fi && ip link set "$2" mtu 9500 master "$1" up || die "no tap device $2 on bridge $1"
}

# Behind the emulated IOMMU virtio needs the two options.
add_nic() # number, wire:model,properties
{
	local wire=${2%%:*} model=${2#*:} id=nic$1 queues=1
	local at="id=nic$1,netdev=net$1,mac=52:54:00:00:00:1$1,bus=pcie.0,addr=0x1$1"

	if [[ $model =~ ,queues=([0-9]+) ]]; then
		queues=${BASH_REMATCH[1]}
		model=${model/,queues=$queues/}
		[ "$queues" -eq 1 ] || at+=",mq=on,vectors=$((2 * queues + 2))"
	fi
	case $model in
	virtio*,legacy*)
		model=${model/,legacy/}
		at+=",disable-legacy=off,disable-modern=on"
		;;
	virtio*) at+=",disable-legacy=on,iommu_platform=on" ;;
	esac
	if [[ $wire == [0-9]* ]]; then
		QEMU+=(-netdev "hubport,id=net$1,hubid=$wire")
	else
		bridge_port "$wire" "$id" "$queues"
		QEMU+=(-netdev "tap,id=net$1,ifname=$id,script=no,downscript=no,queues=$queues")
	fi
	QEMU+=(-device "${model/,/,$at,}")
	[[ $model == *,* ]] || QEMU[-1]="$model,$at"
}

write_job()
{
	local word

	{
		echo "export KNIT_ROOT=$(printf %q "$ROOT")"
		echo "export KNIT_BUILD=$(printf %q "$(readlink -f "$KNIT_BUILD")")"
		echo "export KNIT_MODULE=$(printf %q "$(readlink -m "$MODULE")")"
		for word in "${ENVIRONMENT[@]}"; do
			echo "export ${word%%=*}=$(printf %q "${word#*=}")"
		done
		# A clock that counts instructions skips all waiting, for the host's files, too.
		echo "DEADLINE=$((ICOUNT ? 1000000 : TIMEOUT))"
		echo "KERNEL=$(printf %q "$KERNEL")"
		echo "KNIT_VM_SHELL=$SHELL_WANTED"
		echo "SCRIPTS=($(printf '%q ' "${SCRIPTS[@]}"))"
	} >"$OUT/job"
}

# Panics and lockups reset the machine, and a reset ends QEMU. A busy host makes a guest stand still
# for seconds: lockups and stalls get twice their usual time. What QEMU has translated it uses again
# only at the same virtual address: without norandmaps each start of a program takes several times
# as long.
kernel_parameters()
{
	echo "console=ttyS0 loglevel=8 oops=panic panic=-1 softlockup_panic=1" \
		"watchdog_thresh=20 rcupdate.rcu_cpu_stall_timeout=45" \
		"sysctl.kernel.hung_task_panic=1 sysctl.kernel.hung_task_timeout_secs=60" \
		"intel_iommu=on iommu=pt nokaslr mitigations=off tsc=reliable" \
		"random.trust_cpu=on no_timer_check norandmaps" \
		"knit.guest=$VM/guest/start.sh $APPEND"
}

# The firmware keeps its variables in a flash chip that only its system management mode may write.
secure_boot()
{
	"$VM/secure-boot.sh" kernel "$(echo "$KERNEL"/boot/vmlinuz-*)" "$OUT/vmlinuz" &&
		cp "$OVMF/OVMF_VARS_4M.snakeoil.fd" "$OUT/variables.fd" || exit 1
	QEMU+=(-machine "smm=on" -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "if=pflash,format=raw,readonly=on,file=$OVMF/OVMF_CODE_4M.snakeoil.fd"
		-drive "if=pflash,format=raw,file=$OUT/variables.fd"
		-kernel "$OUT/vmlinuz")
}

machine()
{
	if [ -n "$ICOUNT" ]; then
		SMP=1
		QEMU+=(-icount "shift=0,sleep=off" -accel "tcg,thread=single")
	else
		QEMU+=(-accel "tcg,thread=multi")
	fi
	QEMU+=(-machine "q35,kernel-irqchip=split" -cpu max -smp "$SMP" -m "$MEM"
		-display none -vga none -nodefaults -no-reboot
		-device "intel-iommu,intremap=on,caching-mode=on"
		-initrd "$INITRD"
		-append "$(kernel_parameters)"
		-serial "file:$OUT/console.log"
		-chardev "stdio,id=terminal,signal=off"
		-device virtio-serial-pci -device "virtconsole,chardev=terminal"
		-chardev "socket,id=mon,path=$OUT/monitor,server=on,wait=off" -mon "chardev=mon"
		-chardev "socket,id=monitor,path=$OUT/monitor"
		-device "virtserialport,chardev=monitor,name=monitor"
		-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=root"
		-fsdev "local,id=out,path=$OUT,security_model=none"
		-device "virtio-9p-pci,fsdev=out,mount_tag=out")
}

boot()
{
	local i machine status

	for i in "${!NICS[@]}"; do
		add_nic "$i" "${NICS[$i]}"
	done
	machine
	if [ -n "$SECURE" ]; then
		secure_boot
	else
		QEMU+=(-kernel "$(echo "$KERNEL"/boot/vmlinuz-*)")
	fi
	if [ -n "$SHELL_WANTED" ]; then
		stty raw -echo
		timeout -k 5 --foreground "$TIMEOUT" qemu-system-x86_64 "${QEMU[@]}"
		status=$?
		stty sane
	else
		timeout -k 5 "$TIMEOUT" qemu-system-x86_64 "${QEMU[@]}" </dev/null \
			2> >(grep -v 'hub .* is not connected to host network' >&2) &
		machine=$!
		trap 'kill $machine; exit 130' INT TERM
		wait $machine
		status=$?
	fi
	return $status
}

fault() # text
{
	echo "not ok vm: $1"
	RESULT=1
}

# Of its start only if it came no further.
last_words()
{
	if grep -q 'knit-vm: up' "$OUT/console.log"; then
		sed '1,/knit-vm: up/d' "$OUT/console.log"
	else
		cat "$OUT/console.log"
	fi | tail -n "$LINES_OF_LOG"
}

dirty_lines()
{
	grep -nE -f "$VM/dirty.txt" "$OUT/console.log" | grep -vE "${KNOWN[@]}"
	awk -f "$VM/races.awk" "$OUT/console.log"
}

verdict() # exit code of QEMU
{
	RESULT=0
	[ "$(cat "$OUT/result" 2>/dev/null)" = success ] || fault "the guest wrote no success"
	[ "$1" -ne 124 ] || fault "the deadline of $TIMEOUT s passed"
	[ "$1" -eq 0 ] || [ "$1" -eq 124 ] || fault "QEMU ended with $1"
	dirty_lines >"$OUT/dirty"
	[ ! -s "$OUT/dirty" ] || fault "the kernel's log is not clean"
	head -n 20 "$OUT/dirty"
	if [ $RESULT -ne 0 ]; then
		echo "---- what the kernel said last"
		last_words
		echo "---- end of the kernel's log"
	else
		echo "ok vm: the guest wrote success and the kernel's log is clean"
		[ -z "$CONSOLE" ] || cat "$OUT/console.log"
	fi
	return $RESULT
}

prepare()
{
	case $KERNEL in
	*/*) KERNEL=$(readlink -f "$KERNEL") ;;
	*) KERNEL=$("$VM/kernel.sh" "$KERNEL") ;;
	esac || exit 1
	INITRD=$("$VM/initrd.sh" "$KERNEL") || exit 1
	if [ -z "$OUT" ]; then
		OUT=$(mktemp -d "$CACHE/run-XXXXXX") || exit 1
		trap 'rm -rf "$OUT"' EXIT
	else
		mkdir -p "$OUT" && OUT=$(readlink -f "$OUT") && rm -f "$OUT/result"
	fi
	write_job
}

main()
{
	options "${ARGUMENTS[@]}"
	[ ${#SCRIPTS[@]} -gt 0 ] || [ -n "$SHELL_WANTED" ] || usage 2 >&2
	need qemu-system-x86 qemu-system-x86_64
	if wants_bridge && [ -z "${KNIT_VM_NETNS:-}" ]; then
		export KNIT_VM_NETNS=1
		exec unshare --net --mount --propagation private "$0" "${ARGUMENTS[@]}"
	fi
	[ -z "${KNIT_VM_NETNS:-}" ] || mount -t sysfs none /sys || exit 1
	trap 'exit 130' INT TERM
	prepare
	boot
	verdict $?
	exit
}

main
