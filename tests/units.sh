#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The systemd units, by a systemd of their own: this machine's root, with what is written to it kept
# in memory, is booted by systemd-nspawn. knit is installed there and started by systemctl start
# knit, so processes run as their units say: users, capabilities, system calls, watchdog.
# usage: tests/units.sh     as root; about a minute. Prints a line for each check
#
#   netns far                     primary, worker 0                netns near
#   left0 10.7.1.2 ---- port left ---- worker 0 ---- kni-left 10.7.1.1
# shellcheck disable=SC2317 # functions are called by check and wait_for
set -u

ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${KNIT_BUILD:-$ROOT/build}
CONFIG=/usr/local/etc/knit/knit.cfg
failed=0

check() # name, command...
{
	local name=$1
	shift

	if "$@" >/dev/null 2>&1; then
		echo "ok units: $name"
	else
		echo "not ok units: $name ($*)"
		failed=1
	fi
}

wait_for() # seconds, command...
{
	local end=$((SECONDS + $1))
	shift

	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		read -rt 0.1 <> <(:) || :
	done
}

die() # why
{
	echo "not ok units: $1"
	exit 1
}

write_config() # ID...: of workers
{
	local id workers=""

	for id in "$@"; do
		workers+="${workers:+,} { id = $id; lcore = $((id + 1)); cpus = \"0\";"
		workers+=" forward = ( { mode = \"punt\"; port = \"left\"; } ); }"
	done
	cat >"$CONFIG" <<-END
		eal = { lcore = 0; cpus = "0"; iova = "va"; };
		tap = { cpus = "0"; };
		ports = ( { name = "left"; device = "net_tap0,iface=left0"; netns = "far";
			rx_desc = 32; } );
		interfaces = ( { name = "kni-left"; port = "left"; engine = "tap";
			netns = "near"; } );
		workers = ( $workers );
		control = { lcore = 20; cpus = "0"; };
	END
}

flows()
{
	ip netns exec far ping -qc 1 -W 1 10.7.1.1
}

connect()
{
	ip -n far addr replace 10.7.1.2/24 dev left0
	ip -n far link set left0 up
	ip -n near addr replace 10.7.1.1/24 dev kni-left
	ip -n near link set kni-left up
}

pid_of() # unit
{
	systemctl show -P MainPID "$1"
}

active() # unit...: all of them
{
	local unit

	for unit in "$@"; do
		systemctl is-active "$unit" || return 1
	done
}

another_runs() # unit, pid
{
	active "$1" && [ "$(pid_of "$1")" != "$2" ]
}

# No capability, not root, a filter of system calls
powerless() # unit
{
	local status

	status=/proc/$(pid_of "$1")/status
	[ "$(grep -cP '^Cap\w+:\t0+$' "$status")" = 5 ] &&
		grep -qP '^Seccomp:\t2$' "$status" && ! grep -qP '^Uid:.*\t0\b' "$status"
}

# It asks the primary by a socket, as a member of the group.
exporter_answers()
{
	local page

	exec 7<>/dev/tcp/127.0.0.1/9845 || return 1
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&7
	page=$(timeout 5 cat <&7)
	exec 7<&-
	[[ $page == *$'\n''knit_up 1'$'\n'* && $page == *'knit_port_link_up{port="left"} 1'* ]]
}

# The group may open both; the unit hides them.
out_of_reach() # unit, path that the primary has
{
	[ -e "/proc/$(pid_of knit-primary)/root$2" ] && [ ! -e "/proc/$(pid_of "$1")/root$2" ]
}

status_is() # unit, text
{
	[ "$(systemctl show -P StatusText "$1")" = "$2" ]
}

in_journal() # FIELD=VALUE...
{
	journalctl -q "$@" | grep -q .
}

explained() # text
{
	journalctl -q -x KNIT_EVENT=worker_died | grep -q "$1"
}

mtu_is() # mtu
{
	[[ $(ip -n far -o link show left0) == *" mtu $1 "* ]]
}

nothing_left()
{
	[ ! -e /run/knit/knit ] && [ ! -e /run/dpdk/knit ] && ! ls /dev/hugepages/knitmap_*
}

not() # command...
{
	! "$@"
}

# In the container, as a unit
inside()
{
	local pid

	mkdir -p /sys/module
	ip netns add far && ip netns add near || die "no namespaces"
	write_config 0
	sed -i 's/net_tap0,iface=left0/0000:ff:1f.7/' $CONFIG
	check "systemctl start knit, without its device" not systemctl start knit
	write_config 0
	check "the device came: all units become active" wait_for 30 active knit knit-primary \
		knit-control knit-worker@0
	check "systemctl stop knit-primary, the first time" systemctl stop knit-primary
	check "systemctl start knit" systemctl start knit
	check "all units are active" active knit knit-primary knit-control knit-worker@0
	check "hugepages were reserved before" grep -q "MiB needed" \
		<(journalctl KNIT_ROLE=hugepages)
	connect
	check "traffic" wait_for 10 flows
	check "the worker has no privilege" powerless knit-worker@0
	check "control has no privilege" powerless knit-control
	ip -n near link set kni-left mtu 3000
	check "the port follows the interface's MTU" wait_for 5 mtu_is 3000
	check "systemctl reload knit-primary" systemctl reload knit-primary
	check "systemctl start knit-exporter" systemctl start knit-exporter
	check "it has metrics" wait_for 5 exporter_answers
	check "it has no privilege" powerless knit-exporter
	check "lock files are out of its reach" out_of_reach knit-exporter /run/knit/knit
	check "so are hugepages" out_of_reach knit-exporter \
		"$(compgen -G '/dev/hugepages/knitmap_*' | head -n 1)"

	pid=$(pid_of knit-worker@0)
	check "systemctl status says what a worker does" \
		status_is knit-worker@0 "worker 0 serves ports: left; interfaces: kni-left"
	check "and what the primary has" wait_for 5 status_is knit-primary \
		"1 of 1 workers and the control serve 1 interfaces; 1 of 1 ports have a link"
	systemctl kill -s KILL knit-worker@0
	check "a killed worker is started again" wait_for 20 another_runs knit-worker@0 "$pid"
	check "the journal has that as an event" wait_for 5 in_journal KNIT_EVENT=worker_died \
		KNIT_WORKER=0 "KNIT_PID=$pid" PRIORITY=4
	check "and explains it" wait_for 5 explained "A worker was killed or crashed"
	check "traffic after that" wait_for 10 flows
	pid=$(pid_of knit-worker@0)
	systemctl kill -s STOP knit-worker@0
	check "so is one that stands still" wait_for 60 another_runs knit-worker@0 "$pid"
	check "traffic after that, too" wait_for 10 flows
	pid=$(pid_of knit-primary)
	systemctl kill -s KILL knit-primary
	check "a killed primary is started again" wait_for 30 another_runs knit-primary "$pid"
	check "and all others" wait_for 30 active knit knit-control knit-worker@0
	connect
	check "traffic through them" wait_for 10 flows

	write_config 0 1
	check "systemctl restart knit" systemctl restart knit
	check "the exporter has metrics of the new one" wait_for 10 exporter_answers
	check "systemctl stop knit-exporter" systemctl stop knit-exporter
	check "a new worker of the file is started" active knit-worker@0 knit-worker@1
	check "systemctl stop knit-primary" systemctl stop knit-primary
	check "nothing runs" wait_for 5 test -z "$(systemctl list-units -q 'knit*' --state=active)"
	check "nothing is left" nothing_left
	[ $failed = 0 ] || journalctl --no-pager -u 'knit*' | tail -n 200
}

install_to() # folder
{
	local dir=$1/etc/systemd/system from=$1/usr/local/share/knit/systemd

	DESTDIR=$1 meson install -C "$BUILD" --no-rebuild --quiet || return 1
	mkdir -p "$1$(dirname $CONFIG)"
	cp "$from"/*.service "$dir" &&
		cp "$from/knit.sysusers" "$1/usr/lib/sysusers.d/knit.conf" &&
		cp "$from/knit.catalog" "$1/usr/lib/systemd/catalog/" &&
		journalctl --root="$1" --update-catalog
}

# A copy of this machine's root, without what it starts. In a mount namespace of its own.
boot()
{
	local tmp=$1 root=$1/root

	mount -t tmpfs none "$tmp" && mkdir "$tmp"/{upper,work,root} &&
		mount -t overlay overlay \
			-o "lowerdir=/,upperdir=$tmp/upper,workdir=$tmp/work" "$root" || return 1
	rm -rf "$root"/etc/systemd/system/*.wants "$root/etc/fstab"
	: >"$root/etc/machine-id"
	install_to "$root" || return 1
	KNIT_NSPAWN="--bind=/dev/hugepages --bind-ro=$ROOT" \
		"$ROOT/tests/boot.sh" "$root" "$ROOT/tests/units.sh" inside
}

case ${1:-} in
inside)
	inside
	exit $failed
	;;
boot)
	boot "$2"
	exit
	;;
esac
[ "$(id -u)" -eq 0 ] || die "root is needed"
command -v systemd-nspawn >/dev/null || die "systemd-nspawn is needed (systemd-container)"
[ ! -e /run/knit/knit ] || die "this machine runs a knit with the prefix of the units"
"$ROOT/config/hugepages.sh" 512 >&2 || exit 1
TMP=$(mktemp -d)
trap 'rmdir "$TMP"' EXIT
unshare --mount --propagation private "$0" boot "$TMP"
