#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# After all other scenarios of a boot: nothing uses the module any more.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"

no_threads()
{
	! grep -qs '^kni_' /proc/[0-9]*/comm
}

if [ -d /sys/module/rte_kni ]; then
	check "nobody uses the module" [ "$(cat /sys/module/rte_kni/refcnt)" -eq 0 ]
	check "rmmod" rmmod rte_kni
fi
check "no thread of it is left" no_threads
check "no device of it is left" [ ! -e /dev/kni ]
