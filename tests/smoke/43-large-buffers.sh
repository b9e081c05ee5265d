#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# mbufs of 16 KiB: the kernel's long frames take few of them, and what a port can't do with such
# frames is done in software, into mbufs of the same size.
#
#   netns a                                         netns b
#   va 10.6.0.1 -------------- worker 0 ------------ vb 10.6.0.2
#
#   netns left                                      netns middle
#   left0 10.6.1.2 --- port left --- worker 0 ------ kl 10.6.1.1
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

WIRE=$(dirname "$0")/wire.py
SLOW=${KNIT_SLOW:-1}
MIB=$((20 / (SLOW > 1 ? 5 : 1)))

# In mbufs of 2 KiB they would need more.
few_buffers() # interface, arguments of a stream...
{
	local buffers iface=$1
	shift

	buffers=$(field "/knit/interface,$iface" from_kernel_buffers)
	"$WIRE" stream "$@" "$MIB" || return 1
	buffers=$(($(field "/knit/interface,$iface" from_kernel_buffers) - buffers))
	echo "$buffers buffers for $MIB MiB"
	[ $((buffers * 2048)) -lt $((MIB * 1048576)) ]
}

# The one that is up first speaks to the other before that is.
no_losses() # interface
{
	! telemetry "/knit/interface,$1" | sed 's/,/\n/g' |
		grep -E '"(drop|reject)_' | grep -v -E '(_down"|: 0}*$)'
}

netns a b left middle
setting mempool "data_room = 16384; extra = 1024;"
tap_port left left "tx_desc = 64; tso = false; tx_checksum = false;"
interface va "" a "ring_size = 256; mtu = 9000;"
interface vb "" b "ring_size = 256; mtu = 9000;"
interface kl left middle "ring_size = 256;"
worker 0 "punt left" "join va vb"
system_up || die "knit does not start"
address a va 10.6.0.1/24
address b vb 10.6.0.2/24
address left left0 10.6.1.2/24
address middle kl 10.6.1.1/24
check "carrier" wait_for 10 has_carrier a va
check "carrier of the other" wait_for 10 has_carrier b vb
check "carrier of the port's" wait_for 10 has_carrier middle kl

check "TCP between interfaces" few_buffers va a:10.6.0.1 b:10.6.0.2
check "TCP the other way" few_buffers vb b:10.6.0.2 a:10.6.0.1
check "datagrams between interfaces" "$WIRE" datagrams a:10.6.0.1 b:10.6.0.2 8972
check "TCP to the port, knit cuts" few_buffers kl middle:10.6.1.1 left:10.6.1.2
check "TCP from the port" "$WIRE" stream left:10.6.1.2 middle:10.6.1.1 "$MIB"
check "datagrams to the port" "$WIRE" datagrams middle:10.6.1.1 left:10.6.1.2 1472
check "datagrams from the port" "$WIRE" datagrams left:10.6.1.2 middle:10.6.1.1 1472
for interface in va vb kl; do
	check "$interface lost nothing" no_losses $interface
done
system_down
check "primary ends with 0" [ $STATUS -eq 0 ]
