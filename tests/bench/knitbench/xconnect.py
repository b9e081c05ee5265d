# SPDX-License-Identifier: BSD-3-Clause
"""The fast path: one polled core moves packets between two net_null ports.

Cycles per packet: TSC cycles of all the time the polling process was on its CPU, divided by the
packets that the ports themselves count; so what else runs on the machine does not count. knit's
worker stands beside testpmd's macswap, which touches each frame's header as the worker does to tell
what is for the kernel, and io, which touches nothing.
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
ABOUT_COUNTED = ("instructions", True)  # where an instruction takes a cycle
START_SECONDS = 15


def received(telemetry):
    return sum(telemetry.ask(f"/ethdev/stats,{port}")["ipackets"] for port in (0, 1))


def cycles_per_packet(env, prefix, proc):
    """Over one trial's time, once packets flow."""
    with Telemetry(prefix) as telemetry:
        wait_for("packets to flow", lambda: received(telemetry) > 100000, START_SECONDS)
        before, start = received(telemetry), proc.cpu_seconds()
        time.sleep(env.seconds)
        after, end = received(telemetry), proc.cpu_seconds()
    if after == before:
        raise Failed("no packets")
    return tsc_hz(env) * (end - start) / (after - before)


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


def testpmd(env, mode):
    args = ["env", "LD_LIBRARY_PATH=/run/linked", "dpdk-testpmd",
            f"--lcores=0@{env.cpu},1@{env.polling_cpu}", "--main-lcore=0",
            "--no-pci", "--in-memory", f"--file-prefix={PREFIX}", "-m", "256"]
    args += [f"--vdev={port}" for port in NULL_PORTS]
    args += ["--", "--nb-cores=1", "--burst=32", "--total-num-mbufs=16384",
             f"--forward-mode={mode}", "--auto-start"]
    try:
        with Proc(args, env.log(f"testpmd-{mode}")) as proc:
            return cycles_per_packet(env, PREFIX, proc)
    finally:
        forget_prefix(PREFIX)


def config(env):
    """Two net_null ports and nothing that meets the kernel."""
    ports = ",\n".join(f'{{ name = "p{i}"; device = "{device}"; }}'
                       for i, device in enumerate(NULL_PORTS))
    return f"""
eal = {{ prefix = "{PREFIX}"; lcore = 0; cpus = "{env.cpu}"; log_level = "warning"; }};
ports = ( {ports} );
workers = ( {{ id = 0; lcore = 1; cpus = "{env.polling_cpu}"; idle = "poll"; burst = 32;
	forward = ( {{ mode = "xconnect"; ports = ["p0", "p1"]; }} ); }} );
control = {{ lcore = 2; cpus = "{env.cpu}"; }};
"""


def knit(env):
    with System(env, PREFIX, config(env)) as system:
        return cycles_per_packet(env, PREFIX, system.worker)


# Name and function of all, in the order of the table.
SUBJECTS = [
    (KNIT, knit),
    ("testpmd_macswap", lambda env: testpmd(env, "macswap")),
    ("testpmd_io", lambda env: testpmd(env, "io")),
]
