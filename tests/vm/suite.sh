#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What `make test` runs in virtual machines: a few boots, each with a list of scenarios. A panic
# ends its boot only.
# usage: tests/vm/suite.sh [--kernel WHAT] [--module FILE] [BOOT...]   (default: the first four)
#   module     the module by itself: parameters, loopback modes, ioctls, life and death
#   pci        knit on e1000e behind the IOMMU, kmod and tap engine
#   virtio     two workers on virtio-net with several queues
#   smoke      scenarios of tests/smoke with the module, on e1000e
#   newest     what a new kernel must pass: module and pci in one boot
#   kasan, kcsan   the same on debug.sh's kernels, which are slower still
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

UNLOAD=$VM/scenarios/90-unload.sh
OPTIONS=()
BOOTS=()
status=0

# Emulated, seconds are short.
vm() # name, timeout, arguments of run.sh...
{
	local name=$1 timeout=$2
	shift 2

	echo "# boot $name"
	"$VM/run.sh" "${OPTIONS[@]}" --out "$KNIT_BUILD/vm-logs/$name" --timeout "$timeout" \
		--env KNIT_SLOW=5 "$@" || status=1
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
SMOKE="10-kni-legacy 20-traffic"

boot() # name
{
	local module pci virtio smoke

	readarray -t module < <(scenarios '1*.sh')
	readarray -t pci < <(scenarios '20-*.sh')
	readarray -t virtio < <(scenarios '21-*.sh')
	readarray -t smoke < <(printf "$ROOT/tests/smoke/%s.sh\n" $SMOKE)
	case $1 in
	module) vm module 600 --append slub_debug=FZPU "${module[@]}" ;;
	pci) vm pci 600 --nics pci "${pci[@]}" "${pci[@]/#/$ON_MODULE}" "$UNLOAD" ;;
	virtio)
		vm virtio 500 --nic wide:virtio-net-pci,queues=2 --nic wide:e1000 \
			"${virtio[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	smoke)
		vm smoke 900 --nics pci --env KNIT_PORTS_UNDER_TEST=pci \
			"${smoke[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	newest)
		vm newest 900 --nics pci "${module[@]}" "${pci[@]/#/$ON_MODULE}" "$UNLOAD"
		;;
	kasan | kcsan)
		vm "$1" 3600 --nics pci --mem 4096 --env KNIT_SLOW=20 "${module[@]}" \
			"${pci[@]/#/$ON_MODULE}" "$UNLOAD"
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
	*) BOOTS+=("$1") ;;
	esac
	shift
done
[ ${#BOOTS[@]} -gt 0 ] || BOOTS=(module pci virtio smoke)
for name in "${BOOTS[@]}"; do
	boot "$name"
done
exit $status
