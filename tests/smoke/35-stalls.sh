#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Processes that stand still where nobody may wait for them: on their way in, or with their message
# queue full. Each is named and ended, and the system goes on, or starts anew where a death inside
# EAL demands it.
#
#   netns far               primary, worker 0, control             netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

PORT=/knit/port,left
CONTROL=$KNIT_BUILD/secondary/control/knit-control

near_shows() # pattern
{
	ip -n near -o link show dev kni-left | grep -q -- "$1"
}

said() # pattern
{
	grep -q -- "$1" "$TMP/primary.log"
}

# EAL has got the ports' fds, its set-up is nearly done, and READY is not asked yet. That is a short
# time.
start_to_stop() # name, command...
{
	local name=$1
	shift

	start "$name" python3 -c '
import os, signal, sys, time
if os.fork():
	os.execv(sys.argv[1], sys.argv[1:])
end = time.monotonic() + 5
pid = os.getppid()
fds = "/proc/%d/fd/" % pid
while time.monotonic() < end:
	for fd in os.listdir(fds):
		try:
			if os.readlink(fds + fd) == "/dev/net/tun":
				os.kill(pid, signal.SIGSTOP)
				sys.exit()
		except FileNotFoundError:
			pass' "$@"
}

is_stopped() # name
{
	grep -q '^State:.T' "/proc/${PID[$1]}/status"
}

stop_stalled() # name, role, command...
{
	local name=$1 role=$2 pid state tries
	shift 2

	for ((tries = 0; tries < 10; tries++)); do
		start_to_stop "$name" "$@"
		wait_for 5 is_stopped "$name"
		read -r pid state <"$RUN/$role.lock"
		[ "$pid $state" = "${PID[$name]} attaching" ] && is_stopped "$name" && return
		kill -CONT "${PID[$name]}"
		stop "$name"
	done
	die "$name can't be stopped in the middle of its attach"
}

start_anew() # name of the test
{
	wait_for 15 ended primary # it may end without order, which takes 8 s
	check "$1: the primary starts anew" left_with primary 8
	check "$1: no hugepage file is left" sh -c "! ls /dev/hugepages/${PREFIX}map_* 2>/dev/null"
	stop control
	stop worker0
	start_primary
	start_worker 0
}

eal_arguments()
{
	local argument

	for argument in --help -h -v --log-level=help --proc-type=primary --trace-mode=x; do
		timeout -k 3 10 "$CONTROL" --prefix "$PREFIX" -- "$argument" >"$TMP/refused" 2>&1
		STATUS=$?
		check "EAL argument $argument: exit code 2" [ $STATUS -eq 2 ]
		check "EAL argument $argument: what is allowed is said" \
			grep -q -- '--log-level TYPE:LEVEL' "$TMP/refused"
	done
	check "EAL arguments: the primary is as it was" field_is /knit/info pid "${PID[primary]}"
	start control "$CONTROL" --prefix "$PREFIX" -- --log-level 'lib.*:warning' --syslog=local0
	check "EAL arguments: those that are allowed are taken" wait_for 10 control_serves
}

hang_up()
{
	kill -HUP "${PID[control]}"
	check "SIGHUP: control ends as asked" left_with control 0
	kill -HUP "${PID[worker0]}"
	check "SIGHUP: the worker ends as asked" left_with worker0 0
	start_worker 0
	check "SIGHUP: no reset" field_is /knit/worker,0 resets 0
	start_control
}

# Whatever came of a question whose answer did not come in time: kernel and port have the same.
late_answer()
{
	wait_for 10 control_stopped_idle || die "late answer: something else is asked for"
	ip -n near link set dev kni-left mtu 1400
	check "late answer: there is a request" wait_for 5 engine_waits
	freeze primary
	kill -CONT "${PID[control]}"
	check "late answer: control says that it waits" wait_for 10 \
		grep -q 'did not answer within' "$TMP/control.log"
	kill -CONT "${PID[primary]}"
	check "late answer: the port has what was asked for" wait_for 5 field_is $PORT mtu 1400
	check "late answer: the engine has its answer" wait_for 5 engine_answered
	check "late answer: and the kernel has it too" near_shows "mtu 1400"
	ip -n near link set dev kni-left mtu 1500
	check "late answer: the next one" wait_for 5 field_is $PORT mtu 1500
}

engine_waits()
{
	local k=/knit/interface,kni-left

	[ "$(field $k requests_async)" -gt "$(field $k requests_answered)" ]
}

engine_answered()
{
	! engine_waits
}

# Not while it waits for an answer to another question: that would be all it has when it goes on.
control_stopped_idle()
{
	kill -STOP "${PID[control]}"
	wait_for 5 is_stopped control && engine_answered && return
	kill -CONT "${PID[control]}"
	return 1
}

# A socket among those that EAL sends to, of a process that reads nothing. It fills the queue
# itself.
deaf() # name, pid in its name, "": its own
{
	start "$1" python3 -c '
import os, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/dpdk/%s/mp_socket_%s_%s" % (sys.argv[1], sys.argv[3] or os.getpid(), sys.argv[2]))
t = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
t.setblocking(False)
try:
	while True:
		t.sendto(b"x", s.getsockname())
except BlockingIOError:
	time.sleep(300)' "$PREFIX" "$1" "$2"
}

# More than its queue holds.
restart_often() # command that ends it
{
	local n

	for ((n = 0; n < 20; n++)); do
		"$@" && return
		stop worker0
		start "worker0" "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
		wait_for 10 serves_or_ended 0 || return 1
	done
	wait_for 3 "$@"
}

others()
{
	deaf deaf ""
	check "process that reads nothing: ended" wait_for 5 ended deaf
	unset "PID[deaf]"
	check "process that reads nothing: which is said" \
		said "another program: process [0-9]* takes no messages"
	deaf mute "${PID[control]}"
	check "socket with another's pid: removed" wait_for 5 said "_mute: nobody takes"
	check "socket with another's pid: that one lives" control_serves
	check "socket with another's pid: so does its owner" kill -0 "${PID[mute]}"
	stop mute
	check "the worker serves" worker_serves 0
}

no_reset_waits() # pid
{
	! said "waits for control: process $1 "
}

# All workers left in order.
full_on_its_way_in()
{
	stop control
	stop_stalled control control "$CONTROL" --prefix "$PREFIX"
	check "control stopped on its way in, queue full: killed" restart_often said \
		"^control: process ${PID[control]} takes no messages"
	check "control stopped on its way in, queue full: no reset is said to wait for it" \
		no_reset_waits "${PID[control]}"
	start_anew "control stopped on its way in, queue full"
}

keeps_a_reset_waiting()
{
	stop_stalled control control "$CONTROL" --prefix "$PREFIX"
	kill -KILL "${PID[worker0]}"
	left_with worker0 137
	check "control stopped on its way in: the reset that waits names it" wait_for 5 said \
		"waits for control: process ${PID[control]}"
	check "control stopped on its way in: killed in the end" wait_for 15 said \
		"^control: process ${PID[control]} has been attaching"
	check "control stopped on its way in: named once" \
		[ "$(grep -c "waits for control: process ${PID[control]}" \
			"$TMP/primary.log")" -eq 1 ]
	start_anew "control stopped on its way in"
}

# Nobody waits for it, so all of its time is over first: the configured one.
outstays_its_time()
{
	ATTACH_TIMEOUT=5 write_config
	start_primary
	stop_stalled control control "$CONTROL" --prefix "$PREFIX"
	check "eal.attach_timeout: control is killed after it" wait_for 15 said \
		"^control: process ${PID[control]} has been attaching"
	wait_for 15 ended primary
	check "eal.attach_timeout: the primary starts anew" left_with primary 8
	stop control
}

keeps_the_end_waiting()
{
	stop_stalled control control "$CONTROL" --prefix "$PREFIX"
	stop worker0
	stop primary
	check "control stopped on its way in: the primary ends with 0" [ $STATUS -eq 0 ]
	check "control stopped on its way in: it was killed" left_with control 137
	check "control stopped on its way in: no trace" [ ! -e "$RUN" ]
}

# Turned away it leaves at once; caught in time it is killed inside EAL's clean-up.
turned_away() # exit code in STATUS
{
	start worker0 python3 -c '
import os, signal, sys
if os.fork():
	os.execv(sys.argv[2], sys.argv[2:])
pid = os.getppid()
dying = "%-12d%s" % (pid, "detaching")
while not open(sys.argv[1]).read().startswith(dying):
	if os.getppid() != pid:
		sys.exit()
os.kill(pid, signal.SIGKILL)' "$RUN/worker-0.lock" \
		"$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id 0
	wait_for 10 ended worker0
	wait "${PID[worker0]}"
	STATUS=$?
	unset "PID[worker0]"
}

# Worker 1, which never sleeps, stands still, so the domain of worker 0 is not reset; the successor
# is turned away, and dies before it is gone.
turned_away_and_killed()
{
	local tries

	WORKER_TEXT='idle = "poll";' worker 1 "punt left"
	write_config
	start_primary
	start_worker 0
	start_worker 1
	kill -STOP "${PID[worker1]}"
	kill -KILL "${PID[worker0]}"
	left_with worker0 137
	check "worker 1 stopped: the domain of worker 0 is not reset" \
		wait_for 5 field_is /knit/worker,0 state 4
	for ((tries = 0; tries < 20; tries++)); do
		turned_away
		[ $STATUS -eq 8 ] || break
	done
	check "its successor is killed on its way out" [ $STATUS -eq 137 ]
	check "and the primary says so" wait_for 5 said \
		"^worker: process [0-9]* died while it attached or detached; starting anew"
	kill -CONT "${PID[worker1]}"
	wait_for 15 ended primary
	check "and starts anew" left_with primary 8
	stop worker1
}

# Whoever takes such a lock waits for ever, and an orderly end takes them.
dies_with_a_lock()
{
	: >"$TMP/primary.log" # the one before may have ended without order, too
	write_config
	start_primary
	start control env LD_PRELOAD="$KNIT_BUILD/tests/libknit-die-locked.so" \
		"$CONTROL" --prefix "$PREFIX"
	check "control dies with a lock" left_with control 137
	check "the primary ends without order" \
		wait_for 20 said "^the end takes more than 8 s, maybe for a lock"
	check "and starts anew" left_with primary 8
	check "no hugepage file is left" sh -c "! ls /dev/hugepages/${PREFIX}map_* 2>/dev/null"
	start_primary
	ok "the next one serves"
	stop primary
}

# A worker of the tap engine keeps the device of a primary that was killed for as long as it lives.
outlives_its_primary()
{
	[ "$ENGINE" = tap ] && [ "${KNIT_HANDOVER:-}" != thread ] || return
	start_primary
	start_worker 0
	kill -STOP "${PID[worker0]}"
	kill -KILL "${PID[primary]}"
	left_with primary 137
	start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
	check "worker stopped, its primary killed: the next one waits for the name" \
		wait_for 5 said "^kni-left: there is an interface of that name; waiting up to 5 s"
	kill -KILL "${PID[worker0]}"
	left_with worker0 137
	check "and serves when the worker is gone" wait_for 10 serves
	stop primary
	check "and ends with 0" [ "$STATUS" -eq 0 ]
}

sysctl -qw net.unix.max_dgram_qlen=10
netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
write_config
start_primary
start_worker 0
eal_arguments
late_answer
hang_up
others
full_on_its_way_in
keeps_a_reset_waiting
keeps_the_end_waiting
outstays_its_time
turned_away_and_killed
dies_with_a_lock
outlives_its_primary
