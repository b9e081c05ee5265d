#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Signs what starts under Secure Boot, with the key that Debian's ovmf has for tests: its firmware
# OVMF_VARS_4M.snakeoil.fd accepts that one alone, and Debian's kernels accept modules that are
# signed with a key of the firmware, or of its owner (MOK).
# usage: tests/vm/secure-boot.sh kernel VMLINUZ SIGNED
#        tests/vm/secure-boot.sh module MODULE SIGNED
# shellcheck source=tests/vm/_host.sh
. "$(dirname "$0")/_host.sh"

CERTIFICATE=/usr/share/ovmf/PkKek-1-snakeoil.pem
KEY=$(mktemp) || exit 1
trap 'rm -f "$KEY"' EXIT

plain_key()
{
	openssl rsa -in "${CERTIFICATE%.pem}.key" -passin pass:snakeoil -out "$KEY" 2>/dev/null ||
		die "no key: config/deps.sh test installs it (package ovmf)"
}

need openssl openssl
plain_key
case ${1:-} in
kernel)
	need sbsigntool sbsign
	sbsign --key "$KEY" --cert $CERTIFICATE --output "$3" "$2" 2>&1 | grep -i error
	[ -f "$3" ]
	;;
module)
	headers=/lib/modules/$(headers_version)/build
	"$headers/scripts/sign-file" sha256 "$KEY" $CERTIFICATE "$2" "$3"
	;;
*) die "usage: $0 kernel|module FILE SIGNED" ;;
esac
