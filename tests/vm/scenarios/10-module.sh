#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The module by itself: parameters, loading and unloading, every call of /dev/kni.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

PROGRAM=$KNIT_BUILD/tests/vm/ioctl/knit-ioctl
PARAMETERS=/sys/module/rte_kni/parameters
CYCLES=50

# Threads for NAPI are newer than 5.10.
NAPI=(kthread_mode=napi)
NO_NAPI=()
if [ ! -e /sys/class/net/lo/threaded ]; then
	NO_NAPI=("${NAPI[@]}")
	NAPI=()
fi

refused() # parameters...: and the log says why
{
	unload_module
	busybox dmesg -c >/dev/null
	! insert "$@" || return 1
	[ ! -e /dev/kni ] && [[ $(busybox dmesg -c) == *rte_kni*"${1%%=*}"* ]]
}

value_is() # parameter, value
{
	local value

	read -r value <"$PARAMETERS/$1" && [ "$value" = "$2" ]
}

accepted() # parameter=value
{
	load_module "$1" && value_is "${1%%=*}" "${1#*=}"
}

parameters()
{
	local name default

	check "loads" load_module
	while read -r name default; do
		check "default of $name" value_is "$name" "$default"
		check "$name is read only" [ "$(stat -c %a "$PARAMETERS/$name")" = 444 ]
	done <<-END
		lo_mode lo_mode_none
		kthread_mode single
		carrier off
		enable_bifurcated off
		min_scheduling_interval 100
		max_scheduling_interval 200
	END
	for name in lo_mode={lo_mode_none,lo_mode_fifo,lo_mode_fifo_skb,another} \
		kthread_mode={single,multiple} "${NAPI[@]}" carrier={on,off} \
		enable_bifurcated=on min_scheduling_interval={0,199} \
		max_scheduling_interval={101,1000000}; do
		check "accepts $name" accepted "$name"
	done
	for name in kthread_mode={double,} "${NO_NAPI[@]}" carrier={maybe,} \
		enable_bifurcated={off,yes} {min,max}_scheduling_interval=-1 \
		min_scheduling_interval={200,2000000} \
		max_scheduling_interval={100,1000001}; do
		check "refuses $name" refused "$name"
	done
}

device_is_private()
{
	[ "$(stat -c '%a %u:%g %F' /dev/kni)" = "600 0:0 character special file" ]
}

in_use()
{
	load_module || return
	exec {FD}<>/dev/kni || return
	! remove
}

cycles()
{
	local i

	for ((i = 0; i < CYCLES; i++)); do
		insert kthread_mode=multiple && [ -c /dev/kni ] && remove &&
			[ ! -e /dev/kni ] || return
	done
}

calls() # groups...
{
	"$PROGRAM" "$@" || not_ok "knit-ioctl $*"
	check "unloads" unload_module
}

modprobe sch_mqprio
parameters
load_module
check "/dev/kni is root's alone" device_is_private
check "is not unloaded while a file is open" in_use
exec {FD}>&-
check "unloads after the last close" unload_module
check "$CYCLES times loaded and unloaded" cycles
check "loads" load_module
calls
check "loads for a thread for each interface" load_module kthread_mode=multiple
calls create processes namespaces tenants
if [ ${#NAPI[@]} -gt 0 ]; then
	check "loads for a thread for each pair" load_module "${NAPI[@]}"
	calls create attach link packets kick wake spread processes namespaces tenants
fi
