#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Worker and control without root: a user and group that only have numbers, without a capability.
# The primary is root with the capabilities of its systemd unit, and --group lets that group in.
#
#   netns far                 primary, worker 0, control              netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"
# shellcheck disable=SC2317 # functions are called by check and wait_for

USER_ID=42317
OTHER_ID=42318
UNIT=$ROOT/config/systemd/knit-primary.service.in
EAL_DIR=/run/dpdk/$PREFIX
# Where everybody may run them, wherever the build is.
BIN=$(mktemp -d) && chmod 755 "$BIN" || exit 1
cp "$KNIT_BUILD"/secondary/worker/knit-worker "$KNIT_BUILD"/secondary/control/knit-control \
	"$KNIT_BUILD/tests/knit-attach" "$KNIT_BUILD/tests/knit-forge" "$BIN"
trap 'cleanup_users' EXIT

cleanup_users()
{
	rm -rf "$BIN"
	cleanup
}

# setpriv's words for the capabilities of the primary's unit
unit_capabilities()
{
	sed -n 's/^CapabilityBoundingSet=//p' "$UNIT" | tr ' ' '\n' | tr '[:upper:]' '[:lower:]' |
		sed 's/^cap_/,+/' | tr -d '\n'
}

as_user() # id, command...
{
	local id=$1
	shift

	setpriv --reuid "$id" --regid "$id" --clear-groups --inh-caps=-all --bounding-set=-all \
		--no-new-privs "$@"
}

# As in _system.sh, by users. The pid is that of the program: setpriv executes it.
start_primary() # [option...]
{
	start primary setpriv --bounding-set "-all$(unit_capabilities)" --no-new-privs \
		"$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg" "$@"
	wait_for 30 serves_or_failed
	serves || die "primary does not serve"
}

start_as() # id, name, program, option...
{
	local id=$1 name=$2
	shift 2

	start "$name" setpriv --reuid "$id" --regid "$id" --clear-groups --inh-caps=-all \
		--bounding-set=-all --no-new-privs "$BIN/$1" --prefix "$PREFIX" "${@:2}"
}

start_worker() # id
{
	start_as $USER_ID "worker$1" knit-worker --id "$1"
	wait_for 30 worker_serves "$1" || die "worker $1 does not attach"
}

start_control()
{
	start_as $USER_ID control knit-control
	wait_for 30 control_serves || die "control does not attach"
}

refused() # id, name, program, option...: it ends with exit code 4
{
	start_as "$@"
	wait_for 10 ended "$2" && stop "$2" && [ "$STATUS" = 4 ]
}

flows()
{
	ip netns exec far ping -qc 1 -W 1 10.7.1.1
}

mtu_is() # netns, device, mtu
{
	[[ $(ip -n "$1" -o link show "$2") == *" mtu $3 "* ]]
}

powerless() # name
{
	local status=/proc/${PID[$1]}/status

	grep -qP "^Uid:\t$USER_ID\t$USER_ID\t$USER_ID\t$USER_ID$" "$status" &&
		[ "$(grep -cP '^Cap\w+:\t0+$' "$status")" = 5 ]
}

forbidden() # command...: the worker's user may not
{
	! as_user $USER_ID "$@"
}

write_to() # file
{
	forbidden sh -c "echo x >>'$1'"
}

# argv[0] of EAL is the device's name there. It waits five seconds for an answer.
attach_refused() # device
{
	as_user $USER_ID env XDG_RUNTIME_DIR=/run timeout 30 "$BIN/knit-attach" "$1" \
		--file-prefix "$PREFIX" --proc-type secondary --no-pci --no-telemetry -l 1 \
		>"$TMP/attach.log" 2>&1
	[ $? = 1 ] && grep -q "^attach $1: -" "$TMP/attach.log"
}

forged() # way, result and reason
{
	wait_for 20 grep -q "^$1: $2" "$TMP/forger.log"
}

# The worker's user has the primary end another process, one of root's.
forge()
{
	start other tail -f /dev/null
	start_as $USER_ID forger knit-forge "${PID[other]}"
	check "a lock file that names another process is no proof" \
		forged lock "-1 .* does not have the lock of its role"
	check "nor is a role whose lock it does not have" \
		forged role "-1 .* does not have the lock of its role"
	check "another's pidfd: the role is for whoever has the lock" forged pidfd "0 "
	stop primary
	check "at its end the primary ends that process" left_with forger 143
	check "and not the one that the pidfd was of" kill -0 "${PID[other]}"
	stop other
}

nobody_listens()
{
	grep -q "a member of the primary's --group" "$TMP/$1.log"
}

netns far near
tap_port left far
interface kni-left left near
worker 0 "punt left"
write_config
start_primary
check "without --group the user is refused" refused $USER_ID worker0 knit-worker --id 0
check "and told who may" nobody_listens worker0
stop primary
: >"$TMP/primary.log"

start_primary --group $USER_ID
check "another group is refused" refused $OTHER_ID worker0 knit-worker --id 0
start_worker 0
start_control
connect_far_near
check "traffic" wait_for 10 flows
check "the worker has no capability" powerless worker0
check "control has no capability" powerless control
ip -n near link set kni-left mtu 3000
check "the port follows the interface's MTU" wait_for 5 mtu_is far left0 3000
ip -n near link set kni-left down
check "and its state" wait_for 5 field_is /knit/port,left admin_up 0
ip -n near link set kni-left up
check "traffic again" wait_for 10 flows

stop worker0 KILL
start_worker 0
check "a killed worker's successor carries on" wait_for 10 flows
start_as $USER_ID standby knit-worker --id 0 --standby
check "one stands by" wait_for 30 field_is /knit/worker,0 standby_state 2
check "it takes over" knit worker replace 0
check "traffic is its own now" wait_for 10 flows
wait_for 10 ended worker0
stop worker0
check "its predecessor ended well" [ "$STATUS" -eq 0 ]
PID[worker0]=${PID[standby]}
unset 'PID[standby]'
stop control KILL
start_control
ip -n near link set kni-left mtu 2000
check "a killed control's successor carries on" wait_for 5 mtu_is far left0 2000

check "the configuration can't be written" write_to "$TMP/knit.cfg"
check "nor the primary's lock" write_to "/run/knit/$PREFIX/primary.lock"
check "nor a worker's arguments" write_to "/run/knit/$PREFIX/worker-0.args"
check "nor the record of NICs" write_to "/run/knit/$PREFIX/bound"
check "nor files of other prefixes" write_to "/run/dpdk/file"
check "EAL's files can't be removed" forbidden rm -f "$EAL_DIR/config"
check "no interface can be made" forbidden ip tuntap add dev knit-test mode tap
check "no namespace can be entered" forbidden ip netns exec near true
check "the primary can't be signalled" forbidden kill -0 "${PID[primary]}"
check "/dev/kni can't be opened" write_to /dev/kni
devices=$(telemetry /ethdev/list)
check "EAL attaches no device for the group" attach_refused net_null7
check "nor has the primary one more" [ "$(telemetry /ethdev/list)" = "$devices" ]
stop control
stop worker0
forge
check "all mbufs are accounted for" conserved
check "nothing is left" forbidden test -e "$EAL_DIR"

# What the group left in EAL's directory is not for root to open.
start_primary --group $USER_ID
stop primary KILL
as_user $USER_ID mkdir "$EAL_DIR/folder"
start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg" --group $USER_ID
check "a folder of the group is no start" wait_for 20 ended primary
check "and is named" grep -q "$EAL_DIR: somebody put folders there" "$TMP/primary.log"
stop primary
start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
check "nor is it without --group" wait_for 20 ended primary
check "the group can't add anything there" forbidden mkdir "$EAL_DIR/other"
