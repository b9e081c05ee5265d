# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced after _init.sh by the scenarios that load the module themselves. Whatever the scenario
# before them left behind, they begin and end without it:
#   load_module [PARAMETER=VALUE...]   anew, with these parameters
#   unload_module                      once nobody uses it: who was killed may still be closing its
#                                      files
#   module_is_unused                   it is loaded, and nobody uses it; for wait_for
#   module_is_gone                     it is not loaded, nor is anything of it left
MODULE=${KNIT_MODULE:-$KNIT_BUILD/kmod/kni/rte_kni.ko}

[ "${KNIT_IN_VM:-}" = 1 ] || die "it loads a module: only in a virtual machine"

module_is_unused()
{
	[ "$(cat /sys/module/rte_kni/refcnt)" -eq 0 ]
}

module_is_gone()
{
	[ ! -d /sys/module/rte_kni ] && [ ! -e /dev/kni ] &&
		! grep -qs '^kni_' /proc/[0-9]*/comm
}

unload_module()
{
	[ -d /sys/module/rte_kni ] || return 0
	wait_for 10 module_is_unused || {
		echo "still in use: rte_kni, $(cat /sys/module/rte_kni/refcnt) times"
		return 1
	}
	rmmod rte_kni && module_is_gone
}

load_module() # parameters...
{
	unload_module && insmod "$MODULE" "$@" && [ -c /dev/kni ]
}
