#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs into an empty directory and builds programs against what is there, as a packager and an
# application would: with the shared and with the static library, found by pkg-config, in the ways
# of docs/MIGRATING.md. One of them is an application of KNI as it was, which
# tests/smoke/10-kni-legacy.sh then runs.
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

# Not DPDK's: a program that was linked with its librte_kni finds nothing here.
versions_are_ours()
{
	[ "$(nm --dynamic --with-symbol-versions --defined-only "$LIBDIR/librte_kni.so" |
		sed -n 's/.*rte_kni_[a-z_]*@@*//p' | sort -u)" = KNIT_1 ] &&
		readelf -d "$LIBDIR/librte_kni.so" | grep -q 'SONAME.*\[librte_kni\.so\.1\]'
}

abi_headers_complete()
{
	diff <(cd include/abi && ls) <(ls "$HEADERS/abi")
}

# What pkg-config says of it to an application
flags() # static or shared
{
	local static=()

	[ "$1" = shared ] || static=(--static)
	pkg-config "${static[@]}" --cflags --libs librte_kni
}

# The .pc files name the prefix; the files are below DESTDIR.
use_installed()
{
	export PKG_CONFIG_PATH LD_LIBRARY_PATH
	PKG_CONFIG_PATH=$(dirname "$PC")
	LD_LIBRARY_PATH=$LIBDIR
	sed -i "s|^prefix=.*|prefix=$(dirname "$(dirname "$HEADERS")")|" "$PKG_CONFIG_PATH"/*.pc
}

build_program() # static or shared
{
	# shellcheck disable=SC2046 # words
	cc -Wall -Werror "$TMP/program.c" -o "$TMP/program-$1" $(flags "$1") -pthread || return 1
	"$TMP/program-$1"
}

# One copy of EAL, and of librte_kni
links_no_shared_one()
{
	[ -x "$TMP/program-static" ] && ! ldd "$TMP/program-static" | grep librte_
}

# A Makefile of old, which asks for libdpdk alone, as docs/MIGRATING.md says
build_by_makefile()
{
	mkdir "$TMP/makefile" && cp "$TMP/program.c" "$TMP/makefile/main.c" || return 1
	cat >"$TMP/makefile/Makefile" <<'MAKEFILE'
APP = app
SRCS-y := main.c
PKGCONF ?= pkg-config
CFLAGS += -O3 $(shell $(PKGCONF) --cflags libdpdk)
LDFLAGS_SHARED = $(shell $(PKGCONF) --libs libdpdk)

build/$(APP)-shared: $(SRCS-y) Makefile
	@mkdir -p build
	$(CC) $(CFLAGS) $(SRCS-y) -o $@ $(LDFLAGS) $(LDFLAGS_SHARED)
MAKEFILE
	CFLAGS=$(pkg-config --cflags librte_kni) LDFLAGS=$(pkg-config --libs librte_kni) \
		make -s -C "$TMP/makefile" && "$TMP/makefile/build/app-shared"
}

build_by_meson()
{
	mkdir "$TMP/meson" && cp "$TMP/program.c" "$TMP/meson/main.c" || return 1
	cat >"$TMP/meson/meson.build" <<'MESON'
project('app', 'c')
executable('app', 'main.c', dependencies: [dependency('librte_kni'), dependency('libdpdk')])
MESON
	meson setup "$TMP/meson/build" "$TMP/meson" >"$TMP/meson.log" 2>&1 &&
		meson compile -C "$TMP/meson/build" >>"$TMP/meson.log" 2>&1 &&
		"$TMP/meson/build/app" && return
	cat "$TMP/meson.log"
	return 1
}

# A DPDK that has a KNI, too, as DPDK had before 23.11: its folders have a header and a library with
# our names, and its flags name both. An application that took one of them would not compile, or
# not start.
make_other_dpdk()
{
	local other=$TMP/other dir

	dir=$(pkg-config --variable=pcfiledir libdpdk)
	mkdir "$other" || return 1
	echo '#error "this is the header of DPDK"' >"$other/rte_kni.h"
	sed -n 's/.*\<\(rte_kni_[a-z_]*\)(.*/\1/p' "$HEADERS/rte_kni.h" | sort -u |
		sed 's/.*/void &(void) {}/' >"$other/kni.c"
	cc -w -shared -Wl,-soname,librte_kni.so.99 "$other/kni.c" -o "$other/librte_kni.so" &&
		sed "s|^Cflags: |&-I$other |" "$dir/libdpdk.pc" >"$other/libdpdk.pc" &&
		sed "s|^Cflags: |&-I$other |; s|^Libs: |&-L$other -lrte_kni |" \
			"$dir/libdpdk-libs.pc" >"$other/libdpdk-libs.pc"
}

beside_other_dpdk() # command...
(
	PKG_CONFIG_PATH+=:$TMP/other
	mkdir -p "$TMP/beside" && cp "$TMP/program.c" "$TMP/beside" || exit 1
	TMP=$TMP/beside
	"$@"
)

# It is there, and wins where nobody asks for ours.
other_dpdk_is_seen()
{
	make_other_dpdk || return 1
	! (
		PKG_CONFIG_PATH=$TMP/other
		# shellcheck disable=SC2046 # words
		cc -c "$TMP/program.c" -o "$TMP/other/program.o" $(pkg-config --cflags libdpdk)
	) 2>"$TMP/other.log" && grep -q "header of DPDK" "$TMP/other.log"
}

# From copies: beside them there is nothing else of ours to include.
build_legacy() # program, [static]
{
	mkdir -p "$TMP/legacy" && cp tests/smoke/legacy/legacy_*.[ch] "$TMP/legacy" || return 1
	# shellcheck disable=SC2046 # words
	cc -Wall -Werror "$TMP"/legacy/*.c -o "$1" -Wl,-rpath,"$LIBDIR" \
		$(flags "${2:-shared}") -pthread
}

# A copy: what is built stands beside the sources.
build_example()
{
	cp -r examples/forward "$TMP/example" &&
		make -s -C "$TMP/example" CFLAGS="-O2 -Wall -Werror" LDFLAGS="-Wl,-rpath,$LIBDIR"
}

# In namespaces of its own. The kernel pings the far end of the port: through the interface, the
# application and a tap. A new MTU of the interface is the port's, too.
example_works()
{
	KNIT_EXAMPLE=$TMP/example/forward KNIT_BUILD=$BUILD \
		tests/smoke/11-example.sh >"$TMP/example.log" 2>&1 && return
	cat "$TMP/example.log"
	return 1
}

legacy_works() # program
{
	KNIT_LEGACY_APP=$1 KNIT_BUILD=$BUILD \
		tests/smoke/10-kni-legacy.sh selftest >"$TMP/legacy.log" 2>&1 && return
	cat "$TMP/legacy.log"
	return 1
}

stub() # program, line of shell
{
	printf '#!/bin/sh\n%s\n' "$2" >"$TMP/bin/$1" && chmod +x "$TMP/bin/$1"
}

# After an installation by root; not in a packager's folder, where nobody looks for libraries.
tells_the_linker()
{
	local make=(env "PATH=$TMP/bin:$PATH" make -s -o build)

	mkdir "$TMP/bin" && stub id "echo 0" || return 1
	stub meson "echo meson >>$TMP/ran"
	stub ldconfig "echo ldconfig >>$TMP/ran"
	"${make[@]}" install DESTDIR= && "${make[@]}" install DESTDIR="$TMP" || return 1
	[ "$(<"$TMP/ran")" = $'meson\nldconfig\nmeson' ]
}

tells_version() # program
{
	test -x "$BINDIR/$1" && [ "$("$BINDIR/$1" --version)" = "$1 $(<VERSION)" ]
}

pc_tells_version()
{
	[ "$(pkg-config --modversion librte_kni)" = "$(<VERSION)" ]
}

page() # of a manual, without its fonts and escapes
{
	sed 's/\\f[A-Z]//g; s/\\//g' "$(find "$TMP/root" -path "*/man/man?/$1")"
}

# Its man page has all options.
page_is_complete() # program
{
	diff <("$BINDIR/$1" --help | grep -oE -- '--[a-z-]+' | sort -u) \
		<(page "$1.8" | grep -oE -- '--[a-z-]+' | sort -u)
}

# knit.cfg(5) has all keys.
keys_are_described()
{
	local key

	for key in $("$BINDIR/knit-primary" --help-config | sed -n 's/^  \([a-z_]*\): .*/\1/p'); do
		page knit.cfg.5 | grep -qx "$key" || return 1
	done
}

# A manual page for each function
functions_have_pages()
{
	local function

	for function in $(declared); do
		page "$function.3" | grep -q 'man3/rte_kni\.3' || return 1
	done
	page rte_kni.3 | grep -q rte_kni_alloc && page rte_kni.4 | grep -q kthread_mode
}

pages()
{
	local program

	for program in knit knit-primary knit-worker knit-control knit-bind knit-exporter; do
		check $program-page page_is_complete $program
	done
	check knit.cfg-page keys_are_described
	check api-pages functions_have_pages
}

install_to() # folder
{
	DESTDIR=$1 meson install -C "$BUILD" --no-rebuild --quiet || return 1
	PC=$(find "$1" -name librte_kni.pc)
	LIBDIR=$(dirname "$(find "$1" -name librte_kni.so)")
	HEADERS=$(dirname "$(find "$1" -name rte_kni.h)")
	BINDIR=$(dirname "$(find "$1" -path "*/bin/knit-primary")")
	use_installed
}

if [ "${1:-}" = --legacy ]; then
	install_to "$2/root" && build_legacy "$2/legacy-app"
	exit
fi

cat >"$TMP/program.c" <<'PROGRAM'
#include <rte_kni.h>
#include <rte_kni_common.h>
#include <abi/knit_shm.h>

#ifndef RTE_LIB_KNI
#error "what applications look for, to be built with KNI"
#endif

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
check symbol-versions versions_are_ours
check shared build_program shared
check static build_program static
check static-alone links_no_shared_one
check makefile build_by_makefile
check meson build_by_meson
check other-dpdk other_dpdk_is_seen
check other-dpdk-shared beside_other_dpdk build_program shared
check other-dpdk-makefile beside_other_dpdk build_by_makefile
check other-dpdk-meson beside_other_dpdk build_by_meson
check legacy-application build_legacy "$TMP/legacy-app"
check legacy-application-works legacy_works "$TMP/legacy-app"
check static-legacy-application build_legacy "$TMP/legacy-app-static" static
check static-legacy-application-works legacy_works "$TMP/legacy-app-static"
check example build_example
check example-works example_works
for program in knit knit-primary knit-worker knit-control knit-bind knit-exporter; do
	check $program tells_version $program
done
if [ -n "$(find "$TMP/root" -path '*/man/man5/knit.cfg.5')" ]; then
	pages
else
	echo "skip install: man pages: built without lowdown or doxygen"
fi
check pkg-config-version pc_tells_version
check ldconfig tells_the_linker
check example-config test -f "$(find "$TMP/root" -path '*/share/knit/demo.cfg')"
exit $failed
