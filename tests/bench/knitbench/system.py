# SPDX-License-Identifier: BSD-3-Clause
"""knit's own processes: a primary, its worker and its control, from the build directory."""
import os

from .proc import Failed, Proc, forget_prefix, wait_for
from .telemetry import Telemetry

START_SECONDS = 20
SERVING = 2  # state of a worker that is attached


class System:
    """Started: the worker and control are attached. Ended: gone with all it made."""

    def __init__(self, env, prefix, config, netns=None, workers=1):
        self.env = env
        self.n_workers = workers
        self.prefix = prefix
        self.config = config
        self.netns = netns
        self.file = os.path.join(env.out, f"{prefix}.cfg")
        self.procs = []
        self.worker = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def start(self):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(self.config)
        self.spawn(["knit-primary", "-c", self.file])
        wait_for("the primary's argument files",
                 lambda: os.path.exists(f"/run/knit/{self.prefix}/worker-0.args"), START_SECONDS)
        self.spawn(["knit-control", "-p", self.prefix])
        for i in range(self.n_workers):
            self.worker = self.spawn(["knit-worker", "-p", self.prefix, "-i", str(i)])
        with Telemetry(self.prefix) as telemetry:
            wait_for("the workers to serve",
                     lambda: all(telemetry.ask(f"/knit/worker,{i}")["state"] == SERVING
                                 for i in range(self.n_workers)), START_SECONDS)

    def end(self):
        for proc in reversed(self.procs):
            proc.end()
        forget_prefix(self.prefix)
        if os.path.exists(self.file):
            os.unlink(self.file)

    def spawn(self, args):
        path = self.env.program(args[0])
        if not os.path.exists(path):
            raise Failed(f"{path} does not exist")
        self.procs.append(Proc([path] + args[1:], self.env.log(args[0]), netns=self.netns))
        return self.procs[-1]

    def cpu_seconds(self):
        return sum(proc.cpu_seconds() for proc in self.procs)
