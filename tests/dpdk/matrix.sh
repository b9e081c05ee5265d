#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds knit with the DPDK of other Debian releases and tests it there: in a debootstrap folder
# each, with that release's compiler and tools, without a warning. Prints a table; the exit code is
# 0 if every line of it is good. The columns:
#   build    make build, warnings are errors
#   unit     the unit tests
#   install  applications of KNI, built against what is installed, run: tests/install.sh
#   smoke    real processes in namespaces
#   demo     make run SMOKE=1
# usage: tests/dpdk/matrix.sh [RELEASE...]
#   KNIT_DPDK_MATRIX  the releases, if none is given; if that is empty, bullseye trixie sid
#   KNIT_DPDK_STEPS   some of the columns; build comes always
#   KNIT_FOLDERS      where the folders are kept; default: BUILD/dpdk-matrix
# The logs are build/dpdk-matrix/RELEASE-COLUMN.log.
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/../vm/_host.sh"
# shellcheck source=tests/_folders.sh
. "$ROOT/tests/_folders.sh"

ALL="bullseye trixie sid"
STEPS=${KNIT_DPDK_STEPS:-unit install smoke demo}
FOLDERS=${KNIT_FOLDERS:-$KNIT_BUILD/dpdk-matrix}
FOLDER_TIMEOUT=1800
FOLDER_SETUP="$FOLDER_SOURCES
	ip link set lo up"
failed=0
rows=()

# In a network of its own, but what fetches packages.
step() # release, column, command...
{
	local log=$FOLDERS/$1-$2.log release=$1 FOLDER_UNSHARE=--net
	[ "$2" != packages ] || FOLDER_UNSHARE=
	shift 2

	in_folder "$release" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
		KNIT_BUILD=/build KNIT_RETRY="${KNIT_RETRY:-0}" "$@" >"$log" 2>&1 </dev/null
}

# What run.sh counted: `unit 740 passed 0 failed 0 skipped 9.9 s`
counted() # log
{
	awk '$3 == "passed" && $5 == "failed" {
		printf "%s%s%s", $2, $4 ? " (" $4 " failed)" : "", $6 ? " (" $6 " skipped)" : ""
	}' "$1"
}

cell() # release, column: runs it and prints what goes into the table
{
	local log=$FOLDERS/$1-$2.log status=0

	case $2 in
	build) step "$1" build make -C /knit build BUILD=/build MESON_OPTIONS=--werror ;;
	demo) step "$1" demo make -C /knit run BUILD=/build SMOKE=1 ;;
	*) step "$1" "$2" /knit/tests/run.sh "$2" ;;
	esac || status=$?
	case $status,$2 in
	0,build) echo ok ;;
	0,demo) grep -c ' ok ' "$log" ;;
	*,build | *,demo) echo FAILED ;;
	*) counted "$log" ;;
	esac
	return $status
}

report() # release, column, status
{
	local log=$FOLDERS/$1-$2.log

	if [ "$3" -eq 0 ]; then
		echo "ok dpdk-matrix: $1 $2"
		grep '^skip ' "$log"
		return 0
	fi
	failed=1
	[ ! -f "$log" ] || tail -n 60 "$log"
	echo "not ok dpdk-matrix: $1 $2: see $log"
}

prepare() # release
{
	make_folder "$1" make git || return 1
	step "$1" packages /knit/config/deps.sh run smoke
}

one() # release
{
	local release=$1 cells="" text column dpdk start=$SECONDS

	if ! prepare "$release"; then
		report "$release" packages 1
		rows+=("$(printf '%-9s %-9s no folder' - "$release")")
		return
	fi
	dpdk=$(in_folder "$release" pkg-config --modversion libdpdk)
	for column in build $STEPS; do
		text=$(cell "$release" "$column")
		report "$release" "$column" $?
		cells+=$(printf ' %-8s' "${text:-FAILED}")
		[ "$text,$column" != FAILED,build ] || break
	done
	rows+=("$(printf '%-9s %-9s %-8s' "$dpdk" "$release" "$(compiler_of "$release")")$cells $((
		SECONDS - start)) s")
}

need debootstrap debootstrap
[ "$(id -u)" -eq 0 ] || die "root is needed, for debootstrap and chroot"
mkdir -p "$FOLDERS" || exit 1
"$ROOT/config/hugepages.sh" || exit 1
releases=("$@")
[ $# -gt 0 ] || read -ra releases <<<"${KNIT_DPDK_MATRIX:-$ALL}"
for release in "${releases[@]}"; do
	one "$release"
done
echo
printf '%-9s %-9s %-8s' DPDK release gcc
printf ' %-8s' build $STEPS
printf '\n'
printf '%s\n' "${rows[@]}"
exit $failed
