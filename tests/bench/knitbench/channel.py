# SPDX-License-Identifier: BSD-3-Clause
"""The channels that are compared, and one of them in use."""
import contextlib
import os

from .net import IFACE, SIDES
from .proc import Proc, forget_prefix
from .system import System

START_SECONDS = 15


class NetTap:
    """DPDK's net_tap as it comes: no offloads, one queue pair."""
    name = "net_tap"

    def prepare(self, net):
        return ([f"--vdev=net_tap{i},iface={IFACE[side]}" for i, side in enumerate(SIDES)],
                ["port=net_tap0", "port=net_tap1"])

    def started(self, net):
        for side in SIDES:
            net.move(side)


class AfPacket:
    """DPDK's net_af_packet on one end of a veth pair."""
    name = "af_packet"

    def prepare(self, net):
        ends = [net.veth(side) for side in SIDES]
        return ([f"--vdev=net_af_packet{i},iface={end},framecnt=4096,qdisc_bypass=1"
                 for i, end in enumerate(ends)],
                ["port=net_af_packet0", "port=net_af_packet1"])

    def started(self, net):
        pass


class AfXdp:
    """DPDK's net_af_xdp on one end of a veth pair (copy mode: veth has no other)."""
    name = "af_xdp"

    def prepare(self, net):
        ends = [net.veth(side) for side in SIDES]
        return ([f"--vdev=net_af_xdp{i},iface={end}" for i, end in enumerate(ends)],
                ["port=net_af_xdp0", "port=net_af_xdp1"])

    def started(self, net):
        pass


class Knit:
    """knit's interfaces with all offloads, by the public API, on the tap engine."""
    name = "knit"

    def prepare(self, net):
        return [], [f"knit={IFACE[side]}@{net.ns[side]}" for side in SIDES]

    def started(self, net):
        pass


CHANNELS = {cls.name: cls for cls in (Knit, NetTap, AfPacket, AfXdp)}


class Session:
    """Something between the two sides; entered: up, with addresses, ready to measure."""

    def __init__(self, env, net, kind):
        self.env = env
        self.net = net
        self.kind = kind

    def __enter__(self):
        try:
            self.open()
            for side in SIDES:
                self.net.configure(side)
            for side in SIDES:
                self.net.wait_carrier(side)
            self.net.introduce()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def tool(self, side, args):
        """A program in a side's namespace, on the CPU that is not the polling one."""
        return Proc(args, self.env.log(f"{os.path.basename(args[0])}-{side}"),
                    netns=self.net.ns[side], cpu=self.env.cpu)


class AppSession(Session):
    """bench-channel with a channel to each side.

    The polling lcore has the polling CPU for itself. All else (knit's engine thread, the
    application's main thread, senders, sinks, iperf3) shares the other one, whatever the channel.
    """

    proc = None
    prefix = f"knitbench{os.getpid()}"

    def open(self):
        vdevs, specs = self.kind.prepare(self.net)
        env = self.env
        eal = [f"--lcores=0@{env.cpu},1@{env.polling_cpu}", "--main-lcore=0", "--no-pci",
               "--in-memory", "--no-telemetry", f"--file-prefix={self.prefix}",
               "-m", "256", "--log-level=*:error"] + vdevs
        args = [env.tool("bench-channel")] + eal + ["--", "--deadline", "120",
                                                    "--engine-cpu", str(env.engine_cpu)] + specs
        self.proc = Proc(args, env.log(f"channel-{self.kind.name}"), netns=self.net.ns["app"])
        self.proc.json(START_SECONDS)
        self.kind.started(self.net)

    def close(self):
        if self.proc:
            self.proc.end()
            forget_prefix(self.prefix)

    def run(self, command, seconds):
        self.proc.say(command)
        return self.proc.json(seconds + 5)

    @contextlib.contextmanager
    def forwarding(self):
        self.proc.say("forward 100")
        try:
            yield
        finally:
            self.proc.say("stop")
            self.proc.json(2)

    def cpu_seconds(self):
        return self.proc.cpu_seconds()


class WorkerSession(Session):
    """knit's own processes: an adaptive worker connects the interfaces of the two sides."""

    system = None
    idle = "adaptive"

    def open(self):
        prefix = f"knitbench{os.getpid()}"
        self.system = System(self.env, prefix, self.config(prefix), netns=self.net.ns["app"])
        self.system.start()

    def close(self):
        if self.system:
            self.system.end()

    def config(self, prefix):
        env, ns = self.env, self.net.ns
        ifaces = ", ".join(f'{{ name = "{IFACE[side]}"; engine = "tap"; netns = "{ns[side]}"; }}'
                           for side in SIDES)
        names = ", ".join(f'"{IFACE[side]}"' for side in SIDES)
        return f"""
eal = {{ prefix = "{prefix}"; lcore = 0; cpus = "{env.cpu}"; log_level = "warning"; }};
tap = {{ cpus = "{env.engine_cpu}"; }};
interfaces = ( {ifaces} );
workers = ( {{ id = 0; lcore = 1; cpus = "{env.polling_cpu}"; idle = "{self.idle}";
	forward = ( {{ mode = "xconnect"; interfaces = [ {names} ]; }} ); }} );
control = {{ lcore = 2; cpus = "{env.cpu}"; }};
"""

    @contextlib.contextmanager
    def forwarding(self):
        yield

    def cpu_seconds(self):
        return self.system.cpu_seconds()


class PollingSession(WorkerSession):
    """The same with a worker that never sleeps, like the peers' application."""

    idle = "poll"
