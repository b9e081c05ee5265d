#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Random reloads of a running knit under traffic, each judged. tests/smoke/52-changes.sh calls it.

usage: reloads.py first SEED PREFIX CPU            prints the file of the start
       reloads.py run SEED PREFIX CPU PRIMARY-PID DIRECTORY NUMBER
       reloads.py state PREFIX PRIMARY-PID DIRECTORY FILE    starts the others, prints the state
"""
import json
import os
import random
import signal
import subprocess
import sys
import time

import generate
from system import GONE, RESTARTS, System, differences
from traffic import Traffic

HOME = 10  # reloads between two visits of the first configuration
FRESH = 25  # reloads between two comparisons with a fresh start
SLOW = int(os.environ.get("KNIT_SLOW", "1"))
PATIENCE = 15 * SLOW  # seconds
KINDS = ("plain",) * 12 + ("kill worker", "kill worker", "kill control", "stop worker",
                           "stop control")


class Fault(Exception):
    pass


class Run:
    def __init__(self, seed, prefix, cpu, primary, directory, number):
        self.rng = random.Random(seed)
        self.cpu, self.prefix, self.directory = cpu, prefix, directory
        self.number = number
        self.model = generate.first(self.rng)
        self.home = self.model.copy()
        self.system = System(prefix, primary, directory)
        self.traffic = Traffic()
        self.paths = {}  # (mode, ends): Path
        self.faults = 0
        self.at_home = []
        self.count = {}

    def say(self, text):
        print(text, flush=True)

    def fault(self, text):
        self.faults += 1
        self.say(f"  FAULT: {text}")

    @staticmethod
    def key(job):
        return job["mode"], tuple(job["ends"])

    def write(self, name, model, edit=None):
        text = generate.render(model, self.prefix, self.cpu)
        if edit:
            changed = edit(text)
            assert changed != text
            text = changed
        path = f"{self.directory}/{name}.cfg"
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        return path

    # Traffic by the model in force; untouched ones go on as they are.
    def follow(self, model, untouched):
        kept = {self.key(job) for job in untouched}
        for key in [k for k in self.paths if k not in kept]:
            self.traffic.remove(self.paths.pop(key))
        self.model = model
        late = self.system.supervise(model.present(), PATIENCE)
        if late:
            raise Fault(f"do not serve, or do not end: {late}; ended: {self.system.ended}")
        self.judge_ends()
        self.traffic.up((keys["netns"].strip('"'), name) for name, keys in model.ifaces.items())
        new = []
        for job in model.jobs:
            ends = generate.path_of(model, job)
            if ends and self.key(job) not in self.paths:
                self.paths[self.key(job)] = self.traffic.add(ends)
                new.append(self.paths[self.key(job)])
        for line in self.traffic.strict(new, PATIENCE):
            self.fault(line)
        self.traffic.forget_strays()

    # A process ends when it is told to, or killed here.
    def judge_ends(self):
        for name, code in self.system.ended.items():
            if code not in (GONE, RESTARTS, -signal.SIGKILL):
                self.fault(f"{name} has ended with exit code {code}")
        self.system.ended.clear()

    def judge_traffic(self):
        told = self.traffic.settle(list(self.paths.values()), PATIENCE)
        for line in told:
            self.fault(line)
        if told:
            self.say(self.system.knit("drops").communicate()[0])
            self.traffic.strict(list(self.paths.values()), 1)

    # Whether what `knit show config` says is what the file says.
    def judge_config(self, model):
        shown = self.system.config()
        wanted = self.expected(model)
        for line in differences(wanted, {k: {x: shown[k].get(x) for x in wanted[k]}
                                         if isinstance(wanted[k], dict) else
                                         self.like(wanted[k], shown[k]) for k in wanted}):
            self.fault(f"config: {line}")

    @staticmethod
    def like(wanted, shown):
        if len(wanted) != len(shown):
            return shown
        return [{k: s.get(k) for k in w} for w, s in zip(wanted, shown)]

    @staticmethod
    def devices(m):
        return {keys["device"] for keys in m.ports.values()}

    @staticmethod
    def value(text):
        if isinstance(text, str):
            return text.strip('"') if text[0] == '"' else text == "true"
        return text

    def expected(self, m):
        def keys(name, of):
            return {"name": name, **{k: self.value(v) for k, v in of.items()
                                     if k not in ("null", "variant")}}

        workers = []
        for i in m.present():
            rules = []
            for job in m.jobs:
                if i in job["workers"]:
                    ends = job["ends"]
                    rules.append({"mode": "punt", "port": ends[0]} if job["mode"] == "punt" else
                                 {"mode": "xconnect",
                                  "interfaces" if job["mode"] == "join" else "ports": ends})
            workers.append({"id": i, **{k: self.value(v) for k, v in m.workers[i].items()},
                            "forward": rules})
        return {"eal": {k: self.value(v) for k, v in m.eal.items()},
                "ports": [keys(n, m.ports[n]) for n in sorted(m.ports)],
                "interfaces": [keys(n, m.ifaces[n]) for n in sorted(m.ifaces)],
                "workers": workers}

    # A port's address is its interface's.
    def judge_addresses(self):
        for name, keys in self.model.ifaces.items():
            if "port" not in keys:
                continue
            port = self.system.telemetry(f"/knit/port,{keys['port'].strip(chr(34))}")
            netns = keys["netns"].strip('"')
            link = json.loads(subprocess.run(["ip", "-n", netns, "-j", "link", "show", name],
                                             capture_output=True, text=True, check=True).stdout)
            if link[0]["address"] != port["mac"]:
                self.fault(f"interface {name} has the address {link[0]['address']}, and its port "
                           f"{port['mac']}")

    def reload(self, path, kind):
        """(exit code, text) of a reload that something may happen to."""
        moment = self.rng.choice((-1, self.rng.random() * 0.02, self.rng.random() * 0.3))
        stand = 0.1 + self.rng.random() * 0.4
        action, _, who = kind.partition(" ")
        victim = None
        if action in ("kill", "stop"):
            victim = "control" if who == "control" else self.rng.choice(self.model.present())
            kind += f" {victim} at {moment * 1000:.0f} ms"
        self.say(f"  {kind}")
        process = self.system.processes[victim] if victim is not None else None
        if process and moment < 0:
            process.send_signal(signal.SIGKILL if action == "kill" else signal.SIGSTOP)
        reload = self.system.knit("reload", path)
        if process:
            if moment >= 0:
                time.sleep(moment)
                process.send_signal(signal.SIGKILL if action == "kill" else signal.SIGSTOP)
            if action == "stop":
                time.sleep(stand)
                process.send_signal(signal.SIGCONT)
            else:
                process.wait()
                self.system.reap()
                if victim == "control":
                    self.system.start("control")
        try:
            said = reload.communicate(timeout=60 * SLOW)[0].strip()
        except subprocess.TimeoutExpired:
            reload.kill()
            raise Fault(f"no answer from knit reload within {60 * SLOW} s") from None
        return reload.returncode, said, victim

    def one(self, i):
        home = i % HOME == 0
        target, edit, code = self.home.copy(), None, 0
        kind, what = "plain", "back to the first configuration" if home else ""
        if not home:
            target = generate.mutate(self.model, self.rng)
            kind = self.rng.choice(KINDS)
            # A process that dies while all attach or detach a device has the primary start anew.
            if kind.startswith("kill") and self.devices(target) != self.devices(self.model):
                kind = "plain"
            if self.rng.random() < 0.2:
                kind = "plain"
                code, what, target, edit = generate.spoil(target, self.rng)
        self.say(f"{i}: {what}")
        path = self.write(f"reload-{i}", target, edit)
        # A file with an error touches nothing; one that can't be carried out what is made anew.
        before = self.system.config()
        untouched = self.model.jobs if code == 3 or target.start else \
            generate.untouched(self.model, target)
        got, said, victim = self.reload(path, kind)
        self.say("  " + said.replace("\n", "\n  "))
        self.judge_code(kind, code, got)
        after = self.system.config()
        if got != 0 and after != before:
            self.fault(f"refused, and changed: {differences(before, after)[:5]}")
        if "kill worker" in kind:
            untouched = [job for job in untouched if victim not in job["workers"]]
        self.follow(target if got == 0 else self.model, untouched)
        self.judge_config(self.model)
        self.judge_traffic()
        self.judge_addresses()
        if got != 0 and code == 0:
            self.say("  again")
            untouched = generate.untouched(self.model, target)
            got, said, _ = self.reload(path, "plain")
            self.say("  " + said.replace("\n", "\n  "))
            if got != 0:
                self.fault(f"and then it does not work either: exit code {got}")
            self.follow(target if got == 0 else self.model, untouched)
            self.judge_config(self.model)
            self.judge_traffic()
        if home and got == 0:
            self.at_home.append(self.system.resources())
        if (i % FRESH == 0 or i == self.number) and not self.faults:
            self.judge_fresh(path if got == 0 else self.write(f"reload-{i}", self.model))

    def judge_code(self, kind, wanted, got):
        name = kind if kind != "plain" else "refused" if wanted else "plain"
        self.count[name] = self.count.get(name, 0) + 1
        if got == wanted or (got == 1 and kind in ("kill worker", "stop worker", "stop control",
                                                   "kill control")):
            return
        self.fault(f"exit code {got}, not {wanted}")

    def judge_fresh(self, path):
        # The hugepages that the test has asked for are enough for both.
        said = subprocess.run(["unshare", "--net", "--mount", "--propagation", "private",
                               os.environ["KNIT_FRESH"], path], capture_output=True, text=True,
                              check=False, timeout=120 * SLOW,
                              env={**os.environ, "KNIT_IN_NAMESPACE": "fresh"})
        try:
            fresh = json.loads(said.stdout.splitlines()[0])
        except (IndexError, ValueError):
            self.fault(f"no fresh start: {said.stdout}{said.stderr}")
            return
        self.count["fresh start"] = self.count.get("fresh start", 0) + 1
        for line in differences(json.loads(json.dumps(self.system.state())), fresh):
            self.fault(f"another state than after a fresh start: {line}")

    def judge_resources(self):
        """The second visit is the first one for which everything has been used once."""
        if len(self.at_home) < 3:
            return
        first, last = self.at_home[1], self.at_home[-1]
        for key in first:
            self.say(f"  {key}: " + ", ".join(
                str(len(v) if isinstance(v, list) else v) for v in
                (one.get(key) for one in self.at_home)))
        n = HOME * (len(self.at_home) - 2)
        for key, value in first.items():
            # net_tap of some releases leaves 512 bytes behind with each port that is made.
            more = {"kB": 4 * n + 512, "bytes": 2048 * n, "pieces": 8 * n}.get(key.split()[-1], 0)
            if last[key] > value + more if more else last[key] != value:
                self.fault(f"{key}: {value} at first, {last[key]} at last")

    def main(self):
        try:
            self.follow(self.model, [])
            for i in range(1, self.number + 1):
                self.one(i)
            self.judge_resources()
        except Fault as e:
            self.fault(str(e))
        self.traffic.end()
        self.system.end()
        told = ", ".join(f"{n} {what}" for what, n in sorted(self.count.items()))
        self.say(f"{told}; {self.faults} faults")
        return 1 if self.faults else 0


def state(prefix, primary, directory, path):
    """Of a fresh start. As in a run, devices are up and someone uses them."""
    system = System(prefix, primary, directory)
    with open(path, encoding="ascii") as f:
        text = f.read()
    workers = [w["id"] for w in system.config()["workers"]]
    late = system.supervise(workers, PATIENCE)
    if late:
        sys.exit(f"do not serve: {late}: {text}")
    from traffic import in_netns, open_device
    sockets = []
    config = system.config()
    for iface in config["interfaces"]:
        sockets.append(in_netns(iface["netns"], lambda d=iface["name"]: open_device(d)))
    for port in config["ports"]:
        if "iface=" in port["device"]:
            device = port["device"].split("iface=")[1]
            sockets.append(in_netns("far", lambda d=device: open_device(d)))
    told, end = None, time.monotonic() + 3
    # links come up, and requests are answered
    while time.monotonic() < end or told is None:
        told = system.state()
        time.sleep(0.2)
    print(json.dumps(told), flush=True)
    system.end()


def main(argv):
    if argv[0] == "first":
        rng = random.Random(int(argv[1]))
        print(generate.render(generate.first(rng), argv[2], argv[3]), end="")
        return 0
    if argv[0] == "run":
        return Run(int(argv[1]), argv[2], argv[3], int(argv[4]), argv[5], int(argv[6])).main()
    state(argv[1], int(argv[2]), argv[3], argv[4])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
