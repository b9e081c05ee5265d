#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How knit ends: asked to, killed, interrupted at the terminal. Nothing may be left.
#
#   netns far                 primary, worker 0, control              netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
#
# The last part runs config/demo.sh, which makes its own namespaces, has the prefix knit-demo and is
# about the tap engine.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

flows()
{
	ip netns exec far ping -qc 1 -W 1 10.7.1.1
}

serve_and_flow()
{
	system_up
	connect_far_near
	wait_for 10 flows
}

nothing_left()
{
	unchanged_since "$BEFORE" traces "$@"
}

asked_to_end() # signal
{
	serve_and_flow || die "no traffic"
	kill "-$1" "${PID[primary]}"
	check "SIG$1: primary ends with 0" left_with primary 0
	check "SIG$1: worker ends with 0" left_with worker0 0
	check "SIG$1: control ends with 0" left_with control 0
	check "SIG$1: all mbufs are accounted for" conserved
	check "SIG$1: nothing is left" nothing_left
	: >"$TMP/primary.log"
}

asked_while_starting()
{
	start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
	wait_for 5 [ -e "$RUN/primary.lock" ]
	kill -TERM "${PID[primary]}"
	check "SIGTERM while starting: primary ends with 0" left_with primary 0
	check "SIGTERM while starting: nothing is left" nothing_left
	: >"$TMP/primary.log"
}

# What a service manager is told: one line for each message, until the last one.
LISTENER='
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
text = ""
while text != "STOPPING=1":
    text = s.recv(4096).decode()
    print(text, flush=True)
'

told() # line
{
	grep -qx "$1" "$TMP/manager.log"
}

told_to_systemd()
{
	start manager python3 -c "$LISTENER" "$TMP/notify"
	wait_for 5 [ -S "$TMP/notify" ] || die "no listener"
	start primary env NOTIFY_SOCKET="$TMP/notify" "$KNIT_BUILD/primary/knit-primary" --config \
		"$TMP/knit.cfg"
	check "systemd: is told that the primary is ready" wait_for 10 told READY=1
	check "systemd: when workers may come" test -e "$RUN/worker-0.args"
	check "systemd: not before that it ends" not told STOPPING=1
	kill -TERM "${PID[primary]}"
	check "systemd: is told that it ends" wait_for 5 told STOPPING=1
	check "systemd: primary ends with 0" left_with primary 0
	: >"$TMP/primary.log"
}

# Ready and, three times within the time of its watchdog, alive.
watched() # name, program, argument...
{
	local name=$1 program=$2
	shift 2

	start "manager-$name" python3 -c "$LISTENER" "$TMP/notify-$name"
	wait_for 5 [ -S "$TMP/notify-$name" ] || die "no listener"
	start "$name" env NOTIFY_SOCKET="$TMP/notify-$name" WATCHDOG_USEC=3000000 \
		"$KNIT_BUILD/$program" "$@"
	check "systemd: is told that $name is ready" wait_for 20 \
		grep -qx READY=1 "$TMP/manager-$name.log"
	check "systemd: is told that $name is alive" wait_for 10 beats "$name" 3
}

beats() # name, times
{
	[ "$(grep -cx WATCHDOG=1 "$TMP/manager-$1.log")" -ge "$2" ]
}

# The last line for people
status() # name, pattern
{
	grep ^STATUS= "$TMP/manager-$1.log" | tail -n 1 | grep -qx "STATUS=$2"
}

watched_by_systemd()
{
	watched primary primary/knit-primary --config "$TMP/knit.cfg"
	watched worker0 secondary/worker/knit-worker --prefix "$PREFIX" --id 0
	watched control secondary/control/knit-control --prefix "$PREFIX"
	check "systemd: what the worker does" status worker0 \
		"worker 0 serves ports: left; interfaces: kni-left"
	check "systemd: what control does" status control "serves 1 interfaces"
	check "systemd: what the primary does" wait_for 5 status primary \
		"1 of 1 workers and the control serve 1 interfaces; [01] of 1 ports have a link"
	stop worker0
	check "systemd: that the worker is gone" wait_for 5 status primary \
		"0 of 1 workers and the control serve 1 interfaces; .*"
	system_down
	: >"$TMP/primary.log"
}

# A secondary that does not answer is killed: an end has its time.
asked_with_a_stopped_worker()
{
	serve_and_flow || die "no traffic"
	kill -STOP "${PID[worker0]}"
	kill -TERM "${PID[primary]}"
	check "stopped worker: primary ends with 0 all the same" wait_for 8 ended primary
	check "stopped worker: exit code of the primary" left_with primary 0
	check "stopped worker: it was killed" left_with worker0 137
	check "stopped worker: control ends with 0" left_with control 0
	check "stopped worker: all mbufs are accounted for" conserved
	check "stopped worker: nothing is left" nothing_left
}

last_line() # name, pattern
{
	tail -n 1 "$TMP/$1.log" | grep -q "$2"
}

primary_killed()
{
	local name lines

	serve_and_flow || die "no traffic"
	declare -A lines=([worker0]=$(lines_of worker0) [control]=$(lines_of control))
	kill -KILL "${PID[primary]}"
	check "primary killed: worker ends within a second" wait_for 1 ended worker0
	check "primary killed: control ends within a second" wait_for 1 ended control
	for name in worker0 control; do
		check "primary killed: $name ends with 5" left_with $name 5
		check "primary killed: $name says so in one line" \
			[ "$(lines_of $name)" -eq $((lines[$name] + 1)) ]
		check "primary killed: which is clear" \
			last_line $name "knit: the primary (process ${PID[primary]}) is gone"
	done
	check "primary killed: its interface is gone" not ip -n near link show dev kni-left
	stop primary
	serve_and_flow || die "primary killed: no traffic through the next one"
	ok "primary killed: the next one starts, and traffic flows"
	system_down
	check "primary killed: nothing is left by the next one" nothing_left
}

not()
{
	! "$@"
}

says_up()
{
	grep -q '^Up' "$TMP/$1.log"
}

# Not those of containers that run here, too.
demo_processes()
{
	pgrep --ns $$ --nslist pid -fa 'prefix knit-demo|config/demo'
}

demo()
{
	BEFORE=$(traces knit-demo)
	SMOKE=1 timeout -k 10 60 "$ROOT/config/demo.sh" >"$TMP/demo-smoke.log" 2>&1
	check "demo, unattended: exit code 0" [ $? -eq 0 ]
	check "demo, unattended: nothing is left" nothing_left knit-demo
	check "demo, unattended: no process is left" not demo_processes

	# As from a terminal: a process group of its own, which has SIGINT's default.
	start demo env --default-signal=INT setsid "$ROOT/config/demo.sh"
	check "demo: comes up" wait_for 30 says_up demo
	kill -INT "-${PID[demo]}"
	check "demo, Ctrl-C: ends" wait_for 10 ended demo
	check "demo, Ctrl-C: exit code 130" left_with demo 130
	check "demo, Ctrl-C: nothing is left" nothing_left knit-demo
	check "demo, Ctrl-C: no process is left" not demo_processes

	: >"$TMP/demo.log"
	start demo "$ROOT/config/demo.sh"
	wait_for 30 says_up demo || die "demo does not come up again"
	kill -KILL "$(awk '{ print $1 }' /run/knit/knit-demo/primary.lock)"
	check "demo, primary killed: ends" wait_for 10 ended demo
	check "demo, primary killed: its exit code" left_with demo 137
	check "demo, primary killed: nothing is left" nothing_left knit-demo
	check "demo, primary killed: no process is left" not demo_processes
}

netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
write_config
BEFORE=$(traces)

asked_to_end TERM
asked_to_end INT
asked_while_starting
told_to_systemd
watched_by_systemd
asked_with_a_stopped_worker
primary_killed
ip netns del far
ip netns del near
[ "$ENGINE" != tap ] || demo
