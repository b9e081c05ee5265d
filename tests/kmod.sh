#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel modules against the headers of Debian's kernel: no warning with W=1, none of sparse,
# and a build from what is installed for DKMS.
# shellcheck disable=SC2317 # functions are called by check
set -u

cd "$(dirname "$0")/.." || exit 1
BUILD=${KNIT_BUILD:-$PWD/build}
OUT=$BUILD/kmod-test
PATH=$PATH:/usr/sbin:/sbin
failed=0

check() # name, command...
{
	local name=$1
	shift

	if "$@"; then
		echo "ok kmod-$name"
	else
		echo "not ok kmod-$name"
		failed=1
	fi
}

kmake() # arguments
{
	timeout 600 make -C kmod -j "$(nproc)" OUT="$OUT" "$@"
}

# Sparse also finds what the kernel's own headers do; that is not ours to judge.
warnings() # log
{
	grep -E '(warning|error|modpost)[:!]' "$1" | grep -vE '^(\./|/usr/src/|/lib/modules/)'
}

builds_quietly()
{
	kmake W=1 >"$OUT/build.log" 2>&1 || {
		cat "$OUT/build.log"
		return 1
	}
	! warnings "$OUT/build.log"
}

# C=2 checks also what needs no new build.
sparse_is_content()
{
	command -v sparse >/dev/null || return 1
	kmake C=2 CF=-D__CHECK_ENDIAN__ >"$OUT/sparse.log" 2>&1 || {
		cat "$OUT/sparse.log"
		return 1
	}
	grep -q '^  CHECK' "$OUT/sparse.log" && ! warnings "$OUT/sparse.log"
}

licence_is_told()
{
	modinfo -F license "$OUT/kni/rte_kni.ko" | grep -q '^GPL' &&
		modinfo -F license "$OUT/igb_uio/igb_uio.ko" | grep -q '^GPL'
}

installs()
{
	kmake INSTALL_MOD_PATH="$OUT/root" install >"$OUT/install.log" 2>&1 &&
		[ -n "$(find "$OUT/root/lib/modules" -name 'rte_kni.ko*')" ] &&
		[ -n "$(find "$OUT/root/lib/modules" -name 'igb_uio.ko*')" ]
}

# As DKMS does it: in the folder itself, with nothing but what meson installs there.
builds_for_dkms()
{
	local tree conf

	DESTDIR=$OUT/dkms meson install -C "$BUILD" --no-rebuild >"$OUT/dkms.log" 2>&1 || return 1
	conf=$(find "$OUT/dkms" -name dkms.conf)
	tree=$(dirname "$conf")
	# shellcheck source=/dev/null disable=SC2034 # that file uses the variable
	kernel_source_dir=$(readlink -f "$(newest_headers)") && . "$conf" &&
		(cd "$tree" && ${MAKE[0]}) >>"$OUT/dkms.log" 2>&1 &&
		[ -f "$tree/${BUILT_MODULE_LOCATION[0]}/${BUILT_MODULE_NAME[0]}.ko" ] &&
		[ -f "$tree/${BUILT_MODULE_LOCATION[1]}/${BUILT_MODULE_NAME[1]}.ko" ] &&
		(cd "$tree" && $CLEAN) >>"$OUT/dkms.log" 2>&1
}

newest_headers()
{
	local file

	file=$(printf '%s\n' /lib/modules/*/build/Module.symvers | sort -V | tail -n 1)
	dirname "$file"
}

rm -rf "$OUT"
mkdir -p "$OUT" || exit 1
check "builds with W=1 without a warning" builds_quietly
check "sparse finds nothing" sparse_is_content
check "licence" licence_is_told
check "modules_install" installs
check "DKMS" builds_for_dkms
[ $failed -eq 0 ] || tail -n 50 "$OUT"/*.log
exit $failed
