#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An application that knows only rte_kni.h and DPDK, on the tap engine or the module.
#
#      kernel                      knit-legacy-app
#   +-----------+  rx_q, tx_q  +------------------------+
#   |   vEth0   |--------------| reflects ARP, ICMP, UDP|  parent
#   | 10.9.0.1  |  requests    +------------------------+
#   |           |--------------| callbacks              |  parent, or a forked child
#   +-----------+              +------------------------+
#
# KNIT_LEGACY_APP is another build of the application. With the argument selftest it does no more
# than to try every return value of rte_kni.h.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"

APP=${KNIT_LEGACY_APP:-$KNIT_BUILD/tests/knit-legacy-app}
EAL=(--file-prefix "$PREFIX" --no-pci -l 0 -m 128 --log-level knit.*:debug)
export KNIT_ENGINE=${KNIT_ENGINE_UNDER_TEST:-tap}
ulimit -c 0

with_commands()
{
	exec "$@" <"$TMP/commands" 9>&-
}

# The application's stdin is a pipe that stays open; its stdout is a log.
run_app() # options...
{
	rm -f "$TMP/commands"
	mkfifo "$TMP/commands"
	: >"$TMP/app.log"
	start app with_commands "$APP" "${EAL[@]}" -- --name vEth0 "$@"
	exec 9>"$TMP/commands"
	wait_for 20 logged "ready vEth0" || die "application did not start"
}

logged() # line
{
	grep -q "^$1" "$TMP/app.log"
}

said() # seconds, line: polls
{
	wait_for "$1" logged "$2"
}

tell() # command
{
	echo "$*" >&9
}

quit_app()
{
	tell quit
	exec 9>&-
	wait_for 10 ended app
	stop app
}

link_shows() # pattern
{
	ip -d link show vEth0 | grep -q -- "$1"
}

stays() # pattern: for a second
{
	! wait_for 1 not link_shows "$1"
}

not()
{
	! "$@"
}

# A datagram through the interface and back: the kernel's checksum must be complete, and so must
# ours.
udp_echo()
{
	local answer

	exec 8<>/dev/udp/10.9.0.2/7 || return 1
	echo "hello knit" >&8
	answer=$(timeout 5 dd bs=256 count=1 status=none <&8)
	exec 8>&-
	[ "$answer" = "hello knit" ]
}

# Every one answered, and by itself: a lost wake-up shows as an answer that the next request brings
# along.
pings() # how many
{
	ping -c "$1" -i 0.5 -W 2 10.9.0.2 | tee -a "$TMP/check.log" | awk -v want="$1" '
	/time=/ { sub(/.*time=/, ""); if ($1 < 400) n++ }
	END { exit n != want }'
}

requests() # who handles
{
	local by=$1

	ip link set vEth0 up
	check "$by: up" said 5 "event link 1 port 5"
	ip link set vEth0 mtu 1400
	check "$by: mtu" said 5 "event mtu 1400 -> 0 port 5"
	check "$by: mtu stays" stays "mtu 1400"
	ip link set vEth0 mtu 9100
	check "$by: mtu is refused" said 5 "event mtu 9100 -> -22"
	check "$by: refused mtu rolled back" wait_for 5 link_shows "mtu 1400"
	check "$by: roll-back is not a request" stays "mtu 1400"
	ip link set vEth0 address 02:00:00:00:00:77
	check "$by: mac" said 5 "event mac 02:00:00:00:00:77 -> 0"
	ip link set vEth0 promisc on
	check "$by: promisc on" said 5 "event promisc 1"
	ip link set vEth0 promisc off
	check "$by: promisc off" said 5 "event promisc 0"
	ip link set vEth0 allmulticast on
	check "$by: allmulti on" said 5 "event allmulti 1"
	ip link set vEth0 allmulticast off
	check "$by: allmulti off" said 5 "event allmulti 0"
}

carrier_and_traffic()
{
	check "no carrier before update_link" link_shows NO-CARRIER
	check "GSO frames are limited" link_shows "gso_max_segs 256"
	tell link 1
	check "update_link tells the state before" said 5 "link previous 0"
	check "carrier is on" wait_for 5 link_shows LOWER_UP
	ip addr add 10.9.0.1/24 dev vEth0
	check "ping is answered" pings 3
	check "ping of a full frame" ping -c 2 -i 0.2 -W 2 -s 1372 -M "do" 10.9.0.2
	check "udp is answered" udp_echo
	tell stats
	check "frames carry no offloads, chains or open checksums" \
		said 5 "stats reflected [1-9][0-9]* other [0-9]* bad_csum 0 offloads 0 chains 0"
	tell link 0
	check "carrier is off" wait_for 5 link_shows NO-CARRIER
}

down_and_out() # who
{
	ip link set vEth0 down
	check "$1: down" said 5 "event link 0"
	tell link 1
	check "$1: update_link while down" said 5 "link previous -1"
	quit_app
	check "$1: clean exit" [ "$STATUS" -eq 0 ]
	check "$1: release" logged "release 0"
	check "$1: all mbufs are back" logged "mbufs in use 0"
	check "$1: interface is gone" not ip link show vEth0
	check "$1: no errors" not logged error
}

check selftest start selftest "$APP" "${EAL[@]}" --vdev net_null0 --vdev net_ring0 \
	--vdev net_tap0,iface=phy0 -- --selftest
wait_for 90 ended selftest
stop selftest
grep -E "^(ok|not ok) " "$TMP/selftest.log" | sed "s/^\(ok\|not ok\) /&$TEST: selftest: /"
grep -q "^not ok" "$TMP/selftest.log" && FAILED=$((FAILED + 1))
check "an absent CPU is named" grep -q "CPU 1023" "$TMP/selftest.log"
check "a pool that ran short is told once" \
	[ "$(grep -c "mempool few had no mbufs left" "$TMP/selftest.log")" -eq 1 ]
check "selftest ran to its end" [ "$STATUS" -eq 0 ]
check "selftest left no interface" [ "$(ip -o link | wc -l)" -eq 1 ]
[ "${1:-}" != selftest ] || exit 0

run_app
requests parent
carrier_and_traffic
down_and_out parent

run_app --refuse-mac
mac=$(cat /sys/class/net/vEth0/address)
ip link set vEth0 address 02:00:00:00:00:78
check "refused mac is asked" said 5 "event mac 02:00:00:00:00:78 -> -1"
check "refused mac rolled back" wait_for 5 link_shows "$mac"
quit_app

run_app --requests-in-child
check "child registers" said 5 "child [0-9]* handles requests"
requests child
tell child link 1
check "update_link in the child" said 5 "child link previous 0"
check "carrier follows the child" wait_for 5 link_shows LOWER_UP
ip addr add 10.9.0.1/24 dev vEth0
check "ping while the child handles requests" pings 3
tell bursts 0
said 5 "bursts 0"
tell child bursts 1
check "child does the bursts" said 5 "child bursts 1"
check "ping while the child does the bursts" pings 3
tell child bursts 0
said 5 "child bursts 0"
tell bursts 1
check "ping with the parent's bursts again" pings 1
child=$(sed -n 's/^child \([0-9]*\) handles.*/\1/p' "$TMP/app.log")
kill -KILL "$child"
ip link set vEth0 mtu 1300
check "parent takes over from the killed child" \
	wait_for 5 grep -q "handles requests again" "$TMP/app.log"
check "mtu stays without callbacks" stays "mtu 1300"
check "ping after the child was killed" pings 1

# A DPDK secondary, which shares no file descriptor with the application. It is asked nothing by the
# parent.
mkfifo "$TMP/secondary"
secondary()
{
	exec "$APP" --file-prefix "$PREFIX" --proc-type secondary --no-pci -l 1 -- \
		--name vEth0 <"$TMP/secondary"
}
start secondary secondary
exec 7>"$TMP/secondary"
says_twice() # line
{
	[ "$(grep -c "^$1" "$TMP/app.log")" -eq 2 ]
}
says2() # line
{
	grep -q "^$1" "$TMP/secondary.log"
}
check "secondary registers" wait_for 20 says2 "child [0-9]* handles requests"
check "secondary is told everything" wait_for 5 says2 "event mtu 1300 -> 0"
ip link set vEth0 mtu 9100
check "secondary refuses an mtu" wait_for 5 says2 "event mtu 9100 -> -22"
check "mtu refused by the secondary rolled back" wait_for 5 link_shows "mtu 1300"
echo "link 0" >&7
check "update_link in the secondary" wait_for 5 says2 "child link previous 1"
check "carrier follows the secondary" wait_for 5 link_shows NO-CARRIER
echo "link 1" >&7
check "carrier is on again" wait_for 5 link_shows LOWER_UP
tell bursts 0
check "the parent leaves the bursts alone" wait_for 5 says_twice "bursts 0"
echo "bursts 1" >&7
check "secondary does the bursts" wait_for 5 says2 "child bursts 1"
check "ping while the secondary does the bursts" pings 3
echo quit >&7
exec 7>&-
wait_for 10 ended secondary
stop secondary
check "secondary exits" [ "$STATUS" -eq 0 ]
tell bursts 1
quit_app
check "release after all that" logged "release 0"
