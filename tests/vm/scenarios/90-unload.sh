#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# After all other scenarios of a boot: nothing uses the module any more.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

if [ -d /sys/module/rte_kni ]; then
	check "nobody uses the module" module_is_unused
	check "rmmod" rmmod rte_kni
fi
check "no thread of it is left" no_packet_thread
check "no device of it is left" [ ! -e /dev/kni ]
