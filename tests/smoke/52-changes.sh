#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Random reloads under traffic (tests/change/). KNIT_SEED=N repeats a run, KNIT_RELOADS=N is its
# length. KNIT_LOG=1 prints everything that was said; KNIT_KEEP names a folder for all logs.
#
#   netns far: far ends of ports       netns near, other: interfaces
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

SEED=${KNIT_SEED:-$((RANDOM * 32768 + RANDOM))}
RELOADS=${KNIT_RELOADS:-20}
export KNIT_FRESH=$ROOT/tests/change/fresh.sh

changes()
{
	local status=0

	python3 -u "$ROOT/tests/change/reloads.py" run "$SEED" "$PREFIX" "$LAST_CPU" \
		"${PID[primary]}" "$TMP" "$RELOADS" >"$TMP/reloads.log" 2>&1 || status=$?
	[ "${KNIT_LOG:-0}" = 0 ] || cat "$TMP/reloads.log"
	tail -n 1 "$TMP/reloads.log"
	[ -z "${KNIT_KEEP:-}" ] || cp "$TMP"/*.log "$TMP"/*.cfg "$KNIT_KEEP"
	return $status
}

all_mbufs()
{
	sed -n 's/.*domain [0-9]*: \([0-9]*\) of \([0-9]*\) mbufs.*/\1 \2/p' "$TMP/primary.log" |
		awk '{ lost += $1 != $2 } END { exit lost }'
}

netns far near other
ip -n near tuntap add taken mode tap
for ns in far near other; do
	in_ns "$ns" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
done
python3 "$ROOT/tests/change/reloads.py" first "$SEED" "$PREFIX" "$LAST_CPU" >"$TMP/knit.cfg"
start_primary
name="$RELOADS reloads, seed $SEED"
if changes; then ok "$name"; else not_ok "$name"; fi
stop primary
check "primary ends well" [ "$STATUS" -eq 0 ]
check "no mbuf is lost" all_mbufs
check "mbufs are counted" grep -q "mbufs accounted for" "$TMP/primary.log"
