#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The command knit: on a running system, without one, on one that stands still, and with arguments
# that it does not know. KNIT_WRITE_SCHEMA=1 writes knit.schema, the fields of its JSON, anew.
#
#   netns left                          netns middle: kl                    netns right
#   left0 10.6.0.1 --- port left ------ worker 0 ------ port right --------- right0
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

SCHEMA=$(dirname "$0")/knit.schema

# Names and types of all fields, without what is in them; arrays once.
schema()
{
	python3 -c '
import json, sys
def walk(value, path):
    if isinstance(value, dict):
        for name in value:
            yield from walk(value[name], f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from walk(item, path + "[]")
    else:
        yield f"{path} {type(value).__name__}"
print("\n".join(sorted({line for text in sys.stdin for line in walk(json.loads(text), "")})))'
}

# Without hugepages it says what a program would write, without the namespace what it would run.
check_of_a_poor_machine()
{
	local huge=/sys/devices/system/node/node0/hugepages

	sed 's/netns = "middle"/netns = "none"/; s/prefix = "/&no-/' \
		"$TMP/knit.cfg" >"$TMP/poor.cfg"
	unshare --mount --propagation private sh -c "mount -t tmpfs none $huge"' && exec "$@"' \
		sh "$KNIT" check --json --fix "$TMP/poor.cfg"
	"$KNIT" check --json --fix --yes "$TMP/poor.cfg"
}

schema_is_stable()
{
	{
		knit --json show
		knit --json show port left
		knit --json show interface kl
		knit --json show worker 0
		knit --json show memory
		knit --json --all drops
		knit --json --once top
		check_of_a_poor_machine
		knit --json log level
		knit --json monitor --once | sed 's/.*/{"event":&}/'
	} | schema >"$TMP/schema"
	[ -z "${KNIT_WRITE_SCHEMA:-}" ] || cp "$TMP/schema" "$SCHEMA"
	diff "$SCHEMA" "$TMP/schema"
}

every_drop_has_advice()
{
	knit --json --all --seconds 0 drops | python3 -c '
import json, sys
drops = json.load(sys.stdin)["drops"]
assert len(drops) > 20
assert all(len(d["meaning"]) > 10 and len(d["advice"]) > 10 for d in drops)'
}

# What telemetry counts as lost, knit explains.
all_drops_are_known()
{
	local command

	for command in /knit/port,left /knit/interface,kl /knit/worker,0; do
		telemetry $command | grep -o '"\(drop\|reject\)_[a-z_]*"' | tr -d '"'
	done | sort -u >"$TMP/counted"
	knit -j -a -s 0 drops | grep -o '"counter":"[a-z_]*"' | cut -d'"' -f4 | sort -u |
		diff "$TMP/counted" -
}

# What a NIC lost itself, as its driver counts it.
nic_counts_are_drivers() # port
{
	local name member id

	id=$(field "/knit/port,$1" port_id) || return 1
	for name in missed:imissed rx_errors:ierrors tx_errors:oerrors no_mbuf:rx_nombuf; do
		member=$(field "/ethdev/stats,$id" "${name#*:}") || return 1
		field_is "/knit/port,$1" "drop_nic_${name%:*}" "$member" || return 1
	done
}

terminal() # tmux's command...
{
	tmux -L "$PREFIX" -f /dev/null "$@"
}

screen_shows() # text
{
	terminal capture-pane -p | grep -qF -e "$1"
}

screen_hides() # text
{
	! screen_shows "$1"
}

press() # key, what the screen shows then
{
	terminal send-keys -- "$1"
	wait_for 10 screen_shows "$2"
}

top_ended()
{
	! terminal has-session 2>/dev/null
}

in_a_terminal()
{
	terminal new-session -d -x 110 -y 40 \
		"'$KNIT' --prefix '$PREFIX' top; echo \$? >'$TMP/top.code'"
	check "top: draws" wait_for 10 screen_shows "FROM KERNEL /S"
	check "top: obeys b" press b "b all"
	check "top: obeys b again" press b "b busy"
	check "top: obeys +" press + "every 2 s"
	check "top: obeys -" press - "every 1 s"
	check "top: obeys t" press t "by traffic"
	check "top: obeys n" press n "by name"
	terminal resize-window -x 60 -y 1
	check "top: one short line" wait_for 10 screen_shows "knit, prefix"
	terminal resize-window -x 110 -y 40
	check "top: goes on after that" wait_for 10 screen_shows "BETWEEN /S"
	terminal send-keys Home
	check "top: Enter opens a port" press Enter "port left, every"
	check "top: all about it" wait_for 10 screen_shows "link_interrupt"
	terminal resize-window -x 110 -y 8
	check "top: a page that does not fit" wait_for 10 screen_hides link_interrupt
	check "top: its end" press End "$(knit show port left | tail -n 1 | cut -d " " -f 1) "
	check "top: its beginning" press Home "FIELD"
	check "top: Escape leads back" press Escape "q quit  t traffic"
	terminal send-keys End
	check "top: the last one is in sight" wait_for 10 screen_shows "WORKER"
	check "top: and can be opened" press Enter "worker 0, every"
	check "top: back again" press Left "q quit  t traffic"
	terminal resize-window -x 110 -y 40
	terminal send-keys q
	check "top: ends with q" wait_for 10 top_ended
	check "top: ends well" [ "$(cat "$TMP/top.code")" = 0 ]
}

# Pings cross from left to the kernel while it looks.
top_shows_traffic()
{
	local status

	in_ns left ping -q -i 0.01 -w 20 10.6.0.2 >/dev/null &
	knit --json --once --seconds 0.5 top | python3 -c '
import json, sys
rates = json.load(sys.stdin)
left = next(p for p in rates["ports"] if p["name"] == "left")
print(left, rates["interfaces"], rates["workers"])
assert left["rx_pps"] > 5 and left["rx_bps"] > 5 * 98 * 8 and left["tx_pps"] > 5
assert rates["interfaces"][0]["to_kernel_pps"] > 5
assert rates["workers"][0]["to_kernel_pps"] > 5 and 0 < rates["workers"][0]["busy"] <= 1'
	status=$?
	kill $!
	wait $! 2>/dev/null
	return $status
}

two_lines_of_rates()
{
	[ "$(knit -j -s 0.1 top | head -n 2 | wc -l)" -eq 2 ]
}

# A broadcast that no interface takes.
lose_one()
{
	ip netns exec right ping -c 1 -W 1 10.6.1.9 >/dev/null
	field_over /knit/worker,0 drop_no_iface 0
}

# knit show without a prefix; one look, because others come and go.
says_alone() # code, pattern
{
	local out status=0

	out=$("$KNIT" show 2>&1) || status=$?
	echo "$out"
	if [ $status -eq 2 ]; then
		grep -q "several systems run here.* $PREFIX" <<<"$out"
	else
		[ $status -eq "$1" ] && grep -q "$2" <<<"$out"
	fi
}

# net_tap cannot send into a device that is down, and counts that.
fail_to_send()
{
	ip netns exec left ping -c 1 -W 1 10.6.0.9 >/dev/null
	field_over /knit/port,right drop_nic_tx_errors 0
}

port_loses()
{
	ip -n right link set right0 down
	ip -n left neigh replace 10.6.0.9 lladdr 02:00:00:00:00:09 dev left0
	check "a port fails to send" wait_for 5 fail_to_send
	check "drops: that is there" says 0 "^port right +drop_nic_tx_errors +[1-9]" knit drops
	check "drops: as the driver counts it" wait_for 5 nic_counts_are_drivers right
	ip -n right link set right0 up
}

# Unless somebody else's runs here, too: then it names both.
finds_the_system()
{
	says_alone 0 "prefix $PREFIX,"
}

# Whatever somebody answers in the place of a primary: a message and a failure, never a crash.
odd_answers()
{
	mkdir -p "/run/dpdk/$PREFIX-odd"
	python3 - "/run/dpdk/$PREFIX-odd/dpdk_telemetry.v2" "$KNIT" --prefix "$PREFIX-odd" <<-'END'
		import json, os, socket, subprocess, sys, threading
		path, knit = sys.argv[1], sys.argv[2:]
		GOOD = {"/knit/info": {"pid": 1}, "/knit/ports": ["p"], "/knit/port": {"mtu": 1},
		        "/knit/interfaces": ["i"], "/knit/interface": {"x": 1},
		        "/knit/workers": [0], "/knit/worker": {"state": 2}}
		ODD = [None, 7, "text", [], {}, [None], [[1]], {"name": None, "state": None}, 1e99]
		answers, server = {}, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		server.bind(path)
		server.listen()
		def serve(peer):
		    peer.send(b'{"version":"x","pid":1,"max_output_len":16384}')
		    while True:
		        asked = peer.recv(1024).decode()
		        if not asked:
		            return
		        command = asked.split(",")[0]
		        raw = answers.get(command, GOOD[command])
		        if not isinstance(raw, bytes):
		            raw = json.dumps({command: raw}).encode()
		        peer.send(raw)
		def accept():
		    while True:
		        peer = server.accept()[0]
		        threading.Thread(target=serve, args=(peer,), daemon=True).start()
		threading.Thread(target=accept, daemon=True).start()
		def run(line):
		    return subprocess.run(knit + line, capture_output=True, text=True, timeout=20)
		failed = 0
		for command in GOOD:
		    for odd in ODD + [b"{", b"", b"[]", b"null", b'{"%s":' % command.encode()]:
		        if odd == b"":
		            odd = b" "
		        answers.clear()
		        answers[command] = odd
		        for line in (["show"], ["-s", "0", "drops"], ["-1", "-s", "0.1", "top"],
		                     ["show", "port", "p"], ["-j", "show", "worker", "0"]):
		            done = run(line)
		            code = done.returncode
		            if code not in (0, 1, 5) or (code and not done.stderr):
		                print(command, odd, line, done.returncode, done.stderr)
		                failed += 1
		    answers.clear()
		    answers[command] = None
		    done = run(["show"])
		    if done.returncode != (5 if command.endswith(("s", "info")) else 0):
		        print(command, "unknown:", done.returncode, done.stderr)
		        failed += 1
		os.unlink(path)
		sys.exit(failed > 0)
	END
	local status=$?
	rmdir "/run/dpdk/$PREFIX-odd"
	return $status
}

full_disk()
{
	says 1 "standard output: No space left" sh -c "'$KNIT' --prefix '$PREFIX' $* >/dev/full"
}

# Its own, with the options that it understands and no others.
each_command_has_help()
{
	local name

	for name in $("$KNIT" --help | sed -n 's/^  \([a-z]\+\).*/\1/p'); do
		"$KNIT" "$name" --help >"$TMP/help" || return 1
		grep -q "^usage: knit\(-bind\|  *$name\) " "$TMP/help" || return 1
	done
	"$KNIT" drops --help | grep -q -e --seconds && ! "$KNIT" show --help | grep -q -e --seconds
}

# What bash would offer for the last word.
completes() # words...
{
	bash -c '
		. /usr/share/bash-completion/bash_completion
		. "$1"/config/completion/knit.bash
		shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$* COMP_POINT=${#COMP_LINE}
		_knit "$1" "${*: -1}" "${*: -2:1}"
		echo "${COMPREPLY[*]}"' bash "$ROOT" "$KNIT" "$@"
}

# Without the name of the system only if no other runs here.
completion_knows_names()
{
	[ "$(completes -P "$PREFIX" show port l)" = left ] &&
		[ "$(completes -P "$PREFIX" trace -n 5 port l)" = left ] &&
		[ "$(completes --prefix "$PREFIX" show worker "")" = 0 ] &&
		[ "$(completes -P "$PREFIX" trace -n 3 port le)" = left ] &&
		[ "$(completes -P "$PREFIX-none" show port l)" = "" ]
}

completion_knows_options()
{
	[ "$(completes drops --s)" = --seconds ] && [ "$(completes show --s)" = "" ] &&
		[ "$(completes trace --direction t)" = tx ] &&
		[ "$(completes monitor wor)" = worker ] &&
		[ "$(completes -s 2 dr)" = drops ] && [[ " $(completes "") " == *" check "* ]]
}

# As EAL does it.
other_runtime_directory()
{
	mkdir -p "$TMP/run/dpdk"
	RUNTIME_DIRECTORY=$TMP/run says 5 "no primary runs" knit show || return 1
	ln -s "/run/dpdk/$PREFIX" "$TMP/run/dpdk/"
	RUNTIME_DIRECTORY=$TMP/run says 0 "prefix $PREFIX" knit show
}

usage()
{
	check "no command" says 2 "a command is expected" "$KNIT"
	check "unknown command" says 2 "no such command: see" "$KNIT" see
	check "unknown option" says 2 "no such option: --colour" "$KNIT" --colour show
	check "unknown letter" says 2 "top: no such option: -x;" "$KNIT" top -jx
	check "an option of others" says 2 "show: it has no option --seconds; these have it: top," \
		"$KNIT" show --seconds 1
	check "in front, too" says 2 "drops: it has no option --once; .* top" "$KNIT" -1 drops
	check "bind has its own" says 2 "bind: its options stand behind it" "$KNIT" -j bind
	check "no value" says 2 "a value is expected behind --prefix" "$KNIT" show -P
	check "a value too many" says 2 "no value is expected behind --json" "$KNIT" show --json=1
	check "unknown object" says 2 'show: found "prots": .* is expected' "$KNIT" show prots
	check "too many words" says 2 'is expected' "$KNIT" show port a b
	check "drops takes none" says 2 'drops: found "x"' "$KNIT" drops x
	check "bad seconds" says 2 'seconds: found "soon": a number from 0' "$KNIT" -s soon drops
	check "bad prefix" says 2 'prefix: found "a/b"' "$KNIT" -P a/b show
	check "help" says 0 "^usage: knit " "$KNIT" --help
	check "help of each command" each_command_has_help
	check "version" says 0 "^knit [0-9]" "$KNIT" version
	check "version as JSON" says 0 '^{"version":"[0-9.]+"}$' "$KNIT" version -j
	check "completion: options" completion_knows_options
	check "check: no such file" says 3 "nowhere.cfg" "$KNIT" check "$TMP/nowhere.cfg"
	check "check: no file" says 2 "a configuration file is expected" "$KNIT" check
	check "bind: lists NICs" "$KNIT" bind --json
	check "no system" says 5 "no primary runs with prefix $PREFIX" knit show
}

running()
{
	check "show: the system" says 0 "^knit, prefix $PREFIX, process ${PID[primary]}," knit show
	check "show: without a prefix" finds_the_system
	check "show: RUNTIME_DIRECTORY" other_runtime_directory
	check "completion: names" completion_knows_names
	check "ports" says 0 "^left +up +[0-9]+ +1500 .* full +1 +net_tap" knit show ports
	check "interfaces" says 0 "^kl +$ENGINE +[a-z]+ +1 " knit show interfaces
	check "workers" says 0 "^ +0  attached +${PID[worker0]} " knit show workers
	check "control" says 0 "^attached +${PID[control]} " knit show control
	check "memory: nodes" says 0 "^ +0 +[1-9][0-9]* +[1-9][0-9]* +[0-9]+ " knit show memory
	check "memory: pools" grep -Eq "^knit_domain_0 +0 +worker 0 +[0-9]+ +[0-9]+ +[0-9]{4} " \
		<(knit show memory)
	check "drops: without a rate" says 0 "^interface kl +drop_rx_down +[0-9]+$" \
		knit show drops --all
	check "one port" says 0 "^mtu +1500$" knit show port left
	check "one interface" says 0 "^engine +$ENGINE$" knit show interface kl
	check "one worker" says 0 "^state +attached$" knit show worker 0
	check "no such port" says 1 "port nowhere: .*has none such" knit show port nowhere
	check "no such worker" says 1 "worker 7: .*has none such" knit show worker 7
	check "JSON in one line" [ "$(knit -j show | wc -l)" -eq 1 ]
	check "JSON in lines, options behind" [ "$(knit show ports -p | wc -l)" -gt 20 ]
	check "the schema is the one that is documented" becomes 20 schema_is_stable
	check "drops: all of them are known" all_drops_are_known
	check "drops: each has advice" every_drop_has_advice
	check "drops: a NIC's are its driver's" wait_for 5 nic_counts_are_drivers left
	check "top: once" says 0 "^left +[0-9.]+ .* +[0-9.]+" knit --once -s 0.2 top
	check "top: shows traffic" wait_for 5 top_shows_traffic
	check "top: JSON, line by line" two_lines_of_rates
	check "top: no terminal" says 2 "this is no terminal" knit top
	check "top: unknown terminal" says 2 'top: TERM is "nosuch"' script -qec \
		"TERM=nosuch '$KNIT' --prefix '$PREFIX' top" /dev/null
	check "top: no keyboard" says 2 "this is no terminal" script -qec \
		"'$KNIT' --prefix '$PREFIX' top </dev/null" /dev/null
	check "a full disk: show" full_disk show
	check "a full disk: JSON" full_disk -j drops
	in_a_terminal
	check "a broadcast is lost" wait_for 5 lose_one
	check "drops: it is there" says 0 "^worker 0 +drop_no_iface +[1-9]" knit drops
	check "drops: and explained" says 0 "Give the port an interface" knit drops -s 0
	port_loses
}

# Found without its name, unless somebody else's system runs here, too.
still_there()
{
	says_alone 5 "does not answer"
}

stands_still()
{
	freeze primary
	for _ in 1 2 3; do
		check "a primary that stands still" says 5 "does not answer" knit show
	done
	check "and it is there" still_there
	kill -CONT "${PID[primary]}"
	check "it goes on" says 0 "prefix $PREFIX" knit show
}

usage
check "odd answers" odd_answers
netns left middle right
tap_port left left
tap_port right right
interface kl left middle
worker 0 "xconnect left right"
system_up
address middle kl 10.6.0.2/24
address left left0 10.6.0.1/24
address right right0 10.6.1.1/24
check "carrier" wait_for 10 has_carrier middle kl
running
stands_still
# It is gone, or about to go: then it knows nothing any more.
says_it_has_ended()
{
	screen_shows "knit: the primary of prefix $PREFIX" || screen_shows "knit: prefix $PREFIX"
}

# The message stands where the picture was.
dies_under_top()
{
	terminal new-session -d -x 110 -y 40 \
		"'$KNIT' --prefix '$PREFIX' top; echo \$? >'$TMP/top.code'; read -r _"
	check "top again: draws" wait_for 10 screen_shows "FROM KERNEL /S"
	system_down
	check "top: the primary has ended" wait_for 10 says_it_has_ended
	check "top: exit code 5" [ "$(cat "$TMP/top.code")" = 5 ]
	terminal kill-server
}

dies_under_top
check "primary ends well" [ "$STATUS" -eq 0 ]
