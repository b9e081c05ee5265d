#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Sees to it that at least so many MiB of hugepages are free and that a hugetlbfs is mounted. Never
# takes pages away. usage: config/hugepages.sh [MiB]   (default: 512)
set -eu

want_mib=${1:-512}
page_kib=$(awk '$1 == "Hugepagesize:" { print $2 }' /proc/meminfo)
if [ -z "$page_kib" ]; then
	echo "$0: this kernel has no hugepages" >&2
	exit 1
fi
sysfs=/sys/kernel/mm/hugepages/hugepages-${page_kib}kB
want=$(((want_mib * 1024 + page_kib - 1) / page_kib))
free=$(cat "$sysfs/free_hugepages")

if [ "$free" -lt "$want" ]; then
	total=$(($(cat "$sysfs/nr_hugepages") + want - free))
	echo "hugepages: $free free of $want, raising the total to $total of $page_kib KiB"
	if ! echo "$total" >"$sysfs/nr_hugepages"; then
		echo "$0: cannot write $sysfs/nr_hugepages: root is needed" >&2
		exit 1
	fi
	free=$(cat "$sysfs/free_hugepages")
	if [ "$free" -lt "$want" ]; then
		echo "$0: $want_mib MiB asked for, the kernel found only" \
			"$((free * page_kib / 1024)): free memory or reboot" >&2
		exit 1
	fi
fi

awk '$3 == "hugetlbfs" { found = 1 } END { exit !found }' /proc/mounts && exit 0
echo "hugepages: mounting hugetlbfs on /dev/hugepages"
mkdir -p /dev/hugepages
mount -t hugetlbfs none /dev/hugepages
