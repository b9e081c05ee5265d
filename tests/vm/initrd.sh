#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the initramfs of a kernel: busybox and the modules that the first mount needs, no more; all
# others are loaded from the kernel's folder once the host's root is mounted. Prints its path.
# usage: tests/vm/initrd.sh KERNEL_FOLDER
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

MODULES="virtio_pci virtio_console 9pnet_virtio 9p overlay"

kernel=$(readlink -f "$1") || die "usage: $0 KERNEL_FOLDER"
version=$(basename "$(echo "$kernel"/boot/vmlinuz-*)")
version=${version#vmlinuz-}
out=$kernel/initrd.gz

# Each module's file after those that it needs; what is built in has none.
files_of_modules()
{
	local module

	[ -d "$kernel/lib/modules/$version" ] || return 0
	for module in $MODULES; do
		modprobe -d "$kernel" -S "$version" --show-depends $module || return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# The kernel unpacks modules of Debian's newer ones (.xz) itself only if it was built for that.
copy_modules() # folder
{
	local file name number=100

	files_of_modules >"$1/.files" || return 1
	while read -r file; do
		name=$((number++))-$(basename "$file")
		case $file in
		*.xz) xz -dc "$file" >"$1/${name%.xz}" ;;
		*.zst) zstd -qdc "$file" >"$1/${name%.zst}" ;;
		*) cp "$file" "$1/$name" ;;
		esac || return 1
	done <"$1/.files"
	rm "$1/.files"
}

build()
{
	local root applet

	up_to_date "$out" "$VM/guest/init" "$VM/initrd.sh" \
		"$kernel/boot/vmlinuz-$version" && return
	root=$(mktemp -d "$CACHE/initrd-XXXXXX") || return 1
	mkdir "$root"/{bin,proc,sys,dev,modules,lower,upper,new}
	cp /bin/busybox "$root/bin" && cp "$VM/guest/init" "$root/init" &&
		copy_modules "$root/modules" &&
		for applet in sh cat mount insmod mkdir switch_root; do
			ln -s busybox "$root/bin/$applet"
		done && (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out.new" &&
		mv "$out.new" "$out"
	rm -rf "$root"
	[ -f "$out" ]
}

need kmod modprobe
need busybox-static busybox
need cpio cpio
locked build || exit 1
echo "$out"
