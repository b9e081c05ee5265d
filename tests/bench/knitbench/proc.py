# SPDX-License-Identifier: BSD-3-Clause
"""Processes: each under a deadline, ended by pid, and dead when the benchmark is."""
import glob
import json
import os
import select
import shutil
import signal
import subprocess
import time

from .netns import die_with_parent, enter


# In an emulated machine everything takes longer.
SLOW = float(os.environ.get("KNIT_SLOW", 1))
LONGEST = 1e6  # seconds; select() takes no more


class Failed(Exception):
    """A trial could not be carried out; the message says why."""


def wait_for(what, check, seconds=5.0):
    """Polls until check() is true and returns its value."""
    end = time.monotonic() + seconds * min(SLOW, 20)  # while it looks no clock runs away
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds:g} s")
        time.sleep(0.005)


def call(args, seconds=10.0):
    """Runs a command to its end and returns its stdout."""
    try:
        done = subprocess.run(args, capture_output=True, text=True, check=False,
                              timeout=min(seconds * SLOW, LONGEST))
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Failed(f"{' '.join(args)}: {err}") from err
    if done.returncode != 0:
        raise Failed(f"{' '.join(args)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def forget_prefix(prefix):
    """Removes EAL's run-time directory of a process that has ended."""
    shutil.rmtree(f"/var/run/dpdk/{prefix}", ignore_errors=True)


class Proc:
    """A process with pipes on stdin and stdout; stderr goes to a file that is quoted on failure."""

    def __init__(self, args, log, netns=None, cpu=None):
        def prepare():
            die_with_parent(signal.SIGKILL)
            if netns:
                enter(f"/run/netns/{netns}")
            if cpu is not None:
                os.sched_setaffinity(0, {cpu})

        self.name = os.path.basename(args[0])
        self.log = open(log, "w+", encoding="utf-8")
        self.buf = b""
        try:
            self.popen = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          stderr=self.log, preexec_fn=prepare)
        except (OSError, subprocess.SubprocessError) as err:
            self.log.close()
            raise Failed(f"{self.name}: {err}") from err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self):
        return self.popen.pid

    def failed(self, what):
        """The exception to raise, with the last lines the process wrote to stderr."""
        self.log.flush()
        self.log.seek(0)
        tail = self.log.read().strip().splitlines()[-5:]
        return Failed("\n    ".join([f"{self.name}: {what}"] + tail))

    def say(self, line):
        try:
            self.popen.stdin.write(line.encode() + b"\n")
            self.popen.stdin.flush()
        except OSError as err:
            raise self.failed(f"{line}: {err}") from err

    def line(self, seconds):
        """The next line of stdout, or Failed at the deadline or when the process ended."""
        end = time.monotonic() + seconds * SLOW
        fd = self.popen.stdout.fileno()
        while b"\n" not in self.buf:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise self.failed(f"no answer within {seconds:g} s")
            more = os.read(fd, 65536)
            if not more:
                raise self.failed(f"ended with {self.popen.wait()}")
            self.buf += more
        line, self.buf = self.buf.split(b"\n", 1)
        return line.decode(errors="replace")

    def until(self, text, seconds):
        """The first line from now on that contains text."""
        end = time.monotonic() + seconds * SLOW
        while True:
            line = self.line(max(0.0, end - time.monotonic()) / SLOW)
            if text in line:
                return line

    def json(self, seconds):
        """The next line that is a JSON object."""
        return json.loads(self.until("{", seconds))

    def rest(self, seconds):
        """All that is left of stdout, until the process ends by itself."""
        try:
            out, _ = self.popen.communicate(timeout=seconds * SLOW)
        except subprocess.TimeoutExpired as err:
            raise self.failed(f"still running after {seconds:g} s") from err
        return (self.buf + out).decode(errors="replace")

    def cpu_seconds(self):
        """Time of all living threads on a CPU so far, to the nanosecond."""
        total = 0
        for path in glob.glob(f"/proc/{self.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    def end(self, seconds=5.0):
        """SIGTERM, and SIGKILL when that does not help."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(seconds * SLOW)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout, self.log):
            try:
                pipe.close()
            except OSError:
                pass
