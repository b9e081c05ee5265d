#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The kernel modules against the headers of Debian's kernel: no warning with W=1, none of sparse,
# the probes of the headers, and a build from what is installed for DKMS.
# shellcheck disable=SC2317 # functions are called by check
set -u

cd "$(dirname "$0")/.." || exit 1
BUILD=${KNIT_BUILD:-$PWD/build}
OUT=$BUILD/kmod-test
PATH=$PATH:/usr/sbin:/sbin
failed=0

check() # name, command...
{
	local name=$1
	shift

	if "$@"; then
		echo "ok kmod-$name"
	else
		echo "not ok kmod-$name"
		failed=1
	fi
}

kmake() # arguments
{
	timeout 600 make -C kmod -j "$(nproc)" OUT="$OUT" "$@"
}

no_circles()
{
	tests/law.py --modules "$OUT"
}

# Sparse also finds what the kernel's own headers do; that is not ours to judge.
warnings() # log
{
	grep -E '(warning|error|modpost)[:!]' "$1" | grep -vE '^(\./|/usr/src/|/lib/modules/)'
}

builds_quietly()
{
	kmake W=1 >"$OUT/build.log" 2>&1 || {
		cat "$OUT/build.log"
		return 1
	}
	! warnings "$OUT/build.log"
}

# C=2 checks also what needs no new build.
sparse_is_content()
{
	command -v sparse >/dev/null || return 1
	kmake C=2 CF=-D__CHECK_ENDIAN__ >"$OUT/sparse.log" 2>&1 || {
		cat "$OUT/sparse.log"
		return 1
	}
	grep -q '^  CHECK' "$OUT/sparse.log" && ! warnings "$OUT/sparse.log"
}

FAKE=$OUT/fake

# What the probes say of the headers in FAKE, in the order of the alphabet.
probes()
{
	printf '%s\n' 'include kmod/kni/Kbuild' 'kni := $(has)' 'include kmod/igb_uio/Kbuild' \
		'show: ; @echo $(patsubst -D%,%,$(sort $(kni) $(has)))' |
		make -s -f - show KNIT_HEADERS="$FAKE" KNIT_SYMVERS="$FAKE/Module.symvers"
}

# Nothing is found in a header of older kernels, and these names in that of newer ones.
flips() # names, header, older, newer
{
	local file=$FAKE/$2 older newer

	mkdir -p "${file%/*}"
	[ -z "$3" ] || printf '%s\n' "$3" >"$file"
	older=$(probes)
	printf '%s\n' "$4" >"$file"
	newer=$(probes)
	rm "$file"
	names+=" $1"
	[ "$older/$newer" = "/$1" ] || echo "$2: '$older', '$newer' instead of '', '$1'"
}

flip_all()
{
	flips 'KNI_HAS_DEV_SET_THREADED KNI_HAS_NAPI_BUILD_SKB KNI_HAS_NETIF_THREADED_ENABLE'\
' KNI_HAS_RTNL_LOCK_KILLABLE KNI_HAS_VHOST_TASK' Module.symvers '0x1 rtnl_lock vmlinux
0x2 vhost_task_create_any vmlinux
0x3 dev_set_threaded_hint vmlinux
0x4 build_skb vmlinux' '0x1 rtnl_lock_killable vmlinux
0x2 vhost_task_create vmlinux
0x3 dev_set_threaded vmlinux
0x4 netif_threaded_enable vmlinux
0x5 napi_build_skb vmlinux'
	flips KNI_HAS_VHOST_TASK_KILL linux/sched/vhost_task.h \
		'vhost_task_create(bool (*fn)(void *), void *arg' 'void (*handle_kill)(void *),'
	flips KNI_HAS_FORCE_FORWARDING linux/ipv6.h '__s32 forwarding;' '__u8 force_forwarding;'
	flips 'KNI_HAS_MAC_STORAGE KNI_HAS_NAPI_ADD_WEIGHT KNI_HAS_TSO_MAX' \
		linux/netdevice.h \
		'int dev_set_mac_address(struct net_device *dev, struct sockaddr *sa,
			struct netlink_ext_ack *extack);
int dev_get_mac_address(struct sockaddr_storage *ss);
void netif_napi_add(struct net_device *dev, struct napi_struct *napi, int weight);
void netif_set_gso_max_size(struct net_device *dev, unsigned int size);' \
		'int dev_set_mac_address(struct net_device *dev,
			struct sockaddr_storage *ss);
void netif_napi_add_weight(struct net_device *dev, int weight);
void netif_set_tso_max_size(struct net_device *dev, unsigned int size);'
	flips KNI_HAS_GRO_FLUSH_INLINE net/gro.h 'void __gro_flush(struct gro_node *gro);' \
		'static inline void napi_gro_flush(struct napi_struct *napi, bool old)'
	flips KNI_HAS_HW_ADDR_SET linux/etherdevice.h 'eth_hw_addr_set_port(' 'eth_hw_addr_set('
	flips KNI_HAS_KERNEL_RINGPARAM linux/ethtool.h 'struct kernel_ethtool_ringparam;
	void	(*get_ringparam)(struct net_device *, struct ethtool_ringparam *);' \
		'	void	(*get_ringparam)(struct net_device *,
				 struct kernel_ethtool_ringparam *,
				 struct netlink_ext_ack *);'
	flips KNI_HAS_EVENTFD_NO_COUNT linux/eventfd.h \
		'__u64 eventfd_signal(struct eventfd_ctx *ctx, __u64 n);' \
		'static inline void eventfd_signal(struct eventfd_ctx *ctx)'
	flips KNI_HAS_FOLIO_HUGETLB linux/page-flags.h 'int PageHuge(struct page *page);' \
		'FOLIO_TYPE_OPS(hugetlb, hugetlb)'
	flips IGBUIO_HAS_MMAP_PREPARE linux/uio_driver.h '(*mmap)(struct' '(*mmap_prepare)(struct'
	flips IGBUIO_HAS_PCI_DEV_GROUPS linux/pci.h 'struct device_driver driver;' \
		'const struct attribute_group **dev_groups;'
	flips IGBUIO_HAS_VM_FLAGS_SET linux/mm.h 'vm_flags_set_any(' 'void vm_flags_set('
}

# The headers say what is there, whatever the kernel calls itself, and the code asks for nothing
# that no probe finds.
headers_decide()
{
	local names=

	rm -rf "$FAKE"
	flip_all >"$OUT/probes.log"
	diff <(xargs -n 1 <<<"$names" | sort) \
		<(grep -rohE --include='*.[ch]' '(KNI|IGBUIO)_HAS_[A-Z_]*[A-Z]' kmod | sort -u) \
		>>"$OUT/probes.log"
	[ ! -s "$OUT/probes.log" ]
}

lro_is() # feature, version, flags of the compiler
{
	local want=$1 code is
	IFS=. read -ra code <<<"$2"
	shift 2

	is=$(printf '%s\n' '#include "kni_merge.h"' KNI_F_MERGE |
		gcc -E -P -I"$FAKE" -Iinclude -Ikmod/kni/datapath "$@" \
			-DLINUX_VERSION_CODE="KERNEL_VERSION(${code[0]}, ${code[1]}, ${code[2]})" \
			-D'KERNEL_VERSION(a, b, c)=(((a) << 16) + ((b) << 8) + (c))' - | tail -n 1)
	[ "$is" = "$want" ] || echo "${code[*]} $*: $is instead of $want"
}

# The one thing that goes by the version: off where that does not tell.
switch_of_merging()
{
	local header

	mkdir -p "$FAKE/linux"
	for header in version netdev_features skbuff; do
		: >"$FAKE/linux/$header.h"
	done
	{
		lro_is 0 5.14.0
		lro_is 0 6.1.160
		lro_is NETIF_F_LRO 6.1.161
		lro_is 0 6.2.0
		lro_is NETIF_F_LRO 6.12.66
		lro_is 0 6.12.66 -DRHEL_RELEASE_CODE=2560
		lro_is 0 6.12.66 -DCONFIG_SUSE_KERNEL=1
		lro_is NETIF_F_LRO 6.19.0 -DRHEL_RELEASE_CODE=2560
	} >"$OUT/merge.log" 2>&1
	[ ! -s "$OUT/merge.log" ]
}

takes_vhost_task() # flags of the compiler
{
	gcc -E -P -I"$FAKE" -DCONFIG_64BIT "$@" kmod/kni/kni_compat.h | grep -q vhost_task_create
}

# One that a SIGKILL does not end, as in 6.4 to 6.9, is not taken.
vhost_task_is_killable()
{
	local header

	mkdir -p "$FAKE/linux/sched"
	for header in $(grep -ohP '<linux/\K[a-z0-9_/]*' kmod/kni/kni_compat.h); do
		: >"$FAKE/linux/$header.h"
	done
	takes_vhost_task -DKNI_HAS_VHOST_TASK -DKNI_HAS_VHOST_TASK_KILL &&
		! takes_vhost_task -DKNI_HAS_VHOST_TASK && ! takes_vhost_task
}

# Headers that call themselves older and newer than what they have, as distributions' do. These two
# files have all that the compat headers declare and define.
other_numbers_build()
{
	local version from link headers=$OUT/headers

	from=$(readlink -f "$(newest_headers)")
	rm -rf "$headers" "$OUT/other"
	mkdir -p "$OUT/other" && cp -r kmod/kni kmod/igb_uio "$OUT/other" &&
		cp -a "$from" "$headers" || return 1
	for link in scripts tools; do # relative links
		[ ! -L "$headers/$link" ] || ln -sfn "$(readlink -f "$from/$link")" "$headers/$link"
	done
	for version in $((5 << 16 | 10 << 8)) $((7 << 16 | 2 << 8)); do
		sed -i "s/^\(#define LINUX_VERSION_CODE\) .*/\1 $version/" \
			"$headers/include/generated/uapi/linux/version.h"
		rm -f "$OUT"/other/*/*.o
		{
			make -C "$headers" M="$OUT/other/kni" KNIT_ROOT="$PWD" W=1 \
				kni_ethtool.o &&
				make -C "$headers" M="$OUT/other/igb_uio" KNIT_ROOT="$PWD" W=1 \
					igbuio_map.o
		} >"$OUT/other.log" 2>&1 || return 1
		! warnings "$OUT/other.log" || return 1
	done
}

licence_is_told()
{
	modinfo -F license "$OUT/kni/rte_kni.ko" | grep -q '^GPL' &&
		modinfo -F license "$OUT/igb_uio/igb_uio.ko" | grep -q '^GPL'
}

version_is_told()
{
	[ -s VERSION ] && [ "$(modinfo -F version "$OUT/kni/rte_kni.ko")" = "$(<VERSION)" ] &&
		[ "$(modinfo -F version "$OUT/igb_uio/igb_uio.ko")" = "$(<VERSION)" ]
}

installs()
{
	kmake INSTALL_MOD_PATH="$OUT/root" install >"$OUT/install.log" 2>&1 &&
		[ -n "$(find "$OUT/root/lib/modules" -name 'rte_kni.ko*')" ] &&
		[ -n "$(find "$OUT/root/lib/modules" -name 'igb_uio.ko*')" ]
}

# As DKMS does it: in the folder itself, with nothing but what meson installs there.
builds_for_dkms()
{
	local tree conf

	DESTDIR=$OUT/dkms meson install -C "$BUILD" --no-rebuild >"$OUT/dkms.log" 2>&1 || return 1
	conf=$(find "$OUT/dkms" -name dkms.conf)
	tree=$(dirname "$conf")
	# shellcheck source=/dev/null disable=SC2034 # that file uses the variable
	kernel_source_dir=$(readlink -f "$(newest_headers)") && . "$conf" &&
		[ "$PACKAGE_VERSION" = "$(<VERSION)" ] &&
		(cd "$tree" && ${MAKE[0]}) >>"$OUT/dkms.log" 2>&1 &&
		[ -f "$tree/${BUILT_MODULE_LOCATION[0]}/${BUILT_MODULE_NAME[0]}.ko" ] &&
		[ -f "$tree/${BUILT_MODULE_LOCATION[1]}/${BUILT_MODULE_NAME[1]}.ko" ] &&
		[ "$(modinfo -F version "$tree/kmod/kni/rte_kni.ko")" = "$(<VERSION)" ] &&
		(cd "$tree" && $CLEAN) >>"$OUT/dkms.log" 2>&1
}

newest_headers()
{
	local file

	file=$(printf '%s\n' /lib/modules/*/build/Module.symvers | sort -V | tail -n 1)
	dirname "$file"
}

rm -rf "$OUT"
mkdir -p "$OUT" || exit 1
check "builds with W=1 without a warning" builds_quietly
check "files call each other in no circle" no_circles
check "sparse finds nothing" sparse_is_content
check "the headers decide, not the version" headers_decide
check "merging goes by the version" switch_of_merging
check "vhost_task ends when killed" vhost_task_is_killable
check "headers with another version build" other_numbers_build
check "licence" licence_is_told
check "version" version_is_told
check "modules_install" installs
check "DKMS" builds_for_dkms
[ $failed -eq 0 ] || tail -n 50 "$OUT"/*.log
exit $failed
