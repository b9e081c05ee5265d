#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Workers on virtio-net are killed again and again at random moments, with packets on their way both
# ways. The device is initialised anew each time, and the primary goes on.
#   23-virtio-kill.sh KIND WORKERS     the NICs are the pair of that kind:
#     modern  the first one
#     legacy  the second one, older than virtio 1.0: on uio_pci_generic, since DPDK's virtio does
#             not give secondaries such a device by vfio-pci
#     packed  the third one, with packed rings, whose frames have one mbuf: DPDK's virtio sends
#             wrong descriptors for others
#     bare    the fourth one, without any checksum offload
# KNIT_SEED repeats the moments of an earlier run; KNIT_KILLS is the number of kills, 6 if not set.
#
#   netns far                                         netns near
#   left0 (e1000) ===wire=== virtio-net: port left -+ worker 0 +- kni-left
#   10.7.1.2, .102, .103, ...                       + worker 1 +  10.7.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$ROOT/tests/smoke/_system.sh"
# shellcheck source=tests/smoke/_pci.sh
. "$ROOT/tests/smoke/_pci.sh"
# shellcheck source=tests/smoke/_life.sh
. "$ROOT/tests/smoke/_life.sh"
# shellcheck source=tests/smoke/_kill.sh
. "$ROOT/tests/smoke/_kill.sh"

KILLS=${KNIT_KILLS:-6}
FIRST=$((KILLS < 3 ? KILLS : 3)) # from then on nothing may grow
MAC=02:4b:4e:49:54:07
HOSTS="102 103 104 105 106 107"

now_ms()
{
	echo $((${EPOCHREALTIME/./} / 1000))
}

# One worker, or both at once.
choose_victims()
{
	VICTIMS=("worker-$((RANDOM % N_WORKERS))")
	if [ "$N_WORKERS" -eq 2 ] && [ $((RANDOM % 4)) -eq 0 ]; then
		VICTIMS=(worker-0 worker-1)
	fi
}

kill_all()
{
	local n from far near

	for ((n = 1; n <= KILLS; n++)); do
		choose_victims
		from=$(now_ms)
		kill_some "${VICTIMS[@]}" ||
			die "kill $n (seed $SEED): ${VICTIMS[*]} does not come back"
		ATTACHED+=($(($(now_ms) - from)))
		from=$(now_ms)
		far=$(received far left0)
		near=$(received near kni-left)
		wait_for 5 grown "$far" "$near"
		BACK+=($(($(now_ms) - from)))
		flood_flows 5 ||
			die "kill $n (seed $SEED): no traffic after ${VICTIMS[*]} came back"
		DEATHS=$((DEATHS + ${#VICTIMS[@]}))
		ended primary && die "kill $n (seed $SEED): primary ended"
		if [ "$n" -eq $FIRST ]; then
			resources
			BEFORE="$FDS $MAPS $HUGE $MEMZONES $HEAP"
		fi
	done
}

spread() # numbers: the smallest, the median, the largest
{
	printf '%s\n' "$@" | sort -n |
		awk '{ v[NR] = $1 } END { print v[1], v[int((NR + 1) / 2)], v[NR] }'
}

# What the primary logs of each reset.
reset_times()
{
	sed -n 's/.*domain reset, .* \([0-9]*\) ms after the death.*/\1/p' "$TMP/primary.log"
}

all_reset()
{
	local id sum=0

	for id in "${WORKER_IDS[@]}"; do
		sum=$((sum + $(field "/knit/worker,$id" resets)))
	done
	[ $sum -eq $DEATHS ]
}

all_forward()
{
	local id

	for id in "${WORKER_IDS[@]}"; do
		field_over "/knit/worker,$id" punted 0 || return 1
		field_over "/knit/worker,$id" injected 0 || return 1
	done
}

# But for /dev/uioN: the primary keeps each worker's, see bus_master.h.
nothing_grew()
{
	local fds maps huge memzones heap kept=2

	[ -z "${PCI_DRIVER:-}" ] || kept=$((2 + DEATHS))
	resources
	read -r fds maps huge memzones heap <<<"$BEFORE"
	echo "# fds $fds to $FDS, maps $maps to $MAPS, hugepages $huge to $HUGE, memzones" \
		"$memzones to $MEMZONES, heap $heap to $HEAP bytes"
	at_most "$FDS" $((fds + kept)) && at_most "$MAPS" $((maps + DEATHS)) &&
		at_most "$HUGE" "$huge" && at_most "$MEMZONES" "$memzones" &&
		at_most "${HEAP:-0}" $((${heap:-0} + DEATHS * 2048))
}

[ $# -eq 2 ] || die "usage: $0 modern|legacy|packed WORKERS"
N_WORKERS=$2
TEST+=" $1 $2"
DEATHS=0
ATTACHED=()
BACK=()
case $1 in
legacy) N_PCI=1 IOVA=pa PCI_DRIVER=uio_pci_generic ;;
packed)
	N_PCI=2
	setting mempool "data_room = 4352;"
	;;
bare) N_PCI=3 ;;
esac
netns far near
pci_port left far 'link_poll = 10;'
interface kni-left left near
worker 0 "punt left"
[ "$N_WORKERS" -eq 1 ] || worker 1 "punt left"
write_config
start_primary
for id in "${WORKER_IDS[@]}"; do
	supervise "worker-$id" knit-worker --id "$id"
done
start_control
connect_far_near
for host in $HOSTS; do
	ip -n far addr add "10.7.1.$host/24" dev left0
done
# Three things that a device forgets when it is initialised: a macvlan has the third.
check "MAC address" ip -n near link set kni-left address $MAC
ip -n far link set left0 mtu 4000
check "MTU" ip -n near link set kni-left mtu 4000
check "MTU: port follows" wait_for 10 field_is /knit/port,left mtu 4000
ip -n near link add link kni-left name second type macvlan mode bridge
address near second 10.7.2.1/24
ip -n far addr add 10.7.2.2/24 dev left0
check "a second address: ping" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 10.7.2.1
check "ping" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 10.7.1.1
SHOWN=$(shown near kni-left)
start monitor ip -n near -o monitor link address
start flood-near flood near 10.7.1.2
start flood-far flood far 10.7.1.1
for host in $HOSTS; do
	start "flood-$host" flood far 10.7.1.1 -l 8 -I "10.7.1.$host"
done
echo "# seed $SEED"
kill_all
ok "traffic after each of $KILLS kills (seed $SEED)"
# shellcheck disable=SC2046 # one word for each
echo "# milliseconds, least, median, most: from a death to its reset $(spread $(reset_times))," \
	"to the new worker $(spread "${ATTACHED[@]}")," \
	"from there to packets both ways $(spread "${BACK[@]}")"
check "the primary goes on" kill -0 "${PID[primary]}"
check "every death was a reset" all_reset
check "all workers forward, both ways" wait_for 10 all_forward
check "nothing grows" nothing_grew
check "index, addresses, MTU and flags of the interface are those of before" \
	unchanged_since "$SHOWN" shown near kni-left
check "the kernel never saw a change of the interface" quiet "$TMP/monitor.log" kni-left
touch "$TMP/enough"
check "long frames" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 -M "do" -s 3900 \
	10.7.1.1
check "a second address: ping after the kills" \
	wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 5 10.7.2.1
stop control
end_supervised
stop primary
check "primary ends with 0" [ $STATUS -eq 0 ]
check "all mbufs are accounted for" conserved
