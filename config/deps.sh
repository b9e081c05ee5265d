#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Installs the packages that a purpose needs, and nothing if they are all there. It knows the
# packages of Debian 11 to 13 and unstable. On another distribution it installs nothing, but says
# what is missing.
# usage: config/deps.sh [build|run|smoke|kmod|test|units|matrix|debug|bench|docs|deb]...
# Default: build.
set -eu

os=${KNIT_OS_RELEASE:-/etc/os-release}
# shellcheck disable=SC1090 # its variables: ID, VERSION_ID
[ ! -r "$os" ] || . "$os"
case "${ID:-} ${VERSION_ID:-unstable}" in
"debian 11" | "debian 12") known=1 telemetry=dpdk-dev promtool=prometheus ;;
"debian 13" | "debian unstable") known=1 telemetry=dpdk promtool=promtool ;;
*) known=0 telemetry=dpdk promtool=prometheus ;;
esac

arch=$(dpkg --print-architecture 2>/dev/null) || arch=amd64
headers=linux-headers-$arch
python=/usr/lib/python3/dist-packages
build="gcc libc6-dev make meson ninja-build pkg-config libdpdk-dev libconfig-dev libmnl-dev
	liburing-dev libjson-c-dev libmicrohttpd-dev libncurses-dev libpcap-dev check python3
	iproute2 iputils-ping procps util-linux"
run="$build $telemetry" # dpdk-telemetry.py
smoke="$run bash-completion ethtool iperf3 systemd tcpdump tmux tshark prometheus $promtool
	python3-prometheus-client"
kmod="gcc make kmod $headers"
# dpdk-dev: testpmd. libsystemd-dev: Debian's libdpdk.a needs it, and libdpdk-dev does not say so.
lint="git g++ binutils clang-format clang-tidy codespell shellcheck sparse dpdk-dev
	doxygen abigail-tools lowdown libsystemd-dev"
vm="qemu-system-x86 busybox-static cpio xz-utils zstd kmod ovmf sbsigntool openssl"
test="$smoke $kmod $lint $vm"
# Debian's kernel source, and what its build needs
debug="$test linux-source flex bison bc libelf-dev libssl-dev xz-utils"

wanted=
deb=
for purpose in "${@:-build}"; do
	case $purpose in
	build) wanted="$wanted $build" ;;
	run) wanted="$wanted $run" ;;
	smoke) wanted="$wanted $smoke" ;;
	kmod) wanted="$wanted $kmod" ;;
	test) wanted="$wanted $test" ;;
	units) wanted="$wanted systemd-container" ;;
	matrix) wanted="$wanted $test debootstrap systemd-container" ;;
	debug) wanted="$wanted $debug" ;;
	bench) wanted="$wanted $smoke dpdk-dev" ;;
	docs) wanted="$wanted make doxygen" ;;
	deb) wanted="$wanted build-essential fakeroot" deb=1 ;; # and what debian/control says
	*)
		echo "$0: no purpose '$purpose': build, run, smoke, kmod, test, units, matrix," \
			"debug, bench, docs and deb exist" >&2
		exit 2
		;;
	esac
done

# What distributions agree on: package here, how to see that it is there, what it is. A probe is a
# program, a file of pkg-config, or a path.
generic()
{
	cat <<-END
		gcc cc a C compiler
		libc6-dev /usr/include/stdio.h headers of the C library
		make make GNU make
		meson meson meson 0.56 or newer
		ninja-build ninja ninja
		pkg-config pkg-config pkg-config or pkgconf
		libdpdk-dev libdpdk.pc DPDK 20.11 or newer, its headers
		libconfig-dev libconfig.pc libconfig 1.5 or newer, its headers
		libmnl-dev libmnl.pc libmnl, its headers
		liburing-dev liburing.pc liburing, its headers
		libjson-c-dev json-c.pc json-c, its headers
		libmicrohttpd-dev libmicrohttpd.pc GNU libmicrohttpd, its headers
		libncurses-dev ncurses.pc ncurses, its headers
		libpcap-dev libpcap.pc libpcap, its headers
		check check.pc the unit test framework Check, its headers
		python3 python3 Python 3
		iproute2 ip iproute2
		iputils-ping ping ping of iputils
		procps pgrep procps
		util-linux unshare util-linux
		dpdk dpdk-telemetry.py dpdk-telemetry.py of DPDK
		ethtool ethtool ethtool
		iperf3 iperf3 iperf3
		tcpdump tcpdump tcpdump
		tmux tmux tmux
		tshark tshark tshark of Wireshark
		bash-completion /usr/share/bash-completion/bash_completion bash-completion
		prometheus promtool Prometheus, with promtool
		python3-prometheus-client $python/prometheus_client its client
		kmod depmod kmod
		$headers /lib/modules/$(uname -r)/build the headers of the running kernel
		git git git
		g++ c++ a C++ compiler
		binutils nm binutils
		clang-format clang-format clang-format 14
		clang-tidy clang-tidy clang-tidy
		codespell codespell codespell
		shellcheck shellcheck shellcheck
		sparse sparse sparse
		dpdk-dev dpdk-testpmd dpdk-testpmd of DPDK
		doxygen doxygen doxygen
		abigail-tools abidiff abidiff of libabigail
		lowdown lowdown lowdown
		systemd systemd-analyze systemd-analyze
		qemu-system-x86 qemu-system-x86_64 QEMU for x86-64
		busybox-static busybox busybox, linked statically
		cpio cpio cpio
		xz-utils xz xz
		zstd zstd zstd
		ovmf /usr/share/OVMF/OVMF_CODE_4M.snakeoil.fd OVMF with a key for tests
		sbsigntool sbsign sbsigntool
		openssl openssl OpenSSL's command
		debootstrap debootstrap debootstrap
		systemd-container systemd-nspawn systemd-nspawn
		linux-source /usr/src/linux the source of a Linux kernel
		flex flex flex
		bison bison bison
		bc bc bc
		libelf-dev libelf.pc libelf, its headers
		libssl-dev libssl.pc OpenSSL, its headers
	END
}

probe() # probe
{
	case $1 in
	/*) [ -e "$1" ] ;;
	*.pc) pkg-config --exists "${1%.pc}" ;;
	*) command -v "$1" ;;
	esac >/dev/null 2>&1
}

# Packages have other names elsewhere: only what they bring can be looked for.
say_what_is_missing()
{
	# shellcheck disable=SC2086 # its line breaks become spaces
	words=" $(echo $wanted) "
	generic | {
		missing=
		while read -r package probe what; do
			case $words in
			*" $package "*) probe "$probe" || missing="$missing, $what" ;;
			esac
		done
		[ -n "$missing" ] || exit 0
		echo "$0: ${PRETTY_NAME:-this distribution}: its packages are not known here." \
			"Install what is missing: ${missing#, }" >&2
		exit 1
	}
}

if [ $known -eq 0 ]; then
	say_what_is_missing
	exit
fi

missing=
# shellcheck disable=SC2086 # lists of words
for package in $wanted; do
	state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || state=none
	case "$state $missing " in
	installed* | *" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ] && { [ -z "$deb" ] || dpkg-checkbuilddeps 2>/dev/null; }; then
	exit 0
fi

echo "installing:$missing${deb:+ (and Build-Depends of debian/control)}"
if [ "$(id -u)" -ne 0 ]; then
	echo "$0: only root may install packages; as root: apt-get install$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt() {
	apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -q "$@" </dev/null
}
# Its programs are wanted, for tests, and not its service.
case " $missing " in
*" prometheus "*) [ ! -d /run/systemd/system ] || systemctl mask prometheus.service ;;
esac
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing
[ -z "$deb" ] || apt build-dep -y --no-install-recommends ./
