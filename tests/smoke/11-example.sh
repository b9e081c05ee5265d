#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# examples/forward: packets go both ways between a port and an interface, and settings of the
# interface reach the port.
#
#   netns far               forward              its own namespace
#   far0 10.9.2.2 ---- net_tap0 | kni0 ---- 10.9.2.1
#
# KNIT_EXAMPLE is another build of the program.
# shellcheck source=tests/smoke/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/smoke/_system.sh
. "$(dirname "$0")/_system.sh"

APP=${KNIT_EXAMPLE:-$KNIT_BUILD/tests/knit-example}
export KNIT_ENGINE=$ENGINE

logged() # line
{
	grep -q "^$1" "$TMP/app.log"
}

mtu_is() # device, mtu
{
	[ "$(<"/sys/class/net/$1/mtu")" = "$2" ]
}

start app timeout 120 "$APP" --file-prefix "$PREFIX" --no-pci -l 0 -m 128 --vdev net_tap0,iface=far0
wait_for 20 logged "kni0 is ready" || die "the example does not start"
ip link set kni0 mtu 1400
check "the port has the interface's MTU" wait_for 5 mtu_is far0 1400
ip link set kni0 addrgenmode none
ip link set kni0 up
check "the port is up with it" wait_for 5 logged "up: Success"
# net_tap finds its device by name, so nothing is set from here on.
netns far
ip link set far0 netns far
address far far0 10.9.2.2/24
ip addr add 10.9.2.1/24 dev kni0
check "ping" wait_for 5 ping -c 1 -W 1 10.9.2.2
check "ping, largest frames" ping -q -c 3 -i 0.1 -W 2 -M "do" -s 1372 10.9.2.2
stop app
check "ends as asked" [ "$STATUS" -eq 0 ]
