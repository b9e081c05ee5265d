#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds knit with many compilers, warnings are errors, and runs the unit tests that need no
# hugepages. Each compiler is in a debootstrap folder of the Debian release that has it. arm64 is a
# cross-build, and its tests run in QEMU's user mode. Prints a table; the exit code is 0 if every
# line of it is good.
# usage: tests/compilers/matrix.sh [COMPILER...]     e.g. gcc-13 clang-19 arm64; default: all
#   KNIT_FOLDERS=FOLDER   where the folders are kept; default: BUILD/compilers
# The logs are FOLDERS/COMPILER-build.log and FOLDERS/COMPILER-unit.log.
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/../vm/_host.sh"
# shellcheck source=tests/_folders.sh
. "$ROOT/tests/_folders.sh"

declare -A RELEASE=(
	[gcc-12]=bookworm [clang-14]=bookworm [clang-15]=bookworm [clang-16]=bookworm
	[gcc-13]=trixie [gcc-14]=trixie [clang-17]=trixie [clang-18]=trixie [clang-19]=trixie
	[gcc-15]=sid [gcc-16]=sid [clang-21]=sid
	[arm64]=trixie
)
ALL=(gcc-12 clang-14 clang-15 clang-16 gcc-13 gcc-14 clang-17 clang-18 clang-19 gcc-15 gcc-16
	clang-21 arm64)
FOLDERS=${KNIT_FOLDERS:-$KNIT_BUILD/compilers}
FOLDER_TIMEOUT=1800
FOLDER_SETUP=$FOLDER_SOURCES
UNIT="abi kmod kni"
# EAL takes minutes to start in QEMU's user mode, so these are the suites of kni without it.
UNIT_ARM64="handler handler_role netlink tap tap_coalesce tap_req tap_tx"
# As libdpdk-dev of arm64 and of amd64 can't both be installed, arm64 has a folder of its own.
ARM64="gcc-aarch64-linux-gnu libc6-dev-arm64-cross libdpdk-dev:arm64 libconfig-dev:arm64
	libmnl-dev:arm64 liburing-dev:arm64 libjson-c-dev:arm64 libncurses-dev:arm64
	libmicrohttpd-dev:arm64
	libsystemd-dev:arm64 check:arm64 qemu-user-static meson ninja-build
	pkg-config python3"
failed=0
rows=()

step() # compiler, name of the log, command...
{
	local compiler=$1 log=$FOLDERS/$1-$2.log folders=$FOLDERS
	shift 2

	[ "$compiler" != arm64 ] || local FOLDERS=$folders/arm64
	in_folder "${RELEASE[$compiler]}" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		TERM=dumb DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null
}

prepare() # compiler
{
	local release=${RELEASE[$1]} folders=$FOLDERS packages=$1 before=:

	if [ "$1" = arm64 ]; then
		local FOLDERS=$folders/arm64
		packages=$ARM64
		before="dpkg --add-architecture arm64"
	fi
	make_folder "$release" make git || return 1
	FOLDERS=$folders
	# shellcheck disable=SC2016 # for the shell in there
	step "$1" packages sh -ec '! dpkg -s $2 || exit 0; $1; apt-get -q update
		apt-get -q install -y --no-install-recommends $2' sh "$before" "$packages"
}

build() # compiler
{
	case $1 in
	arm64)
		step arm64 build sh -ec '[ -f /build/arm64/build.ninja ] || meson setup --werror \
			--cross-file /knit/tests/compilers/arm64.ini /build/arm64 /knit
			meson compile -C /build/arm64'
		;;
	*)
		step "$1" build env CC="$1" make -C /knit build BUILD="/build/$1" \
			MESON_OPTIONS=--werror
		;;
	esac
}

# QEMU is slow, so the tests have more time there. Some can't run there: their tag is no-qemu-user.
unit() # compiler
{
	local emulator='' suites=''

	[ "$1" != arm64 ] || emulator=qemu-aarch64-static suites=$UNIT_ARM64
	# shellcheck disable=SC2016 # for the shell in there
	step "$1" unit env ${emulator:+CK_TIMEOUT_MULTIPLIER=20 \
		CK_EXCLUDE_TAGS=no-qemu-user} sh -c 'status=0
		for name in $2; do
			suites=
			[ "$name" != kni ] || suites=$4
			$3 "/build/$1/tests/unit/knit-unit-$name" $suites || status=1
		done
		exit $status' sh "$1" "$UNIT" "$emulator" "$suites"
}

checks() # compiler
{
	awk '/^[0-9]+%: Checks:/ {
		n += $3
		bad += $5 + $7
	}
	END { print n - bad " of " n }' "$FOLDERS/$1-unit.log"
}

fail() # compiler, column, result
{
	tail -n 40 "$FOLDERS/$1-$2.log"
	echo "not ok compilers: $1 $2: see $FOLDERS/$1-$2.log"
	rows+=("$(printf '%-9s %-10s %s' "${RELEASE[$1]}" "$1" "$3")")
	failed=1
}

one() # compiler
{
	if ! prepare "$1"; then
		fail "$1" packages "no such compiler there"
	elif ! build "$1"; then
		fail "$1" build "does not build without warnings"
	elif ! unit "$1"; then
		fail "$1" unit "unit tests: $(checks "$1")"
	else
		echo "ok compilers: $1"
		rows+=("$(printf '%-9s %-10s ok, no warnings, unit tests: %s' "${RELEASE[$1]}" \
			"$1" "$(checks "$1")")")
	fi
}

need debootstrap debootstrap
[ "$(id -u)" -eq 0 ] || die "root is needed, for debootstrap and chroot"
mkdir -p "$FOLDERS/arm64" || exit 1
[ $# -gt 0 ] || set -- "${ALL[@]}"
for compiler; do
	[ -n "${RELEASE[$compiler]:-}" ] || die "no compiler '$compiler': there are ${ALL[*]}"
done
for compiler; do
	one "$compiler"
done
echo
printf '%-9s %-10s %s\n' release compiler result
printf '%s\n' "${rows[@]}"
exit $failed
