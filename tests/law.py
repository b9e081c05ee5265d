#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks which folder uses which: tests/law.py BUILD, or tests/law.py --modules FOLDER

Two things count as use: an #include, and a symbol that one object needs and another defines. The
objects are those of BUILD. Neither files nor folders use each other in a circle, and a folder named
datapath/ calls nothing that could wait. Kernel modules include nothing but their own files,
include/abi and common/pure; FOLDER has their objects, FOLDER/MODULE/**.o. Prints a line FILE: text
for each finding; the exit code is 1 if there is one.
"""
import collections
import json
import os
import re
import subprocess
import sys

# What each folder may use beside itself and include/. A folder that is not here is a finding.
BASE = ["common/kni", "common/kni/base"]
# What knit's own processes use of the library, and of what they share.
SHARED = BASE + ["common/kni/control", "common/kni/engine", "common/kni/offload",
                 "common/system/process", "common/system/config", "common/system/quirks",
                 "common/system/topology", "common/system/rundir", "common/system/session",
                 "common/system/command", "common/system/text"]
LAW = {
    "include": [],
    "include/abi": [],
    # what the kernel module compiles, too
    "common/pure": [],
    # forwarding tables: no DPDK, and nothing else of knit's
    "common/route": [],
    # librte_kni: api -> control -> engine -> base; datapath -> offload, base
    "common/kni": ["common/kni/base"],
    "common/kni/base": [],
    "common/kni/offload": ["common/kni/base"],
    "common/kni/datapath": BASE + ["common/kni/offload"],
    "common/kni/engine": BASE + ["common/kni/engine/tap", "common/kni/engine/kmod"],
    "common/kni/engine/tap": BASE + ["common/kni/engine", "common/kni/offload", "common/pure"],
    "common/kni/engine/kmod": BASE + ["common/kni/engine"],
    "common/kni/control": BASE + ["common/kni/engine"],
    "common/kni/api": BASE + ["common/kni/control", "common/kni/datapath", "common/kni/engine",
                              "common/kni/offload"],
    # knit's own processes
    "common/system/process": [],
    "common/system/client": ["common/system/process"],
    "common/system/metrics": ["common/kni"],
    "common/system/text": [],
    "common/system/quirks": [],
    "common/system/command": [],
    "common/system/bind": ["common/system/process"],
    "common/system/config": ["common/system/bind", "common/system/process"],
    "common/system/topology": BASE + ["common/kni/control", "common/system/config",
                                      "common/system/command"],
    "common/system/rundir": BASE + ["common/system/config", "common/system/process"],
    "common/system/session": BASE + ["common/system/config", "common/system/process",
                                     "common/system/quirks", "common/system/rundir",
                                     "common/system/topology"],
    # port_thread -> recovery -> port -> process -> memory; preflight uses memory and nic; nic uses
    # none of them
    "primary": SHARED + ["common/system/bind", "common/system/metrics", "primary/preflight",
                         "primary/nic", "primary/memory", "primary/process", "primary/port",
                         "primary/recovery", "primary/change", "primary/command",
                         "primary/event"],
    "primary/memory": SHARED,
    "primary/event": BASE + ["common/system/command", "common/system/quirks", "common/system/text"],
    "primary/command": SHARED + ["common/system/bind", "primary/event", "primary/process"],
    "primary/process": SHARED + ["primary/memory", "primary/event"],
    "primary/port": SHARED + ["common/system/bind", "primary/memory", "primary/process",
                              "primary/event"],
    "primary/change": SHARED + ["primary/memory", "primary/process", "primary/port",
                                "primary/event"],
    "primary/recovery": SHARED + ["primary/memory", "primary/process", "primary/port",
                                  "primary/event"],
    "primary/nic": ["common/system/bind", "common/system/config", "common/system/process",
                    "common/system/rundir"],
    "primary/preflight": SHARED + ["common/kni/engine/tap", "common/kni/engine/kmod",
                                   "common/system/bind", "primary/memory", "primary/nic"],
    "secondary/control": SHARED,
    "secondary/worker": SHARED + ["secondary/worker/datapath"],
    "secondary/worker/datapath": SHARED + ["common/kni/datapath"],
    "tools/knit": ["tools/knit/top", "tools/knit/watch", "common/kni", "common/system/client",
                   "common/system/command", "common/system/metrics", "common/system/process"],
    "tools/knit/top": ["common/system/client", "common/system/process", "tools/knit"],
    "tools/knit/watch": ["common/kni", "common/system/client", "common/system/command",
                         "common/system/process", "tools/knit"],
    "tools/knit-exporter": ["common/kni", "common/system/client", "common/system/metrics",
                            "common/system/process", "common/system/text"],
    "tools/knit-bind": ["common/system/bind", "common/system/process", "common/system/text"],
}
# The structs that a program's files share, for all folders below.
STRUCTS = {"primary/primary.h", "secondary/worker/worker.h"}
# All that the objects of a folder named datapath/ may call besides each other: no lock, no log, no
# system call but those that wake an engine, and no memory but mbufs.
DATAPATH_CALLS = re.compile(
    r"_GLOBAL_OFFSET_TABLE_|__tls_get_addr|__rte_panic|memcpy|memmove|memset|memcmp|"
    r"per_lcore__.*|rte_eth_fp_ops|rte_eth_call_[rt]x_callbacks|rte_mempool_ops_table|"
    r"rte_mempool_avail_count|rte_pktmbuf_free_bulk|"
    r"knit_doorbell_ring|knit_kick_of|knit_handoff_(put|take|lost)|knit_offload_\w+|"
    r"knit_(to|from)_kernel(_room|_any|_count)?|knit_worker_fallback(_failed)?|"
    r"knit_watch_\w+|knit_forward_why|pcap_offline_filter")
MODULE_INCLUDES = ("include/abi/", "common/pure/")
ROOTS = ("include/", "common/", "primary/", "secondary/", "tools/")


def sources():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                         capture_output=True, text=True).stdout.split()
    return {f for f in out if f.endswith((".c", ".h")) and os.path.exists(f)}


class Law:
    def __init__(self):
        self.files = sources()
        self.own = sorted(f for f in self.files if f.startswith(ROOTS))
        self.modules = sorted(f for f in self.files if f.startswith("kmod/"))
        self.found = 0
        self.calls_of = collections.defaultdict(dict)  # file -> file -> symbol
        self.folders_of = collections.defaultdict(dict)  # folder -> folder -> by what

    def say(self, where, text):
        print(f"{where}: {text}")
        self.found += 1

    def check(self, user, used, by):
        """user, used: files"""
        a, b = os.path.dirname(user), os.path.dirname(used)
        if a == b or b.startswith("include") or used in STRUCTS and a.startswith(b):
            return
        if not (a + "/").startswith(b + "/"):  # a part may use the whole's headers
            self.folders_of[a].setdefault(b, f"{user} -> {used}: {by}")
        if b not in LAW.get(a, [b]):
            self.say(user, f"uses {used} ({by}), which {a}/ may not")

    def resolve(self, file, name):
        """A bare name is a file of the same folder; any other is a path from a root."""
        path = os.path.join(os.path.dirname(file), name)
        if "/" not in name and path in self.files:
            return path
        roots = ROOTS + ((self.program_of(file) + "/",) if file.startswith("kmod/") else ())
        found = [r + name for r in roots if r + name in self.files]
        return found[0] if len(found) == 1 else None

    def included(self, files):
        """File, line, the name in quotes"""
        for file in files:
            with open(file, encoding="utf-8") as text:
                for number, line in enumerate(text, 1):
                    match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
                    if match:
                        yield file, number, match[1]

    def includes(self):
        for file, number, name in self.included(self.own):
            used = self.resolve(file, name)
            if used:
                self.check(file, used, f"line {number}")
            else:
                self.say(f"{file}:{number}", f'"{name}" is neither a file of this folder nor a '
                         "path from include, common, primary, secondary or tools")

    def module_includes(self):
        for file, number, name in self.included(self.modules):
            used = self.resolve(file, name)
            if not used or self.program_of(used) != self.program_of(file) and \
                    not used.startswith(MODULE_INCLUDES):
                self.say(f"{file}:{number}", f'"{name}" is neither a file of this folder nor '
                         "a path from the module, nor of include/abi or common/pure")

    def folders(self):
        folders = {os.path.dirname(f) for f in self.own}
        for folder in sorted(folders - set(LAW)):
            self.say(folder, "tests/law.py does not say what it may use")
        with open("README.md", encoding="utf-8") as text:
            layout = text.read()
        for folder in sorted(f for f in folders if f"\n| `{f}/` |" not in layout):
            self.say("README.md", f"the layout does not say what lives in {folder}/")

    def objects(self, build):
        """Pairs of a source and its object"""
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as text:
            for entry in json.load(text):
                source = os.path.join(entry["directory"], entry["file"])
                obj = os.path.join(entry["directory"], entry["output"])
                source = os.path.relpath(source)
                if source in self.files and source.startswith(ROOTS) and os.path.exists(obj):
                    yield source, obj

    def symbols(self, build):
        needs, defines = self.names({obj: source for source, obj in self.objects(build)})
        missing = [f for f in self.own if f.endswith(".c") and f not in needs]
        if missing:
            self.say(missing[0], f"has no object in {build}: build first")
        return needs, defines

    def module_calls(self, folder):
        """Between the files of each module; common/pure is part of the file that includes it"""
        sources = {f"{folder}{f[len('kmod'):-1]}o": f for f in self.modules if f.endswith(".c")}
        for obj in [o for o in sources if not os.path.exists(o)]:
            self.say(sources[obj], f"has no object {obj}: build first")
            return
        needs, defines = self.names(sources)
        for source, names in sorted(needs.items()):
            for name in sorted(names):
                for used in defines[name] - {source}:
                    if self.program_of(used) == self.program_of(source):
                        self.calls_of[source].setdefault(used, name)

    def names(self, sources):
        """What the objects need and define, by their sources"""
        needs, defines = {}, collections.defaultdict(set)
        out = subprocess.run(["nm", "-A"] + sorted(sources), check=True, capture_output=True,
                             text=True).stdout if sources else ""
        for source in sources.values():
            needs[source] = set()
        for line in out.splitlines():
            obj, rest = line.split(":", 1)
            source = sources[obj]
            kind, name = rest.split()[-2:]
            if kind == "U":
                needs[source].add(name)
            elif kind.isupper():
                defines[name].add(source)
        return needs, defines

    def program_of(self, source):
        deep = source.startswith(("secondary", "tools", "kmod"))
        return "/".join(source.split("/")[:2 if deep else 1])

    def calls(self, needs, defines):
        for source, names in sorted(needs.items()):
            for name in sorted(names):
                users = {d for d in defines[name] if d.startswith("common/") or
                         self.program_of(d) == self.program_of(source)}
                for used in sorted(users - {source}):
                    self.calls_of[source].setdefault(used, name)
                    self.check(source, used, name)

    def datapath(self, needs):
        for source, names in sorted(needs.items()):
            if os.path.basename(os.path.dirname(source)) != "datapath":
                continue
            for name in sorted(names):
                if not DATAPATH_CALLS.fullmatch(name):
                    self.say(source, f"calls {name}, which is not for the packet path")

    def circles(self, uses):
        """Tarjan's strongly connected components"""
        index, low, stack, on = {}, {}, [], set()

        def visit(node):
            index[node] = low[node] = len(index)
            stack.append(node)
            on.add(node)
            for other in sorted(uses.get(node, [])):
                if other not in index:
                    visit(other)
                    low[node] = min(low[node], low[other])
                elif other in on:
                    low[node] = min(low[node], index[other])
            if low[node] != index[node]:
                return
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
                on.discard(group[-1])
            if len(group) > 1:
                self.circle(sorted(group), uses)

        for node in sorted(uses):
            if node not in index:
                visit(node)

    def circle(self, group, uses):
        self.say(group[0], "is in a circle")
        for a in group:
            for b in group:
                if b in uses.get(a, []):
                    print(f"    {a} -> {b} ({uses[a][b]})")


def main():
    law = Law()
    if sys.argv[1] == "--modules":
        law.module_calls(sys.argv[2])
    else:
        law.folders()
        law.includes()
        law.module_includes()
        needs, defines = law.symbols(sys.argv[1])
        law.calls(needs, defines)
        law.datapath(needs)
    law.circles(law.calls_of)
    law.circles(law.folders_of)
    return 1 if law.found else 0


if __name__ == "__main__":
    sys.exit(main())
