#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit reload: what can change while everything runs, what can't, and files that are no good.
#
#   netns left                               netns right
#   left0 --- port left --- worker 0 --- port right --- right0
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

# The file of the start with other text: other SED-SCRIPT...
other()
{
	sed "$@" "$TMP/knit.cfg" >"$TMP/other.cfg"
}

running_is() # file
{
	knit show config | diff "$1" -
}

sleeps()
{
	field_over /knit/worker,0 sleeps "$1"
}

# It goes round and round without a sleep.
polls()
{
	local rounds sleeps

	sleeps=$(field /knit/worker,0 sleeps)
	rounds=$(field /knit/worker,0 rounds)
	wait_for 5 field_over /knit/worker,0 rounds $((rounds + 1000)) &&
		field_is /knit/worker,0 sleeps "$sleeps"
}

# Frames that wait while the worker is parked are taken in bursts: 200 in 50 rounds and more.
BURSTS='
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
for i in range(200):
    s.send(bytes.fromhex("0200000066660200000000018899") + i.to_bytes(46, "big"))'

busy_rounds_of_200()
{
	local rounds packets

	rounds=$(field /knit/worker,0 busy_rounds)
	packets=$(field /knit/port,right tx_packets)
	knit worker park 0 >/dev/null &&
		in_ns left python3 -c "$BURSTS" left0 &&
		knit worker resume 0 >/dev/null &&
		wait_for 5 field_over /knit/port,right tx_packets $((packets + 199)) || return
	echo $(($(field /knit/worker,0 busy_rounds) - rounds))
}

bursts_are_short()
{
	local long short

	long=$(busy_rounds_of_200) || return
	other 's/ id = 0;/& burst = 4;/'
	knit reload "$TMP/other.cfg" && short=$(busy_rounds_of_200) && knit reload || return
	echo "busy rounds for 200 packets: $long, with bursts of 4: $short"
	[ "$long" -lt 40 ] && [ "$short" -ge 50 ]
}

nothing()
{
	check "the same file" says 0 "^nothing differs$" knit reload
	check "the same file, as JSON" says 0 '"applied":true,"changes":\[\]\}$' knit -j reload
}

takes_over()
{
	other -e 's/idle = "adaptive"/idle = "poll"/; s/ id = 0;/& burst = 64;/' \
		-e 's/attach_timeout = [0-9]*/attach_timeout = 77/' \
		-e 's/eal = {/& log_level = "info";/'
	check "only said" says 0 '^live     worker 0: burst: 32 -> 64$' knit reload --dry-run \
		"$TMP/other.cfg"
	check "in all" grep -q "^4 changes would be taken over$" "$TMP/said"
	check "nothing has changed" running_is "$TMP/before"
	check "taken over" says 0 "^4 changes taken over$" knit reload "$TMP/other.cfg"
	check "that runs now" [ "$(knit show config | diff "$TMP/before" - | grep -c '^>')" -eq 4 ]
	check "the worker polls now" wait_for 5 polls
	check "log levels follow" says 0 "^knit.worker  *info  *yes" knit log level worker
	check "an event" says 0 "other.cfg: 4 changes taken over" knit monitor --once reloaded
	check "and back" says 0 "^4 changes taken over$" knit reload
	check "as before" running_is "$TMP/before"
	check "the worker sleeps again" wait_for 5 sleeps "$(field /knit/worker,0 sleeps)"
}

# With one change that needs a start nothing is taken over.
refused()
{
	other -e 's/attach_timeout = [0-9]*/attach_timeout = 77/' \
		-e 's/eal = {/& memory = 100;/' \
		-e 's/name = "right";/& promisc = true;/; s/name = "kl"/name = "km"/'
	check "what needs a start" says 1 "nothing is taken over: 1 of 5 changes need a start" \
		knit reload "$TMP/other.cfg"
	check "a value" grep -qx "start    eal: memory: 0 -> 100" "$TMP/said"
	check "what is made anew" \
		grep -qx "restart  port right: promisc: false -> true" "$TMP/said"
	check "what goes" grep -qx "pause    interface kl: removed" "$TMP/said"
	check "what comes" grep -qx "pause    interface km: added" "$TMP/said"
	check "what would be live" \
		grep -qx "live     eal: attach_timeout: [0-9]* -> 77" "$TMP/said"
	check "as JSON" says 1 '"eal","change":"changed","needs":"start","key":"memory",' \
		knit -j reload "$TMP/other.cfg"
	check "nothing has changed, indeed" running_is "$TMP/before"
}

tells_how_often() # text, number
{
	[ "$(grep -c "$1" "$TMP/primary.log")" -eq "$2" ]
}

by_signal()
{
	local n
	n=$(grep -c "knit.cfg: 1 changes taken over" "$TMP/primary.log")

	sed -i 's/ id = 0;/& burst = 64;/' "$TMP/knit.cfg"
	kill -HUP "${PID[primary]}"
	check "SIGHUP: the file of the start" wait_for 5 tells_how_often \
		"knit.cfg: 1 changes taken over" $((n + 1))
	kill -HUP "${PID[primary]}"
	check "nothing differs now" wait_for 5 tells_how_often "nothing differs from what runs" 1
	sed -i 's/ id = 0; burst = 64;/ id = 99;/' "$TMP/knit.cfg"
	kill -HUP "${PID[primary]}"
	check "errors are in the log" wait_for 5 tells_how_often "found 99" 1
	check "and an event" says 0 "not taken over: the file has errors" \
		knit monitor --once reload_failed
	sed -i 's/ id = 99;/ id = 0;/' "$TMP/knit.cfg"
	check "as before" says 0 "1 change taken over" knit reload
}

no_good()
{
	local more='{ id = 1; lcore = 3; cpus = "0";'
	more+=' forward = ({ mode = "punt"; port = "left"; }); }'

	other 's/mode = "[a-z]*"/mode = "fly"/'
	check "a file with an error" says 3 \
		'other.cfg:[0-9]+: workers.\[0\].forward.\[0\].mode: found "fly"' \
		knit reload "$TMP/other.cfg"
	check "its errors as JSON" says 3 '"applied":false,"errors":\["[^"]*other.cfg:[0-9]+: wor' \
		knit -j reload "$TMP/other.cfg"
	other "s/workers = (/& $more,/"
	check "rules that do not fit" says 3 'worker 1: another rule for "left" than worker 0 has' \
		knit reload "$TMP/other.cfg"
	check "no file" says 3 "nosuch.cfg: No such file" knit reload "$TMP/nosuch.cfg"
	check "two files" says 2 "the name of one file" knit reload a b
	check "somebody else" says 4 "only root may ask its primary" \
		setpriv --reuid 12345 --clear-groups "$KNIT" --prefix "$PREFIX" reload
	check "nothing has changed at all" running_is "$TMP/before"
}

netns left right
tap_port left left
tap_port right right
interface kl left left
WORKER_TEXT='idle = "adaptive";'
worker 0 "xconnect left right"
system_up
ip -n left link set kl up
ip -n left link set left0 up
ip -n right link set right0 up
wait_for 5 has_carrier left kl
knit show config >"$TMP/before"
nothing
takes_over
check "bursts are as long as they shall be" bursts_are_short
refused
by_signal
no_good
check "packets would pass: the worker serves" worker_serves 0
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
