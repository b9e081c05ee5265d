#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit check: what a configuration lacks here, for people and for programs, and --fix, which mends
# it. Nothing runs; what is mended is a namespace of this test, and files in a /sys of its own.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

CONFIG=$TMP/knit.cfg
HUGE=/sys/devices/system/node/node0/hugepages
NEW=new-1

# With no free hugepage on node 0, in files that keep what is written.
no_pages() # command...
{
	unshare --mount --propagation private sh -c "
		mount -t tmpfs none $HUGE && mkdir $HUGE/hugepages-2048kB &&
		echo 3 >$HUGE/hugepages-2048kB/nr_hugepages &&
		echo 0 >$HUGE/hugepages-2048kB/free_hugepages || exit 99
		${NO_PAGES_TOO:-:}"'
		"$@"; code=$?; cat '"$HUGE"'/hugepages-2048kB/nr_hugepages; exit $code' sh "$@"
}

# With a terminal, and an answer to its question.
answered() # answer, command...
{
	local answer=$1
	shift

	echo "$answer" | script -qec "$(printf '%q ' "$@")" /dev/null
}

# Also what is well is told, and the code in it is the program's.
json_is_right()
{
	local code=0

	no_pages "$KNIT" check -j "$CONFIG" >"$TMP/json" || code=$?
	head -n 1 "$TMP/json" | python3 -c '
import json, sys
check = json.load(sys.stdin)
assert check["code"] == 4 == int(sys.argv[1])
states = {f["state"] for f in check["findings"]}
assert {"ok", "missing"} <= states <= {"ok", "note", "missing"}, states
steps = [s for f in check["findings"] for s in f.get("steps", [])]
assert {"run": ["ip", "netns", "add", sys.argv[2]]} in steps, steps
write = next(s for s in steps if "write" in s)
assert write["write"].endswith("/nr_hugepages") and int(write["value"]) > 3, write
for f in check["findings"]:
    assert f["what"] and ("remedy" in f) == (f["state"] != "ok"), f' "$code" "$NEW"
}

no_such_namespace()
{
	[ ! -e "/run/netns/$NEW" ]
}

commands()
{
	check "for people" says 4 "^MISSING .*interfaces.\[0\].netns: found" "$KNIT" check "$CONFIG"
	check "for programs" json_is_right
	check "--pretty" says 4 '^ +"state": *"missing"' "$KNIT" check -p "$CONFIG"
	check "--fix prints the command" says 4 "^ +ip netns add $NEW$" \
		"$KNIT" check --fix "$CONFIG"
	check "--fix prints what to write" says 4 "^ +echo [0-9]+ >$HUGE/hugepages-2048kB/nr_h" \
		no_pages "$KNIT" check --fix "$CONFIG"
	check "and changes nothing: hugepages" [ "$(tail -n 1 "$TMP/said")" = 3 ]
	check "and changes nothing: namespaces" no_such_namespace
}

mends()
{
	check "at a terminal it asks" says 4 "^Run this command\? " \
		answered n "$KNIT" check --fix "$CONFIG"
	check "no is no" no_such_namespace
	check "yes: it mends, and looks again" says 0 "^nothing is missing" \
		answered y "$KNIT" check --fix "$CONFIG"
	check "yes: it says what it did" grep -q "done  *ip netns add" "$TMP/said"
	check "the namespace is there" [ -e "/run/netns/$NEW" ]
	check "nothing is missing any more" says 0 "^ok " "$KNIT" check "$CONFIG"
	ip netns del "$NEW"
	check "--yes does not ask" says 0 "^nothing is missing" "$KNIT" check --fix --yes "$CONFIG"
	ip netns del "$NEW"
	check "--yes and JSON" says 0 '"code":0,"done":\[\{"command":"ip netns add .*"done":true' \
		"$KNIT" check -j --fix --yes "$CONFIG"
}

# While the question stands, somebody raises what the check found.
raised_meanwhile()
{
	no_pages timeout 30 sh -c '
		{
			until grep -qs "^Run " "$1"; do :; done
			echo 9999 >"$2"
			echo y
		} | script -qfec "$3" "$1" >/dev/null
		cat "$1"' sh "$TMP/asked" "$HUGE/hugepages-2048kB/nr_hugepages" \
		"'$KNIT' check --fix '$CONFIG'"
}

# Without any hugetlbfs, and with a mkdir that fails.
first_step_fails()
{
	mkdir -p "$TMP/bin"
	printf '#!/bin/sh\nexit 7\n' >"$TMP/bin/mkdir"
	printf '#!/bin/sh\necho >"%s/mounted"\n' "$TMP" >"$TMP/bin/mount"
	chmod +x "$TMP"/bin/*
	says 4 "^FAILED +mkdir .*exit code 7" unshare --mount sh -c '
		umount -a -t hugetlbfs
		PATH=$1:$PATH exec "$2" check --fix --yes "$3"' sh "$TMP/bin" "$KNIT" "$CONFIG" &&
		[ ! -e "$TMP/mounted" ]
}

careful()
{
	check "a larger number stays" says 0 "FAILED +echo .*: it is 9999 by now" raised_meanwhile
	check "and is there" grep -qx 9999 "$TMP/said"
	check "nothing follows a step that failed" first_step_fails
	sed "s/$NEW/a;b\$(c)/" "$CONFIG" >"$TMP/odd.cfg"
	check "a word that a shell would not take for one" \
		says 4 "^ +ip netns add 'a;b\\\$\(c\)'$" "$KNIT" check --fix "$TMP/odd.cfg"
}

# The files keep the value, but no page becomes free.
mends_in_vain()
{
	check "it wrote, in vain" says 4 "^done +echo [0-9]+ >$HUGE" \
		no_pages "$KNIT" check --fix --yes "$CONFIG"
	check "it wrote the value" [ "$(tail -n 1 "$TMP/said")" -gt 3 ]
	check "once" [ "$(grep -c ^done "$TMP/said")" -eq 1 ]
	NO_PAGES_TOO="mount -o remount,ro $HUGE"
	check "a step that fails" says 4 "^FAILED +echo .*: Read-only file system" \
		no_pages "$KNIT" check --fix --yes "$CONFIG"
	check "a step that fails: as JSON" says 4 '"done":false,"why":"Read-only file system"' \
		no_pages "$KNIT" check -j --fix --yes "$CONFIG"
	NO_PAGES_TOO=""
	check "a program that is not there" says 4 "^FAILED +ip netns .*ip: No such file" \
		env PATH=/nowhere "$KNIT" check --fix --yes "$TMP/other.cfg"
	check "a program that fails" says 4 "^FAILED +ip netns add .*exit code 1" \
		unshare --mount sh -c 'mount -o bind,ro /run/netns /run/netns &&
			exec "$@"' sh "$KNIT" check --fix --yes "$TMP/other.cfg"
}

# An address in use, or a limit, is nobody's to take away.
by_hand()
{
	check "by hand" says 4 "^ +by hand: ulimit -n" sh -c 'ulimit -n 64 && exec "$@"' sh \
		"$KNIT" check --fix --yes "$CONFIG"
}

tap_port left ""
interface kl left "$NEW"
worker 0 "punt left"
write_config
sed "s/$NEW/other/" "$CONFIG" >"$TMP/other.cfg"
check "--yes alone" says 2 "yes needs --fix" "$KNIT" check --yes "$CONFIG"
check "no such file" says 3 "nowhere.cfg" "$KNIT" check --fix "$TMP/nowhere.cfg"
check "no such file, as JSON" says 3 "nowhere.cfg" "$KNIT" check -j "$TMP/nowhere.cfg"
check "knit-primary: --json alone" says 2 "json needs --check" \
	"$KNIT_BUILD/primary/knit-primary" --json --config "$CONFIG"
commands
careful
mends
mends_in_vain
by_hand
