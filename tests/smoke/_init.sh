# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced first by every smoke test:   . "$(dirname "$0")/_init.sh"
#
# It runs the script again in a network and mount namespace of its own, so that a test sees only
# what it made, and gives it:
#   start NAME COMMAND...       runs COMMAND in the background; log $TMP/NAME.log, pid ${PID[NAME]}
#   stop NAME [SIGNAL]          signals it, waits for its end; the exit code is in $STATUS
#   wait_for SECONDS COMMAND... polls COMMAND until it succeeds; fails after the deadline. In an
#                               emulated machine seconds are KNIT_SLOW times as long.
#   becomes SECONDS COMMAND...  as wait_for; if it fails, what COMMAND says last is in the log
#   check NAME COMMAND...       reports `ok NAME` or `not ok NAME`
#   ok NAME, not_ok NAME [WHY]  reports
#   die WHY                     reports a failure and ends the test
# and PREFIX (for --file-prefix), TMP (a directory) and KNIT_BUILD. With
# KNIT_ENGINE_UNDER_TEST=kmod it sees to it that the module is loaded (KNIT_MODULE).
#
# At the end whatever was started is ended, by its pid, PREFIX's hugepage files are removed, and the
# logs are printed if anything failed. KNIT_INTERACTIVE=1 opens a shell in the namespaces before
# that.
# shellcheck disable=SC2034 # STATUS and others are for the scripts
set -u

TEST=$(basename "$0" .sh)
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export KNIT_BUILD=${KNIT_BUILD:-$ROOT/build}

if [ "${KNIT_IN_NAMESPACE:-}" != "$TEST" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "not ok $TEST: root is needed" && exit 1
	fi
	"$ROOT/config/hugepages.sh" 512 >&2 || exit 1
	export KNIT_IN_NAMESPACE=$TEST
	exec unshare --net --mount --propagation private "$0" "$@"
fi

mount -t sysfs none /sys || exit 1
mkdir -p /run/netns && mount -t tmpfs none /run/netns || exit 1
ip link set lo up
if [ "${KNIT_ENGINE_UNDER_TEST:-tap}" = kmod ] && [ ! -e /dev/kni ]; then
	insmod "${KNIT_MODULE:-$KNIT_BUILD/kmod/kni/rte_kni.ko}" || exit 1
fi

PREFIX=knit-$TEST-$$
TMP=$(mktemp -d)
STATUS=0
FAILED=0
declare -A PID=()

ok() # name
{
	echo "ok $TEST: $1"
}

not_ok() # name [why]
{
	echo "not ok $TEST: $1${2:+ ($2)}"
	FAILED=$((FAILED + 1))
}

check() # name, command...
{
	local name=$1
	shift

	if "$@" >>"$TMP/check.log" 2>&1; then ok "$name"; else not_ok "$name" "$*"; fi
}

# A command with its exit code, and a pattern of what it prints; "": of no matter.
says() # code, pattern, command...
{
	local code=$1 pattern=$2 status=0
	shift 2

	"$@" >"$TMP/said" 2>&1 </dev/null || status=$?
	cat "$TMP/said"
	[ $status -eq "$code" ] || return 1
	[ -z "$pattern" ] || grep -Eq -e "$pattern" "$TMP/said"
}

die() # why
{
	not_ok "$1"
	exit 1
}

wait_for() # seconds, command...
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000 * ${KNIT_SLOW:-1}))
	shift

	until "$@" >/dev/null 2>&1; do
		[ "${EPOCHREALTIME/[.,]/}" -lt $end ] || return 1
		sleep 0.02
	done
}

becomes() # seconds, command...
{
	wait_for "$@" || "${@:2}"
}

start() # name, command...
{
	local name=$1
	shift

	"$@" >>"$TMP/$name.log" 2>&1 &
	PID[$name]=$!
}

ended() # name
{
	local stat

	# Not `kill -0`: pids come round within minutes, and somebody else may have this one now.
	read -r stat 2>/dev/null <"/proc/${PID[$1]}/stat" || return 0
	# shellcheck disable=SC2086 # words: state, parent
	set -- ${stat##*) }
	[ "$1" = Z ] || [ "$2" -ne $$ ]
}

stop() # name [signal]
{
	[ -n "${PID[$1]:-}" ] || return 0
	ended "$1" || kill "-${2:-TERM}" "${PID[$1]}" 2>/dev/null
	wait_for 10 ended "$1" || kill -KILL "${PID[$1]}" 2>/dev/null
	wait "${PID[$1]}" 2>/dev/null
	STATUS=$?
	unset "PID[$1]"
}

remove_hugepages()
{
	local dir

	awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts | while read -r dir; do
		rm -f "$dir/$PREFIX"map_*
	done
	rm -rf "/run/dpdk/$PREFIX" "/run/knit/$PREFIX"
}

cleanup()
{
	local name

	if [ "${KNIT_INTERACTIVE:-0}" = 1 ]; then
		echo "# in the namespaces of $TEST, logs in $TMP; exit ends the test"
		(cd "$TMP" && bash -i </dev/tty >/dev/tty 2>&1)
	fi
	for name in "${!PID[@]}"; do
		stop "$name"
	done
	remove_hugepages
	if [ $FAILED -ne 0 ]; then
		for name in "$TMP"/*.log; do
			echo "---- $(basename "$name")"
			tail -n 100 "$name"
		done
	fi
	rm -rf "$TMP"
	[ $FAILED -eq 0 ] || exit 1
}
trap cleanup EXIT
trap 'exit 130' INT TERM
