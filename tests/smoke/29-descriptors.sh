#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Programs that are started with descriptors 0, 1 or 2 closed, each subset of them: /dev/null stands
# in their place, nothing that is printed lands in a file of knit's or EAL's, all processes serve,
# and none of them spins.
#
#   netns far                    primary                      netns near
#   left0 ---- port left ---- worker 0 ---- interface kni-left
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

SUBSETS=("0" "1" "2" "0 1" "0 2" "1 2" "0 1 2")

# What `start` starts has this subset closed.
start() # name, command...
{
	local name=$1
	shift

	(
		exec >>"$TMP/$name.log" 2>&1
		for fd in $SUBSET; do
			exec {fd}>&-
		done
		exec "$@"
	) &
	PID[$name]=$!
}

null_instead() # name
{
	local fd

	for fd in $SUBSET; do
		[ "$(readlink "/proc/${PID[$1]}/fd/$fd")" = /dev/null ] || return 1
	done
}

# All its threads, at some moment: one that spins never does.
sleeps() # name
{
	! grep -h '^State:' "/proc/${PID[$1]}"/task/*/status | grep -qv sleeping
}

only_a_line() # file, pid
{
	[ "$(wc -l <"$1")" -eq 1 ] && grep -qE "^$2 +[a-z]+ *\$" "$1"
}

# EAL's configuration begins with a number that printed text would have replaced, and secondaries
# have read it.
all_serve()
{
	local name id="with $SUBSET closed"

	start_primary
	start_worker 0
	start_control
	for name in primary worker0 control; do
		check "$name $id: /dev/null instead" null_instead $name
		check "$name $id: sleeps" wait_for 10 sleeps $name
	done
	check "primary.lock $id" only_a_line "$RUN/primary.lock" "${PID[primary]}"
	check "worker-0.lock $id" only_a_line "$RUN/worker-0.lock" "${PID[worker0]}"
	system_down
	check "primary ends with 0 $id" [ $STATUS -eq 0 ]
}

# It complains while it has the lock files open. A second name keeps what was written there.
bind_complains()
{
	local run=/run/knit bind=$KNIT_BUILD/tools/knit-bind/knit-bind id="with $SUBSET closed" one

	mkdir -p $run
	for one in 1 2; do
		: >"$run/0000:00:0$one.0.lock"
		ln -f "$run/0000:00:0$one.0.lock" "$run/$PREFIX-$one"
	done
	start bind unshare --mount --propagation private sh -c "
		mount -t tmpfs none /sys && cd /sys && mkdir -p bus/pci/drivers/igb_uio || exit 99
		for one in 00:01.0 00:02.0; do
			mkdir -p bus/pci/devices/0000:\$one && cd bus/pci/devices/0000:\$one &&
				echo 0x020000 >class && echo '(null)' >driver_override || exit 99
			cd /sys
		done
		: >bus/pci/drivers_probe
		exec $bind bind igb_uio 00:01.0 00:02.0"
	check "knit-bind $id" left_with bind 1
	for one in 1 2; do
		check "lock file $one of knit-bind $id" only_a_line "$run/$PREFIX-$one" "[0-9]+"
		rm -f "$run/$PREFIX-$one"
	done
}

netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
write_config
for SUBSET in "${SUBSETS[@]}"; do
	all_serve
	bind_complains
done
