#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that tests/law.py finds violations: plants each kind in a small tree that has none."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

LAW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "law.py")
GOOD = {
    "common/kni/base/log.h": "",
    "common/kni/base/log.c": '#include "log.h"\nvoid knit_log(void) {}\n',
    "common/kni/control/pair.h": "",
    "common/kni/control/pair.c": '#include "pair.h"\n#include "kni/base/log.h"\n'
                                 "void knit_log(void);\nvoid knit_pair(void) { knit_log(); }\n",
    "kmod/kni/kni.h": '#include "datapath/kni_rx.h"\n',
    "kmod/kni/datapath/kni_rx.c": '#include "kni_rx.h"\n#include "kni.h"\n',
    "kmod/kni/datapath/kni_rx.h": "",
    "primary/port/port.c": "void port(void) {}\n",
    "primary/port/port_op.c": "void port(void);\nvoid port_op(void) { port(); }\n",
    "secondary/worker/datapath/forward.c": "void *forward(void) { return 0; }\n",
}
README = "".join(sorted({f"\n| `{os.path.dirname(f)}/` |\n" for f in GOOD}))


def law(files):
    """Exit code of the law in a tree of these files, and what it says"""
    sources = [f for f in files if f.endswith(".c") and not f.startswith("kmod/")]
    objects = [os.path.basename(f)[:-1] + "o" for f in sources]
    with tempfile.TemporaryDirectory() as tree:
        commands = [{"directory": tree, "file": f, "output": o}
                    for f, o in zip(sources, objects)]
        for name, text in {**files, "README.md": README,
                           "compile_commands.json": json.dumps(commands)}.items():
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            with open(os.path.join(tree, name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(["cc", "-c", "-Icommon", "-Icommon/kni"] + sources, cwd=tree, check=True)
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        done = subprocess.run([sys.executable, LAW, "."], cwd=tree, check=False,
                              stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


class Law(unittest.TestCase):
    maxDiff = None

    def test_good_tree(self):
        self.assertEqual(law(GOOD), (0, ""))

    def test_planted(self):
        status, found = law({
            **GOOD,
            # up the layers, by an include and by a call
            "common/kni/base/log.c": '#include "kni/control/pair.h"\nvoid knit_log(void) {}\n',
            "primary/process/park.c": "void port(void);\nvoid park(void) { port(); }\n",
            # found by luck on a search path
            "common/kni/control/iface.c": '#include "base/log.h"\n',
            "kmod/kni/kni_tx.c": '#include "system/config/config.h"\n',
            "common/kni/shed/tool.c": "",
            "secondary/worker/datapath/forward.c":
                "#include <stdlib.h>\nvoid *forward(void) { return malloc(1); }\n",
            "primary/port/port.c": "void port_op(void);\nvoid port(void) { port_op(); }\n",
        })
        self.assertEqual(status, 1)
        self.assertEqual(found, """\
common/kni/shed: tests/law.py does not say what it may use
README.md: the layout does not say what lives in common/kni/shed/
README.md: the layout does not say what lives in primary/process/
common/kni/base/log.c: uses common/kni/control/pair.h (line 1), which common/kni/base/ may not
common/kni/control/iface.c:1: "base/log.h" is neither a file of this folder nor a path from \
include, common, primary, secondary or tools
kmod/kni/kni_tx.c:1: "system/config/config.h" is neither a file of this folder nor a path from the \
module, nor of include/abi or common/pure
primary/process/park.c: uses primary/port/port.c (port), which primary/process/ may not
secondary/worker/datapath/forward.c: calls malloc, which is not for the packet path
primary/port/port.c: is in a circle
    primary/port/port.c -> primary/port/port_op.c (port_op)
    primary/port/port_op.c -> primary/port/port.c (port)
common/kni/base: is in a circle
    common/kni/base -> common/kni/control (common/kni/base/log.c -> common/kni/control/pair.h: \
line 1)
    common/kni/control -> common/kni/base (common/kni/control/pair.c -> common/kni/base/log.h: \
line 2)
""")


if __name__ == "__main__":
    unittest.main()
