# SPDX-License-Identifier: BSD-3-Clause
"""The running processes of one knit: its workers and control, its telemetry, the command knit."""
import json
import os
import re
import signal
import socket
import subprocess
import time

BUILD = os.environ["KNIT_BUILD"]
GONE, RESTARTS = 6, 8  # exit codes of a worker that is told to end
ATTACHED = 2

# Of telemetry's objects: what is a matter of the configuration. Everything else counts events, or
# names something that another start numbers in another way (DPDK's port numbers, ifindex, hardware
# addresses that a driver chooses, processes).
STATE = {
    "port": ("device", "driver", "queues", "tx_queues", "tx", "mtu", "admin_up", "absent",
             "removed", "link_up", "promisc", "allmulti"),
    "interface": ("engine", "handover", "pairs"),
    "worker": ("state", "parked", "numa_node"),
}


class System:
    def __init__(self, prefix, primary, logs):
        self.prefix = prefix
        self.primary = primary
        self.logs = logs
        self.processes = {}  # "control" or a worker's id: Popen
        self.ended = {}  # the same: exit code
        self.socket = None

    def telemetry(self, command):
        for _ in range(2):
            try:
                if self.socket is None:
                    self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    self.socket.settimeout(20)
                    self.socket.connect(f"/run/dpdk/{self.prefix}/dpdk_telemetry.v2")
                    self.socket.recv(1024)
                self.socket.send(command.encode())
                answer = json.loads(self.socket.recv(1 << 16))
                return next(iter(answer.values()))
            except OSError:
                self.socket = None
        raise RuntimeError(f"telemetry does not answer {command}")

    def knit(self, *arguments):
        return subprocess.Popen([f"{BUILD}/tools/knit/knit", "--prefix", self.prefix, *arguments],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def config(self):
        """What is in force, in an order of its own."""
        said = subprocess.run([f"{BUILD}/tools/knit/knit", "--prefix", self.prefix, "show",
                               "config", "-j"], capture_output=True, text=True, check=True)
        config = json.loads(said.stdout)["config"]
        for name in ("ports", "interfaces"):
            config[name].sort(key=lambda one: one["name"])
        config["workers"].sort(key=lambda one: one["id"])
        return config

    def start(self, name):
        program = [f"{BUILD}/secondary/control/knit-control"] if name == "control" else \
            [f"{BUILD}/secondary/worker/knit-worker", "--id", str(name)]
        with open(f"{self.logs}/{name}.log", "a", encoding="utf-8") as log:
            self.processes[name] = subprocess.Popen(
                [*program, "--prefix", self.prefix], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log)

    def serves(self, name):
        pid = self.processes[name].pid if name in self.processes else 0
        if name == "control":
            info = self.telemetry("/knit/info")
            return info["control_pid"] == pid and info["control_state"] == ATTACHED
        worker = self.telemetry(f"/knit/worker,{name}")
        return worker is not None and worker["pid"] == pid and worker["state"] == ATTACHED

    def reap(self):
        for name, process in list(self.processes.items()):
            if process.poll() is not None:
                self.ended[name] = process.returncode
                del self.processes[name]

    def supervise(self, workers, seconds):
        """As systemd does: what has ended is started again, if it is to be there."""
        end = time.monotonic() + seconds
        wanted = [*workers, "control"]
        while True:
            self.reap()
            for name in wanted:
                if name not in self.processes:
                    self.start(name)
            late = [n for n in wanted if not self.serves(n)]
            late += [n for n in self.processes if n not in wanted]
            if not late or time.monotonic() > end:
                return late
            time.sleep(0.05)

    def end(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def state(self):
        """What a fresh start from the same file has, too."""
        told = {"config": self.config()}
        for kind, keys in STATE.items():
            for name in sorted(self.telemetry(f"/knit/{kind}s")):
                one = self.telemetry(f"/knit/{kind},{name}")
                told[f"{kind} {name}"] = {k: one[k] for k in keys}
        told["config"]["eal"].pop("prefix")
        # A dead worker's successor has the spare pool, whose name goes with it.
        told["pools"] = len(self.telemetry("/knit/pools"))
        told["memzones"] = self.memzones()
        return told

    def memzones(self):
        """How many, without those of the pool for unused queues, which is made when needed."""
        names = [self.telemetry(f"/eal/memzone_info,{i}")["Name"]
                 for i in self.telemetry("/eal/memzone_list")]
        return sum("knit_unused" not in name for name in names)

    def resources(self):
        """What must not grow."""
        told = {"memzones": len(self.telemetry("/eal/memzone_list"))}
        heap = self.telemetry("/eal/heap_info,0")
        told["heap bytes"] = heap["Alloc_size"]
        told["heap pieces"] = heap["Alloc_count"]
        pids = {"primary": self.primary}
        pids.update({str(n): p.pid for n, p in self.processes.items()})
        for name, pid in pids.items():
            told[f"{name} fds"] = sorted(self.files(pid))
            told[f"{name} threads"] = len(os.listdir(f"/proc/{pid}/task"))
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                told[f"{name} kB"] = int(re.search(r"RssAnon:\s*(\d+)", status.read())[1])
        return told

    @staticmethod
    def files(pid):
        told = []
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                name = re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{fd}"))
                # control looks at its own files for a moment
                if not name.startswith("/proc/"):
                    told.append(name)
            except OSError:
                pass
        return told


def differences(a, b, where=""):
    """Lines about what differs between two values of JSON."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [line for key in sorted(a.keys() | b.keys(), key=str)
                for line in differences(a.get(key), b.get(key), f"{where} {key}")]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [line for i, (x, y) in enumerate(zip(a, b))
                for line in differences(x, y, f"{where}[{i}]")]
    return [] if a == b else [f"{where.strip()}: {a!r} is not {b!r}"]
