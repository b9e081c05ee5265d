#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# 32 interfaces with a pair each in one primary, with one engine thread for all (kthread_mode
# single) and with one for each (multiple), and where these threads may run.
#
#   single:    netns a                                          netns b
#              ka0 ... ka15 --------- worker 0: joined -------- kb0 ... kb15
#              10.<i>.0.1                                       10.<i>.0.2
#
#   multiple:  netns far                                        netns near
#              p0 ... p31 --- 32 net_tap ports --- worker 0 --- k0 ... k31
#              10.<i>.0.2                                       10.<i>.0.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

# Where threads run whose interface names no CPU: the configuration's tap.cpus, or all.
OTHERS=0
[ "$ENGINE" = tap ] || OTHERS=$(cat /sys/devices/system/cpu/possible)

# One line "NAME CPUS" for each engine thread: of the primary, or of the kernel.
engine_threads()
{
	local task name tasks=(/proc/"${PID[primary]}"/task/*)

	[ "$ENGINE" = tap ] || tasks=(/proc/[0-9]*)
	for task in "${tasks[@]}"; do
		read -r name 2>/dev/null <"$task/comm" || continue
		[[ $name == knit-tap* || $name == kni_* ]] || continue
		awk '/^Name:/ { name = $2 } /^Cpus_allowed_list:/ { print name, $2 }' "$task/status"
	done
}

# The module's parameter says it, whatever the configuration does.
kthread_mode() # single or multiple
{
	setting tap "kthread_mode = \"$1\"; cpus = \"0\";"
	[ "$ENGINE" = tap ] && return
	wait_for 5 rmmod rte_kni &&
		insmod "${KNIT_MODULE:-$KNIT_BUILD/kmod/kni/rte_kni.ko}" "kthread_mode=$1" ||
		die "the module can't be loaded with kthread_mode=$1"
}

threads() # number
{
	[ "$(engine_threads | wc -l)" -eq "$1" ]
}

threads_on() # cpus, number
{
	[ "$(engine_threads | grep -c " $1\$")" -eq "$2" ]
}

# How many of 10.<i>.0.<host> answer, all asked at once.
# Without -w ping would not wait for the third reply longer than for twice the slowest before.
answers() # netns, number of interfaces, host
{
	local i

	rm -f "$TMP"/ping-*.log
	for ((i = 0; i < $2; i++)); do
		in_ns "$1" ping -q -c 3 -i 0.05 -w 5 "10.$i.0.$3" >"$TMP/ping-$i.log" &
	done
	for ((i = 0; i < $2; i++)); do
		wait_for 10 grep -q "received" "$TMP/ping-$i.log"
	done
	[ "$(grep -lE " ([3-9]|[1-9][0-9]+) received" "$TMP"/ping-*.log | wc -l)" -eq "$2" ]
}

all_up() # netns, prefix of devices, number
{
	[ "$(ip -n "$1" -o link show up | grep -c " $2[0-9]*: .*LOWER_UP")" -eq "$3" ]
}

clear_config()
{
	PORTS=""
	INTERFACES=""
	WORKERS=""
	WORKER_IDS=()
	SETTINGS=()
	N_TAPS=0
}

single()
{
	local i rules=()

	clear_config
	kthread_mode single
	for i in {0..15}; do
		interface "ka$i" "" a
		interface "kb$i" "" b
		rules+=("join ka$i kb$i")
	done
	worker 0 "${rules[@]}"
	system_up
	for i in {0..15}; do
		address a "ka$i" "10.$i.0.1/24"
		address b "kb$i" "10.$i.0.2/24"
	done
	check "single: carriers of all" wait_for 10 all_up a ka 16
	check "single: carriers of the others" wait_for 10 all_up b kb 16
	check "single: one thread" threads 1
	check "single: on its CPU" threads_on "$OTHERS" 1
	check "single: all answer" answers a 16 2
	check "single: all answer the others" answers b 16 1
	check "single: worker forwarded" field_over /knit/worker,0 xconnect 150
	check "single: 32 in telemetry" [ "$(telemetry_names)" -eq 32 ]
	check "single: requests of the last" mtu_follows b kb15
	system_down
	check "single: primary ends well" [ "$STATUS" -eq 0 ]
	check "single: interfaces are gone" [ "$(ip -n a -o link | wc -l)" -eq 1 ]
}

telemetry_names()
{
	telemetry /knit/interfaces |
		grep -o '"k[a-z]*[0-9]*"' | wc -l
}

# Without a port nothing can refuse: it is answered and stays.
mtu_follows() # netns, interface
{
	local answered

	answered=$(field "/knit/interface,$2" requests_answered)
	ip -n "$1" link set "$2" mtu 2000
	wait_for 5 field_over "/knit/interface,$2" requests_answered "$answered" &&
		grep -q "mtu 2000 " <(ip -n "$1" link show "$2")
}

multiple()
{
	local i rules=()

	clear_config
	kthread_mode multiple
	for i in {0..31}; do
		port "p$i" "net_tap$i,iface=p$i" far "rx_desc = 16; tx_desc = 32;"
		interface "k$i" "p$i" near "ring_size = 128; core = $((i % 4 ? -1 : LAST_CPU));"
		rules+=("punt p$i")
	done
	setting mempool "extra = 1024;"
	worker 0 "${rules[@]}"
	system_up
	for i in {0..31}; do
		address near "k$i" "10.$i.0.1/24"
		address far "p$i" "10.$i.0.2/24"
	done
	check "multiple: carriers of all" wait_for 10 all_up near k 32
	check "multiple: a thread for each" threads 32
	check "multiple: cores that were given" threads_on "$LAST_CPU" $((LAST_CPU ? 8 : 32))
	check "multiple: the others' CPU" threads_on "$OTHERS" $((LAST_CPU ? 24 : 32))
	check "multiple: all answer" answers far 32 1
	check "multiple: all answer the other way" answers near 32 2
	ip -n near link set k31 mtu 2000
	check "multiple: requests of the last" wait_for 5 field_is /knit/port,p31 mtu 2000
	check "multiple: others' ports stay" field_is /knit/port,p30 mtu 1500
	system_down
	check "multiple: primary ends well" [ "$STATUS" -eq 0 ]
	check "multiple: interfaces are gone" [ "$(ip -n near -o link | wc -l)" -eq 1 ]
	check "multiple: all buffers are accounted for" \
		grep -q "domain 0: \([0-9]*\) of \1 mbufs" "$TMP/primary.log"
}

netns a b far near
single
multiple
