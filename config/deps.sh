#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian packages that a purpose needs, and nothing if they are all there.
# usage: config/deps.sh [build|run|kmod|test|matrix|debug|bench|docs]...   (default: build)
set -eu

arch=$(dpkg --print-architecture)
build="gcc libc6-dev meson ninja-build pkg-config libdpdk-dev libconfig-dev libmnl-dev
	libsystemd-dev check python3 iproute2 iputils-ping procps util-linux"
kmod="gcc make kmod linux-headers-$arch"
vm="qemu-system-x86 busybox-static cpio xz-utils zstd kmod"
# dpdk-dev brings dpdk-telemetry.py and testpmd.
check="git g++ binutils clang-format codespell shellcheck sparse dpdk-dev ethtool iperf3 tcpdump
	doxygen abigail-tools"
matrix="debootstrap"
# Debian's kernel source, and what its build needs
debug="linux-source flex bison bc libelf-dev libssl-dev xz-utils"
bench="dpdk-dev iperf3 ethtool tcpdump"

wanted=
for purpose in "${@:-build}"; do
	case $purpose in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $build dpdk-dev" ;;
	kmod) wanted="$wanted $kmod" ;;
	test) wanted="$wanted $build $kmod $check $vm" ;;
	matrix) wanted="$wanted $build $kmod $check $vm $matrix" ;;
	debug) wanted="$wanted $build $kmod $check $vm $debug" ;;
	bench) wanted="$wanted $build $bench" ;;
	docs) wanted="$wanted make doxygen" ;;
	*)
		echo "$0: no purpose '$purpose': build, run, kmod, test, matrix, debug, bench and" \
			"docs exist" >&2
		exit 2
		;;
	esac
done

missing=
# shellcheck disable=SC2086 # lists of words
for package in $wanted; do
	state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=none
	case "$state $missing " in
	installed* | *" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
if [ "$(id -u)" -ne 0 ]; then
	echo "$0: only root may install packages; as root: apt-get install$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt() {
	apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -q "$@" </dev/null
}
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
