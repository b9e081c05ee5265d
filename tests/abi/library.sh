#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Compares librte_kni's binary interface with that of the last release. Functions may be added. Any
# other change needs another soname, so that no program starts with a library that it was not built
# for. A change that is harmless, such as a member at the end of a struct that tells its size, is
# named in library.suppr.
# The last release is KNIT_ABI_BASE, a commit, or else the last tag that is not this commit, or
# else the commit that brought the version.
# usage: tests/abi/library.sh
set -u

cd "$(dirname "$0")/../.." || exit 1
BUILD=${KNIT_BUILD:-$PWD/build}
LIBRARY=common/kni/librte_kni.so
NEW=$BUILD/$LIBRARY

base_commit()
{
	if [ -n "${KNIT_ABI_BASE:-}" ]; then
		echo "$KNIT_ABI_BASE"
	elif ! git describe --tags --abbrev=0 HEAD^ 2>/dev/null; then
		git log --diff-filter=A --format=%h -- VERSION | tail -n 1
	fi
}

# The tree of a commit, and its library. What is built once is kept.
build_base() # commit, folder
{
	[ ! -f "$2/build/$LIBRARY" ] || return 0
	rm -rf "$2"
	mkdir -p "$2/tree" && git archive "$1" | tar -x -C "$2/tree" &&
		meson setup "$2/build" "$2/tree" -Dtests=disabled &&
		meson compile -C "$2/build" "$(basename $LIBRARY .so | sed s/^lib//):shared_library"
}

soname() # library
{
	readelf -d "$1" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p'
}

# Prints what changed, and fails if more did than what was added. Types that include/ does not
# define are left out.
same_interface() # old library, its headers
{
	abidiff --drop-private-types --no-added-syms --ignore-soname --hd1 "$2" --hd2 include \
		--suppressions tests/abi/library.suppr "$1" "$NEW"
}

base=$(base_commit)
if ! git rev-parse -q --verify "$base^{commit}" >/dev/null; then
	if [ -n "${KNIT_ABI_BASE:-}" ]; then
		echo "not ok abi-library: KNIT_ABI_BASE is no commit: $base"
		exit 1
	fi
	echo "skip abi-library no history: no release to compare with"
	exit 0
fi
old=$BUILD/abi-library/$(git rev-parse --short "$base^{commit}")
log=$old.log
mkdir -p "$BUILD/abi-library"
if ! build_base "$base" "$old" >"$log" 2>&1; then
	cat "$log"
	echo "not ok abi-library: $base does not build"
	exit 1
fi
if same_interface "$old/build/$LIBRARY" "$old/tree/include"; then
	echo "ok abi-library (as $base)"
elif [ "$(soname "$old/build/$LIBRARY")" != "$(soname "$NEW")" ]; then
	echo "ok abi-library ($base has another soname)"
else
	echo "not ok abi-library: not what $base has, and still $(soname "$NEW")"
	exit 1
fi
