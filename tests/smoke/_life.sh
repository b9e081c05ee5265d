# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced after _system.sh by tests of how processes come and go. ROLE is the name of a secondary's
# files below /run/knit: worker-<id> or control.
#   supervise ROLE PROGRAM ARGUMENTS...  starts it again whenever it dies; end_supervised ends all
#                                        of them
#   role_pid ROLE, attached ROLE         of the process that has the role now
#   attached_anew ROLE PID               another process than PID has it
#   restart_worker ID                    as start_worker, as often as the exit code asks for it: 8
#   connect_far_near                     addresses 10.7.1.2 on left0 in far, 10.7.1.1 on kni-left
#                                        in near
#   shown NETNS DEVICE                   what must stay: index, flags, MTU, MAC, addresses
#   quiet FILE DEVICE                    `ip monitor` wrote nothing about DEVICE
#   unchanged_since TEXT COMMAND...      what COMMAND prints is TEXT
#   left_with NAME CODE                  what `start` started as NAME ended, with that exit code
#   conserved                            at the end, the primary found all mbufs of all domains
#   traces                               all that knit could leave on the machine, to compare
#   lines_of NAME                        how many lines its log has
# shellcheck disable=SC2034

RUN=/run/knit/$PREFIX
SUPERVISED=()

# The exit codes after which no new start helps: 0 as asked, 2 command line, 4 something is missing
# on this machine, 5 no primary, 6 other version.
supervision() # role, program, arguments...
{
	local role=$1 program=$2 code=1
	shift 2

	until [ -e "$TMP/end" ]; do
		"$program" --prefix "$PREFIX" "$@"
		code=$?
		echo "$role ended: $code"
		case $code in
		0 | 2 | 4 | 5 | 6) break ;;
		esac
	done
	exit $code
}

supervise() # role, program, arguments...
{
	local role=$1 path=$KNIT_BUILD/secondary/${2#knit-}/$2
	shift 2

	start "$role" supervision "$role" "$path" "$@"
	SUPERVISED+=("$role")
}

end_supervised()
{
	local role pid

	touch "$TMP/end"
	for role in "${SUPERVISED[@]}"; do
		pid=$(role_pid "$role")
		[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null
	done
	for role in "${SUPERVISED[@]}"; do
		wait_for 5 ended "$role" || not_ok "$role ends when asked to"
	done
	SUPERVISED=()
}

role_pid() # role
{
	awk '{ print $1; exit }' "$RUN/$1.lock" 2>/dev/null
}

attached() # role
{
	local pid state

	read -r pid state <"$RUN/$1.lock" 2>/dev/null &&
		[ "$state" = attached ] && [ -e "/proc/$pid" ]
}

attached_anew() # role, pid
{
	attached "$1" && [ "$(role_pid "$1")" != "$2" ]
}

# It may come before the primary knows of its predecessor's death, or has cleaned up after it.
restart_worker() # id
{
	local end=$((SECONDS + 20))

	while [ $SECONDS -lt $end ]; do
		start "worker$1" "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" \
			--id "$1"
		wait_for 20 serves_or_ended "$1"
		worker_serves "$1" && return
		wait "${PID[worker$1]}"
		STATUS=$?
		[ $STATUS -eq 8 ] || break
	done
	die "worker $1 does not come back: exit code $STATUS"
}

serves_or_ended() # id
{
	worker_serves "$1" || ended "worker$1"
}

connect_far_near()
{
	# Port and far end of a tap port have one address; IPv6 would call that a duplicate.
	ip -n near link set kni-left addrgenmode none
	ip -n far link set left0 addrgenmode none
	ip -n near addr add 10.7.1.1/24 dev kni-left
	ip -n near link set kni-left up
	wait_for 10 has_carrier near kni-left || die "no carrier"
	ip -n far addr add 10.7.1.2/24 dev left0
	ip -n far link set left0 up
}

shown() # netns, device
{
	ip -n "$1" -o addr show dev "$2" | sed 's/ valid_lft.*//'
	ip -n "$1" -o link show dev "$2"
}

unchanged_since() # text, command...
{
	local before=$1
	shift

	[ "$("$@")" = "$before" ]
}

quiet() # file, device
{
	! grep -q "$2" "$1"
}

conserved()
{
	local ids

	ids=$(grep -c '^domain .*accounted for' "$TMP/primary.log")
	[ "$ids" -eq "${#WORKER_IDS[@]}" ] &&
		! grep '^domain .*accounted for' "$TMP/primary.log" |
			awk '$3 != $5 { bad = 1 } END { exit !bad }'
}

left_with() # name, exit code
{
	local pid=${PID[$1]}

	wait_for 5 ended "$1" || return 1
	wait "$pid"
	STATUS=$?
	unset "PID[$1]"
	[ $STATUS -eq "$2" ]
}

traces()
{
	local ns

	ip -o link show | cut -d: -f2
	for ns in $(ip netns list | awk '{ print $1 }'); do
		echo "netns $ns:"
		ip -n "$ns" -o link show | cut -d: -f2
	done
	awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts | while read -r dir; do
		find "$dir" -name "${1:-$PREFIX}map_*"
	done
	# A live primary's lock files come with the first look at them.
	find /run/knit /run/dpdk -path "*/${1:-$PREFIX}*" ! -name '*-[0-9]*.lock' 2>/dev/null
	true
}

lines_of() # name
{
	wc -l <"$TMP/$1.log"
}
