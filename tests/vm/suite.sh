#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make test` runs in virtual machines: a few boots, each with a list of scenarios. A panic
# ends its boot only. Here one runs after the other; tests/run.sh vm runs two side by side.
# usage: tests/vm/suite.sh [--kernel WHAT] [--module FILE] [--handover MODE] [BOOT...]
#        tests/vm/suite.sh --list     those of `make test`, which are the default: without a (*)
#   module     the module by itself: parameters, calls, requests, the library
#   packets    its packet path, loopback modes, BIG TCP through a worker, the hostile program
#   pci        knit on e1000e behind the IOMMU, kmod and tap engine
#   life       processes that die or stand still on e1000e, IOVA as VA and as PA
#   virtio     two workers on virtio-net with several queues
#   virtio-kill  its workers killed at random moments: modern and old devices, packed rings
#   smoke      scenarios of tests/smoke with the module, on e1000e; its application of rte_kni.h was
#              built against what is installed
#   taps       more of tests/smoke with the module, on DPDK's net_tap: several workers, no root
#   more-taps  (*) and what of it is left, which takes too long for every day
#   bind       NICs taken from the kernel: e1000e, virtio-net, vmxnet3 by vfio-pci, igb_uio and
#              uio_pci_generic
#   matrix     (*) the same, but each NIC on each way: make test-matrix
#   refuse     what speaks against it, and how NICs go back; igb_uio by itself
#   noiommu    no IOMMU, and a kernel that is locked down
#   secure     Secure Boot: signed modules, knit on vfio-pci in a kernel that is locked down
#   unplug     a NIC taken away under traffic, by vfio-pci and igb_uio
#   kernel     (*) what each kernel must pass: module, packets and pci in one boot
#   kernel-nics (*) and igb_uio, and NICs on it, vfio-pci and uio_pci_generic
#   kasan, kcsan   (*) the same on debug.sh's kernels, which are slower still
#   kasan-bind (*) on that of KASAN: igb_uio, and vfio-pci without an IOMMU, which Debian's can't
#
# Deadlines are three times what a boot takes beside another one, on two CPUs; KNIT_VM_PATIENCE
# makes them so many times longer.
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

UNLOAD=$VM/scenarios/90-unload.sh
# The longest first: run side by side, the last ones then end at about the same time.
DEFAULT="smoke bind virtio-kill taps life module unplug pci refuse packets virtio noiommu secure"
OPTIONS=()
BOOTS=()
status=0

# Emulated, seconds are short.
vm() # name, timeout, arguments of run.sh...
{
	local name=$1 timeout=$2 from=$SECONDS
	shift 2

	echo "# boot $name"
	"$VM/run.sh" "${OPTIONS[@]}" --out "$KNIT_BUILD/vm-logs/$name" \
		--timeout $((timeout * ${KNIT_VM_PATIENCE:-1})) --env KNIT_SLOW=5 "$@" || status=1
	echo "# boot $name: $((SECONDS - from)) s"
}

scenarios() # pattern...: those that are there
{
	local pattern file

	for pattern in "$@"; do
		for file in "$VM"/scenarios/$pattern; do
			[ -x "$file" ] && echo "$file"
		done
	done
}

# The module is loaded by those that are told of it; the first ones load it themselves.
ON_MODULE="env KNIT_ENGINE_UNDER_TEST=kmod "
# Workers wake the packet thread, instead of serving their pairs themselves.
BY_THREAD="env KNIT_HANDOVER=thread "
SMOKE="10-kni-legacy 20-traffic 22-requests 24-xconnect"
# Not 32-kill, whose many deaths take too long, and which 22-life and 36 have a few of; 35-stalls,
# whose processes stand still on their way into EAL; 37 and 38, which have no interface.
TAPS="33-two-workers 36-handoff 25-idle 40-users 51-change"
MORE_TAPS="21-offload 23-many 30-errors 31-restart 34-shutdown 39-optional 43-large-buffers"
MORE_TAPS+=" 53-replace"
VIRTIO_KILL=$VM/scenarios/23-virtio-kill.sh
# Of 30-bind.sh, by number of the NIC.
PROBES="0:vfio-pci 0:igb_uio:msix 0:igb_uio:msi 0:igb_uio:legacy 0:uio_pci_generic"
PROBES+=" 2:vfio-pci 2:igb_uio:msix 2:uio_pci_generic 4:vfio-pci 4:igb_uio:msix"
# All NICs on all ways, which takes too long for every day.
MATRIX=$(printf ' %s' {0,2,4}:{vfio-pci,igb_uio:msix,igb_uio:msi,igb_uio:legacy,uio_pci_generic})
# DPDK's vmxnet3 has QEMU's read its settings before it has said where they are: at 0.
FAULT_OF_VMXNET3='DMAR: .*(handling fault status|DMA Read .*device \[00:14\.0\] fault addr 0x0 )'

probes() # name, timeout, probes
{
	vm "$1" "$2" --nic 1:e1000e --nic 1:e1000 --nic host:virtio-net-pci --nic host:e1000 \
		--nic 3:vmxnet3 --nic 3:e1000 --known "$FAULT_OF_VMXNET3" \
		"$VM/scenarios/30-bind.sh $3"
}

# The module's copy with a signature; igb_uio's is where its own would be.
sign_modules() # folder
{
	local module

	for module in kni/rte_kni.ko igb_uio/igb_uio.ko; do
		mkdir -p "$1/${module%/*}" &&
			"$VM/secure-boot.sh" module "$KNIT_BUILD/kmod/$module" "$1/$module" ||
			return 1
	done
}

boot() # name
{
	local module packets pci life virtio smoke taps more legacy signed by_thread

	readarray -t module < <(scenarios '1[0-2]-*.sh')
	readarray -t packets < <(scenarios '1[3-9]-*.sh')
	readarray -t pci < <(scenarios '20-*.sh')
	readarray -t life < <(scenarios '22-*.sh')
	readarray -t virtio < <(scenarios '21-*.sh')
	readarray -t smoke < <(printf "$ROOT/tests/smoke/%s.sh\n" $SMOKE)
	readarray -t taps < <(printf "$ROOT/tests/smoke/%s.sh\n" $TAPS)
	readarray -t more < <(printf "$ROOT/tests/smoke/%s.sh\n" $MORE_TAPS)
	case $1 in
	module) vm module 600 --append slub_debug=FZPU "${module[@]}" "$UNLOAD" ;;
	packets) vm packets 600 --append slub_debug=FZPU "${packets[@]}" "$UNLOAD" ;;
	pci)
		vm pci 650 --nics pci "${pci[@]}" "${pci[@]/#/$ON_MODULE}" \
			"${pci[@]/#/$BY_THREAD$ON_MODULE}" "$UNLOAD"
		;;
	life)
		by_thread=("${life[@]/#/$BY_THREAD}")
		vm life 600 --nics plain "${life[@]/%/ va}" "${by_thread[@]/%/ pa}" "$UNLOAD"
		;;
	virtio)
		vm virtio 400 --nic wide:virtio-net-pci,queues=2,rss=on --nic wide:e1000 \
			"${virtio[@]/#/$ON_MODULE}" "${virtio[@]/%/ rss}" "$UNLOAD"
		;;
	virtio-kill)
		vm virtio-kill 1500 --nic wide:virtio-net-pci,queues=2,rss=on --nic wide:e1000 \
			--nic old:virtio-net-pci,legacy --nic old:e1000 \
			--nic rings:virtio-net-pci,packed=on,queues=2 --nic rings:e1000 \
			--nic 1:virtio-net-pci --nic 1:e1000 \
			"$ON_MODULE$VIRTIO_KILL modern 2" "$VIRTIO_KILL legacy 1" \
			"$ON_MODULE$VIRTIO_KILL packed 2" "$VIRTIO_KILL bare 1" "$UNLOAD"
		;;
	smoke)
		legacy=$(readlink -m "$KNIT_BUILD/vm-logs/installed")
		rm -rf "$legacy"
		"$ROOT/tests/install.sh" --legacy "$legacy" || {
			echo "not ok smoke: no application of rte_kni.h"
			status=1
			return
		}
		vm smoke 1000 --nics plain --env KNIT_PORTS_UNDER_TEST=pci \
			--env KNIT_LEGACY_APP="$legacy/legacy-app" "${smoke[@]/#/$ON_MODULE}" \
			"$UNLOAD"
		;;
	taps) vm taps 1300 --env KNIT_KILLS=4 "${taps[@]/#/$ON_MODULE}" "$UNLOAD" ;;
	more-taps) vm more-taps 2850 "${more[@]/#/$ON_MODULE}" "$UNLOAD" ;;
	bind) probes bind 900 "$PROBES" ;;
	matrix) probes matrix 1800 "$MATRIX" ;;
	refuse)
		vm refuse 1500 --nic 1:e1000e --nic 1:e1000 --nic 2:virtio-net-pci --nic 2:rtl8139 \
			"$VM/scenarios/31-refuse.sh" -- \
			-device pcie-pci-bridge,id=old,addr=0x18 \
			-netdev hubport,id=old1,hubid=8 -netdev hubport,id=old2,hubid=8 \
			-device e1000,netdev=old1,bus=old,addr=1 \
			-device e1000,netdev=old2,bus=old,addr=2
		;;
	noiommu)
		vm noiommu 300 --append intel_iommu=off --nic 1:e1000e --nic 1:e1000 \
			"$VM/scenarios/31-refuse.sh no_noiommu taints lockdown"
		;;
	kasan-bind)
		vm kasan-bind 1800 --append intel_iommu=off --mem 4096 --env KNIT_SLOW=20 \
			--nic 1:e1000e --nic 1:e1000 "$VM/scenarios/31-refuse.sh noiommu igb_uio" \
			"env KNIT_PORT_TEXT='allow_noiommu = true;' $VM/scenarios/30-bind.sh \
			0:vfio-pci 0:igb_uio:msix 0:igb_uio:legacy" \
			"$VM/scenarios/31-refuse.sh lockdown"
		;;
	secure)
		signed=$(readlink -m "$KNIT_BUILD/vm-logs/signed")
		sign_modules "$signed" || {
			echo "not ok secure: the modules can't be signed"
			status=1
			return
		}
		vm secure 500 --secure-boot --nics pci --module "$signed/kni/rte_kni.ko" \
			"$VM/scenarios/33-secure-boot.sh" "${pci[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	unplug)
		vm unplug 900 --nic 1:e1000 --nic 2:e1000 "$VM/scenarios/32-unplug.sh" \
			"${ON_MODULE}$VM/scenarios/32-unplug.sh vfio-pci" "$UNLOAD" -- \
			-device pcie-root-port,id=slot0,chassis=1,slot=1,addr=0x18 \
			-device pcie-root-port,id=slot1,chassis=2,slot=2,addr=0x19 \
			-netdev hubport,id=hot0,hubid=1 -netdev hubport,id=hot1,hubid=2 \
			-device e1000e,id=hot0,netdev=hot0,bus=slot0 \
			-device e1000e,id=hot1,netdev=hot1,bus=slot1
		;;
	kernel)
		vm kernel 1200 --nics pci "${module[@]}" "${packets[@]}" "$UNLOAD" \
			"${pci[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	kernel-nics)
		vm kernel-nics 900 --nic 1:e1000e --nic 1:e1000 --nic 2:virtio-net-pci \
			"$VM/scenarios/31-refuse.sh igb_uio interrupts write_combining" \
			"$VM/scenarios/30-bind.sh 0:igb_uio:msix 0:vfio-pci 0:uio_pci_generic"
		;;
	kasan | kcsan)
		vm "$1" 3600 --nics pci --mem 4096 --env KNIT_SLOW=20 "${module[@]}" \
			"${packets[@]}" "${pci[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	*) die "no such boot: $1" ;;
	esac
}

while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --module)
		OPTIONS+=("$1" "$2")
		shift
		;;
	--handover)
		OPTIONS+=(--env "KNIT_HANDOVER=$2")
		shift
		;;
	--list)
		echo "$DEFAULT"
		exit
		;;
	*) BOOTS+=("$1") ;;
	esac
	shift
done
[ ${#BOOTS[@]} -gt 0 ] || read -ra BOOTS <<<"$DEFAULT"
for name in "${BOOTS[@]}"; do
	boot "$name"
done
exit $status
