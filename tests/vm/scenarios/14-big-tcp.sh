#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Frames of TCP longer than 64 KiB between interfaces of the module: both families as far as the
# kernel has them, whole from one stack to the other; beside interfaces that have none.
#
#   netns a                                                     netns b
#   va 10.7.0.1, fd07::1 ----------- worker 0 ----------------- vb 10.7.0.2, fd07::2     big_tcp
#   vc 10.8.0.1, fd08::1 ----------- worker 0 ----------------- vd 10.8.0.2, fd08::2
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"
ENGINE=kmod
KNIT_ENGINE_UNDER_TEST=kmod
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/../../smoke/_system.sh"

WIRE=$(dirname "$0")/../../smoke/wire.py
MIB=40
[ "${KNIT_SLOW:-1}" -lt 20 ] || MIB=10
WHOLE=65558 # KNIT_FRAME_MAX
MOST=196630 # KNIT_BIG_FRAME_MAX
FAULTS=/sys/kernel/debug/fail_page_alloc

has_ipv4()
{
	local release major minor

	release=$(uname -r)
	major=${release%%.*} minor=${release#*.}
	minor=${minor%%.*}
	((major > 6 || (major == 6 && minor >= 3)))
}

# The longest frame that arrived is from..to bytes long.
longest() # from, to, source, destination, device
{
	local from=$1 to=$2 said
	shift 2

	said=$("$WIRE" longest "$@" "$MIB") || {
		echo "$said"
		return 1
	}
	echo "${said//$'\n'/, }"
	said=${said##*longest }
	[ "$said" -ge "$from" ] && [ "$said" -le "$to" ]
}

# TCP makes frames as long as a millisecond of its rate, which in a slow machine is not much; or
# of this many segments.
segments_at_least() # number
{
	local ns

	for ns in a b; do
		in_ns $ns sysctl -qw net.ipv4.tcp_min_tso_segs="$1" || return
	done
}

big() # source, destination, device
{
	segments_at_least 120 && longest $((WHOLE + 1)) $MOST "$@"
}

small() # source, destination, device
{
	segments_at_least 2 && longest 1 $WHOLE "$@"
}

sizes() # netns, device, size
{
	local said

	said=$(ip -n "$1" -d link show "$2")
	[[ $said == *" gso_max_size $3 "* ]]
}

too_big()
{
	! ip -n a link set va gso_max_size 196609 2>&1
}

no_losses() # interface
{
	! telemetry "/knit/interface,$1" | sed 's/,/\n/g' |
		grep -E '"(drop|reject)_' | grep -v -E '(_down"|: 0}*$)'
}

# Each frame is listed with its length, whatever is captured of it.
captured() # tcp stream's arguments...
{
	local file=$TMP/big.pcapng

	start capture "$KNIT_BUILD/tools/knit/knit" --prefix "$PREFIX" capture -w "$file" \
		-l 128 -S 100 interface vb
	wait_for 20 grep -q watching "$TMP/capture.log" || return
	big "$@" || return
	stop capture INT
	python3 - "$file" $WHOLE <<-'END'
		import struct, sys
		data, at, longest = open(sys.argv[1], "rb").read(), 0, 0
		while at < len(data):
		    kind, size = struct.unpack_from("=II", data, at)
		    if kind == 6:
		        longest = max(longest, struct.unpack_from("=I", data, at + 24)[0])
		    at += size
		print("longest captured", longest)
		sys.exit(longest <= int(sys.argv[2]))
	END
}

# Whoever serves the pairs: the worker, and packet threads.
make_it_fail() # 0 or 1
{
	local task name

	for task in /proc/[0-9]*/task/*; do
		if read -r name 2>/dev/null <"$task/comm" &&
			[[ $name == kni_* || $task == /proc/${PID[worker0]}/* ]]; then
			echo "$1" >"$task/make-it-fail" || return
		fi
	done
}

# They get no pages of 32 KiB: frames take more fragments than an skb has.
in_single_pages() # stream's arguments...
{
	local status

	echo 3 >$FAULTS/min-order && echo -1 >$FAULTS/times && echo Y >$FAULTS/task-filter &&
		echo N >$FAULTS/ignore-gfp-wait && echo 0 >$FAULTS/verbose &&
		make_it_fail 1 && echo 100 >$FAULTS/probability || return
	big "$@"
	status=$?
	echo 0 >$FAULTS/probability
	make_it_fail 0
	return $status
}

# The core keeps some skbs that sockets are done with until their CPU receives again. kmemleak does
# not see what these hold, because it does not look into pages.
flush_skbs()
{
	local cpu

	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		taskset -c $cpu ping -q -c 2 -i 0.2 127.0.0.1 >/dev/null
	done
}

two_ways() # name of the test, function, its addresses' third number
{
	check "$1, IPv6" "$2" "a:fd0$3::1" "b:fd0$3::2" "$4"
	check "$1, IPv6, the other way" "$2" "b:fd0$3::2" "a:fd0$3::1" "$5"
}

load_module || die "the module does not load"
netns a b
setting mempool "data_room = 16384; extra = 1024;"
for interface in va vb; do
	interface $interface "" ${interface/v/} "ring_size = 256; big_tcp = true;"
done
interface vc "" a "ring_size = 256;"
interface vd "" b "ring_size = 256;"
worker 0 "join va vb" "join vc vd"
system_up || die "knit does not start"
address a va 10.7.0.1/24 fd07::1/64
address b vb 10.7.0.2/24 fd07::2/64
address a vc 10.8.0.1/24 fd08::1/64
address b vd 10.8.0.2/24 fd08::2/64
for at in "a va" "b vb" "a vc" "b vd"; do
	# shellcheck disable=SC2086 # two words
	check "carrier of ${at#* }" wait_for 10 has_carrier $at
done

check "the stack is told" sizes a va 196608
check "and for the others it is not" sizes a vc 65536
two_ways "long frames" big 7 vb va
two_ways "beside them, none" small 8 vd vc
if has_ipv4; then
	check "long frames, IPv4" big a:10.7.0.1 b:10.7.0.2 vb
	check "long frames, IPv4, the other way" big b:10.7.0.2 a:10.7.0.1 va
else
	check "of IPv4 this kernel has none" small a:10.7.0.1 b:10.7.0.2 vb
fi
check "a capture shows them" captured a:fd07::1 b:fd07::2 vb
mount -t debugfs none /sys/kernel/debug 2>/dev/null
if [ -d $FAULTS ]; then
	check "where memory is fragmented" in_single_pages a:fd07::1 b:fd07::2 vb
	flush_skbs
else
	echo "# no fault injection: pages of all sizes are there"
fi
ip -n a link set va gso_max_size 65536
check "ip link makes them short" small a:fd07::1 b:fd07::2 vb
ip -n a link set va gso_max_size 196608
check "and long again" big a:fd07::1 b:fd07::2 vb
check "not longer than they may be" too_big
for interface in va vb vc vd; do
	check "$interface lost nothing" no_losses $interface
done
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
check "unloads" unload_module
