# SPDX-License-Identifier: BSD-3-Clause
"""The part of the benchmark that runs in a virtual machine.

All channels are set up once and stay; one of them works at a time, the others sleep. Each metric is
measured on one after the other, before the next metric's turn.
"""
import contextlib
import json
import os
import signal
import sys
import time

from . import xconnect
from .channel import VM_CHANNELS, AppSession, WorkerSession
from .metrics import VM_METRICS, VM_WORKER_METRICS
from .limits import LIMIT, LIMITS, PKTGEN_LIMITS
from .net import Net
from .proc import Failed, Proc, call
from .report import KNIT, Results

HUGE_MIB = 768


class Place:
    """A channel with a session on it, made when it is first needed, made again if it broke."""

    def __init__(self, env, who, session_type):
        self.env = env
        self.who = who
        self.session_type = session_type
        self.net = None
        self.session = None

    def get(self):
        if self.session is None:
            start = time.monotonic()
            net = Net(f"{self.who}{self.session_type.__name__}".replace("_", ""))
            self.net = net.__enter__()
            session = self.session_type(self.env, net, VM_CHANNELS[self.who]())
            self.session = session.__enter__()
            print(f"  {self.who}: set up in {time.monotonic() - start:.1f} s", flush=True)
        return self.session

    def drop(self):
        if self.session:
            self.session.__exit__()
        if self.net:
            self.net.__exit__()
        self.session = self.net = None


class Guest:
    def __init__(self, env, args, path):
        self.env = env
        self.path = path  # of the values, written whenever there are new ones
        self.args = args
        self.results = Results()
        self.places = {}
        self.missing = 0

    def place(self, who, session_type):
        key = (who, session_type)
        if key not in self.places:
            self.places[key] = Place(self.env, who, session_type)
        return self.places[key]

    def wanted(self, name):
        return not self.args.only or any(name.startswith(only) for only in self.args.only)

    @contextlib.contextmanager
    def profile(self, name):
        """What the machine does meanwhile, as perf sees it."""
        if not self.args.profile:
            yield
            return
        data, control = "/var/tmp/perf.data", ["/var/tmp/perf.say", "/var/tmp/perf.hear"]
        for fifo in control:
            if not os.path.exists(fifo):
                os.mkfifo(fifo)
        record = ["perf", "record", "-q", "-a", "-g", "-e", "cpu-clock", "-F", "10000", "-o", data,
                  "-D", "-1", f"--control=fifo:{','.join(control)}"]
        with Proc(record, self.env.log("perf")) as perf:
            with open(control[0], "w", encoding="ascii") as say, \
                 open(control[1], "r", encoding="ascii") as hear:
                say.write("enable\n")
                say.flush()
                hear.readline()
                yield
            perf.popen.send_signal(signal.SIGINT)
            perf.rest(20)
        for kind, options in (("flat", ["--no-children", "-g", "none", "-s", "comm,dso,sym"]),
                              ("calls", ["--children", "-g", "none", "-s", "comm,sym"])):
            with open(os.path.join(self.env.out, f"perf-{name}-{kind}"), "w",
                      encoding="utf-8") as out:
                out.write(call(["perf", "report", "-q", "--stdio", "-i", data] + options, 120))

    def trial(self, metric, who, session_type):
        place = self.place(who, session_type)
        try:
            session = place.get()
            with self.profile(f"{metric.names[0]}-{who}"):
                values = metric.measure(session)
        except Failed as err:
            print(f"  {who}: {metric.names[0]}: {err}", file=sys.stderr, flush=True)
            self.missing += who == KNIT
            place.drop()
            return
        for name, value in zip(metric.names, values):
            if self.wanted(name):
                self.results.add(name, (metric.unit, metric.lower), who, value)

    def repetition(self, rep):
        channels = self.args.channels
        first = rep % len(channels)
        for metric in VM_METRICS + VM_WORKER_METRICS:
            if not any(self.wanted(name) for name in metric.names):
                continue
            start = time.monotonic()
            for who in channels[first:] + channels[:first]:
                own = who == KNIT and metric in VM_WORKER_METRICS
                self.trial(metric, who, WorkerSession if own else AppSession)
            print(f"  {metric.names[0]}: {time.monotonic() - start:.1f} s", flush=True)
            save(self.results, self.path)

    def limits(self):
        for name, limit in {**LIMITS, **PKTGEN_LIMITS}.items():
            if not self.wanted(name):
                continue
            try:
                self.results.add(name, ("kpps", False), LIMIT, limit(self.env))
            except Failed as err:
                print(f"  {LIMIT}: {name}: {err}", file=sys.stderr, flush=True)
        save(self.results, self.path)

    def xconnect(self):
        if not self.env.counts_instructions:
            return
        for metric, who, subject in [(xconnect.METRIC, *one) for one in xconnect.SUBJECTS] + [
                (xconnect.WATCHED_METRIC, KNIT, xconnect.instructions_watched)]:
            if not self.wanted(metric):
                continue
            try:
                self.results.add(metric, xconnect.ABOUT_COUNTED, who, subject(self.env))
            except Failed as err:
                print(f"  {who}: {metric}: {err}", file=sys.stderr, flush=True)
                self.missing += who == KNIT
        save(self.results, self.path)

    def run(self):
        try:
            call([os.path.join(self.args.root, "config", "hugepages.sh"), str(HUGE_MIB)])
            call(["insmod", os.environ["KNIT_MODULE"]])
            call(["modprobe", "vhost_net"])
            for rep in range(self.args.reps):
                print(f"repetition {rep + 1} of {self.args.reps}", flush=True)
                self.repetition(rep)
                self.limits()
                self.xconnect()
        finally:
            for place in self.places.values():
                place.drop()


def save(results, path):
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"values": results.values, "about": results.about}, out)


def load(results, path):
    with open(path, encoding="utf-8") as file:
        got = json.load(file)
    results.values = got["values"]
    results.about = {name: tuple(about) for name, about in got["about"].items()}
