#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What happens is told: by knit monitor, as text and as JSON, late and in time, and to the journal
# with fields and message ids. Killed and stopped processes, links, what a port refuses.
#
#   netns left                       netns middle
#   left0 --- port left --- worker 0 --- kl
#             port stub --- worker 0 --- ks     where there is a driver that refuses an MTU
#
# The journal is a socket of this test, where systemd has its own, in a mount namespace.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

CATALOG=$ROOT/config/systemd/knit.catalog

# A line of $TMP/monitor.log that has the kind and all fields: told worker_died '"pid":7'
told() # kind, field...
{
	local kind=$1 lines field
	shift

	lines=$(grep "\"kind\":\"$kind\"" "$TMP/monitor.log") || return 1
	for field in "$@"; do
		lines=$(grep -F -- "$field" <<<"$lines") || return 1
	done
}

# Each line is an object, numbers grow by one, from that on.
numbers_follow() # first
{
	python3 -c '
import json, re, sys
number = int(sys.argv[1])
for line in sys.stdin:
    event = json.loads(line)
    assert event["number"] == number, (number, event)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"]), event
    assert event["severity"] in ("error", "warning", "notice", "info"), event
    assert event["text"] and "{" not in event["text"], event
    number += 1
assert number > int(sys.argv[1])' "$1" <"$TMP/monitor.log"
}

starts_monitor()
{
	start monitor "$KNIT" --prefix "$PREFIX" monitor --json --since 0
	check "the start is told" wait_for 5 told system_up '"ports":' '"workers":1'
	check "interfaces are told" told interface_made '"interface":"kl"' "\"engine\":\"$ENGINE\""
	check "the worker is told" wait_for 5 told worker_attached '"worker":0' \
		"\"pid\":${PID[worker0]}"
	check "control is told" wait_for 5 told control_attached "\"pid\":${PID[control]}"
}

deaths()
{
	local pid=${PID[worker0]}

	stop worker0 KILL
	check "a killed worker" wait_for 5 told worker_died '"severity":"warning"' "\"pid\":$pid"
	check "what its reset cost" wait_for 10 told worker_reset '"worker":0' '"lost":' '"ms":'
	start_worker 0
	check "its successor" wait_for 5 told worker_attached "\"pid\":${PID[worker0]}"
	pid=${PID[worker0]}
	stop worker0
	check "a worker that left" wait_for 5 told worker_left "\"pid\":$pid"
	start_worker 0
	pid=${PID[control]}
	stop control KILL
	check "a killed control" wait_for 5 told control_died "\"pid\":$pid"
	start_control
	pid=${PID[control]}
	stop control
	check "a control that left" wait_for 5 told control_left "\"pid\":$pid"
	start_control
}

# Again and again: control, which has just come, may set the device up, which is the port's, too.
link_told() # up or down, times
{
	ip -n left link set left0 "$1"
	[ "$(grep -c "\"kind\":\"link_$1\".*\"port\":\"left\"" "$TMP/monitor.log")" -ge "$2" ]
}

links()
{
	check "a link that goes" wait_for 10 link_told down 1
	check "and comes back" wait_for 10 link_told up 2
	check "with its speed" told link_up '"port":"left"' '"mbit":'
}

# Without a carrier of its own, the stub takes no MTU.
refusals()
{
	if ! $STUB; then
		echo "skip $TEST: what a port refuses: no worker can use net_ring"
		return
	fi
	ip -n middle link set ks mtu 1400
	check "a refused request" wait_for 10 told request_refused '"port":"stub"' \
		'"request":"mtu"' '"why":"'
}

only_of_workers()
{
	knit monitor --once worker >"$TMP/workers"
	grep -q "  worker_died  *worker 0: process [0-9]* died" "$TMP/workers" &&
		! grep -q link_up "$TMP/workers"
}

# What came after the third but last one.
since()
{
	local last

	last=$(tail -n 1 "$TMP/monitor.log" | sed 's/^{"number":\([0-9]*\).*/\1/')
	knit monitor -j --once --since $((last - 2)) | diff - <(tail -n 2 "$TMP/monitor.log") &&
		[ "$(knit monitor -j --once --since "$last" | wc -l)" -eq 0 ]
}

since_start()
{
	local last start

	read -r last start < <(tail -n 1 "$TMP/monitor.log" |
		sed 's/^{"number":\([0-9]*\),.*"start":"\([0-9a-f]*\)".*/\1 \2/')
	knit monitor -j --once --since "$start:$((last - 1))" |
		diff - <(tail -n 1 "$TMP/monitor.log")
}

later()
{
	check "numbers and fields" numbers_follow 1
	check "text, and kinds by their first word" only_of_workers
	check "later, what came after a number" since
	check "no such kind" says 2 'found "thunder": a kind of event is expected: system_up ' \
		knit monitor thunder
	check "no number" says 2 'since: found "now": a number from 0' \
		knit monitor --since now
	check "no start" says 2 'since: found "12:3": the `start` of an event, of 16 hex' \
		knit monitor --since 12:3
	check "a number that is too large" says 0 "started anew since then, and has had [0-9]+ " \
		knit monitor --once --since 100000
	check "then all are told" grep -q "  1  .*  interface_made " "$TMP/said"
	check "a number of this start" since_start
	check "a number of another start" says 0 '^\{"kind":"anew","start":"[0-9a-f]{16}"\}' \
		knit -j monitor --once --since 00000000000000ff:3
	check "then all are told, too" grep -q '^{"number":1,' "$TMP/said"
	check "a full disk" says 1 "standard output: No space left" \
		sh -c "'$KNIT' --prefix '$PREFIX' monitor --once >/dev/full"
}

# It reads on when everybody else has ended.
ends()
{
	local worker=${PID[worker0]}

	system_down
	wait_for 5 ended monitor
	check "the end is told" told system_down '"why":"'
	check "and the worker that leaves" told worker_left "\"pid\":$worker"
	check "and the interface that goes" told interface_gone '"interface":"kl"'
	stop monitor
	check "the monitor ends with the primary" [ "$STATUS" -eq 5 ]
	check "and says so" grep -q "^knit: the primary ends" "$TMP/monitor.log"
	check "no primary" says 5 "no primary runs" knit monitor
}

# Each entry of the journal as lines NAME=VALUE, with a blank line behind it.
JOURNAL='
import os, socket, sys
os.makedirs("/run/systemd/journal", exist_ok=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
while True:
    print(s.recv(65536).decode(), flush=True)'

entry_has() # kind, line...
{
	local kind=$1
	shift

	python3 -c '
import sys
kind, *lines = sys.argv[1:]
entries = [e.splitlines() for e in sys.stdin.read().split("\n\n")]
sys.exit(not any("KNIT_EVENT=" + kind in e and set(lines) <= set(e) for e in entries))' \
		"$kind" "$@" <"$TMP/journal.log"
}

# All message ids that came are explained.
ids_are_explained()
{
	local id n=0

	while read -r id; do
		grep -qx -- "-- $id" "$CATALOG" || return 1
		n=$((n + 1))
	done < <(sed -n 's/^MESSAGE_ID=//p' "$TMP/journal.log" | sort -u)
	[ $n -ge 5 ]
}

catalog_is_one()
{
	mkdir -p "$TMP/root/usr/lib/systemd/catalog" "$TMP/root/var/lib/systemd/catalog"
	cp "$CATALOG" "$TMP/root/usr/lib/systemd/catalog/"
	journalctl --root="$TMP/root" --update-catalog
	[ -s "$TMP/root/var/lib/systemd/catalog/database" ]
}

to_the_journal()
{
	mkdir -p /run/systemd && mount -t tmpfs none /run/systemd || die "no /run/systemd"
	start journal python3 -c "$JOURNAL"
	wait_for 5 [ -S /run/systemd/journal/socket ] || die "no journal"
	: >"$TMP/primary.log"
	export JOURNAL_STREAM
	JOURNAL_STREAM=$(stat -c %d:%i "$TMP/primary.log")
	system_up
	check "journal: the start" entry_has system_up PRIORITY=5 "KNIT_PREFIX=$PREFIX" \
		KNIT_WORKERS=1 SYSLOG_IDENTIFIER=knit-primary
	check "journal: a worker" wait_for 5 entry_has worker_attached KNIT_WORKER=0 \
		"KNIT_PID=${PID[worker0]}" "MESSAGE=worker 0: attached, process ${PID[worker0]}"
	check "journal: not as a line, too" [ "$(grep -c attached, "$TMP/primary.log")" -eq 0 ]
	stop worker0 KILL
	check "journal: severity" wait_for 5 entry_has worker_died PRIORITY=4
	start_worker 0
	stop journal KILL
	rm /run/systemd/journal/socket
	stop control
	check "no journal any more: then a line, with its severity" wait_for 5 \
		grep -q "^<5>.*control: process [0-9]* left" "$TMP/primary.log"
	start_control
	check "journal: ids are in the catalog" ids_are_explained
	check "journalctl reads the catalog" catalog_is_one
	system_down
	unset JOURNAL_STREAM
}

netns left middle
tap_port left left
interface kl left middle
STUB=false
if stub_driver; then
	STUB=true
	port stub net_ring0
	interface ks stub middle
	worker 0 "punt left" "punt stub"
else
	worker 0 "punt left"
fi
system_up
ip -n middle link set kl up
ip -n left link set left0 up
wait_for 5 has_carrier middle kl
starts_monitor
deaths
links
refusals
later
ends
to_the_journal
check "primary ends well" [ "$STATUS" -eq 0 ]
