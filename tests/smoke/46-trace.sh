#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit trace and knit capture: what they show is what was sent, they are bounded, and no client,
# worker or word on the command socket disturbs anybody.
#
#   netns left                     netns middle: kl 10.6.0.2              netns right
#   left0 10.6.0.1 ---- port left ------- worker 0 ------- port right ---- right0 10.6.0.3
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

OTHER=02:00:00:00:66:66

knit() # arguments...
{
	timeout 20 "$KNIT" --prefix "$PREFIX" "$@"
}

watching() # name
{
	grep -q "watching" "$TMP/$1.err"
}

# knit COMMAND in the background, with its output in TMP/NAME.out; returns when workers watch.
watch() # name, arguments...
{
	local name=$1
	shift

	start "$name" bash -c 'out=$1 err=$2; shift 2; exec "$@" >"$out" 2>"$err"' _ \
		"${OUT:-$TMP/$name.out}" "$TMP/$name.err" "$KNIT" --prefix "$PREFIX" "$@"
	wait_for 20 watching "$name" || die "$name does not watch: $(cat "$TMP/$name.err")"
}

# Frames of the type for local experiments, numbered, of lengths FROM to TO, to a MAC.
send() # netns, device, mac, count, length
{
	in_ns "$1" python3 - "$@" <<-'END'
		import socket, sys
		device, mac = sys.argv[2:4]
		count, length = (int(text) for text in sys.argv[4:6])
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind((device, 0))
		head = bytes.fromhex(mac.replace(":", "") + "020000000001" + "88b5")
		for i in range(count):
		    s.send(head + i.to_bytes(4, "big") + bytes((length + i % 7) - 18))
	END
}

# Python that sees a list of traced packets as `packets`.
traced() # name, python
{
	python3 -c "
import json, sys
packets = [json.loads(line) for line in open('$TMP/$1.out')]
steps = lambda p: [s['step'] for s in p['steps']]
$2" || { cat "$TMP/$1.err" "$TMP/$1.out"; return 1; }
}

ends() # name[, exit code]
{
	wait_for 20 ended "$1" || return 1
	stop "$1"
	[ "$STATUS" -eq "${2:-0}" ]
}

journeys()
{
	watch t1 trace -j -n 4 port left where ether proto 0x88b5
	send left left0 "$OTHER" 2 100
	send left left0 "$(mac_of middle kl)" 1 80
	send right right0 "$(mac_of left left0)" 1 90
	check "trace: ends after its number" ends t1
	check "trace: a packet for the other port" traced t1 '
p = packets[0]
assert set(p) == {"time_ns", "worker", "port", "direction", "length", "packet", "data", "steps"}
assert set(p["steps"][0]) == {"after_ns", "step", "port", "queue"}
assert set(p["steps"][1]) == {"after_ns", "step", "why"}
assert p["port"] == "left" and p["direction"] == "rx" and p["length"] == 100, p
assert steps(p) == ["received", "decided", "handed"]
assert p["steps"][0]["port"] == "left" and p["steps"][0]["queue"] == 0
assert p["steps"][1]["why"] == "other" and p["steps"][2]["port"] == "right"
assert p["data"].startswith("02000000666602000000000188b500000000")
assert packets[1]["data"][28:36] == "00000001"'
	check "trace: a packet for the kernel" traced t1 '
p = packets[2]
assert p["steps"][1]["why"] == "own"
assert p["steps"][2] == {**p["steps"][2], "interface": "kl", "pair": 0}'
	check "trace: a packet that is sent there" traced t1 '
p = packets[3]
assert p["direction"] == "tx"
assert p["steps"][0]["port"] == "right" and p["steps"][2]["port"] == "left"'
	check "trace: times go forward" traced t1 '
for p in packets:
    after = [s["after_ns"] for s in p["steps"]]
    assert after == sorted(after) and after[0] == 0 and after[-1] < 10**9, after'
}

# What is lost, and why: the port that stands behind kl is stopped.
lost()
{
	ip -n middle link set kl down
	check "a port is stopped" wait_for 5 field_is /knit/port,left admin_up 0
	watch t2 trace -n 1 port right where ether proto 0x88b5
	send right right0 "$OTHER" 1 100
	check "trace: ends" ends t2
	check "trace: says why a packet was dropped" grep -q \
		"us  1 frame dropped: drop_port_down: the outgoing port is stopped" "$TMP/t2.out"
	ip -n middle link set kl up
	check "the port runs again" wait_for 5 field_is /knit/port,left admin_up 1
	check "and has a carrier" wait_for 10 has_carrier middle kl
}

filters()
{
	watch t3 trace -j -n 1 -d tx port right where ether proto 0x88b5 and greater 205
	send left left0 "$OTHER" 7 200
	check "filter: ends" ends t3
	check "filter: the first that is longer" traced t3 'assert packets[0]["length"] == 205'
	check "direction: as the port sees it" traced t3 '
assert packets[0]["port"] == "right" and packets[0]["direction"] == "tx"'
	check "filter: what is no name is a filter" says 2 'neither an object .* unknown port' \
		knit trace port nowhere
	check "filter: a wrong one" says 2 "as of pcap-filter" knit trace port left where tcp tcp
	check "direction: a wrong one" says 2 "rx or tx is expected" knit trace -d up
	check "number: a wrong one" says 2 "found \"0\": a number from 1" knit trace -n 0
	check "share: a wrong one" says 2 "from 1 to 100" knit capture -S 101
	check "length: a wrong one" says 2 "from 64 to 65535" knit capture -l 20
	check "a filter that may not end" says 2 "as protochain does" \
		knit trace ip6 protochain 6
	check "a filter that is too long" says 2 "at most 512 are possible" \
		knit trace "$(seq -s ' or ' -f 'ether[%g]=1' 14 250)"
}

# Each frame with its length, direction, place and comment, as another program reads the file.
shown() # file, fields...
{
	local file=$1 field fields=()
	shift

	for field in "$@"; do
		fields+=(-e "$field")
	done
	tshark -n -r "$file" -T fields "${fields[@]}" 2>/dev/null
}

files()
{
	local file=$TMP/all.pcapng

	watch c1 capture -w "$file" -S 100 where ether proto 0x88b5
	send left left0 "$OTHER" 500 60
	send left left0 "$(mac_of middle kl)" 500 700
	wait_for 10 seen_all "$file" 2000 || shown "$file" frame.interface_name | sort | uniq -c
	stop c1 INT
	check "capture: ends well at ^C" [ "$STATUS" -eq 0 ]
	check "capture: says what passed" grep -q "passed, 2000 chosen$" "$TMP/c1.err"
	check "capture: only root reads the file" [ "$(stat -c %a "$file")" = 600 ]
	check "capture: each packet at both places" same_counts "$file"
	check "capture: in order and whole" in_order "$file"
	check "capture: with what was done" [ "$(shown "$file" frame.comment | grep -Ec \
		'^worker 0; received from port left, queue 0; for the (other|kernel)')" = 2000 ]
	check "capture: another program reads it, too" \
		[ "$(tcpdump -nr "$file" --count 2>/dev/null)" = "2000 packets" ]
	timeout 20 "$KNIT" --prefix "$PREFIX" capture -n 100 2>"$TMP/pipe.err" port right \
		>"$TMP/pipe.pcapng" &
	wait_for 10 grep -q watching "$TMP/pipe.err"
	send left left0 "$OTHER" 150 60
	wait $!
	check "capture: to standard output" seen_all "$TMP/pipe.pcapng" 100
	check "capture: no terminal" says 2 "is a terminal" script -qec \
		"'$KNIT' --prefix '$PREFIX' capture" /dev/null
	echo old >"$TMP/old"
	check "capture: a wrong filter" says 2 "neither an object" \
		knit capture -w "$TMP/old" tcp tcp
	check "capture: and the file is as it was" grep -q old "$TMP/old"
	check "capture: a place that is none" says 1 "No such file" knit capture -w /nowhere/x
	check "capture: a full disk" says 1 "/dev/full: No space" knit capture -w /dev/full
	check "trace: a full disk" full_disk
}

full_disk()
{
	OUT=/dev/full watch t4 trace -n 100000
	send left left0 "$OTHER" 500 60
	ends t4 1 && grep -q "standard output: No space" "$TMP/t4.err"
}

seen_all() # file, count
{
	[ "$(shown "$1" frame.len | wc -l)" -eq "$2" ]
}

same_counts() # file
{
	local out

	out=$(shown "$1" frame.interface_name frame.packet_flags_direction | sort | uniq -c)
	echo "$out"
	[ "$(awk '{ print $1, $2 $3 $4, $NF }' <<<"$out" | sort)" = "$(sort <<-END
		1000 portleft0x00000001 0x00000001
		500 portright0x00000002 0x00000002
		500 interfacekl0x00000001 0x00000001
	END
	)" ]
}

# Numbers and lengths at each place.
in_order() # file
{
	shown "$1" frame.interface_name frame.len data.data | awk -F '\t' '
		{ n = sprintf("%08x", count[$1] % 500)
		  first = $1 == "port left" ? count[$1] < 500 : $1 == "port right"
		  if (substr($3, 1, 8) != n || $2 != (first ? 60 : 700) + count[$1] % 500 % 7) {
			print; bad = 1
		  }
		  count[$1]++ }
		END { exit bad }'
}

one_at_a_time()
{
	watch w1 trace -n 1000000
	check "one watch at a time" says 4 "process ${PID[w1]} watches packets already" knit trace
	kill -KILL "${PID[w1]}"
	stop w1
	check "a client that is killed leaves nothing" wait_for 10 watches_one
}

watches_one()
{
	watch w2 trace -n 1 || return 1
	send left left0 "$OTHER" 3 60
	ends w2
}

crosses() # more than
{
	send left left0 "$OTHER" 200 1400
	field_over /knit/worker,0 xconnect "$1"
}

# It does not read: packets are lost for it, and for nobody else.
slow_client()
{
	local before

	watch w3 capture -w /dev/null -S 100
	kill -STOP "${PID[w3]}"
	before=$(field /knit/worker,0 xconnect)
	check "a client that stands still: packets go on" wait_for 20 crosses $((before + 3000))
	kill -CONT "${PID[w3]}"
	stop w3 INT
	check "and it is told what was lost" grep -q "[1-9][0-9]* lost: this end is too slow" \
		"$TMP/w3.err"
}

# The successor goes on where the worker was killed.
killed_worker()
{
	watch w4 trace -j -n 40 port left where ether proto 0x88b5
	send left left0 "$OTHER" 20 60
	kill -KILL "${PID[worker0]}"
	stop worker0
	wait_for 20 field_is /knit/worker,0 resets 1 || die "the domain of worker 0 is not reset"
	start_worker 0
	worker_serves 0
	wait_for 20 twenty_more w4
	check "a killed worker's successor is watched" ends w4
	check "and nothing came twice" traced w4 '
assert len({(p["time_ns"], p["data"]) for p in packets}) == 40'
}

twenty_more() # name
{
	send left left0 "$OTHER" 20 60
	ended "$1"
}

# Words that no client says. The primary answers each in its time, and goes on.
odd_words()
{
	python3 - "/run/knit/$PREFIX/command.sock" <<-'END'
		import os, random, socket, struct, sys
		random.seed(7)
		path = sys.argv[1]
		def connect():
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    s.connect(path)
		    s.settimeout(10)
		    return s
		def ask(text):
		    s = connect()
		    s.send(text)
		    answer = s.recv(1 << 17)
		    s.close()
		    return answer
		def code(answer):
		    version, kind, value = struct.unpack_from("<IIi", answer)
		    assert version == 1 and kind in (1, 3), (version, kind)
		    return value if kind == 1 else 0
		WATCH = 2
		good = struct.pack("<IIIIQII", 128, 10, 1, 3, 1, 0, 0) + bytes(44 * 32)
		assert code(ask(b"x")) != 0 and code(ask(struct.pack("<II", 2, WATCH) + good)) != 0
		for kind in (0, 1, 3, 4, 99, 2**32 - 1):
		    assert code(ask(struct.pack("<II", 1, kind) + good)) != 0, kind
		head = struct.pack("<II", 1, WATCH)
		for cut in (0, 1, len(good) - 1):
		    assert code(ask(head + good[:cut])) != 0, cut
		assert code(ask(head + good + b"\0" * 3)) != 0
		for at, value in ((0, 0), (0, 65536), (4, 0), (4, 101), (24, 33), (24, 2**32 - 1),
		                  (28, 1), (28, 513), (28, 2**32 - 1)):
		    bad = bytearray(good)
		    struct.pack_into("<I", bad, at, value)
		    assert code(ask(head + bytes(bad))) != 0, (at, value)
		# an object that is not there, and a filter that jumps out of itself
		bad = bytearray(good)
		struct.pack_into("<I", bad, 24, 1)
		struct.pack_into("<I", bad, 32, 1)
		assert code(ask(head + bytes(bad))) != 0
		bad = bytearray(good)
		struct.pack_into("<I", bad, 28, 1)
		assert code(ask(head + bytes(bad) + struct.pack("<HBBI", 6, 0, 0, 0))) == 0
		struct.pack_into("<I", bad, 28, 2)
		for jump in (1, 99, 2**32 - 1, 2**32 - 2): # out of it, or back
		    assert code(ask(head + bytes(bad) + struct.pack("<HBBI", 5, 0, 0, jump) +
		                    struct.pack("<HBBI", 6, 0, 0, 0))) == 2, jump
		for _ in range(500):
		    s = connect()
		    s.send(os.urandom(random.choice((1, 8, 40, 1500, 20000))))
		    s.close()
		idle = [connect() for _ in range(16)]
		late = connect()
		assert code(late.recv(1 << 17)) == 4
		for s in idle:
		    assert s.recv(1 << 17) == b"" # it asked nothing for too long
	END
}

no_watch()
{
	SETTINGS[eal]="${SETTINGS[eal]:-} }; watch = { buffer = 0;"
	system_up
	check "no memory for it: it says so" says 4 "watch.buffer is 0" knit trace
}

netns left middle right
tap_port left left
tap_port right right
interface kl left middle
worker 0 "xconnect left right"
system_up
address middle kl 10.6.0.2/24
address left left0 10.6.0.1/24
address right right0 10.6.0.3/24
check "carrier" wait_for 10 has_carrier middle kl
# All that the test sends waits there, if the worker gets no CPU.
ip -n left link set left0 txqueuelen 4000
ip -n right link set right0 txqueuelen 4000
journeys
lost
filters
files
one_at_a_time
slow_client
killed_worker
check "words that nobody says" odd_words
check "the system goes on" knit show
watch w5 trace -n 1000000
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
check "the primary ends: so does a watch" ends w5 5
check "and says so" grep -q "the primary ends" "$TMP/w5.err"
no_watch
system_down
