#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# knit log level: shown and set in all processes while they run, and in those that come later. And
# knit monitor, when more happened than the primary keeps.
#
#   netns far                                     netns middle
#   left0 --- port left --- worker 0, control --- kl
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

# Control logs what it applied, as a notice. Each call asks for another MTU.
MTU=1400
control_logs()
{
	MTU=$((MTU == 1400 ? 1300 : 1400))
	ip -n middle link set kl mtu $MTU
	wait_for 5 field_is /knit/port,left mtu $MTU &&
		grep -q "kl: mtu $MTU applied to port left" "$TMP/control.log"
}

# What a request says that knit would not send, and what the primary answers: its code.
odd_request() # level, type, code
{
	python3 -c '
import socket, struct, sys
path, level, name, code = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode(), int(sys.argv[4])
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(10)
s.connect(path)
s.send(struct.pack("=III", 1, 42, level) + name.ljust(60, b"x")[:60])
version, kind, told = struct.unpack("=IIi", s.recv(65536)[:12])
print(version, kind, told)
assert kind == 1 and told == code' "/run/knit/$PREFIX/command.sock" "$@"
}

shown()
{
	check "all types" says 0 "^knit.req +error +no$" knit log level
	check "there are several" [ "$(wc -l <"$TMP/said")" -ge 8 ]
	check "one type" says 0 "^knit.port +error +no$" knit log level port
	check "and no other" [ "$(wc -l <"$TMP/said")" -eq 2 ]
	check "as JSON" says 0 'levels":\[\{"type":"knit.tap","level":"error","changed":false' \
		knit -j log level knit.tap
	check "no such type" says 1 'no log type "nosuch"' knit log level nosuch
	check "no such level" says 2 'found "loud": emergency \(1\), alert' knit log level port loud
	check "only levels" says 2 '`level`' knit log
	check "level 9" odd_request 9 req 2
	check "a name without an end" odd_request 0 "" 1
}

set_while_it_runs()
{
	check "before: control says nothing" sh -c "! grep -q applied '$TMP/control.log'"
	check "set" says 0 "^knit.req +notice +yes$" knit log level req notice
	check "control has it" wait_for 10 control_logs
	stop control KILL
	: >"$TMP/control.log"
	start_control
	check "and so has the next one" wait_for 10 control_logs
	check "the primary has it" says 0 "^knit.main +debug +yes" knit log level '*' 8
	check "it is an event" says 0 "  log_level  +log level of knit.worker: debug, set by" \
		knit monitor --once log
}

# A process that dies meanwhile keeps nobody waiting, nor the next one from it.
dies_meanwhile()
{
	freeze control
	check "while control stands still" says 0 "^knit.req +error +yes$" knit log level req error
	stop control KILL
	knit log level req notice
	: >"$TMP/control.log"
	start_control
	check "its successor has what was set last" wait_for 10 control_logs
	check "the worker has not gone" worker_serves 0
}

# Seven events each time; 256 are kept.
more_than_is_kept()
{
	for _ in {1..40}; do
		knit log level '*' notice >/dev/null || return 1
	done
	says 0 "^[0-9]+ events before the next one are lost" knit monitor --once --since 1 &&
		says 0 '^\{"kind":"lost","lost":[0-9]+\}' knit -j monitor --once --since 1 &&
		[ "$(knit -j monitor --once --since 1 | wc -l)" -eq 257 ]
}

setting eal 'log_level = "error";'
netns far middle
tap_port left far
interface kl left middle
worker 0 "punt left"
system_up
ip -n middle link set kl up
shown
set_while_it_runs
dies_meanwhile
check "more events than are kept" more_than_is_kept
system_down
check "primary ends well" [ "$STATUS" -eq 0 ]
