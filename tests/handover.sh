#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs everything that moves frames in the hand-over modes that `make test` does not have
# everywhere: real processes in namespaces on the tap engine, and the module's scenarios in virtual
# machines. Then a million requests in random bursts, each of which must be answered. Takes an hour
# and a half; the exit code is 0 if all passed.
# usage: tests/handover.sh [PART...]
#   PART  smoke-inline, smoke-thread, vm-inline, vm-thread, wakeups; default: all
set -u
cd "$(dirname "$0")/.." || exit 1
export KNIT_BUILD=${KNIT_BUILD:-$PWD/build}
BOOTS="module packets pci life smoke taps"
PACKETS=250000 # requests in each of the four ways of 28-wakeups.sh
status=0

part() # name
{
	local mode=${1#*-}

	echo "== $1"
	case $1 in
	smoke-inline | smoke-thread) KNIT_HANDOVER=$mode tests/run.sh smoke ;;
	vm-inline | vm-thread)
		# shellcheck disable=SC2086 # words
		make -s -C kmod OUT="$KNIT_BUILD/kmod" &&
			tests/vm/suite.sh --handover "$mode" $BOOTS
		;;
	wakeups) KNIT_PACKETS=$PACKETS tests/smoke/28-wakeups.sh ;;
	*)
		echo "$0: no such part: $1" >&2
		exit 2
		;;
	esac || status=1
}

[ $# -gt 0 ] || set -- smoke-inline smoke-thread vm-inline vm-thread wakeups
for name in "$@"; do
	part "$name"
done
exit $status
