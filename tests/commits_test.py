#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that tests/commits.sh finds bad messages, and nothing in a tree without history."""
import os
import re
import subprocess
import tempfile
import unittest

COMMITS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "commits.sh")
# In hooks and `rebase -x` GIT_DIR and the like name the repository around: not the one to test.
ENV = {**{key: value for key, value in os.environ.items()
          if not key.startswith("GIT_") and key != "KNIT_COMMITS"},
       "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
       "GIT_CEILING_DIRECTORIES": tempfile.gettempdir(),
       **{f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER")
          for what in ("NAME", "EMAIL")}}
BODY = "\n\nIt was slow.\n"


def git(tree, *args):
    subprocess.run(["git", "-C", tree, *args], check=True, env=ENV, stdout=subprocess.DEVNULL)


def commit(tree, message, lines=1):
    with open(os.path.join(tree, "file"), "a", encoding="utf-8") as file:
        file.write("line\n" * lines)
    git(tree, "add", "file")
    git(tree, "commit", "-q", "--cleanup=verbatim", "-m", message)


def check(tree, *args):
    """Exit code, and what it says without the names of commits"""
    done = subprocess.run([COMMITS, *args], cwd=tree, check=False, env=ENV, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, re.sub("(?m)^[0-9a-f]{12}: ", "", done.stdout)


class Commits(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.tree = os.path.join(self.folder, "tree")
        os.mkdir(self.tree)

    def start(self):
        git(self.tree, "init", "-q", "-b", "main")
        commit(self.tree, "begin", 30)

    def clone(self, *args):
        clone = os.path.join(self.folder, "clone")
        git(self.folder, "clone", "-q", *args, "file://" + self.tree, clone)
        return clone

    def test_no_history(self):
        self.assertEqual(check(self.tree), (0, "commits: no history here\n"))
        git(self.tree, "init", "-q")
        self.assertEqual(check(self.tree), (0, "commits: no history here\n"))

    def test_no_access(self):
        os.mkdir(os.path.join(self.tree, ".git"))
        code, said = check(self.tree)
        self.assertEqual(code, 1)
        self.assertIn("not a git repository", said)

    def test_part_of_another(self):
        self.start()
        part = os.path.join(self.tree, "part")
        os.mkdir(part)
        commit(self.tree, "bad")
        self.assertEqual(subprocess.run([COMMITS], cwd=part, check=False, env=ENV, text=True,
                                        stdout=subprocess.PIPE).stdout,
                         "commits: no history here\n")

    def test_good(self):
        self.start()
        commit(self.tree, "worker, kmod: pass bursts on" + BODY, 21)
        commit(self.tree, "knit-bind: bring NICs back", 20)
        commit(self.tree, "docs: name " + "ä" * 61 + "\n\nhttp://" + "x" * 100)
        self.assertEqual(check(self.tree, "HEAD~3..HEAD"),
                         (0, "commits: checked 3 (HEAD~3..HEAD)\n"))

    def test_planted(self):
        self.start()
        long = "x" * 95 + " abcdef"
        commit(self.tree, "kmod: " + "x" * 67)
        commit(self.tree, "mend the module")
        commit(self.tree, "kmod: mend the module.")
        commit(self.tree, "kmod: the module works")
        commit(self.tree, "kmod: mended it")
        commit(self.tree, "kmod: mend it\nIt was slow.")
        commit(self.tree, "kmod: mend it\n\nSigned-off-by: x <x@x>", 21)
        commit(self.tree, "kmod: mend it\n\n" + long)
        self.assertEqual(check(self.tree, "HEAD~8..HEAD"), (1, f"""\
title: 73 characters, more than 72
title: not 'area: imperative': mend the module
title: not 'area: imperative': kmod: mend the module.
title: 'the' is no imperative: kmod: the module works
title: 'mended' is no imperative: kmod: mended it
the second line is not blank
21 lines change, and no body says why
more than 100 columns: {long}
commits: checked 8 (HEAD~8..HEAD)
"""))

    def test_what_is_new(self):
        self.start()
        self.assertEqual(check(self.tree), (0, "commits: checked 0 (no origin/main, no tag)\n"))
        git(self.tree, "tag", "v1")
        self.assertEqual(check(self.tree), (0, "commits: checked 0 (newer than v1)\n"))
        clone = self.clone()
        self.assertEqual(check(clone), (0, "commits: checked 0 (not in origin/main)\n"))
        commit(clone, "bad")
        self.assertEqual(check(clone), (1, """\
title: not 'area: imperative': bad
commits: checked 1 (not in origin/main)
"""))

    def test_shallow(self):
        self.start()
        commit(self.tree, "kmod: mend it")
        clone = self.clone("--depth=1")
        self.assertEqual(check(clone, "HEAD"), (0, "commits: checked 1 (HEAD)\n"))

    def test_older_than_the_check(self):
        self.start()
        clone = self.clone()
        commit(clone, "bad")
        os.mkdir(os.path.join(clone, "tests"))
        with open(os.path.join(clone, "tests/commits.sh"), "w", encoding="utf-8") as file:
            file.write("x")
        git(clone, "add", "tests")
        commit(clone, "tests: check messages")
        commit(clone, "also bad")
        self.assertEqual(check(clone), (1, """\
title: not 'area: imperative': also bad
commits: checked 1 (not in origin/main)
"""))


if __name__ == "__main__":
    unittest.main()
