# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Sourced after _init.sh by tests that run the whole of knit:
#   . "$(dirname "$0")/_init.sh"
#   . "$(dirname "$0")/_system.sh"
#
# A configuration is collected and then started:
#   setting SECTION TEXT           text for eal, mempool, tap or control: setting tap 'cpus = "0";'
#   IOVA                           va, or what else the key takes
#   ATTACH_TIMEOUT                 seconds, if not 30
#   port NAME DEVICE [NETNS] [TEXT]           a port
#   tap_port NAME NETNS [TEXT]     a net_tap port whose far end is NAME0 in NETNS; with
#                                  KNIT_PORTS_UNDER_TEST=pci, which PORT_KIND tells, a NIC whose
#                                  far end is another one
#   interface NAME PORT [NETNS] [TEXT]        PORT may be ""
#   worker ID RULE...              on the last CPU; RULE: "punt PORT", "xconnect PORT PORT",
#                                  "join INTERFACE INTERFACE"; WORKER_TEXT adds keys to it
#   write_config                   writes $TMP/knit.cfg
#   system_up                      write_config, start primary, workers and control, until all serve
#   start_primary, start_worker ID, start_control, each until ready; they are `primary`,
#                                  `worker0`..., `control` for stop, ended, ${PID[...]}
#   system_down                    ends them in the order control, workers, primary
#
# Questions, all without waiting:
#   knit ARGUMENTS...              the command knit, $KNIT, with this test's prefix
#   telemetry COMMAND              the primary's answer
#   field COMMAND NAME             one number or string of telemetry: field /knit/worker,0 punted
#   field_is COMMAND NAME VALUE    succeeds if it has that value; for wait_for
#   field_over COMMAND NAME VALUE  succeeds if it is larger
#   in_ns NETNS COMMAND...         runs it there
#   start_in NETNS NAME COMMAND... as start, there
#   netns NAME...                  makes them, with lo up
#   address NETNS DEVICE ADDRESS...           and up; no IPv6 address but these: a tap port's far
#                                  end has the port's and so the interface's hardware address,
#                                  link-local ones would collide
#   vlan_device NETNS DEVICE ID    makes DEVICE.ID, as the kernel's if it can
#   neighbour NETNS DEVICE ADDRESS NETNS2 DEVICE2     ADDRESS is DEVICE2's, without asking for it
#   has_carrier NETNS DEVICE
#   stub_driver                       net_ring can be a port; workers can't use that of DPDK 20.11
#   router_up                         two ports, two interfaces, forwarding between them
# shellcheck disable=SC2034

# Python from elsewhere may start slowly, and telemetry is asked often.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
KNIT=$KNIT_BUILD/tools/knit/knit
declare -A SETTINGS=()
PORTS=""
INTERFACES=""
WORKERS=""
WORKER_IDS=()
WORKER_TEXT=""
LAST_CPU=$(($(nproc) - 1))
N_TAPS=0
IOVA=va
ENGINE=${KNIT_ENGINE_UNDER_TEST:-tap}
PORT_KIND=${KNIT_PORTS_UNDER_TEST:-tap}
if [ "$PORT_KIND" = pci ]; then
	# shellcheck source=tests/smoke/_pci.sh
	. "$(dirname "${BASH_SOURCE[0]}")/_pci.sh"
fi

netns() # name...
{
	local ns

	for ns in "$@"; do
		ip netns add "$ns" && ip -n "$ns" link set lo up
	done
}

address() # netns, device, address...
{
	local ns=$1 dev=$2
	shift 2

	ip -n "$ns" link set "$dev" addrgenmode none
	ip -n "$ns" link set "$dev" up
	while [ $# -gt 0 ]; do
		case $1 in
		*:*) ip -n "$ns" addr add "$1" dev "$dev" nodad ;;
		*) ip -n "$ns" addr add "$1" dev "$dev" ;;
		esac
		shift
	done
}

in_ns() # netns, command...
{
	local ns=$1
	shift

	ip netns exec "$ns" "$@"
}

# Without in_ns: the pid would be that of a subshell.
start_in() # netns, name, command...
{
	local ns=$1 name=$2
	shift 2

	start "$name" ip netns exec "$ns" "$@"
}

setting() # section, text
{
	SETTINGS[$1]="${SETTINGS[$1]:-} $2"
}

port() # name, device[, netns[, text]]
{
	PORTS+="${PORTS:+,}{ name = \"$1\"; device = \"$2\"; netns = \"${3:-}\"; ${4:-} }"$'\n'
}

# Its receive queue is short: net_tap reads with one iovec for each descriptor.
tap_port() # name, netns[, text]
{
	if [ "$PORT_KIND" = pci ]; then
		pci_port "$@"
		return
	fi
	port "$1" "net_tap$N_TAPS,iface=${1}0" "$2" "rx_desc = 32; ${3:-}"
	N_TAPS=$((N_TAPS + 1))
}

interface() # name, port[, netns[, text]]
{
	INTERFACES+="${INTERFACES:+,}{ name = \"$1\"; ${2:+port = \"$2\";} engine = \"$ENGINE\";"
	INTERFACES+=" netns = \"${3:-}\"; ${4:-} }"$'\n'
}

worker() # id, rule...
{
	local id=$1 rules="" kind a b
	shift

	while [ $# -gt 0 ]; do
		read -r kind a b <<<"$1"
		case $kind in
		punt) rules+="${rules:+,}{ mode = \"punt\"; port = \"$a\"; }" ;;
		xconnect) rules+="${rules:+,}{ mode = \"xconnect\"; ports = [\"$a\", \"$b\"]; }" ;;
		join) rules+="${rules:+,}{ mode = \"xconnect\"; interfaces = [\"$a\", \"$b\"]; }" ;;
		*) die "no such rule: $1" ;;
		esac
		shift
	done
	WORKERS+="${WORKERS:+,}{ id = $id; lcore = $((id + 1)); cpus = \"$LAST_CPU\"; $WORKER_TEXT"
	WORKERS+=" forward = ( $rules ); }"$'\n'
	WORKER_IDS+=("$id")
}

# Kernels that look at every access to memory take a minute to let a process in.
write_config()
{
	local patience=${ATTACH_TIMEOUT:-30}

	[ "${KNIT_SLOW:-1}" -lt 20 ] || patience=600
	cat >"$TMP/knit.cfg" <<-END
		eal = { prefix = "$PREFIX"; lcore = 0; cpus = "0"; iova = "$IOVA";
			attach_timeout = $patience; ${SETTINGS[eal]:-} };
		mempool = { ${SETTINGS[mempool]:-} };
		tap = { ${SETTINGS[tap]:-cpus = \"0\";} };
		ports = ( $PORTS );
		interfaces = ( $INTERFACES );
		workers = ( $WORKERS );
		control = { lcore = 20; cpus = "0"; ${SETTINGS[control]:-} };
	END
}

knit() # arguments...
{
	"$KNIT" --prefix "$PREFIX" "$@"
}

telemetry() # command: the answer, JSON in one line
{
	"$KNIT_BUILD/tests/knit-telemetry" "$PREFIX" "$1"
}

# Few programs: each start takes long in an emulated machine.
field() # command, name
{
	local answer

	answer=$(telemetry "$1")
	[[ $answer =~ .*[,{]\ *\"$2\":\ *([^,{}]*) ]] && echo "${BASH_REMATCH[1]//\"/}"
}

field_is() # command, name, value
{
	[ "$(field "$1" "$2")" = "$3" ]
}

field_over() # command, name, value
{
	[ "$(field "$1" "$2" || echo 0)" -gt "$3" ]
}

# Its libraries have the version 21.
stub_driver()
{
	! grep -q 'librte_ethdev\.so\.21' "$KNIT_BUILD/primary/knit-primary"
}

vlan_device() # netns, device, id
{
	ip -n "$1" link add link "$2" name "$2.$3" type vlan id "$3" 2>/dev/null && return
	start_in "$1" "$2.$3" "$ROOT/tests/smoke/vlan.py" "$2" "$3"
	wait_for 5 ip -n "$1" link show "$2.$3" || die "no VLAN device $2.$3"
}

neighbour() # netns, device, address, netns and device that have it
{
	ip -n "$1" neigh replace "$3" dev "$2" lladdr "$(mac_of "$4" "$5")"
}

mac_of() # netns, device
{
	ip -n "$1" -o link show dev "$2" | sed 's/.*ether \([^ ]*\).*/\1/'
}

has_carrier() # netns, device
{
	[[ $(ip -n "$1" -o link show dev "$2") == *LOWER_UP* ]]
}

# Secondaries may attach once this primary, not a dead one before it, has written their arguments.
serves()
{
	grep -q "^primary ${PID[primary]} " "/run/knit/$PREFIX/control.args"
}

serves_or_failed()
{
	serves || ended primary
}

start_primary()
{
	start primary "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
	wait_for 20 serves_or_failed
	serves || die "primary does not serve"
}

# KNIT_PROCESS_ATTACHED is 2. The pid tells this one from the one before it.
start_worker() # id
{
	start "worker$1" "$KNIT_BUILD/secondary/worker/knit-worker" --prefix "$PREFIX" --id "$1"
	wait_for 20 worker_serves "$1" || die "worker $1 does not attach"
}

worker_serves() # id
{
	field_is "/knit/worker,$1" pid "${PID[worker$1]}" && field_is "/knit/worker,$1" state 2
}

start_control()
{
	start control "$KNIT_BUILD/secondary/control/knit-control" --prefix "$PREFIX"
	wait_for 20 control_serves || die "control does not attach"
}

control_serves()
{
	field_is /knit/info control_pid "${PID[control]}" && field_is /knit/info control_state 2
}

system_up()
{
	local id

	write_config
	start_primary
	for id in "${WORKER_IDS[@]}"; do
		start_worker "$id"
	done
	start_control
}

every_thread_is_stopped() # name
{
	! grep -L '^State:.T' "/proc/${PID[$1]}"/task/*/status | grep -q .
}

# Threads go on for a moment after the signal.
freeze() # name
{
	kill -STOP "${PID[$1]}"
	wait_for 5 every_thread_is_stopped "$1" || die "$1 can't be stopped"
}

system_down()
{
	local id

	stop control
	for id in "${WORKER_IDS[@]}"; do
		stop "worker$id"
	done
	stop primary
}

# A router between two hosts: ports left (with its driver's offloads) and right (without), their
# interfaces kl and kr in the namespace middle, which forwards.
router_up() # [settings of right]
{
	local none="tx_checksum = false; tso = false; rx_checksum = false; vlan = false;"

	netns left middle right
	tap_port left left
	tap_port right right "${1:-$none}"
	interface kl left middle
	interface kr right middle
	worker 0 "punt left" "punt right"
	system_up
	# Without a link-local address a router asks for no neighbour but when it sends itself.
	address middle kl 10.1.0.1/24 fd01::1/64 fe80::1:1/64
	address middle kr 10.2.0.1/24 fd02::1/64 fe80::1:2/64
	address left left0 10.1.0.2/24 fd01::2/64
	address right right0 10.2.0.2/24 fd02::2/64
	in_ns middle sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n left route add default via 10.1.0.1
	ip -n right route add default via 10.2.0.1
	ip -n left route add default via fd01::1
	ip -n right route add default via fd02::1
}
