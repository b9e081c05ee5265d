# SPDX-License-Identifier: BSD-3-Clause
"""The fast path: one polled core moves packets between two net_null ports.

Cycles per packet: TSC cycles of all the time the polling process was on its CPU, divided by the
packets that the ports themselves count; so what else runs on the machine does not count. knit's
worker stands beside testpmd's macswap, which touches each frame's header as the worker does to tell
what is for the kernel, and io, which touches nothing.

Two pollers on the same ports, each with a queue of its own: what they move, divided by what one
does. They need both CPUs for themselves.
"""
import os
import time

from .proc import Failed, Proc, forget_prefix, wait_for
from .report import KNIT
from .system import System
from .telemetry import Telemetry

NULL_PORTS = ["net_null0,size=64", "net_null1,size=64"]
PREFIX = f"knitbench{os.getpid()}x"
METRIC = "xconnect"
ABOUT = ("cycles/packet", True)
SCALING_METRIC = "xconnect_2workers"
SCALING_ABOUT = ("times one's", False)
WATCHED_METRIC = "xconnect_watched"
ABOUT_COUNTED = ("instructions", True)  # where an instruction takes a cycle
START_SECONDS = 15


def received(telemetry):
    return sum(telemetry.ask(f"/ethdev/stats,{port}")["ipackets"] for port in (0, 1))


def over_a_trial(env, prefix, proc):
    """Packets, the process's seconds on its CPUs, and seconds, once packets flow."""
    with Telemetry(prefix) as telemetry:
        wait_for("packets to flow", lambda: received(telemetry) > 100000, START_SECONDS)
        before, cpu, start = received(telemetry), proc.cpu_seconds(), time.monotonic()
        time.sleep(env.seconds)
        after = received(telemetry)
        cpu, seconds = proc.cpu_seconds() - cpu, time.monotonic() - start
    if after == before:
        raise Failed("no packets")
    return after - before, cpu, seconds


def cycles_per_packet(env, packets, cpu, _):
    return tsc_hz(env) * cpu / packets


def tsc_hz(env):
    """As EAL measures it, once."""
    if env.tsc_hz is None:
        args = [env.tool("bench-channel"), f"--lcores=0@{env.cpu},1@{env.polling_cpu}",
                "--no-pci", "--in-memory", "--no-telemetry", f"--file-prefix={PREFIX}t",
                "-m", "64", "--log-level=*:error", "--", "--deadline", "30"]
        try:
            with Proc(args, env.log("tsc")) as proc:
                env.tsc_hz = proc.json(15)["tsc_hz"]
        finally:
            forget_prefix(f"{PREFIX}t")
    return env.tsc_hz


def testpmd(env, mode, cores=1):
    cpus = [env.polling_cpu, env.cpu][:cores]
    lcores = ",".join(f"{i + 1}@{cpu}" for i, cpu in enumerate(cpus))
    args = ["env", "LD_LIBRARY_PATH=/run/linked", "dpdk-testpmd", f"--lcores=0@{env.cpu},{lcores}",
            "--main-lcore=0", "--no-pci", "--in-memory", f"--file-prefix={PREFIX}", "-m", "256"]
    args += [f"--vdev={port}" for port in NULL_PORTS]
    args += ["--", f"--nb-cores={cores}", f"--rxq={cores}", f"--txq={cores}", "--burst=32",
             "--total-num-mbufs=16384", f"--forward-mode={mode}", "--auto-start"]
    try:
        with Proc(args, env.log(f"testpmd-{mode}")) as proc:
            return over_a_trial(env, PREFIX, proc)
    finally:
        forget_prefix(PREFIX)


def config(env, workers):
    """Two net_null ports and nothing that meets the kernel."""
    ports = ",\n".join(f'{{ name = "p{i}"; device = "{device}"; }}'
                       for i, device in enumerate(NULL_PORTS))
    cpus = [env.polling_cpu, env.cpu][:workers]
    rule = '{ mode = "xconnect"; ports = ["p0", "p1"]; }'
    each = ",\n".join(f'{{ id = {i}; lcore = {i + 1}; cpus = "{cpu}"; idle = "poll"; burst = 32; '
                      f'forward = ( {rule} ); }}' for i, cpu in enumerate(cpus))
    return f"""
eal = {{ prefix = "{PREFIX}"; lcore = 0; cpus = "{env.cpu}"; log_level = "warning"; }};
ports = ( {ports} );
workers = ( {each} );
control = {{ lcore = {workers + 1}; cpus = "{env.cpu}"; }};
"""


def knit(env, workers=1):
    with System(env, PREFIX, config(env, workers), workers=workers) as system:
        return over_a_trial(env, PREFIX, system.worker)


def instructions_watched(env):
    """While each packet is looked at by a filter that takes none; and afterwards, as before."""
    def measured():
        """What the machine does meanwhile only adds to it."""
        return min(cycles_per_packet(env, *over_a_trial(env, PREFIX, system.worker))
                   for _ in range(4))

    def watching():
        with open(log, encoding="utf-8") as file:
            return "watching" in file.read()

    log = env.log("trace")
    with System(env, PREFIX, config(env, 1)) as system:
        before = measured()
        with Proc([env.program("knit"), "-P", PREFIX, "trace", "-S", "100", "host", "10.9.9.9"],
                  log) as trace:
            wait_for("knit trace", watching, START_SECONDS)
            during = measured()
            if trace.popen.poll() is not None:
                raise trace.failed("has ended")
        after = measured()
    # How full the pool's cache happens to be makes a difference of 2 %.
    if abs(after - before) > 0.04 * before:
        raise Failed(f"{before:.1f} instructions a packet before a watch, {after:.1f} after it")
    return during


def scaling(measure):
    """Packets a second of two pollers, each with a queue of both ports, divided by one's."""
    rates = []
    for pollers in (1, 2):
        packets, _, seconds = measure(pollers)
        rates.append(packets / seconds)
    return rates[1] / rates[0]


# Name and function of all, in the order of the table.
SUBJECTS = [
    (KNIT, lambda env: cycles_per_packet(env, *knit(env))),
    ("testpmd_macswap", lambda env: cycles_per_packet(env, *testpmd(env, "macswap"))),
    ("testpmd_io", lambda env: cycles_per_packet(env, *testpmd(env, "io"))),
]
SCALING_SUBJECTS = [
    (KNIT, lambda env: scaling(lambda n: knit(env, n))),
    ("testpmd_macswap", lambda env: scaling(lambda n: testpmd(env, "macswap", n))),
    ("testpmd_io", lambda env: scaling(lambda n: testpmd(env, "io", n))),
]
