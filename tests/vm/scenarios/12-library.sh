#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# An application of rte_kni.h on the module: memory of all kinds that EAL has, and what is left of
# an application that was killed.
#
#      kernel               knit-legacy-app
#   +-----------+        +------------------------+
#   |   vEth0   |--------| reflects ARP, ICMP, UDP|
#   | 10.9.0.1  |        +------------------------+
#   +-----------+
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/../../smoke/_init.sh"
# shellcheck source=tests/vm/scenarios/_module.sh
. "$(dirname "$0")/_module.sh"

APP=$KNIT_BUILD/tests/knit-legacy-app

with_commands()
{
	exec "$@" <"$TMP/commands" 9>&-
}

# The application's stdin is a pipe that stays open; its stdout is a log.
run_app() # words before it... -- EAL's arguments... -- its own
{
	local before=()

	while [ "$1" != -- ]; do
		before+=("$1")
		shift
	done
	shift
	rm -f "$TMP/commands"
	mkfifo "$TMP/commands"
	: >"$TMP/app.log"
	start app with_commands "${before[@]}" "$APP" --file-prefix "$PREFIX" --no-pci -l 0 \
		--log-level knit.*:debug "$@" --name vEth0
	exec 9>"$TMP/commands"
}

says() # pattern
{
	grep -Eq "$1" "$TMP/app.log"
}

ready()
{
	says "^ready" || ended app
}

serves() # as run_app
{
	run_app "$@"
	wait_for 20 ready
	says "^ready" || die "application did not start: $*"
	ip addr add 10.9.0.1/24 dev vEth0
	ip link set vEth0 up
	echo "link 1" >&9
	wait_for 5 says "^link previous"
}

quit_app()
{
	echo quit >&9
	exec 9>&-
	wait_for 10 ended app
	stop app
}

counter() # name
{
	ethtool -S vEth0 | awk -v name="$1:" '$1 == name { print $2 }'
}

gone()
{
	! ip link show vEth0
}

free_pages()
{
	awk '$1 == "HugePages_Free:" { print $2 }' /proc/meminfo
}

pages_are_back()
{
	rm -f /dev/hugepages/"$PREFIX"map_*
	[ "$(free_pages)" -eq "$PAGES" ]
}

# Enough frames that each of the ring's buffers is used, and so some that cross from one page to
# the next.
memory() # name, EAL's arguments...
{
	local name=$1
	shift

	serves -- "$@" --
	check "$name: pings" ping -q -c 20 -i 0.02 -W 2 10.9.0.2
	check "$name: long pings" ping -q -f -l 32 -c 1500 -W 2 -s 1472 10.9.0.2
	check "$name: no address was refused" [ "$(counter q0_bad_addr)" = 0 ]
	quit_app
	check "$name: release" says "^release 0"
	check "$name: all mbufs are back" says "^mbufs in use 0"
	check "$name: pages are back" wait_for 5 pages_are_back
	check "$name: module is unused" wait_for 5 module_is_unused
}

# Bursts serve the interface themselves, unless the environment says otherwise. They have at most
# the 32 frames that ping lets wait: on a slow machine they often have as many.
handover()
{
	unset KNIT_HANDOVER
	serves -- -m 64 --
	check "handover: pings" ping -q -f -l 32 -c 1000 -W 2 10.9.0.2
	check "handover: the application served it" [ "$(counter q0_kicks)" -ge 30 ]
	quit_app
	serves env KNIT_HANDOVER=thread -- -m 64 --
	check "handover by the thread: pings" ping -q -f -l 32 -c 1000 -W 2 10.9.0.2
	check "handover by the thread: no kick" [ "$(counter q0_kicks)" = 0 ]
	quit_app
	run_app env KNIT_HANDOVER=threads -- -m 64 --
	wait_for 20 ready
	check "handover: unknown" says "KNIT_HANDOVER=threads: unknown; auto, inline or thread"
	check "handover: refused" says "^error: rte_kni_alloc"
	exec 9>&-
	stop app
}

# Without the right to lock memory beyond the limit.
memory_limit()
{
	run_app setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock \
		prlimit --memlock=65536 -- -m 64 --
	wait_for 20 ready
	check "memory limit: named" says "RLIMIT_MEMLOCK"
	check "memory limit: refused" says "^error: rte_kni_alloc"
	exec 9>&-
	stop app
	check "memory limit: module is unused" wait_for 5 module_is_unused
}

killed()
{
	serves -- -m 64 --
	start flood ping -q -f -s 1400 10.9.0.2
	wait_for 5 ping -q -c 1 -W 1 10.9.0.2
	exec 9>&-
	stop app KILL
	check "killed: interface is gone" wait_for 5 gone
	check "killed: pages are back" wait_for 5 pages_are_back
	check "killed: module is unused" wait_for 5 module_is_unused
	stop flood
}

# The child, which has inherited the file of interfaces and opened one of its own, ends with it.
killed_parent()
{
	serves -- -m 64 -- --requests-in-child
	wait_for 10 says "child [0-9]* handles" || not_ok "child registers"
	check "child: answers" ip link set vEth0 mtu 1400
	check "child: was asked" says "event mtu 1400"
	exec 9>&-
	stop app KILL
	check "killed with a child: interface is gone" wait_for 5 gone
	check "killed with a child: module is unused" wait_for 5 module_is_unused
}

by_itself()
{
	serves -- -m 64 --
	check "auto takes the module" grep -q "rtnl_link\|kni" <(ip -d link show vEth0)
	check "rmmod is refused" [ "$(rmmod rte_kni 2>&1 | grep -c "in use")" -eq 1 ]
	quit_app
	check "rmmod" unload_module
	run_app -- -m 64 --
	wait_for 20 ready
	check "auto without it takes tap" grep -q "tun type tap" <(ip -d link show vEth0)
	quit_app
	export KNIT_ENGINE=kmod
	run_app -- -m 64 --
	wait_for 20 ready
	check "without it: refused with the remedy" says "modprobe rte_kni"
	exec 9>&-
	stop app
}

load_module || die "no module"
PAGES=$(free_pages)
memory "pages at start" -m 64 --iova-mode=va
memory "pages at run time" --iova-mode=va
memory "physical addresses" -m 64 --iova-mode=pa
memory "legacy memory" --legacy-mem -m 64
memory "small pages" --no-huge -m 64
handover
memory_limit
killed
killed_parent
by_itself
