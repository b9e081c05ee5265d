#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A knit of its own, in namespaces of its own, started from a file of another one: its state, as
# reloads.py compares it, is the first line.
# usage: KNIT_IN_NAMESPACE=fresh unshare --net --mount --propagation private fresh.sh FILE
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/../smoke/_system.sh"

netns far near other
sed "s/prefix = \"[^\"]*\"/prefix = \"$PREFIX\"/" "$1" >"$TMP/knit.cfg"
start_primary
python3 "$ROOT/tests/change/reloads.py" state "$PREFIX" "${PID[primary]}" "$TMP" "$TMP/knit.cfg" ||
	not_ok "the state"
stop primary
