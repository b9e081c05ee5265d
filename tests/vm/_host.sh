# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced by the scripts here that run on the host. The cache holds what is fetched or takes long to
# build; several runs may share it:
#   CACHE/<kernel version>/boot/vmlinuz-*        Debian's image, unpacked, nothing is installed
#   CACHE/<kernel version>/lib/modules/*
#   CACHE/<kernel version>/initrd.gz
# shellcheck disable=SC2034

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$VM/../.." && pwd)
export KNIT_BUILD=${KNIT_BUILD:-$ROOT/build}
CACHE=${KNIT_VM_CACHE:-$KNIT_BUILD/vm}
PATH=$PATH:/usr/sbin:/sbin

die() # why
{
	echo "$(basename "$0"): $*" >&2
	exit 1
}

need() # package, program...
{
	local package=$1 program
	shift

	for program in "$@"; do
		command -v "$program" >/dev/null ||
			die "no $program here: config/deps.sh test installs it (package $package)"
	done
}

# The kernel that Debian's headers here are for, which need not be the one that runs.
headers_version()
{
	local version

	version=$(dpkg-query -W -f='${Depends}' "linux-headers-$(dpkg --print-architecture)" |
		grep -o 'linux-headers-[^ ,]*') || die "no linux-headers-amd64 here"
	echo "${version#linux-headers-}"
}

# Of Debian's packages of a kernel, unpacked: newer ones have all below usr/lib.
complete_image() # folder, version
{
	[ -d "$1/lib/modules" ] || ln -sfn usr/lib "$1/lib"
	mkdir -p "$1/boot"
	[ -f "$1/boot/vmlinuz-$2" ] ||
		ln "$1/lib/modules/$2/vmlinuz" "$1/boot/vmlinuz-$2" || return 1
	depmod -b "$1" "$2"
}

# One at a time: what comes second finds it done.
locked() # command...
{
	mkdir -p "$CACHE" || return 1
	(
		flock 9
		"$@" 9>&-
	) 9>"$CACHE/lock"
}

# The newest file among FILE and OTHERS is FILE.
up_to_date() # file, others...
{
	local file=$1 other
	shift

	[ -f "$file" ] || return 1
	for other in "$@"; do
		[ "$other" -nt "$file" ] && return 1
	done
	return 0
}
