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
#   no_packet_thread
#   timed NAME COMMAND...              what it prints is in $TMP/command.log, its exit code in
#                                      $STATUS, and how long it took in $MS; says that
#   measure_quick COMMAND...           how long this takes while nobody stands still: before each
#                                      use of the two limits
#   is_quick                           the last `timed` succeeded and waited for nobody
#   is_bounded                         it took no longer than one synchronous request
# shellcheck disable=SC2034
MODULE=${KNIT_MODULE:-$KNIT_BUILD/kmod/kni/rte_kni.ko}

[ "${KNIT_IN_VM:-}" = 1 ] || die "it loads a module: only in a virtual machine"

# busybox is linked statically: in an emulated machine it starts many times faster.
insert() # parameters...
{
	busybox insmod "$MODULE" "$@"
}

remove()
{
	busybox rmmod rte_kni
}

references()
{
	read -r REFERENCES </sys/module/rte_kni/refcnt
}

module_is_unused()
{
	references && [ "$REFERENCES" -eq 0 ]
}

module_is_gone()
{
	[ ! -d /sys/module/rte_kni ] && [ ! -e /dev/kni ] && no_packet_thread
}

no_packet_thread()
{
	local file name

	for file in /proc/[0-9]*/task/*/comm; do
		if read -r name 2>/dev/null <"$file" && [[ $name == kni_* ]]; then
			return 1
		fi
	done
}

unload_module()
{
	[ -d /sys/module/rte_kni ] || return 0
	wait_for 10 module_is_unused || {
		echo "still in use: rte_kni, $REFERENCES times"
		return 1
	}
	remove && module_is_gone
}

load_module() # parameters...
{
	unload_module && insert "$@" && [ -c /dev/kni ]
}

# A synchronous request waits for three seconds. Less than that is quick, unless the machine is so
# busy that what waits for nobody takes that long.
SYNC_MS=3000
QUICK_MS=2500

timed() # name, command...
{
	local name=$1 from=${EPOCHREALTIME/[.,]/}
	shift

	"$@" >"$TMP/command.log" 2>&1
	STATUS=$?
	MS=$(((${EPOCHREALTIME/[.,]/} - from) / 1000))
	echo "# $name: $MS ms"
}

measure_quick() # command...
{
	local worst=0 i

	for i in 1 2 3; do
		timed "while nobody stands still" "$@"
		[ $MS -le $worst ] || worst=$MS
	done
	QUICK_MS=$((worst * 5 > 2500 ? worst * 5 : 2500))
}

is_quick()
{
	[ "$STATUS" -eq 0 ] && [ "$MS" -lt $QUICK_MS ]
}

is_bounded()
{
	[ "$MS" -lt $((SYNC_MS + QUICK_MS)) ]
}
