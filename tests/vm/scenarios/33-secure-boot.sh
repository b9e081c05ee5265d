#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Secure Boot: the kernel is locked down and takes signed modules only. KNIT_MODULE and the igb_uio
# beside it are signed with a key of the firmware; the ones in the build directory are not.
# shellcheck source=tests/vm/scenarios/_bind.sh
. "$(dirname "$0")/_bind.sh"

PRIMARY=$KNIT_BUILD/primary/knit-primary
UNSIGNED=$KNIT_BUILD/kmod/kni/rte_kni.ko

config()
{
	ENGINE=kmod
	port left net_tap0,iface=left0
	interface kni-left left
	worker 0 "punt left kni-left"
	write_config
}

# With its remedy, and the exit code of a machine that lacks something.
asks_for_signature()
{
	local hint="only with a signature, see Secure Boot in docs/MODULE.md"

	timeout -k 5 60 "$PRIMARY" --check "$TMP/knit.cfg" >"$TMP/said" 2>&1
	[ $? -eq 4 ] && grep -q "$hint" "$TMP/said" && return
	cat "$TMP/said"
	return 1
}

mount -t securityfs none /sys/kernel/security
check "secure boot: the kernel is locked down" \
	grep -q '\[integrity\]' /sys/kernel/security/lockdown
check "secure boot: a module without signature is refused" not insmod "$UNSIGNED"
check "secure boot: the kernel says why" said_by_kernel 'Loading of unsigned module is rejected'
config
check "secure boot: --check names the signature" asks_for_signature
check "secure boot: a signed rte_kni loads" insmod "$KNIT_MODULE"
check "secure boot: --check asks for it no more" not asks_for_signature
modprobe uio || die "no uio"
check "secure boot: a signed igb_uio does not load" not insmod "$IGB_UIO"
check "secure boot: igb_uio says why" said_by_kernel 'igb_uio: the kernel is locked down'
