#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs into an empty directory and builds a program against what is there, as a packager and an
# application would: with the shared and with the static library, found by pkg-config.
# shellcheck disable=SC2317 # functions are called by check
set -u

cd "$(dirname "$0")/.." || exit 1
BUILD=${KNIT_BUILD:-$PWD/build}
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
failed=0

check() # name, command...
{
	local name=$1
	shift

	if "$@"; then
		echo "ok install-$name"
	else
		echo "not ok install-$name"
		failed=1
	fi
}

# The names that a library defines for others, without their versions
exported()
{
	nm --dynamic --defined-only --extern-only "$LIBDIR/librte_kni.so" |
		awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

declared()
{
	grep -oE '\brte_kni_[a-z_]+\(' "$HEADERS/rte_kni.h" | tr -d '(' | sort -u
}

exports_what_is_declared()
{
	diff <(declared) <(exported)
}

abi_headers_complete()
{
	diff <(cd include/abi && ls) <(ls "$HEADERS/abi")
}

build_program() # static or shared
{
	local flags

	PKG_CONFIG_PATH=$(dirname "$PC")
	PKG_CONFIG_SYSROOT_DIR=
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
	# librte_kni.pc names the prefix; the files are below DESTDIR
	sed -i "s|^prefix=.*|prefix=$(dirname "$(dirname "$HEADERS")")|" "$PC"
	flags=$(pkg-config --cflags --libs librte_kni) || return 1
	[ "$1" = shared ] ||
		flags=${flags//-lrte_kni/$LIBDIR/librte_kni.a $(pkg-config --libs libmnl)}
	# shellcheck disable=SC2086 # words
	gcc -Wall -Werror "$TMP/program.c" -o "$TMP/program-$1" $flags -pthread || return 1
	LD_LIBRARY_PATH=$LIBDIR "$TMP/program-$1"
}

cat >"$TMP/program.c" <<'PROGRAM'
#include <rte_kni.h>
#include <abi/knit_shm.h>

int main(void)
{
	struct rte_kni_conf conf = { .name = "x" };

	/* before rte_kni_init nothing can be had, and EAL is not needed to find that out */
	return rte_kni_alloc(NULL, &conf, NULL) || rte_kni_get("") || rte_kni_release(NULL) != -1;
}
PROGRAM

DESTDIR=$TMP/root meson install -C "$BUILD" --no-rebuild --quiet || {
	echo "not ok install: meson install"
	exit 1
}
PC=$(find "$TMP/root" -name librte_kni.pc)
LIBDIR=$(dirname "$(find "$TMP/root" -name librte_kni.so)")
HEADERS=$(dirname "$(find "$TMP/root" -name rte_kni.h)")
BINDIR=$(dirname "$(find "$TMP/root" -name knit-primary)")

check abi-headers abi_headers_complete
check exports exports_what_is_declared
check shared build_program shared
check static build_program static
for program in knit-primary knit-worker knit-control knit-bind; do
	check $program test -x "$BINDIR/$program"
done
check example-config test -f "$(find "$TMP/root" -path '*/share/knit/demo.cfg')"
exit $failed
