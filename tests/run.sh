#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs test suites: the time of each, the log of what failed, at the end what
# failed again, and a last line `N passed, N failed, N skipped`. Exit code 1 if anything failed.
# usage: tests/run.sh [suite]...
#
# A suite is a command. Its output is added up from lines `ok NAME`, `not ok NAME`, `skip NAME WHY`
# and Check's `%: Checks: N, Failures: N, Errors: N`; a suite that prints none of them has failed,
# and so has one with a bad exit code.
#
# KNIT_RETRY=1 is for machines whose other tenants nobody sees: a script of smoke or a virtual
# machine that failed is run once more. What passes only then is counted by that run, and said.
# KNIT_VM_LANES=N boots N virtual machines side by side, 2 unless told otherwise.
set -u

cd "$(dirname "$0")/.." || exit 1
BUILD=${KNIT_BUILD:-$PWD/build}
export KNIT_BUILD=$BUILD
LOGS=$BUILD/test-logs
ALL="lint unit unit-asan unit-tsan abi-kmod abi-library kmod install smoke vm"
BOOTS=$(tests/vm/suite.sh --list)
BOOT_TIMEOUT=3600
UNIT=(knit-unit-abi knit-unit-kmod knit-unit-kni knit-unit-primary knit-unit-route
	knit-unit-system knit-unit-worker)
LANES=${KNIT_VM_LANES:-2}
SMOKE_TIMEOUT=${KNIT_SMOKE_TIMEOUT:-240}

RETRY=${KNIT_RETRY:-0}

# A second build directory beside the first one, with a sanitizer, and only the unit tests in it.
sanitized() # name, sanitizers, programs...
{
	local dir=$BUILD-$1 sanitizers=$2
	shift 2

	make BUILD="$dir" MESON_OPTIONS="-Db_sanitize=$sanitizers -Db_lundef=false \
		-Dc_args=-Wno-tsan --buildtype=debugoptimized" "$dir/build.ninja" || return 1
	meson compile -C "$dir" "$@" || return 1
	unit_programs "$dir" "$@"
}

unit_programs() # directory, programs...
{
	local dir=$1 program status=0
	shift

	for program in "$@"; do
		CK_DEFAULT_TIMEOUT=20 timeout 600 "$dir/tests/unit/$program" || status=1
	done
	return $status
}

# Of those that need EAL, the one with two threads. TSan knows no thread after a fork.
handoff_tsan()
{
	meson compile -C "$BUILD-tsan" knit-unit-system &&
		CK_FORK=no timeout 300 "$BUILD-tsan/tests/unit/knit-unit-system" handoff
}

# Readers and a writer of the forwarding tables
route_tsan()
{
	meson compile -C "$BUILD-tsan" knit-unit-route &&
		CK_FORK=no timeout 300 "$BUILD-tsan/tests/unit/knit-unit-route" route_readers
}

# Its exit code, its output, and a line if it ended in another way than a script of ours does.
attempt() # name, timeout, command...
{
	local name=$1 timeout=$2 status=0
	shift 2

	timeout -k 10 "$timeout" "$@" </dev/null || {
		status=$?
		# 1: it has said itself what failed
		[ $status -eq 1 ] || echo "not ok $name: exit code $status (124: out of time)"
	}
	return $status
}

with_retry() # name, timeout, command...
{
	local log=$LOGS/$1.log

	attempt "$@" >"$log" 2>&1
	judged $? "$log" "$@"
}

# Prints what an attempt has printed; makes another one if it failed.
judged() # its exit code, its log, as with_retry...
{
	local status=$1 log=$2
	shift 2

	if [ "$status" -eq 0 ] || [ "$RETRY" != 1 ]; then
		cat "$log"
	else
		sed 's/^\(ok\|not ok\|skip\) /# first time: &/; s/%: Checks:/% of checks:/' "$log"
		attempt "$@"
		status=$?
		[ $status -ne 0 ] || echo "flaky $1"
	fi
	return "$status"
}

smoke()
{
	local script status=0 scripts=(tests/smoke/[0-9]*.sh)

	if [ ! -f "${scripts[0]}" ]; then
		echo "not ok smoke: no script tests/smoke/[0-9]*.sh"
		return 1
	fi
	config/hugepages.sh || return 1
	for script in "${scripts[@]}"; do
		echo "# $script"
		with_retry "$(basename "$script" .sh)" "$SMOKE_TIMEOUT" "$script" || status=1
	done
	return $status
}

# LANES of them side by side: one uses little more than one CPU. They have deadlines of their own.
machines()
{
	export LOGS
	rm -f "$LOGS"/vm-*
	# shellcheck disable=SC2016,SC2086 # for the inner shell; words
	printf '%s\n' $BOOTS | xargs -P "$LANES" -I{} bash -c \
		'tests/vm/suite.sh {} >"$LOGS/vm-{}.log" 2>&1; echo $? >"$LOGS/vm-{}.status"'
}

# The module for the kernel of the guest, then the machines. What failed comes again when no other
# runs.
vm()
{
	local boot status=0

	timeout 600 make -s -C kmod -j "$(nproc)" OUT="$BUILD/kmod" || return 1
	machines
	for boot in $BOOTS; do
		judged "$(cat "$LOGS/vm-$boot.status")" "$LOGS/vm-$boot.log" "$boot" \
			"$BOOT_TIMEOUT" tests/vm/suite.sh "$boot" || status=1
	done
	return $status
}

suite() # name
{
	case $1 in
	lint) timeout 600 tests/lint.sh ;;
	unit)
		config/hugepages.sh && unit_programs "$BUILD" "${UNIT[@]}" knit-unit-kmod-lib
		;;
	unit-asan) sanitized asan address,undefined "${UNIT[@]}" ;;
	unit-tsan) sanitized tsan thread knit-unit-abi && handoff_tsan && route_tsan ;;
	abi-kmod) timeout 300 tests/abi/run.sh ;;
	abi-library) timeout 600 tests/abi/library.sh ;;
	kmod) timeout 900 tests/kmod.sh ;;
	install) timeout 240 tests/install.sh ;;
	smoke) smoke ;;
	vm) vm ;;
	*)
		echo "not ok $1: no such suite; there are $ALL"
		return 1
		;;
	esac
}

# Reads a log and prints "passed failed skipped".
add_up()
{
	awk '
	/^ok / { p++ }
	/^not ok / { f++ }
	/^skip / { s++ }
	/%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/ {
		sub(/.*%: Checks: /, "")
		gsub(/[^0-9]+/, " ")
		p += $1 - $2 - $3
		f += $2 + $3
	}
	END { print p + 0, f + 0, s + 0 }' "$1"
}

# Prints what became of it, and leaves that in $LOGS/NAME.sums and $LOGS/NAME.failures.
run_suite() # name
{
	local log=$LOGS/$1.log start status took p f s

	start=$(date +%s%N)
	suite "$1" >"$log" 2>&1 </dev/null
	status=$?
	took=$((($(date +%s%N) - start) / 100000000))
	read -r p f s < <(add_up "$log")
	if [ $((p + f + s)) -eq 0 ]; then
		echo "not ok $1: printed no result" >>"$log"
		f=1
	elif [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "not ok $1: exit code $status" >>"$log"
		f=1
	fi
	printf '%-11s %5d passed %4d failed %4d skipped %6d.%d s\n' "$1" "$p" "$f" "$s" \
		$((took / 10)) $((took % 10))
	if [ "$f" -ne 0 ]; then
		echo "---- log of $1 ($log)"
		tail -n 300 "$log"
		echo "---- end of $1"
	elif [ "$s" -ne 0 ]; then
		grep '^skip ' "$log"
	fi
	[ "$RETRY" != 1 ] || sed -n "s/^flaky /$1: passed the second time only: /p
		/^# first time: not ok/p" "$log"
	grep -E '^not ok|^[^ ]+:[0-9]+:[EF]:' "$log" | head -n 20 |
		sed "s/^/$1: /" >"$LOGS/$1.failures"
	echo "$p $f $s" >"$LOGS/$1.sums"
}

run_suites() # name...
{
	local name

	for name in "$@"; do
		run_suite "$name"
	done
}

# One after the other, but for those that neither keep a time nor need the machine for themselves:
# they come first, in two rows side by side.
run_all() # name...
{
	local name row=() beside=() alone=()

	for name in "$@"; do
		case $name in
		lint | abi-* | kmod | unit-tsan) row+=("$name") ;;
		unit | unit-asan) beside+=("$name") ;;
		*) alone+=("$name") ;;
		esac
	done
	run_suites "${row[@]}" &
	run_suites "${beside[@]}"
	wait
	run_suites "${alone[@]}"
}

sum_up() # name...
{
	local name p f s passed=0 failed=0 skipped=0

	for name in "$@"; do
		cat "$LOGS/$name.failures"
		read -r p f s <"$LOGS/$name.sums"
		passed=$((passed + p))
		failed=$((failed + f))
		skipped=$((skipped + s))
	done
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

mkdir -p "$LOGS" || exit 1
[ $# -gt 0 ] || read -ra suites <<<"$ALL"
[ $# -eq 0 ] || suites=("$@")
rm -f "$LOGS"/*.sums "$LOGS"/*.failures
run_all "${suites[@]}"
sum_up "${suites[@]}"
