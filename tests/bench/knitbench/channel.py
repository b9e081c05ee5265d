# SPDX-License-Identifier: BSD-3-Clause
"""The channels that are compared, and one of them in use."""
import contextlib
import errno
import glob
import os
import time

from .net import SIDES
from .proc import Proc, forget_prefix, wait_for
from .system import System

START_SECONDS = 15


class NetTap:
    """DPDK's net_tap as it comes: no offloads, one queue pair."""
    name = "net_tap"

    def prepare(self, net):
        return ([f"--vdev=net_tap{net.number[side]},iface={net.iface[side]}" for side in SIDES],
                [f"port=net_tap{net.number[side]}" for side in SIDES])

    def started(self, net):
        for side in SIDES:
            net.move(side)


class AfPacket:
    """DPDK's net_af_packet on one end of a veth pair."""
    name = "af_packet"

    def prepare(self, net):
        return ([f"--vdev=net_af_packet{net.number[side]},iface={net.veth(side)},framecnt=4096,"
                 f"qdisc_bypass=1" for side in SIDES],
                [f"port=net_af_packet{net.number[side]}" for side in SIDES])

    def started(self, net):
        pass


class AfXdp:
    """DPDK's net_af_xdp on one end of a veth pair (copy mode: veth has no other)."""
    name = "af_xdp"

    def prepare(self, net):
        return ([f"--vdev=net_af_xdp{net.number[side]},iface={net.veth(side)}" for side in SIDES],
                [f"port=net_af_xdp{net.number[side]}" for side in SIDES])

    def started(self, net):
        pass


class VirtioUser:
    """DPDK's virtio-user on the kernel's vhost-net, set up as its documentation recommends."""
    name = "virtio_user"

    def prepare(self, net):
        return ([f"--vdev=virtio_user{net.number[side]},path=/dev/vhost-net,queues=1,"
                 f"queue_size=1024,iface={net.iface[side]}" for side in SIDES],
                [f"offload=virtio_user{net.number[side]}" for side in SIDES])

    def started(self, net):
        for side in SIDES:
            net.move(side)


class Knit:
    """knit's interfaces with all offloads, by the public API."""
    name = "knit"

    def prepare(self, net):
        return [], [f"knit={net.iface[side]}@{net.ns[side]}" for side in SIDES]

    def started(self, net):
        pass


CHANNELS = {cls.name: cls for cls in (Knit, NetTap, AfPacket, AfXdp)}
VM_CHANNELS = {cls.name: cls for cls in (Knit, NetTap, VirtioUser, AfPacket, AfXdp)}

KTHREADS = ("kni", "vhost-")  # names of kernel threads of channels begin so


def kthreads():
    """Those of all channels, as /proc has them."""
    found = set()
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            with open(path, encoding="ascii") as comm:
                if comm.read().startswith(KTHREADS):
                    found.add(os.path.dirname(path))
        except OSError:  # it has ended
            pass
    return {path for path in found if not os.path.exists(f"{path}/exe")}


class Session:
    """Something between the two sides; entered: up, with addresses, ready to measure.

    lanes are further pairs of sides that it connects.
    """

    def __init__(self, env, net, kind, lanes=()):
        self.env = env
        self.net = net
        self.nets = [net, *lanes]
        self.kind = kind
        self.prefix = net.prefix
        self.kthreads = set()

    def __enter__(self):
        before = kthreads()
        try:
            self.open()
            self.kthreads = kthreads() - before
            self.bind_kthreads()
            for net in self.nets:
                for side in SIDES:
                    net.configure(side)
                for side in SIDES:
                    net.wait_carrier(side)
                net.introduce()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def bind_kthreads(self):
        """To the CPU that does not poll; knit's are bound already, and can't be bound again."""
        for path in self.kthreads:
            try:
                os.sched_setaffinity(int(os.path.basename(path)), {self.env.engine_cpu})
            except OSError as err:
                if err.errno != errno.EINVAL:
                    raise

    def settle(self):
        """Until it is through with its start, if that takes longer than its set-up."""

    def kernel_seconds(self):
        """Time of the channel's kernel threads on a CPU so far."""
        total = 0
        for path in self.kthreads:
            with open(f"{path}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    def tool(self, side, args, lane=0):
        """A program in a side's namespace, on the CPU that is not the polling one."""
        return Proc(args, self.env.log(f"{os.path.basename(args[0])}-{side}{lane}"),
                    netns=self.nets[lane].ns[side], cpu=self.env.cpu)


class AppSession(Session):
    """bench-channel with a channel to each side.

    The polling lcore has the polling CPU for itself. All else (knit's engine thread, the
    application's main thread, senders, sinks, iperf3) shares the other one, whatever the channel.
    """

    proc = None
    rest_us = 0

    def open(self):
        vdevs, specs = [], []
        for net in self.nets:
            more = self.kind.prepare(net)
            vdevs += more[0]
            specs += more[1]
        env = self.env
        eal = [f"--lcores=0@{env.cpu},1@{env.polling_cpu}", "--main-lcore=0", "--no-pci",
               "--in-memory", "--no-telemetry", f"--file-prefix={self.prefix}",
               "-m", str(env.memory + 5 * (env.data_room or 0) // 1024),
               "--log-level=*:error"] + vdevs
        args = [env.tool("bench-channel")] + eal + [
            "--", "--deadline", str(env.life_seconds), "--engine", env.engine,
            "--engine-cpu", str(env.engine_cpu)]
        if env.data_room:
            args += ["--data-room", str(env.data_room)]
        if env.big_tcp:
            args.append("--big-tcp")
        args += specs
        self.proc = Proc(args, env.log(f"channel-{self.kind.name}"), netns=self.net.ns["app"])
        self.proc.json(START_SECONDS)
        for net in self.nets:
            self.kind.started(net)

    def close(self):
        if self.proc:
            self.proc.end()
            forget_prefix(self.prefix)

    def rest(self, rest_us):
        """How long the application sleeps when there is nothing to do."""
        if rest_us != self.rest_us:
            self.proc.say(f"rest {rest_us}")
            self.proc.json(5)
            self.rest_us = rest_us

    def run(self, command, seconds):
        self.rest(self.env.rest_us)
        self.proc.say(command)
        return self.proc.json(seconds + 5)

    @contextlib.contextmanager
    def forwarding(self, rest_us):
        self.rest(rest_us)
        self.proc.say("forward 1000")
        try:
            yield
        finally:
            self.proc.say("stop")
            self.proc.json(5)

    def cpu_seconds(self):
        return self.proc.cpu_seconds()


class WorkerSession(Session):
    """knit's own processes: an adaptive worker connects the interfaces of the two sides."""

    system = None
    idle = "adaptive"

    def open(self):
        self.system = System(self.env, self.prefix, self.config(self.prefix),
                             netns=self.net.ns["app"])
        self.system.start()

    def close(self):
        if self.system:
            self.system.end()

    def config(self, prefix):
        env = self.env
        ifaces = ", ".join(f'{{ name = "{net.iface[side]}"; engine = "{env.engine}"; '
                           f'netns = "{net.ns[side]}"; }}' for net in self.nets for side in SIDES)
        pairs = ", ".join(f'{{ mode = "xconnect"; interfaces = [ "{net.iface["left"]}", '
                          f'"{net.iface["right"]}" ]; }}' for net in self.nets)
        return f"""
eal = {{ prefix = "{prefix}"; lcore = 0; cpus = "{env.cpu}"; log_level = "warning"; }};
tap = {{ cpus = "{env.engine_cpu}"; }};
interfaces = ( {ifaces} );
workers = ( {{ id = 0; lcore = 1; cpus = "{env.polling_cpu}"; idle = "{self.idle}";
	forward = ( {pairs} ); }} );
control = {{ lcore = 2; cpus = "{env.cpu}"; }};
"""

    @contextlib.contextmanager
    def forwarding(self, rest_us):
        yield

    def settle(self):
        quiet = [0]

        def at_rest():
            before = self.cpu_seconds()
            time.sleep(0.2)
            quiet[0] = quiet[0] + 1 if self.cpu_seconds() - before < 0.004 else 0
            return quiet[0] >= 5
        wait_for("knit's processes to come to rest", at_rest, START_SECONDS)

    def cpu_seconds(self):
        return self.system.cpu_seconds()


class PollingSession(WorkerSession):
    """The same with a worker that never sleeps, like the peers' application."""

    idle = "poll"
