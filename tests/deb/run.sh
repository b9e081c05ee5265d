#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the Debian packages in a debootstrap folder of each release, and installs them alone in a
# fresh one. Checks: two builds are equal, lintian is content, debian/tests/* pass, an upgrade
# keeps the configuration, a purge leaves nothing. Prints `ok NAME` or `not ok NAME` for each.
# usage: tests/deb/run.sh [RELEASE]...     (default: bookworm trixie)
#   KNIT_FOLDERS=FOLDER   where the folders are kept; default: BUILD/test-deb
# shellcheck disable=SC2317 # functions are called by check
set -u

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
cd "$ROOT" || exit 1
# shellcheck source=tests/_folders.sh
. tests/_folders.sh

FOLDERS=${KNIT_FOLDERS:-${KNIT_BUILD:-$ROOT/build}/test-deb}
FOLDER_TIMEOUT=3600
VERSION=$(<VERSION)
NEXT=$VERSION+next
failed=0

check() # name, command...
{
	local name=$RELEASE-$1
	shift

	if "$@" >"$FOLDERS/$name.log" 2>&1; then
		echo "ok deb-$name"
	else
		tail -n 40 "$FOLDERS/$name.log"
		echo "not ok deb-$name"
		failed=1
		return 1
	fi
}

# In namespaces of its own: no process, mount or network device stays. /sys is that of the network.
inside() # folder, command...
{
	local FOLDER_UNSHARE="--net --ipc --uts" FOLDER_SETUP="
		mount --rbind /dev dev
		mount -t sysfs sys sys
		mount -t tmpfs run run
		mount -t hugetlbfs huge dev/hugepages"

	in_folder "$@"
}

fresh() # folder
{
	rm -rf "${FOLDERS:?}/$1"
	cp -a "$FOLDERS/$RELEASE" "$FOLDERS/$1"
}

# What debian/control names, and nothing else, so that nothing is missing there.
make_builder()
{
	local builder=$RELEASE-build

	cmp -s debian/control "$FOLDERS/$builder/control" && return 0
	fresh "$builder" && copy_sources "$FOLDERS/$builder/knit" &&
		apt_in_folder "$builder" update &&
		apt_in_folder "$builder" install build-essential fakeroot lintian &&
		apt_in_folder "$builder" build-dep /knit && cp debian/control "$FOLDERS/$builder"
}

# Each in a place of its own, with other surroundings: nothing of these may be in a package.
build() # folder in the builder, version, umask, environment...
{
	local root=$FOLDERS/$RELEASE-build at=$1 version=$2 umask=$3
	shift 3

	copy_sources "$root/$at/source" || return 1
	if [ "$version" != "$VERSION" ]; then
		echo "$version" >"$root/$at/source/VERSION"
		sed -i "1s/($VERSION)/($version)/" "$root/$at/source/debian/changelog"
	fi
	# shellcheck disable=SC2016 # for the shell in there
	inside "$RELEASE-build" env "$@" sh -c \
		'umask "$2" && exec "/$1/source/config/deb.sh" "/$1"' sh "$at" "$umask"
}

builds_are_equal()
{
	local one=$FOLDERS/$RELEASE-build/one other=$FOLDERS/$RELEASE-build/another/place file

	build another/place "$VERSION" 002 TZ=Asia/Tokyo LC_ALL=C.UTF-8 || return 1
	diff <(cd "$one" && ls ./*.deb) <(cd "$other" && ls ./*.deb) || return 1
	for file in "$one"/*.deb; do
		cmp "$file" "$other/$(basename "$file")" || return 1
	done
}

# What debian/ overrides need not be known to the lintian of both releases. It is not shown:
# Debian 12's fails on whatever it shows.
lintian_is_content()
{
	inside "$RELEASE-build" sh -c 'lintian --pedantic -I --allow-root --suppress-tags \
		alien-tag --fail-on error,warning,info,pedantic /one/knit_*.changes'
}

put_packages() # folder of the builder
{
	rm -rf "$FOLDERS/$RELEASE-try/packages"
	mkdir "$FOLDERS/$RELEASE-try/packages" &&
		cp "$FOLDERS/$RELEASE-build/$1"/*.deb "$FOLDERS/$RELEASE-try/packages" &&
		rm "$FOLDERS/$RELEASE-try"/packages/*-dbgsym_*
}

in_packages() # arguments of apt-get
{
	# shellcheck disable=SC2046 # words
	apt_in_folder "$RELEASE-try" "$@" \
		$(cd "$FOLDERS/$RELEASE-try" && printf '/%s ' packages/*.deb)
}

names()
{
	sed -n '/^Package: / s///p' debian/control
}

# What Debian has of what they need, and the packages of debian/tests/control. Who looks then
# sees what ours leave.
make_try()
{
	fresh "$RELEASE-try" && copy_sources "$FOLDERS/$RELEASE-try/knit" && put_packages one &&
		apt_in_folder "$RELEASE-try" update || return 1
	# shellcheck disable=SC2046 # words
	apt_in_folder "$RELEASE-try" install "$TELEMETRY" bash-completion iproute2 iputils-ping \
		procps gcc make libsystemd-dev pkgconf kmod linux-headers-amd64 \
		$(in_packages install --simulate |
			awk '$1 == "Inst" { print $2 }' | grep -vxF "$(names)")
}

# All but what changes by itself, and what other packages keep: DKMS its key, depmod its lists.
files()
{
	(cd "$FOLDERS/$RELEASE-try" && find . -xdev \( -path ./var/cache -o -path ./var/log -o \
		-path ./var/lib/apt -o -path ./var/lib/dpkg -o -path './var/lib/dkms/mok.*' -o \
		-path './lib/modules/*/modules.*' -o -path './usr/lib/modules/*/modules.*' -o \
		-path ./packages -o -path ./knit -o -path ./tmp -o -path ./root \) -prune -o \
		-print | sort)
}

installed_version()
{
	inside "$RELEASE-try" knit-primary --version
}

configure_it()
{
	local conf=$FOLDERS/$RELEASE-try/etc/knit/knit.cfg

	sed -i 's/kni0/lan0/' "$conf" && cp "$conf" "$FOLDERS/$RELEASE-knit.cfg"
}

upgrades()
{
	configure_it && put_packages next && in_packages install || return 1
	[ "$(installed_version)" = "knit-primary $NEXT" ] &&
		cmp "$FOLDERS/$RELEASE-knit.cfg" "$FOLDERS/$RELEASE-try/etc/knit/knit.cfg" &&
		inside "$RELEASE-try" sh /knit/debian/tests/modules | grep "knit.*$NEXT.*installed"
}

purges()
{
	# shellcheck disable=SC2046 # words
	apt_in_folder "$RELEASE-try" purge $(names) && files >"$FOLDERS/$RELEASE-after" &&
		diff "$FOLDERS/$RELEASE-before" "$FOLDERS/$RELEASE-after" &&
		! grep -r knit "$FOLDERS/$RELEASE-try/var/lib/dpkg/status"
}

# debian/tests/NAME, as autopkgtest would run it
autopkgtest() # name
{
	inside "$RELEASE-try" sh -c "cd /knit && debian/tests/$1"
}

# debian/tests/system, in a container that systemd runs: the first build, then the next one.
boots()
{
	put_packages one || return 1
	rm "$FOLDERS/$RELEASE-try"/packages/*-d*.deb # their build takes long
	apt_in_folder "$RELEASE-try" install systemd-sysv && in_packages install &&
		put_packages next && tests/boot.sh "$FOLDERS/$RELEASE-try" \
			/knit/debian/tests/system /packages
}

one()
{
	local name

	check folder make_folder "$RELEASE" && check builder make_builder || return
	check build build one "$VERSION" 022 TZ=UTC LC_ALL=C || return
	check lintian lintian_is_content
	check reproducible builds_are_equal
	check dependencies make_try || return
	files >"$FOLDERS/$RELEASE-before"
	check install in_packages install || return
	for name in $(sed -n '/^Tests: / s///p' debian/tests/control); do
		[ "$name" = system ] || check "$name" autopkgtest "$name"
	done
	check next-build build next "$NEXT" 022 TZ=UTC LC_ALL=C && check upgrade upgrades
	check purge purges
	check boot boots
}

[ "$(id -u)" -eq 0 ] || {
	echo "not ok deb: root is needed, for debootstrap and chroot"
	exit 1
}
mkdir -p "$FOLDERS" && config/hugepages.sh || exit 1
[ $# -gt 0 ] || set -- bookworm trixie
for RELEASE in "$@"; do
	TELEMETRY=dpdk
	[ "$RELEASE" != bookworm ] || TELEMETRY=dpdk-dev
	one
done
exit $failed
