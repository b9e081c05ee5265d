#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the kernel module for the kernels of four Debian releases, each with the compiler and the
# tools of its own release in a debootstrap folder, also against headers that say another version.
# Then each kernel is booted with the modules' tests. Prints a table; the exit code is 0 if every
# line of it is good.
# usage: tests/vm/matrix.sh [RELEASE...]   (default: bullseye bookworm trixie sid)
#   KNIT_FOLDERS=FOLDER   where the folders are kept; default: BUILD/matrix
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"
# shellcheck source=tests/_folders.sh
. "$ROOT/tests/_folders.sh"

FOLDERS=${KNIT_FOLDERS:-$KNIT_BUILD/matrix}
ALL="bullseye bookworm trixie sid"
failed=0
rows=()

row() # release, kernel, compiler, result
{
	rows+=("$(printf '%-10s %-28s %-10s %s' "$@")")
	[[ $4 == ok* ]] || failed=1
	[[ $4 == ok* ]] && echo "ok matrix: $1 $2" || echo "not ok matrix: $1 $2: $4"
}

kernel_of() # release
{
	local file

	for file in "$FOLDERS/$1"/usr/src/linux-headers-*/Module.symvers; do
		[ -f "$file" ] && basename "$(dirname "$file")" | sed 's/^linux-headers-//'
	done | sort -V | tail -n 1
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
	sed "s/^\(#define LINUX_VERSION_CODE\) .*/\1 $code/" "$FOLDERS/$1$(version_of "$2")" \
		>"$FOLDERS/$1/knit/version.h"
}

make_modules() # release, kernel, folder for what is built, version.h
{
	# shellcheck disable=SC2016 # for the shell in there
	in_folder "$1" sh -c 'mount --bind "$1" "$2" && shift 2 && exec "$@"' sh \
		"$4" "$(version_of "$2")" make -C /knit/kmod -j "$(nproc)" W=1 \
		KDIR="/usr/src/linux-headers-$2" OUT="$3" >>"$FOLDERS/$1-build.log" 2>&1
}

build() # release, kernel
{
	: >"$FOLDERS/$1-build.log"
	copy_sources "$FOLDERS/$1/knit" && other_version "$1" "$2" &&
		make_modules "$1" "$2" /knit/kmod "$(version_of "$2")" &&
		make_modules "$1" "$2" /knit/other /knit/version.h
}

one() # release
{
	local kernel warnings

	# perl: with W=1 the kernel's make checks comments.
	make_folder "$1" linux-headers-amd64 gcc make perl || {
		row "$1" - - "debootstrap failed"
		return
	}
	kernel=$(kernel_of "$1")
	if ! build "$1" "$kernel"; then
		tail -n 40 "$FOLDERS/$1-build.log"
		row "$1" "$kernel" "$(compiler_of "$1")" "does not build"
		return
	fi
	warnings=$(grep -cE 'warning:|WARNING:' "$FOLDERS/$1-build.log")
	if [ "$warnings" -ne 0 ]; then
		grep -E -A 3 'warning:|WARNING:' "$FOLDERS/$1-build.log"
		row "$1" "$kernel" "$(compiler_of "$1")" "$warnings warnings"
		return
	fi
	row "$1" "$kernel" "$(compiler_of "$1")" "ok, W=1 without warnings, also as another version"
}

# Debian splits newer kernels into several packages.
download_image() # release, kernel
{
	local package

	# A mirror that is frozen has lists that have expired.
	chroot "$FOLDERS/$1" apt-get -q -o Acquire::Check-Valid-Until=false update || return 1
	for package in linux-image linux-base linux-binary linux-modules; do
		chroot "$FOLDERS/$1" sh -c "mkdir -p /knit-image && cd /knit-image && \
			apt-get -q -o APT::Sandbox::User=root download $package-$2" || true
	done
}

unpack_image() # release, kernel; the result is in FOLDERS/<release>-image
{
	local root=$FOLDERS/$1 image=$FOLDERS/$1-image package

	[ ! -f "$image/.complete" ] || return 0
	rm -rf "$image" "$root/knit-image"
	download_image "$1" "$2" >"$FOLDERS/$1-image.log" 2>&1 || return 1
	mkdir -p "$image" || return 1
	for package in "$root"/knit-image/*.deb; do
		dpkg -x "$package" "$image" || return 1
	done
	rm -rf "$root/knit-image"
	complete_image "$image" "$2" && touch "$image/.complete"
}

boot() # release
{
	local kernel module=$FOLDERS/$1/knit/kmod/kni/rte_kni.ko

	kernel=$(kernel_of "$1")
	if [ ! -f "$module" ]; then
		row "$1" "$kernel" booted "no module"
	elif ! unpack_image "$1" "$kernel"; then
		row "$1" "$kernel" booted "no kernel image"
	elif "$VM/suite.sh" --kernel "$FOLDERS/$1-image" --module "$module" \
		kernel kernel-nics; then
		row "$1" "$kernel" booted "ok, the modules' tests passed, log clean"
	else
		row "$1" "$kernel" booted "the modules' tests failed"
	fi
}

need debootstrap debootstrap
[ "$(id -u)" -eq 0 ] || die "root is needed, for debootstrap and chroot"
mkdir -p "$FOLDERS" || exit 1
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
