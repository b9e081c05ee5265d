#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A worker is replaced by one that stands by, again and again, under numbered datagrams in both
# directions: none may be lost or overtaken. And either of the two is killed at any moment.
#
#   netns left                netns middle                netns right
#   left0 --- port left --- kl --- (router) --- kr --- port right --- right0
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

SEED=${KNIT_SEED:-$RANDOM}
RANDOM=$SEED
echo "# KNIT_SEED=$SEED"
SEQUENCE=$ROOT/tests/smoke/sequence.py
# KNIT_REPLACEMENTS and KNIT_KILLS: so many
ROUNDS=20
KILLS=12
RATE=500
[ "${KNIT_SLOW:-1}" -eq 1 ] || ROUNDS=4 KILLS=4 RATE=50
ROUNDS=${KNIT_REPLACEMENTS:-$ROUNDS}
KILLS=${KNIT_KILLS:-$KILLS}
N=0

# The next process, worker.N. The one that is the worker is $LIVE, the one that stands by $NEXT.
start_standby()
{
	N=$((N + 1))
	NEXT=worker.$N
	start "$NEXT" "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0 --standby
	wait_for 20 stands_by || die "$NEXT does not stand by"
}

stands_by()
{
	field_is /knit/worker,0 standby_pid "${PID[$NEXT]}" &&
		field_is /knit/worker,0 standby_state 2
}

serves_now() # name
{
	field_is /knit/worker,0 pid "${PID[$1]}" && field_is /knit/worker,0 state 2
}

flow() # name, sender's netns, receiver's netns, receiver's address
{
	start_in "$3" "receive-$1" "$SEQUENCE" receive "$4" 4000
	wait_for 10 grep -q ready "$TMP/receive-$1.log" || die "nobody receives"
	start_in "$2" "send-$1" "$SEQUENCE" send "$4" 4000 $RATE
}

flows_begin()
{
	flow right left right 10.2.0.2
	flow left right left 10.1.0.2
	flow right6 left right fd02::2
}

all_came() # name
{
	grep -q " lost 0 reordered 0$" "$TMP/receive-$1.log" &&
		! grep -q "received 0 " "$TMP/receive-$1.log" &&
		[ "$(sed -n 's/^sent //p' "$TMP/send-$1.log")" = \
			"$(sed -n 's/^received \([0-9]*\) .*/\1/p' "$TMP/receive-$1.log")" ]
}

flows_end() # what
{
	local name

	for name in right left right6; do
		stop "send-$name"
	done
	for name in right left right6; do
		stop "receive-$name"
		tail -n 1 "$TMP/send-$name.log" "$TMP/receive-$name.log" | tr '\n' ' '
		echo
		check "$1: to the ${name/6/, IPv6}: all came, in order" all_came "$name"
		rm "$TMP/send-$name.log" "$TMP/receive-$name.log"
	done
}

# A reset sets the devices down and up, and routes go with that.
pings()
{
	ip -n left route replace default via 10.1.0.1
	ip -n right route replace default via 10.2.0.1
	in_ns left ping -q -c 1 -W 1 10.2.0.2
}

replaces()
{
	local said

	said=$(knit worker replace 0 2>&1) || { echo "$said"; return 1; }
	GAPS+=("$(sed -n 's/.*for \([0-9]*\) us$/\1/p' <<<"$said")")
	wait_for 10 ended "$LIVE" || return 1
	stop "$LIVE"
	[ "$STATUS" -eq 0 ] && serves_now "$NEXT" || return 1
	LIVE=$NEXT
}

replacements()
{
	local i good=0

	GAPS=()
	for ((i = 0; i < ROUNDS; i++)); do
		start_standby
		replaces && good=$((good + 1))
	done
	check "$ROUNDS replacements${1:+, $1}" [ $good -eq "$ROUNDS" ]
	echo "gaps in us, sorted: $(printf '%s\n' "${GAPS[@]}" | sort -n | tr '\n' ' ')"
}

# As systemctl restart does with one of two units.
ends_in_good_order()
{
	local i good=0

	for ((i = 0; i < 5; i++)); do
		start_standby
		stop "$LIVE"
		[ "$STATUS" -eq 0 ] && wait_for 10 serves_now "$NEXT" && good=$((good + 1))
		LIVE=$NEXT
	done
	check "one that is asked to end hands over" [ $good -eq 5 ]
}

# It may be killed before that: then another one serves.
someone_serves()
{
	local pid

	field_is /knit/worker,0 state 2 || return 1
	pid=$(field /knit/worker,0 pid)
	[ "$pid" = "${PID[$LIVE]}" ] || [ "$pid" = "${PID[$NEXT]}" ] || return 1
	[ -e "/proc/$pid/exe" ] && pings
}

settled()
{
	field_is /knit/worker,0 state 0 || someone_serves
}

# Killed at a random moment of the take-over: in the end exactly one serves, or nobody is left and
# the domain is as new.
kill_at_random() # old or new
{
	local victim=$LIVE order

	[ "$1" = old ] || victim=$NEXT
	knit worker replace 0 >/dev/null 2>&1 &
	order=$!
	read -rt "0.00$((RANDOM % 100 + 100))" <> <(:)
	kill -KILL "${PID[$victim]}" 2>/dev/null
	wait_for 10 ended "$victim"
	wait $order
	wait_for 20 settled || return 1
	if [ "$1" = old ]; then
		wait_for 20 serves_now "$NEXT" && wait_for 5 pings || return 1
		LIVE=$NEXT
	elif ! serves_now "$LIVE"; then
		wait_for 10 ended "$LIVE" || return 1
		N=$((N + 1))
		LIVE=worker.$N
		start "$LIVE" "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0 \
			--standby
	fi
	wait_for 20 serves_now "$LIVE" && wait_for 5 pings
}

kills()
{
	local i who good=0

	for ((i = 0; i < KILLS; i++)); do
		start_standby
		who=old
		[ $((i % 2)) -eq 0 ] || who=new
		if kill_at_random $who; then good=$((good + 1)); else echo "round $i, $who"; fi
		[ "$who" = old ] || wait_for 10 ended "$NEXT"
	done
	check "$KILLS kills while it takes over" [ $good -eq "$KILLS" ]
}

takes_over_by_itself() # signal
{
	local old=$LIVE

	start_standby
	kill -"$1" "${PID[$LIVE]}"
	check "SIG$1: the one that stands by takes over" wait_for 20 serves_now "$NEXT"
	wait_for 10 ended "$old"
	LIVE=$NEXT
	check "SIG$1: packets pass" wait_for 5 pings
	check "SIG$1: an event" says 0 "\"pid\":${PID[$LIVE]},\"before\":" \
		knit monitor --once -j worker_replaced
}

does_not_obey()
{
	start_standby
	freeze "$LIVE"
	check "a worker that stands still is not replaced" says 1 \
		"worker 0 \(process ${PID[$LIVE]}\) did not stop within 100 ms" \
		knit worker replace 0
	kill -CONT "${PID[$LIVE]}"
	check "and goes on" wait_for 5 pings
	check "as the worker" serves_now "$LIVE"
	freeze "$NEXT"
	check "one that stands by and stands still does not take over" says 1 \
		"process ${PID[$NEXT]}, which stands by, does not answer within 100 ms" \
		knit worker replace 0
	kill -CONT "${PID[$NEXT]}"
	check "the worker goes on" pings
	check "in the end it does" wait_for 10 replaces
	check "and packets pass" wait_for 5 pings
}

# It follows another configuration as it stands there. This one expects somebody to stand by.
reloads()
{
	start_standby
	sed 's/ lcore = 1;/& burst = 16; standby = true;/' "$TMP/knit.cfg" >"$TMP/next.cfg"
	check "reload" knit reload "$TMP/next.cfg"
	check "one is expected" wait_for 5 field_is /knit/worker,0 standby_expected 1
	check "and shown" says 0 "^ *0 +attached +${PID[$LIVE]} +${PID[$NEXT]} " knit show workers
	check "it takes over after a reload" wait_for 10 replaces
	check "packets pass after that" wait_for 5 pings
	check "the next one is missed" wait_for 30 says 0 '"worker":0' \
		knit monitor --once -j standby_missing
	check "and shown as missing" says 0 "^ *0 +attached +${PID[$LIVE]} +missing " \
		knit show workers
}

# Killed while it stands by: nobody notices.
stands_by_in_vain()
{
	start_standby
	check "a third one finds no place" says 7 "standby of worker 0 is running already" \
		"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0 --standby
	stop "$NEXT" KILL
	check "one that stands by was killed" wait_for 5 field_is /knit/worker,0 standby_state 0
	start_standby
	stop "$NEXT"
	check "one that stands by ends well" [ "$STATUS" -eq 0 ]
}

# At the highest load that there is: net_null always has a burst. What is received is sent, or is a
# drop that has a name; a parked worker has counted all of it.
all_is_counted()
{
	local answer sum=0 name

	answer=$(telemetry /knit/worker,0)
	for name in rx_packets tx_packets; do
		[[ $answer =~ \"$name\":\ *([0-9]+) ]] || return 1
		echo "$name ${BASH_REMATCH[1]}"
		sum=$((BASH_REMATCH[1] - sum))
	done
	[ "${BASH_REMATCH[1]}" -gt 0 ] && [ $sum -eq 0 ] &&
		! grep -Eq '"drop_[a-z_]*": *[1-9]' <<<"$answer"
}

at_full_load()
{
	PORTS="" INTERFACES="" WORKERS="" WORKER_IDS=()
	port a net_null0
	port b net_null1
	WORKER_TEXT='idle = "poll";'
	worker 0 "xconnect a b"
	system_up
	LIVE=worker0
	wait_for 10 field_over /knit/worker,0 rx_packets 1000
	ROUNDS=5
	replacements "under full load"
	check "under full load: it runs" [ "$(field /knit/worker,0 state)" = 2 ]
	knit worker park 0 >/dev/null
	check "under full load: nothing is lost" all_is_counted
	stop control
	stop "$LIVE"
	stop primary
	check "under full load: primary ends well" [ "$STATUS" -eq 0 ]
}

LIVE=worker0
router_up
wait_for 10 pings
check "nobody stands by" says 1 "nobody stands by for worker 0: start knit-worker --id 0" \
	knit worker replace 0
flows_begin
stands_by_in_vain
replacements
flows_end "replaced"
flows_begin
ends_in_good_order
flows_end "ended"
knit worker park 0 >/dev/null
start_standby
check "a parked one is replaced, too" replaces
check "its successor runs" wait_for 5 pings
does_not_obey
reloads
takes_over_by_itself KILL
takes_over_by_itself TERM
kills
check "no reset was missed: nobody had to start knit anew" kill -0 "${PID[primary]}"
stop "$LIVE"
check "the last one ends well" [ "$STATUS" -eq 0 ]
stop control
stop primary
check "primary ends well" [ "$STATUS" -eq 0 ]
at_full_load
