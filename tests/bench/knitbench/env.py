# SPDX-License-Identifier: BSD-3-Clause
"""Where things are and how long a trial takes."""
import os

PROGRAMS = {"knit-primary": "primary", "knit-worker": "secondary/worker",
            "knit-control": "secondary/control", "knit": "tools/knit"}


class Env:
    """What all benchmarks have; the figures are set by each."""

    cpu = 0  # of all but what polls
    polling_cpu = 1
    engine_cpu = 0  # of knit's engine
    engine = "tap"  # knit's
    seconds = 1.0  # a trial of packets
    tcp_amount = ("-t", "2")  # iperf3's
    pings = 200
    ping_us = 10000
    idle_seconds = 3.0
    load_pps = 50000
    flush_seconds = 0  # of sending before a trial that counts frames
    rest_us = 0  # how long an application that finds nothing to do sleeps; 0: it polls
    tcp_rest_us = 0
    memory = 256  # MiB of an application
    data_room = None  # bytes of its buffers, if not DPDK's default
    ipv6 = False  # TCP
    big_tcp = False  # knit's
    life_seconds = 120  # after which it ends whatever happens
    tsc_hz = None
    counts_instructions = False  # the clock

    def __init__(self, build, out):
        self.build = build
        self.out = out
        os.makedirs(os.path.join(out, "log"), exist_ok=True)

    def tool(self, name):
        return os.path.join(self.build, "tests", "bench", name)

    def program(self, name):
        """One of knit's own, by its name in the build directory."""
        return os.path.join(self.build, PROGRAMS[name], name)

    def log(self, name):
        return os.path.join(self.out, "log", name)


class HostEnv(Env):
    """On the machine itself: one CPU polls, everything else shares the other."""

    def __init__(self, args):
        super().__init__(args.build, os.path.join(args.build, "bench"))
        self.cpu, self.polling_cpu = args.cpus
        self.engine_cpu = self.cpu if args.engine_cpu is None else args.engine_cpu
        if args.quick:
            self.seconds = 0.5
            self.tcp_amount = ("-t", "1")
            self.pings = 50
            self.idle_seconds = 1.0


class GuestEnv(Env):
    """In an emulated machine, on the kernel module."""

    engine = "kmod"
    memory = 64
    life_seconds = 3600


class TwoCpus(GuestEnv):
    """Emulated side by side: everything is 10 to 14 times slower."""

    seconds = 0.3
    tcp_amount = ("-t", "1")
    pings = 100
    ping_us = 4000
    flush_seconds = 0.05
    idle_seconds = 0.5


class Counted(GuestEnv):
    """
    One CPU whose clock counts instructions, and jumps to the next timer when there are none: so it
    runs away while the host fetches a file, and deadlines mean nothing. Who polls would take the
    CPU from those it waits for: it sleeps when there is nothing to do.
    """

    counts_instructions = True
    tsc_hz = 1e9  # an instruction takes a nanosecond
    life_seconds = 1000000000
    polling_cpu = 0
    seconds = 0.1
    tcp_amount = ("-n", "16M")
    pings = 100
    ping_us = 1000
    flush_seconds = 0.02
    idle_seconds = 0.1
    rest_us = 200
    tcp_rest_us = 50


GUESTS = {"smp": TwoCpus, "icount": Counted}
