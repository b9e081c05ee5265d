#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every header of include/abi must compile alone as C and as C++, and all of them in a kernel module
# (W=1, no warning) against Debian's linux-headers. Also the public header, as C and C++.
set -u

cd "$(dirname "$0")/../.." || exit 1
ROOT=$PWD
OUT=${KNIT_BUILD:-$ROOT/build}/abi-kmod
failed=0

report() # status, name
{
	if [ "$1" -eq 0 ]; then
		echo "ok $2"
	else
		echo "not ok $2"
		failed=1
	fi
}

# The newest kernel that has headers here, which need not be the one that runs.
kernel_headers()
{
	local dir

	for dir in /lib/modules/*/build "/usr/src/linux-headers-"*; do
		[ -f "$dir/Module.symvers" ] && readlink -f "$dir"
	done | sort -uV | tail -n 1
}

compile_alone() # header, include directories
{
	local name flags
	name=$(basename "$1" .h)
	shift
	flags="-Wall -Wextra -Werror -Wno-unused-parameter -fsyntax-only"
	# shellcheck disable=SC2086 # words; -isystem: DPDK's own headers are not ours to judge
	echo "#include \"$name.h\"" | gcc -std=gnu11 $flags "$@" -x c -
	report $? "abi-c-$name"
	# shellcheck disable=SC2086
	echo "#include \"$name.h\"" | g++ -std=gnu++17 $flags "$@" -x c++ -
	report $? "abi-c++-$name"
}

for header in include/abi/*.h; do
	compile_alone "$header" -Iinclude/abi
done
read -ra dpdk <<<"$(pkg-config --cflags libdpdk | sed 's/-I/-isystem /g')"
compile_alone include/rte_kni.h -Iinclude "${dpdk[@]}"

headers=$(kernel_headers)
if [ -z "$headers" ]; then
	echo "not ok abi-module: no linux-headers with a Module.symvers on this machine"
	exit 1
fi
rm -rf "$OUT"
mkdir -p "$OUT" && cp tests/abi/Kbuild tests/abi/knit_abi.c "$OUT" || exit 1
for header in include/abi/*.h; do
	echo "#include \"$(basename "$header")\""
done >"$OUT/knit_abi_all.h"
log=$OUT/make.log
make -C "$headers" M="$OUT" KNIT_INCLUDE="$ROOT/include/abi" W=1 modules >"$log" 2>&1 &&
	[ -f "$OUT/knit_abi.ko" ] && ! grep -iq 'warning' "$log"
report $? "abi-module ($headers)"
[ $failed -eq 0 ] || cat "$log"
exit $failed
