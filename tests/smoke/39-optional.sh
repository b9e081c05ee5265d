#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A port that can't be started: with optional = true the others run, and its interface is there
# without carrier; without it nothing starts.
#
#   netns far                              primary, worker 0                        netns near
#   left0 ---- port left (net_tap) ---- punt ---- kni-left
#              port gone (absent)  ---- punt ---- kni-gone
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"
# shellcheck source=tests/smoke/_life.sh
. "$(dirname "$0")/_life.sh"

LIMIT=$((20 * ${KNIT_SLOW:-1}))

config() # device, netns, text
{
	PORTS=""
	N_TAPS=0
	tap_port left far
	port gone "$1" "$2" "$3"
	write_config
}

give_back_says() # exit code, options...
{
	local code=$1
	shift

	timeout -k 3 $LIMIT "$KNIT_BUILD/primary/knit-primary" --give-back "$PREFIX" "$@"
	[ $? -eq "$code" ]
}

nothing_starts()
{
	timeout -k 3 $LIMIT "$KNIT_BUILD/primary/knit-primary" --config "$TMP/knit.cfg"
	[ $? -eq 4 ] && [ ! -e "/run/knit/$PREFIX" ]
}

# The other port works, the absent one shows itself as such and takes requests.
runs_without() # what
{
	system_up
	connect_far_near
	check "$1: the other port works" wait_for 10 in_ns far ping -q -c 2 -i 0.05 -W 2 10.7.1.1
	check "$1: it is absent" field_is /knit/port,gone absent 1
	check "$1: the other one is not" field_is /knit/port,left absent 0
	ip -n near link set kni-gone up
	check "$1: no carrier" no_carrier
	ip -n near link set kni-gone mtu 1400
	check "$1: takes requests" wait_for 5 field_is /knit/port,gone mtu 1400
	check "$1: still no carrier" no_carrier
	check "$1: nothing is restored while it runs" give_back_says 7
	check "$1: with the exit code that was asked for" give_back_says 0 --exit-code 0
	check "$1: the log says so" grep -q "port gone is absent" "$TMP/primary.log"
	system_down
	check "$1: primary ends well" [ "$STATUS" -eq 0 ]
	check "$1: all buffers are accounted for" conserved
	rm -f "$TMP/primary.log"
}

no_carrier()
{
	! has_carrier near kni-gone
}

netns far near
interface kni-left left near
interface kni-gone gone near
worker 0 "punt left" "punt gone"
config 0000:ff:1f.7 "" 'driver = "vfio-pci";'
check "a NIC that is not there: nothing starts" nothing_starts
config 0000:ff:1f.7 "" 'driver = "vfio-pci"; optional = true;'
runs_without "a NIC that is not there"
config net_tap1,iface=gone0 nowhere ''
check "no such namespace: nothing starts" nothing_starts
config net_tap1,iface=gone0 nowhere 'optional = true;'
runs_without "no such namespace"
config net_tap1,iface=gone0 far 'optional = true; tx_queues = 16;'
runs_without "a driver with too few queues"
