#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks which folder uses which: tests/law.py [BUILD]

Two things count as use: an #include, and a symbol that one object needs and another defines. The
objects are those of BUILD. Prints a line FILE: text for each finding; the exit code is 1 if there
is one.
"""
import collections
import json
import os
import re
import subprocess
import sys

# What each folder may use beside itself and include/. A folder that is not here is a finding.
KNI = ["common/kni", "common/kni/base"]
SYSTEM = ["common/system/process", "common/system/rundir", "common/system/session",
          "common/system/config", "common/system/topology", "common/system/quirks",
          "common/kni/base", "common/kni/control", "common/kni/engine", "common/kni/offload"]
LAW = {
    "include": [],
    "include/abi": [],
    # librte_kni: api -> control -> engine -> base; datapath -> offload, base
    "common/kni": [],
    "common/kni/base": ["common/kni"],
    "common/kni/offload": KNI,
    "common/kni/datapath": KNI + ["common/kni/offload"],
    "common/kni/engine": KNI + ["common/kni/engine/tap", "common/kni/engine/kmod"],
    "common/kni/engine/tap": KNI + ["common/kni/engine", "common/kni/offload"],
    "common/kni/engine/kmod": KNI + ["common/kni/engine"],
    "common/kni/control": KNI + ["common/kni/engine"],
    "common/kni/api": KNI + ["common/kni/control", "common/kni/datapath", "common/kni/engine",
                             "common/kni/offload"],
    # knit's own processes
    "common/system/process": [],
    "common/system/bind": ["common/system/process"],
    "common/system/config": ["common/system/bind", "common/system/process"],
    "common/system/quirks": [],
    "common/system/topology": KNI + ["common/kni/control", "common/system/config"],
    "common/system/rundir": KNI + ["common/system/config", "common/system/process"],
    "common/system/session": KNI + ["common/system/config", "common/system/process",
                                    "common/system/quirks", "common/system/rundir",
                                    "common/system/topology"],
    # port_thread -> recovery -> port -> process -> memory; preflight and nic use none of them
    "primary": SYSTEM + ["primary/preflight", "primary/nic", "primary/memory", "primary/process",
                         "primary/port", "primary/recovery"],
    "primary/memory": SYSTEM + ["primary"],
    "primary/process": SYSTEM + ["primary", "primary/memory"],
    "primary/port": SYSTEM + ["primary", "primary/memory", "primary/process",
                              "common/system/bind"],
    "primary/recovery": SYSTEM + ["primary", "primary/memory", "primary/process", "primary/port"],
    "primary/nic": ["common/system/bind", "common/system/config", "common/system/process",
                    "common/system/rundir"],
    "primary/preflight": SYSTEM + ["common/system/bind", "primary/memory", "primary/nic"],
    "secondary/control": SYSTEM,
    "secondary/worker": SYSTEM + ["secondary/worker/datapath"],
    "secondary/worker/datapath": SYSTEM + ["common/kni/datapath", "secondary/worker"],
    "tools/knit-bind": ["common/system/bind", "common/system/process"],
}
# Headers of a folder above that are for all below it, though its code is not.
FOR_ALL = {"primary/primary.h", "secondary/worker/worker.h"}
ROOTS = ("include/", "common/", "primary/", "secondary/", "tools/")


def sources():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                         capture_output=True, text=True).stdout.split()
    return {f for f in out if f.endswith((".c", ".h")) and os.path.exists(f)}


def unit(path):
    """A .c file and the header of its name are one."""
    return os.path.splitext(path)[0]


class Law:
    def __init__(self):
        self.files = sources()
        self.own = sorted(f for f in self.files if f.startswith(ROOTS))
        self.found = 0
        self.uses = collections.defaultdict(dict)  # unit -> unit -> by what

    def say(self, where, text):
        print(f"{where}: {text}")
        self.found += 1

    def check(self, user, used, by):
        """user, used: files"""
        self.uses[unit(user)].setdefault(unit(used), by)
        a, b = os.path.dirname(user), os.path.dirname(used)
        if a not in LAW:
            return
        if b != a and b not in LAW[a] and not b.startswith("include") or \
                b == "primary" and a != b and used not in FOR_ALL:
            self.say(user, f"uses {used} ({by}), which {a}/ may not")

    def resolve(self, file, name):
        """A bare name is a file of the same folder; any other is a path from a root."""
        path = os.path.join(os.path.dirname(file), name)
        if "/" not in name and path in self.files:
            return path
        found = [r + name for r in ROOTS if r + name in self.files]
        return found[0] if len(found) == 1 else None

    def includes(self):
        for file in self.own:
            with open(file, encoding="utf-8") as text:
                for number, line in enumerate(text, 1):
                    match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
                    if not match:
                        continue
                    used = self.resolve(file, match[1])
                    if used:
                        self.check(file, used, f"line {number}")
                    else:
                        self.say(f"{file}:{number}", f'"{match[1]}" is neither a file of this '
                                 "folder nor a path from include, common, primary, secondary "
                                 "or tools")

    def folders(self):
        for folder in sorted({os.path.dirname(f) for f in self.own} - set(LAW)):
            self.say(folder, "tests/law.py does not say what it may use")

    def objects(self, build):
        """Source -> (program's folder, object)"""
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as text:
            for entry in json.load(text):
                source = os.path.join(entry["directory"], entry["file"])
                obj = os.path.join(entry["directory"], entry["output"])
                source = os.path.relpath(source)
                if source in self.files and source.startswith(ROOTS) and os.path.exists(obj):
                    yield source, os.path.dirname(entry["output"]), obj

    def symbols(self, build):
        needs, defines = {}, collections.defaultdict(set)
        for source, program, obj in self.objects(build):
            out = subprocess.run(["nm", obj], check=True, capture_output=True, text=True).stdout
            for line in out.splitlines():
                kind, name = line.split()[-2:]
                if kind == "U":
                    needs.setdefault(source, set()).add(name)
                elif kind.isupper():
                    defines[name].add(source)
        missing = [f for f in self.own if f.endswith(".c") and f not in needs]
        if missing:
            self.say(missing[0], f"has no object in {build}: build first")
        return needs, defines

    def program_of(self, source):
        return "/".join(source.split("/")[:2 if source.startswith(("secondary", "tools")) else 1])

    def calls(self, needs, defines):
        for source, names in sorted(needs.items()):
            for name in sorted(names):
                users = {d for d in defines[name] if d.startswith("common/") or
                         self.program_of(d) == self.program_of(source)}
                for used in users - {source}:
                    self.check(source, used, name)

    def circles(self):
        """Tarjan's strongly connected components"""
        index, low, stack, on = {}, {}, [], set()

        def visit(node):
            index[node] = low[node] = len(index)
            stack.append(node)
            on.add(node)
            for other in sorted(self.uses[node]):
                if other not in index:
                    visit(other)
                    low[node] = min(low[node], low[other])
                elif other in on:
                    low[node] = min(low[node], index[other])
            if low[node] == index[node]:
                group = []
                while not group or group[-1] != node:
                    group.append(stack.pop())
                    on.discard(group[-1])
                if len(group) > 1:
                    self.circle(sorted(group))

        for node in sorted(self.uses):
            if node not in index:
                visit(node)

    def circle(self, group):
        self.say(group[0], "is in a circle")
        for a in group:
            for b in group:
                if a != b and b in self.uses[a]:
                    print(f"    {a} -> {b} ({self.uses[a][b]})")


def main():
    law = Law()
    law.folders()
    law.includes()
    if len(sys.argv) > 1:
        law.calls(*law.symbols(sys.argv[1]))
    law.circles()
    return 1 if law.found else 0


if __name__ == "__main__":
    sys.exit(main())
