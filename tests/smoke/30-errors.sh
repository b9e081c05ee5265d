#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What can't work is refused at once: by one clear message, by an exit code of docs/RUNNING.md, and
# without a trace on the machine. The codes: 2 command line, 3 configuration, 4 something is missing
# on this machine, 5 no primary, 6 another version than the primary, 7 taken by a live process.
#
#   netns far                    primary                      netns near
#   left0 ---- port left ---- worker 0 to N ---- interface kni-left
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

PRIMARY=$KNIT_BUILD/primary/knit-primary
WORKER=$KNIT_BUILD/secondary/worker/knit-worker
CONTROL=$KNIT_BUILD/secondary/control/knit-control
SLOW=${KNIT_SLOW:-1}

# Reports once: exit code, message, no trace, and no more than 10 seconds (124), or KNIT_SLOW times
# that.
refused() # name, exit code, pattern, command...
{
	local name=$1 code=$2 pattern=$3 status before after
	shift 3

	# shellcheck disable=SC2119 # it has a default
	before=$(traces)
	timeout -k 3 $((10 * SLOW)) "$@" >"$TMP/refused" 2>&1
	status=$?
	# shellcheck disable=SC2119
	after=$(traces)
	{
		echo "== $name: $*"
		cat "$TMP/refused"
	} >>"$TMP/refused.log"
	if [ $status -ne "$code" ]; then
		not_ok "$name" "exit code $status instead of $code"
	elif ! grep -Eq "$pattern" "$TMP/refused"; then
		not_ok "$name" "no line like: $pattern"
	elif [ "$before" != "$after" ]; then
		after=$(diff <(echo "$before") <(echo "$after") | grep '^[<>]')
		not_ok "$name" "it left a trace: ${after//$'\n'/ }"
	else
		ok "$name"
	fi
}

refused_config() # name, exit code, pattern
{
	write_config
	refused "$1" "$2" "$3" "$PRIMARY" --config "$TMP/knit.cfg"
}

new_config()
{
	SETTINGS=()
	PORTS=""
	INTERFACES=""
	WORKERS=""
	WORKER_IDS=()
	N_TAPS=0
}

# The usual one, which works.
sound_config()
{
	new_config
	tap_port left far
	interface kni-left left near
	worker 0 "punt left"
	write_config
}

# In a mount namespace of its own, where the shell commands took something away.
refused_without() # name, pattern, shell commands[, exit code]
{
	refused "$1" "${4:-4}" "$2" unshare --mount --propagation private \
		sh -c "$3"' && exec "$@"' sh "$PRIMARY" --config "$TMP/knit.cfg"
}

command_lines()
{
	refused "primary: unknown option" 2 "unrecognized option '--frob'" "$PRIMARY" --frob
	refused "primary: no configuration named" 2 "^knit-primary: --config FILE" "$PRIMARY"
	refused "primary: log level without a type" 2 \
		"^knit-primary: --log-level: found \"debug\": TYPE:LEVEL is expected" \
		"$PRIMARY" --log-level debug --config "$TMP/knit.cfg"
	refused "primary: no such log level" 2 "found \"knit.port:loud\"" \
		"$PRIMARY" --log-level knit.port:loud --config "$TMP/knit.cfg"
	refused "worker: unknown option" 2 "unrecognized option '--frob'" "$WORKER" --frob
	refused "worker: no id" 2 "^knit-worker: --id is missing" "$WORKER" --prefix "$PREFIX"
	refused "worker: id is not a number" 2 "^knit-worker: --id: found \"7x\"" \
		"$WORKER" --prefix "$PREFIX" --id 7x
	refused "control: unknown option" 2 "unrecognized option '--frob'" "$CONTROL" --frob
	refused "control: prefix is no name" 2 "^knit-control: --prefix: .* found no/name" \
		"$CONTROL" --prefix no/name
	refused "worker: prefix is no name" 2 "^knit-worker: --prefix: " \
		"$WORKER" --prefix no/name --id 0
}

configurations()
{
	local at=$TMP/knit.cfg

	refused "configuration: no such file" 3 "nowhere.cfg" "$PRIMARY" --config "$TMP/nowhere.cfg"
	sound_config
	sed -i 's/punt/punch/' "$at"
	refused "configuration: value that is not allowed" 3 \
		"^$at:[0-9]+: workers.\[0\].forward.\[0\].mode: found \"punch\"" "$PRIMARY" \
			--config "$at"
	sound_config
	sed -i 's/rx_desc/rx_dsec/' "$at"
	refused "configuration: unknown key" 3 \
		"^$at:[0-9]+: ports.\[0\].rx_dsec: found an unknown key: did you mean \"rx_desc\"" \
		"$PRIMARY" --config "$at"
	sound_config
	sed -i 's/lcore = 1;/lcore = 0;/' "$at"
	refused "configuration: lcore id used twice" 3 "^$at:[0-9]+: workers.\[0\].lcore: " \
		"$PRIMARY" --config "$at"
	sound_config
	echo 'ports = (' >>"$at"
	refused "configuration: syntax" 3 "^$at:[0-9]+: " "$PRIMARY" --config "$at"

	new_config
	port ring net_ring0
	interface kni-left ring near
	worker 0 "punt ring"
	worker 1 "punt ring"
	refused_config "configuration: two workers on net_ring" 3 "net_ring"
}

machine()
{
	local as_nobody

	sound_config
	# shellcheck disable=SC2016 # $3 and $2 are of awk, quoted for the inner shell
	refused_without "no hugetlbfs" "no hugetlbfs is mounted" \
		'awk "\$3 == \"hugetlbfs\" { print \$2 }" /proc/mounts | xargs -r -n 1 umount -l'
	refused_without "no free hugepages" "no free hugepages" \
		"mount -t tmpfs none /sys/kernel/mm/hugepages"
	[ "$ENGINE" != tap ] || refused_without "no /dev/net/tun" "/dev/net/tun: No such file" \
		"mount -t tmpfs none /dev/net"

	refused "unknown hand-over in the environment" 4 \
		"^KNIT_HANDOVER=threads: unknown; auto, inline or thread is allowed" \
		env KNIT_HANDOVER=threads "$PRIMARY" --config "$TMP/knit.cfg"

	ENGINE=kmod sound_config
	refused_without "no kernel module" "modprobe rte_kni" "mount -t tmpfs none /dev"
	# As any file would, a module of another ABI does not know the first question.
	refused_without "another kernel module" "/dev/kni is not knit's" \
		"mount -t tmpfs none /dev && echo >/dev/kni" 6
	sound_config

	new_config
	setting mempool "data_room = 4096;"
	ENGINE=auto interface big-left "" near "big_tcp = true;"
	ENGINE=auto interface big-right "" far "big_tcp = true;"
	worker 0 "join big-left big-right"
	write_config
	refused_without "BIG TCP and no kernel module" \
		"interface big-left: big_tcp needs the module" \
		"mount --bind /dev/null /dev/kni 2>/dev/null || true"
	refused "BIG TCP on the tap engine" 4 \
		"interface big-left: big_tcp is not for the tap engine" \
		env KNIT_ENGINE=tap "$PRIMARY" --config "$TMP/knit.cfg"
	sound_config

	chmod 755 "$TMP"
	chmod 644 "$TMP/knit.cfg"
	cp "$PRIMARY" "$TMP/primary"
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	refused "no permission" 4 "no permission" "${as_nobody[@]}" "$TMP/primary" --config \
		"$TMP/knit.cfg"

	new_config
	setting eal "memory = 1048576;"
	tap_port left far
	interface kni-left left near
	worker 0 "punt left"
	refused_config "more memory than there is" 4 "1048576 MiB"
}

devices()
{
	local driver

	sound_config
	ip -n near tuntap add dev kni-left mode tap
	refused_config "name of the interface is taken" 4 "kni-left"
	ip -n near link del kni-left
	ip -n near tuntap add dev kni-left mode tap multi_queue
	refused_config "name of the interface is taken by a tap like ours" 4 "kni-left"
	ip -n near link del kni-left
	ip -n far link add left0 type veth peer name left1
	refused_config "name of the port's device is taken" 4 "left"
	ip -n far link del left0

	new_config
	tap_port left nowhere
	interface kni-left left near
	worker 0 "punt left"
	refused_config "no such namespace, port" 4 "nowhere"
	new_config
	tap_port left far
	interface kni-left left nowhere
	worker 0 "punt left"
	refused_config "no such namespace, interface" 4 "nowhere"
	new_config
	port left 0000:ff:1f.7
	interface kni-left left near
	worker 0 "punt left"
	refused_config "no such PCI device" 4 "port left: there is no PCI device 0000:ff:1f.7"
	new_config
	port left net_frob0
	interface kni-left left near
	worker 0 "punt left"
	refused_config "no such driver" 4 "port left: device net_frob0 can't be made"
	# Older kernels let no AF_PACKET socket join others on a device that is down.
	ip -n far link add v0 type veth peer name v1
	ip -n far link set v0 up
	for driver in net_af_packet net_af_xdp; do
		new_config
		port left ${driver}0,iface=v0 far
		interface kni-left left near
		worker 0 "punt left"
		refused_config "driver that no worker can use: $driver" 4 \
			"port left: driver $driver moves packets in the process that made"
	done
	ip -n far link del v0
	stub_driver || {
		new_config
		port left net_ring0
		interface kni-left left near
		worker 0 "punt left"
		refused_config "driver that no worker can use: net_ring" 4 \
			"port left: driver net_ring moves packets in the process that made"
	}
	new_config
	port left "net_vhost0,iface=$TMP/vhost.sock"
	interface kni-left left near
	worker 0 "punt left"
	refused_config "driver that no worker can use: net_vhost" 4 \
		"port left: driver net_vhost moves packets in the process that made"
}

# What each process opens by itself must be the same thing in each.
opened_by_name()
{
	new_config
	port left net_pcap0,iface=v0 far
	interface kni-left left near
	worker 0 "punt left"
	refused_config "net_pcap in a namespace that workers are not in" 3 \
		'ports.\[0\].netns: found "far": none is expected'
	new_config
	port left "net_pcap0,rx_pcap=/$(printf 'd%.0s' {1..40}),tx_pcap=/$(printf 'd%.0s' {1..40})"
	interface kni-left left near
	worker 0 "punt left"
	refused_config "net_pcap with more arguments than workers get" 3 \
		"ports.\[0\].device: .* at most 63 characters"
	ip link add v0 type veth peer name v1
	ip link set v0 up
	new_config
	port left net_pcap0,iface=v0
	interface kni-left left near
	worker 0 "punt left"
	write_config
	start_primary
	start_worker 0
	ok "net_pcap: a worker in the primary's network namespace attaches"
	stop worker0
	refused "worker of net_pcap in another network namespace" 4 \
		"port left: net_pcap0,iface=v0: each process opens it by name, .* another network" \
		ip netns exec far "$WORKER" --prefix "$PREFIX" --id 0
	system_down
	mv "$TMP/primary.log" "$TMP/pcap.log"
	ip link del v0
}

queues()
{
	local id

	new_config
	tap_port left far
	interface kni-left left near
	for id in 0 1 2 3 4; do
		worker $id "punt left"
	done
	refused_config "five workers on a net_tap port" 4 \
		"port left: 5 workers .* has 4 receive queues"
	new_config
	tap_port left far 'tx_queues = 5;'
	interface kni-left left near
	worker 0 "punt left"
	refused_config "more transmit queues than a net_tap port has" 4 \
		"port left: tx_queues: found 5: driver net_tap has 4"
	new_config
	tap_port left far 'tx = "fast"; mtu = 2027;'
	interface kni-left left near 'max_mtu = 9000;'
	worker 0 "punt left"
	refused_config "an MTU that an mbuf does not hold" 4 \
		'port left: mtu 2027: tx = "fast" and mempool.data_room 2048 allow at most 2026'
	new_config
	tap_port left far 'rx_spread = "none";'
	interface kni-left left near
	worker 0 "punt left"
	worker 1 "punt left"
	refused_config "two workers on a port that does not spread" 3 "left"
}

secondaries_alone()
{
	refused "worker without a primary" 5 "no primary with prefix \"$PREFIX\"" \
		timeout "$SLOW" "$WORKER" --prefix "$PREFIX" --id 0
	refused "control without a primary" 5 "no primary with prefix \"$PREFIX\"" \
		timeout "$SLOW" "$CONTROL" --prefix "$PREFIX"
}

# The file that the primary wrote for worker 1, changed for one start.
refused_args() # name, pattern, sed expression[, exit code]
{
	cp -p "$RUN/worker-1.args" "$TMP/args"
	sed -i "$3" "$RUN/worker-1.args"
	refused "$1" "${4:-6}" "$2" "$WORKER" --prefix "$PREFIX" --id 1
	cp -p "$TMP/args" "$RUN/worker-1.args"
}

beside_a_primary()
{
	local stack=(/usr/lib/*/dpdk/pmds-*/librte_mempool_stack.so)

	new_config
	tap_port left far
	interface kni-left left near
	worker 0 "punt left"
	worker 1 "punt left"
	write_config
	start_primary
	start_worker 0
	start_control
	refused "second primary" 7 "prefix \"$PREFIX\"" "$PRIMARY" --config "$TMP/knit.cfg"
	refused "second control" 7 "control is running already: process ${PID[control]}" \
		"$CONTROL" --prefix "$PREFIX"
	refused "second worker of a domain" 7 \
		"worker 0 is running already: process ${PID[worker0]}" \
		"$WORKER" --prefix "$PREFIX" --id 0
	refused "worker that is not configured" 2 "no such worker" "$WORKER" --prefix "$PREFIX" \
		--id 9
	refused_args "other DPDK version" "DPDK.* 17.11" 's/^dpdk .*/dpdk DPDK 17.11.0/'
	refused_args "other ABI version" "99" 's/^abi .*/abi 99/'
	refused_args "worker's CPU is absent" \
		"^knit: worker 1: found CPU 0,1000 .*: CPU 1000 is absent or offline" \
		's/^arg --lcores=.*/arg --lcores=2@(0,1000)/' 4
	check "worker's CPU is absent: one line" [ "$(wc -l <"$TMP/refused")" -eq 1 ]
	refused "other order of mempool drivers" 6 "mempool driver number" \
		"$WORKER" --prefix "$PREFIX" --id 1 -- -d "${stack[0]}"
	check "the primary is as it was" field_is /knit/info pid "${PID[primary]}"
	check "its worker is as it was" worker_serves 0
	check "its control is as it was" control_serves
	start_worker 1
	ok "and takes the worker that fits"
	system_down
	check "primary ends with 0" [ $STATUS -eq 0 ]
	check "all mbufs are accounted for" conserved
}

netns far near
command_lines
configurations
machine
devices
opened_by_name
queues
secondaries_alone
beside_a_primary
