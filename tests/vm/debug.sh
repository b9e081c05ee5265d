#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds kernels from Debian's linux-source with all that finds faults, and runs the scenarios of
# the module on them: kasan has KASAN, lockdep, kmemleak, fault injection and VFIO without IOMMU;
# kcsan has KCSAN. The first time takes half an hour for each, later only what changed.
# usage: tests/vm/debug.sh [--build-only] [kasan|kcsan]...   (default: both)
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

DEBUG=${KNIT_VM_DEBUG:-$KNIT_BUILD/vm-debug}
JOBS=${JOBS:-$(nproc)}
SOURCE=$DEBUG/source
build_only=
status=0
declare -A BOOTS=([kasan]="kasan kasan-bind" [kcsan]=kcsan)

unpack()
{
	local archive
	archive=$(readlink -f /usr/src/linux-source-6.1.tar.xz)

	up_to_date "$SOURCE/.unpacked" "$archive" && return
	echo "unpacking $archive"
	rm -rf "$SOURCE"
	mkdir -p "$SOURCE" && tar -xf "$archive" -C "$SOURCE" --strip-components=1 &&
		touch "$SOURCE/.unpacked"
}

kmake() # kind, arguments...
{
	local kind=$1
	shift

	nice make -s -C "$SOURCE" O="$DEBUG/$kind" -j "$JOBS" "$@"
}

# Options that contradict each other vanish without a word, except here.
configure() # kind
{
	local dir=$DEBUG/$1 fragments=("$VM/debug/base.config" "$VM/debug/$1.config") option

	up_to_date "$dir/.config" "${fragments[@]}" && return
	mkdir -p "$dir"
	{
		kmake "$1" tinyconfig && cd "$dir" &&
			"$SOURCE/scripts/kconfig/merge_config.sh" -m -O . .config \
				"${fragments[@]}" &&
			kmake "$1" olddefconfig
	} >"$dir/config.log" 2>&1 || {
		tail -n 20 "$dir/config.log"
		return 1
	}
	grep -h '^CONFIG' "${fragments[@]}" | while read -r option; do
		grep -qx "$option" "$dir/.config" || echo "$option"
	done >"$dir/missing"
	[ ! -s "$dir/missing" ] || {
		echo "the kernel's configuration does not take:"
		cat "$dir/missing"
		rm "$dir/.config"
		return 1
	}
}

# Without files for its modules, modprobe of what is built in would fail.
build_kernel() # kind
{
	local image=$DEBUG/$1-image release

	echo "building the kernel $1: $DEBUG/$1.log"
	kmake "$1" bzImage modules >"$DEBUG/$1.log" 2>&1 || {
		tail -n 30 "$DEBUG/$1.log"
		return 1
	}
	release=$(cat "$DEBUG/$1/include/config/kernel.release")
	rm -rf "${image:?}/lib"
	mkdir -p "$image/boot" "$image/lib/modules/$release" &&
		cp -u "$DEBUG/$1/arch/x86/boot/bzImage" "$image/boot/vmlinuz-$release" &&
		cp "$DEBUG/$1"/modules.{builtin,builtin.modinfo,order} \
			"$image/lib/modules/$release" && depmod -b "$image" "$release"
}

build_module() # kind
{
	make -s -C "$ROOT/kmod" -j "$JOBS" OUT="$DEBUG/$1-kmod" KDIR="$DEBUG/$1" \
		>"$DEBUG/$1-kmod.log" 2>&1 || {
		cat "$DEBUG/$1-kmod.log"
		return 1
	}
}

run() # kind
{
	unpack && configure "$1" && build_kernel "$1" || {
		echo "not ok vm-debug: no kernel $1"
		return 1
	}
	[ -z "$build_only" ] || return 0
	build_module "$1" || {
		echo "not ok vm-debug: no module for $1"
		return 1
	}
	# shellcheck disable=SC2086 # words
	"$VM/suite.sh" --kernel "$DEBUG/$1-image" --module "$DEBUG/$1-kmod/kni/rte_kni.ko" \
		${BOOTS[$1]}
}

[ "${1:-}" != --build-only ] || { build_only=1 && shift; }
mkdir -p "$DEBUG" || exit 1
kinds=("$@")
[ $# -gt 0 ] || kinds=(kasan kcsan)
for kind in "${kinds[@]}"; do
	[ -f "$VM/debug/$kind.config" ] || die "no such kernel: $kind"
	run "$kind" || status=1
done
exit $status
