#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Starts knit from config/demo.cfg, with the outside world in namespaces, until Ctrl-C. SMOKE=1
# tries what a user would try, prints a table and leaves with 0, or with 1 and the name of the step
# that failed.
#
#   netns left                    netns middle                    netns right
#   left0 10.77.1.2 -- knit -- kni-left 10.77.1.1
#                              kni-right 10.77.2.1 -- knit -- right0 10.77.2.2
set -u

here=$(dirname "$(readlink -f "$0")")
build=${KNIT_BUILD:-$here/../build}
cfg=$here/demo.cfg
prefix=knit-demo
smoke=${SMOKE:-}
# The programs of the build; where the demo is installed, those that are.
[ ! -d "$build" ] ||
	PATH=$build/primary:$build/secondary/worker:$build/secondary/control:$PATH
log=$(mktemp -d)
pids=()
made=()
ended=0
step="start"

die() {
	echo "demo: $step: $*" >&2
	exit 1
}

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds. What it says goes into the
# message if it does not.
wait_for() {
	local end=$((SECONDS + $1)) what=$2 why
	shift 2
	until why=$("$@" 2>&1 >/dev/null); do
		((SECONDS < end)) || die "no $what within the deadline${why:+: ${why##*$'\n'}}"
		kill -0 "${pids[0]:-$$}" 2>/dev/null ||
			die "knit-primary ended: $(tail -n 3 "$log/primary")"
		read -rt 0.05 <> <(:)
	done
	return 0 # not what the last read said
}

# What a primary leaves that was killed, and so could not remove it itself.
remove_remains() {
	awk '$3 == "hugetlbfs" { print $2 }' /proc/mounts | while read -r dir; do
		rm -f "$dir/${prefix}map_"*
	done
	rm -rf "/run/dpdk/$prefix" "/run/knit/$prefix"
}

# Keeps the exit code of the primary, which can be asked for once only.
wait_primary() {
	local status
	wait "${pids[0]}" 2>/dev/null
	status=$?
	[ $status -eq 127 ] || ended=$status
}

cleanup() {
	local code=$? pid ns
	trap '' INT TERM
	trap - EXIT
	touch "$log/stop"
	for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
	[ ${#pids[@]} -eq 0 ] || wait_primary
	for pid in "${pids[@]:1}"; do wait "$pid" 2>/dev/null; done
	[ "$ended" -le 128 ] || remove_remains
	for ns in "${made[@]}"; do ip netns del "$ns"; done
	case $code in
	0 | 130 | 143) ;;
	*) tail -n 15 "$log"/* >&2 ;;
	esac
	rm -rf "$log"
	exit $code
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a program again whenever it dies, as a service manager would. Asked to end, it ends it.
supervise() {
	local pid=
	trap 'kill -TERM $pid 2>/dev/null; wait $pid; exit' TERM
	trap '' INT
	while [ ! -e "$log/stop" ]; do
		"$@" >>"$log/$(basename "$1")" 2>&1 &
		pid=$!
		wait $pid
		case $? in
		0 | 2 | 5 | 6 | 126 | 127) break ;; # done, or no use in trying again
		esac
	done
}

show() { ip -n middle -o link show "$@"; }
far() { ip -n left -o link show left0; }
carrier() { show "$1" | grep -q LOWER_UP; }

start_all() {
	local ns
	[ "$(id -u)" = 0 ] || die "needs root"
	"$here/hugepages.sh" || die "no hugepages"
	for ns in left middle right; do
		ip netns add $ns || die "namespace $ns exists: is another demo running?"
		made+=("$ns")
		ip -n $ns link set lo up
	done
	if [ "$smoke" ]; then
		knit-primary --config "$cfg" >"$log/primary" 2>&1 &
	else
		knit-primary --config "$cfg" --status &
		touch "$log/primary"
	fi
	pids=($!)
	wait_for 20 "primary" test -e /run/knit/$prefix/control.args
	supervise knit-worker --prefix $prefix --id 0 &
	pids+=($!)
	supervise knit-control --prefix $prefix &
	pids+=($!)
}

# Interfaces go up through control, so this also shows that worker and control are there.
set_up_addresses() {
	local side n=0
	for side in left right; do
		n=$((n + 1))
		ip -n middle addr add 10.77.$n.1/24 dev kni-$side
		ip -n middle link set kni-$side up
		ip netns exec middle sysctl -qw net.ipv4.conf.kni-$side.forwarding=1
		wait_for 10 "carrier on kni-$side" carrier kni-$side
		# A tap port and its far end share an address; IPv6 would call that a duplicate.
		ip -n $side link set ${side}0 addrgenmode none
		ip -n $side addr add 10.77.$n.2/24 dev ${side}0
		ip -n $side link set ${side}0 up
		ip -n $side route add default via 10.77.$n.1
	done
	wait_for 10 "answer from left" ip netns exec middle ping -qc 1 -W 1 10.77.1.2
}

explain() {
	cat <<-END

	Up. In another terminal, as root:
	  ip netns exec left ping 10.77.1.1                 left host -> kernel interface
	  ip netns exec left ping 10.77.2.2                 left -> kernel's forwarding -> right
	  ip -n middle link set kni-left mtu 1400           the port follows: ip -n left link
	  ip netns exec middle tcpdump -ni kni-left         what the kernel sees
	  ip -n middle link set kni-left down               and up again
	  dpdk-telemetry.py -f $prefix                 then: /knit/worker,0
	  kill -9 \$(pgrep -f 'knit-worker --prefix $prefix')
	                                                    the interface stays, a new worker
	                                                    carries on
	Ctrl-C ends it.

	END
}

far_has() { far | grep -q "$1"; }
# A request that nobody must see refused: the kernel still shows the value after the port did.
request() { # WHAT PATTERN ARGS...
	local what=$1 pattern=$2
	shift 2
	ip -n middle link set kni-left "$@" || die "ip link set kni-left $*"
	wait_for 5 "$what at the port" far_has "$pattern"
	show kni-left | grep -q "$pattern" || die "the interface lost $what"
}
field() { # COMMAND FIELD
	echo "$1" | timeout 5 dpdk-telemetry.py -f $prefix | sed 's/[,{}]/\n/g' |
		sed -n "s/^ *\"$2\": *//p" | tail -n 1
}
port_promisc() { [ "$(field /knit/port,left promisc)" = "$1" ]; }

run_step() { # NAME COMMAND...
	step=$1
	shift
	local begin end
	begin=$(date +%s%3N)
	"$@" >/dev/null || die "failed: $*"
	end=$(date +%s%3N)
	printf '  %-44s ok  %5d ms\n' "$step" $((end - begin))
}
ping_from() { ip netns exec "$1" ping -qc 3 -i 0.05 -W 2 "$2"; }

smoke_steps() {
	local mac=02:00:00:00:77:01
	echo "knit demo, unattended:"
	run_step "ping left -> interface" ping_from left 10.77.1.1
	run_step "ping interface -> left" ping_from middle 10.77.1.2
	run_step "ping left -> right, kernel forwarding" ping_from left 10.77.2.2
	run_step "mtu 1400, port follows" request "the MTU" "mtu 1400" mtu 1400
	run_step "mtu 9000, port follows" request "the MTU" "mtu 9000" mtu 9000
	run_step "8000 byte ping left -> interface" \
		ip netns exec left ping -qc 2 -i 0.05 -s 8000 10.77.1.1
	run_step "mac, port follows" request "the address" "$mac" address $mac
	run_step "ping after it" ping_from left 10.77.1.1
	ip -n middle link set kni-left promisc on
	run_step "promisc on, port follows" wait_for 5 "promisc" port_promisc 1
	ip -n middle link set kni-left promisc off
	run_step "promisc off, port follows" wait_for 5 "promisc off" port_promisc 0
	ip -n middle link set kni-left down
	run_step "interface down, port follows" wait_for 5 "link down" far_down
	ip -n middle link set kni-left up
	run_step "interface up, port follows" wait_for 5 "carrier" carrier kni-left
	ip -n left route replace default via 10.77.1.1
	run_step "ping left -> right again" ping_from left 10.77.2.2
	step="end"
}
far_down() { far | grep -qv "[<,]UP[,>]"; }

start_all
set_up_addresses
if [ "$smoke" ]; then
	smoke_steps
	exit 0
fi
explain
wait_primary
exit "$ended"
