#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the kernel module for the kernels of four Debian releases, each with the compiler and the
# tools of its own release in a debootstrap folder, also against headers that say another version.
# Then each kernel is booted with the modules' tests. Prints a table; the exit code is 0 if every
# line of it is good.
# usage: tests/vm/matrix.sh [RELEASE...]   (default: bullseye bookworm trixie sid)
#   KNIT_MATRIX=FOLDER   where the folders are kept; default: BUILD/matrix
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

MATRIX=${KNIT_MATRIX:-$KNIT_BUILD/matrix}
MIRROR=${KNIT_MIRROR:-http://deb.debian.org/debian}
ALL="bullseye bookworm trixie sid"
failed=0
rows=()

row() # release, kernel, compiler, result
{
	rows+=("$(printf '%-10s %-28s %-10s %s' "$@")")
	[[ $4 == ok* ]] || failed=1
	[[ $4 == ok* ]] && echo "ok matrix: $1 $2" || echo "not ok matrix: $1 $2: $4"
}

# Made once; `rm -r` makes it anew, with the kernel of that day.
make_folder() # release
{
	local root=$MATRIX/$1

	[ ! -f "$root/.complete" ] || return 0
	rm -rf "$root"
	mkdir -p "$root" || return 1
	echo "making a folder of $1"
	# perl: with W=1 the kernel's make checks comments.
	timeout 1800 debootstrap --variant=minbase \
		--include=linux-headers-amd64,gcc,make,perl \
		"$1" "$root" "$MIRROR" >"$MATRIX/$1.log" 2>&1 || {
		tail -n 20 "$MATRIX/$1.log"
		return 1
	}
	touch "$root/.complete"
}

kernel_of() # release
{
	local file

	for file in "$MATRIX/$1"/usr/src/linux-headers-*/Module.symvers; do
		[ -f "$file" ] && basename "$(dirname "$file")" | sed 's/^linux-headers-//'
	done | sort -V | tail -n 1
}

# With /proc, of which objtool asks how large a stack may be.
in_folder() # release, command...
{
	local root=$MATRIX/$1
	shift

	# shellcheck disable=SC2016 # for the shell in there
	timeout 900 unshare --mount --pid --fork --kill-child --propagation private sh -c \
		'mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$root" "$@"
}

# The sources are copied there: a chroot sees nothing else.
copy_sources() # release
{
	local root=$MATRIX/$1

	rm -rf "$root/knit"
	mkdir -p "$root/knit/include" "$root/knit/common" &&
		cp "$ROOT/VERSION" "$root/knit" &&
		cp -r "$ROOT/include/abi" "$root/knit/include" &&
		cp -r "$ROOT/common/pure" "$root/knit/common" && cp -r "$ROOT/kmod" "$root/knit"
}

# What the headers say of the version.
version_of() # kernel
{
	echo "/usr/src/linux-headers-$1/include/generated/uapi/linux/version.h"
}

# 5.14.0, or 6.12.0 for 5.10: as a distribution's that takes changes over from newer kernels.
other_version() # release, kernel
{
	local code=$((5 << 16 | 14 << 8))

	[[ $2 != 5.* ]] || code=$((6 << 16 | 12 << 8))
	sed "s/^\(#define LINUX_VERSION_CODE\) .*/\1 $code/" "$MATRIX/$1$(version_of "$2")" \
		>"$MATRIX/$1/knit/version.h"
}

make_modules() # release, kernel, folder for what is built, version.h
{
	# shellcheck disable=SC2016 # for the shell in there
	in_folder "$1" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh \
		"$4" "$(version_of "$2")" make -C /knit/kmod -j "$(nproc)" W=1 \
		KDIR="/usr/src/linux-headers-$2" OUT="$3" >>"$MATRIX/$1-build.log" 2>&1
}

build() # release, kernel
{
	: >"$MATRIX/$1-build.log"
	copy_sources "$1" && other_version "$1" "$2" &&
		make_modules "$1" "$2" /knit/kmod "$(version_of "$2")" &&
		make_modules "$1" "$2" /knit/other /knit/version.h
}

compiler_of() # release
{
	chroot "$MATRIX/$1" gcc -dumpfullversion 2>/dev/null
}

one() # release
{
	local kernel warnings

	make_folder "$1" || {
		row "$1" - - "debootstrap failed"
		return
	}
	kernel=$(kernel_of "$1")
	if ! build "$1" "$kernel"; then
		tail -n 40 "$MATRIX/$1-build.log"
		row "$1" "$kernel" "$(compiler_of "$1")" "does not build"
		return
	fi
	warnings=$(grep -cE 'warning:|WARNING:' "$MATRIX/$1-build.log")
	if [ "$warnings" -ne 0 ]; then
		grep -E -A 3 'warning:|WARNING:' "$MATRIX/$1-build.log"
		row "$1" "$kernel" "$(compiler_of "$1")" "$warnings warnings"
		return
	fi
	row "$1" "$kernel" "$(compiler_of "$1")" "ok, W=1 without warnings, also as another version"
}

# Debian splits newer kernels into several packages. What the folder was made from may have
# expired, and is good enough.
download_image() # release, kernel
{
	local package

	chroot "$MATRIX/$1" apt-get -q -o Acquire::Check-Valid-Until=false update || return 1
	for package in linux-image linux-base linux-binary linux-modules; do
		chroot "$MATRIX/$1" sh -c "mkdir -p /knit-image && cd /knit-image && \
			apt-get -q -o APT::Sandbox::User=root download $package-$2" || true
	done
}

unpack_image() # release, kernel; the result is in MATRIX/<release>-image
{
	local root=$MATRIX/$1 image=$MATRIX/$1-image package

	[ ! -f "$image/.complete" ] || return 0
	rm -rf "$image" "$root/knit-image"
	download_image "$1" "$2" >"$MATRIX/$1-image.log" 2>&1 || return 1
	mkdir -p "$image" || return 1
	for package in "$root"/knit-image/*.deb; do
		dpkg -x "$package" "$image" || return 1
	done
	rm -rf "$root/knit-image"
	[ -d "$image/lib/modules" ] || ln -sfn usr/lib "$image/lib"
	mkdir -p "$image/boot"
	[ -f "$image/boot/vmlinuz-$2" ] ||
		ln "$image/lib/modules/$2/vmlinuz" "$image/boot/vmlinuz-$2" || return 1
	depmod -b "$image" "$2" && touch "$image/.complete"
}

boot() # release
{
	local kernel module=$MATRIX/$1/knit/kmod/kni/rte_kni.ko

	kernel=$(kernel_of "$1")
	if [ ! -f "$module" ]; then
		row "$1" "$kernel" booted "no module"
	elif ! unpack_image "$1" "$kernel"; then
		row "$1" "$kernel" booted "no kernel image"
	elif "$VM/suite.sh" --kernel "$MATRIX/$1-image" --module "$module" \
		kernel kernel-nics; then
		row "$1" "$kernel" booted "ok, the modules' tests passed, log clean"
	else
		row "$1" "$kernel" booted "the modules' tests failed"
	fi
}

need debootstrap debootstrap
[ "$(id -u)" -eq 0 ] || die "root is needed, for debootstrap and chroot"
mkdir -p "$MATRIX" || exit 1
releases=("$@")
[ $# -gt 0 ] || read -ra releases <<<"$ALL"
for release in "${releases[@]}"; do
	one "$release"
	boot "$release"
done
echo
printf '%-10s %-28s %-10s %s\n' release kernel compiler result
printf '%s\n' "${rows[@]}"
exit $failed
