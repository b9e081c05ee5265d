# SPDX-License-Identifier: BSD-3-Clause
"""Namespaces and what is in them.

    left                     app                     right
    kb0 10.9.0.1  ========  bench-channel  ========  kb1 10.9.0.2

Further lanes are the same again: interfaces kb2 and kb3 and so on, in namespaces of their own; the
application is one. Its namespace holds its ends of the veth pairs, if the channel uses some;
everything that is made here goes away with the namespaces.
"""
import glob
import json
import os
import re

from .netns import inside
from .proc import Failed, call, wait_for

SIDES = ("left", "right")
ADDR = {"left": "10.9.0.1", "right": "10.9.0.2"}
ADDR6 = {"left": "fd09::1", "right": "fd09::2"}
OUTSIDE = "10.9.0.99"  # nobody: where from-kernel traffic is sent to
OUTSIDE_MAC = "02:00:00:00:00:99"
LANES = ["", "b", "c", "d"]  # in names
NO_MAC = "02:00:00:00:00:77"  # of no interface: an L2 drop


class Net:
    """Three namespaces, with names of this process's own; a further lane has no "app"."""

    def __init__(self, tag="", lane=0):
        self.prefix = f"knitbench{os.getpid()}{tag}"
        self.mac = {}  # of the sides' interfaces, once they are introduced
        self.number = {side: 2 * lane + i for i, side in enumerate(SIDES)}
        self.iface = {side: f"kb{number}" for side, number in self.number.items()}
        self.ns = {side: f"{self.prefix}{LANES[lane]}-{side}" for side in SIDES}
        self.ns["app"] = f"{self.prefix}-app"
        self.made = SIDES if lane else ("app",) + SIDES

    @staticmethod
    def sweep():
        """Removes what a benchmark left behind that was killed."""
        for path in glob.glob("/run/netns/knitbench*-*"):
            pid = re.match(r"knitbench(\d+)\D*-", os.path.basename(path))
            if pid and not os.path.exists(f"/proc/{pid[1]}"):
                call(["ip", "netns", "del", os.path.basename(path)])

    def __enter__(self):
        self.sweep()
        try:
            for role in self.made:
                call(["ip", "netns", "add", self.ns[role]])
                self.quiet(self.ns[role])
        except Failed:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in [self.ns[role] for role in self.made]:
            if os.path.exists(f"/run/netns/{name}"):
                call(["ip", "netns", "del", name])

    @staticmethod
    def quiet(name):
        """No IPv6: its router solicitations would be packets nobody sent."""
        call(["nsenter", f"--net=/run/netns/{name}", "sysctl", "-qw",
              "net.ipv6.conf.default.disable_ipv6=1", "net.ipv6.conf.all.disable_ipv6=1"])
        call(["ip", "-n", name, "link", "set", "lo", "up"])

    def veth(self, side):
        """A pair from the application's namespace to a side. Returns the application's end.

        Checksums and segmentation are done in software: a frame with a checksum left to the
        device would reach the application, and the other side, as it is.
        """
        near = f"{self.iface[side]}a"
        app, far = self.ns["app"], self.ns[side]
        call(["ip", "-n", app, "link", "add", near, "type", "veth",
              "peer", "name", self.iface[side], "netns", far])
        for ns, dev in ((app, near), (far, self.iface[side])):
            call(["nsenter", f"--net=/run/netns/{ns}", "ethtool", "-K", dev,
                  "tx", "off", "tso", "off", "gso", "off", "gro", "off"])
        call(["ip", "-n", app, "link", "set", near, "up"])
        return near

    def move(self, side):
        """From the application's namespace, where it was made, to its side."""
        call(["ip", "-n", self.ns["app"], "link", "set", self.iface[side], "netns", self.ns[side]])

    def configure(self, side):
        ns, dev = self.ns[side], self.iface[side]
        call(["ip", "-n", ns, "addr", "add", f"{ADDR[side]}/24", "dev", dev])
        call(["ip", "-n", ns, "link", "set", dev, "up"])
        call(["ip", "-n", ns, "neigh", "replace", OUTSIDE, "lladdr", OUTSIDE_MAC,
              "dev", dev, "nud", "permanent"])

    def configure6(self):
        """For those who speak IPv6: no address but these, and the neighbours are known."""
        for side, other in (SIDES, SIDES[::-1]):
            ns, dev = self.ns[side], self.iface[side]
            call(["ip", "-n", ns, "link", "set", dev, "addrgenmode", "none"])
            call(["nsenter", f"--net=/run/netns/{ns}", "sysctl", "-qw",
                  f"net.ipv6.conf.{dev}.disable_ipv6=0", "net.ipv6.conf.all.disable_ipv6=0"])
            call(["ip", "-n", ns, "addr", "replace", f"{ADDR6[side]}/64", "dev", dev, "nodad"])
            call(["ip", "-n", ns, "neigh", "replace", ADDR6[other], "lladdr", self.mac[other],
                  "dev", dev, "nud", "permanent"])

    def introduce(self):
        """The two sides know each other's MAC address and need not ask."""
        self.mac = {side: self.link(side)["address"] for side in SIDES}
        for side, other in (SIDES, SIDES[::-1]):
            call(["ip", "-n", self.ns[side], "neigh", "replace", ADDR[other], "lladdr",
                  self.mac[other], "dev", self.iface[side], "nud", "permanent"])

    def link(self, side):
        out = call(["ip", "-n", self.ns[side], "-j", "link", "show", "dev", self.iface[side]])
        return json.loads(out)[0]

    def wait_carrier(self, side):
        wait_for(f"carrier of {self.iface[side]}", lambda: "LOWER_UP" in self.link(side)["flags"])

    def received(self, side):
        """Packets and bytes the interface handed to the stack so far."""
        octets, packets = self.counters(side)[:2]
        return packets, octets

    def sent(self, side):
        """All counters of the other direction, drops included."""
        return self.counters(side)[8:]

    def counters(self, side):
        with inside(self.ns[side]), open("/proc/thread-self/net/dev", encoding="ascii") as stats:
            for line in stats:
                name, _, figures = line.partition(":")
                if name.strip() == self.iface[side]:
                    return [int(figure) for figure in figures.split()]
        raise Failed(f"{self.iface[side]} is gone")
