#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fetches and unpacks Debian's kernel image and prints the folder it is in. Root is not needed.
# usage: tests/vm/kernel.sh [VERSION]   (default: that of linux-headers-amd64)
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

# The version of the package: headers and image come in pairs, modules must fit both.
package_version()
{
	dpkg-query -W -f='${Version}' "linux-headers-$version" 2>/dev/null
}

download()
{
	local package=linux-image-$version wanted user=()
	wanted=$(package_version)

	# apt's own user can't write where root builds.
	[ "$(id -u)" -ne 0 ] || user=(-o APT::Sandbox::User=root)
	set -- timeout 300 apt-get -q "${user[@]}" -o Acquire::Retries=3
	# A machine that has all packages may have no list of them.
	"$@" download "$package${wanted:+=$wanted}" >&2 ||
		{ [ "$(id -u)" -eq 0 ] && "$@" update >&2 &&
			"$@" download "$package${wanted:+=$wanted}" >&2; } ||
		die "no package $package${wanted:+ $wanted}: a newer one may have replaced it;" \
			"apt-get update, then apt-get install linux-headers-amd64"
	# Debian splits newer kernels into several packages.
	for package in linux-base linux-binary linux-modules; do
		"$@" download "$package-$version${wanted:+=$wanted}" >&2 2>/dev/null || true
	done
}

unpack() # folder of packages, folder
{
	local package

	for package in "$1"/*.deb; do
		dpkg -x "$package" "$2" || return 1
	done
}

fetch()
{
	local dir=$CACHE/$version new

	[ ! -f "$dir/boot/vmlinuz-$version" ] || return 0
	echo "fetching the kernel $version" >&2
	new=$(mktemp -d "$CACHE/new-XXXXXX") || exit 1
	(cd "$new" && download) && unpack "$new" "$new/image" &&
		complete_image "$new/image" "$version" && rm -rf "$dir" && mv "$new/image" "$dir"
	rm -rf "$new"
	[ -f "$dir/boot/vmlinuz-$version" ]
}

need kmod depmod
version=${1:-$(headers_version)} || exit 1
locked fetch || exit 1
echo "$CACHE/$version"
