#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The long run of random reloads: KNIT_RELOADS (300) of each seed. Root; a quarter of an hour. The
# exit code is 0 if all passed.
# usage: tests/change/run.sh [SEED...]      default: three new ones
set -u
cd "$(dirname "$0")/../.." || exit 1
export KNIT_BUILD=${KNIT_BUILD:-$PWD/build} KNIT_RELOADS=${KNIT_RELOADS:-300} KNIT_LOG=1
LOGS=$KNIT_BUILD/test-logs
status=0

mkdir -p "$LOGS"
[ $# -gt 0 ] || set -- $RANDOM $RANDOM $RANDOM
for seed in "$@"; do
	echo "== $KNIT_RELOADS reloads, seed $seed"
	KNIT_SEED=$seed timeout 3600 tests/smoke/52-changes.sh >"$LOGS/change-$seed.log" 2>&1 ||
		status=1
	grep -E "^ok|^not ok|FAULT|faults$" "$LOGS/change-$seed.log" | head -n 40
done
[ $status -eq 0 ] || echo "$LOGS/change-*.log say more"
exit $status
