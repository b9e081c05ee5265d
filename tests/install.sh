#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs into an empty directory and builds programs against what is there, as a packager and an
# application would: with the shared and with the static library, found by pkg-config. One of them
# is an application of KNI as it was, which tests/smoke/10-kni-legacy.sh then runs.
# usage: tests/install.sh [--legacy FOLDER]
#   --legacy   no tests: installs below FOLDER, and builds that application, FOLDER/legacy-app
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

# librte_kni.pc names the prefix; the files are below DESTDIR.
flags() # static or shared
{
	local flags

	PKG_CONFIG_PATH=$(dirname "$PC")
	PKG_CONFIG_SYSROOT_DIR=
	export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
	sed -i "s|^prefix=.*|prefix=$(dirname "$(dirname "$HEADERS")")|" "$PC"
	flags=$(pkg-config --cflags --libs librte_kni) || return 1
	[ "$1" = shared ] ||
		flags=${flags//-lrte_kni/$LIBDIR/librte_kni.a $(pkg-config --libs libmnl)}
	echo "$flags"
}

build_program() # static or shared
{
	# shellcheck disable=SC2046 # words
	cc -Wall -Werror "$TMP/program.c" -o "$TMP/program-$1" $(flags "$1") -pthread || return 1
	LD_LIBRARY_PATH=$LIBDIR "$TMP/program-$1"
}

# From copies: beside them there is nothing else of ours to include.
build_legacy() # program
{
	mkdir -p "$TMP/legacy" && cp tests/smoke/legacy_*.[ch] "$TMP/legacy" || return 1
	# shellcheck disable=SC2046 # words
	cc -Wall -Werror "$TMP"/legacy/*.c -o "$1" -Wl,-rpath,"$LIBDIR" $(flags shared)
}

legacy_works()
{
	KNIT_LEGACY_APP=$TMP/legacy-app KNIT_BUILD=$BUILD \
		tests/smoke/10-kni-legacy.sh selftest >"$TMP/legacy.log" 2>&1 && return
	cat "$TMP/legacy.log"
	return 1
}

install_to() # folder
{
	DESTDIR=$1 meson install -C "$BUILD" --no-rebuild --quiet || return 1
	PC=$(find "$1" -name librte_kni.pc)
	LIBDIR=$(dirname "$(find "$1" -name librte_kni.so)")
	HEADERS=$(dirname "$(find "$1" -name rte_kni.h)")
	BINDIR=$(dirname "$(find "$1" -name knit-primary)")
}

if [ "${1:-}" = --legacy ]; then
	install_to "$2/root" && build_legacy "$2/legacy-app"
	exit
fi

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

install_to "$TMP/root" || {
	echo "not ok install: meson install"
	exit 1
}

check abi-headers abi_headers_complete
check exports exports_what_is_declared
check shared build_program shared
check static build_program static
check legacy-application build_legacy "$TMP/legacy-app"
check legacy-application-works legacy_works
for program in knit-primary knit-worker knit-control knit-bind; do
	check $program test -x "$BINDIR/$program"
done
check example-config test -f "$(find "$TMP/root" -path '*/share/knit/demo.cfg')"
exit $failed
