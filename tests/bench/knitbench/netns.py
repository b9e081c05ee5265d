# SPDX-License-Identifier: BSD-3-Clause
"""Into a network namespace without starting a program, which takes long in an emulated machine."""
import contextlib
import ctypes
import os

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def enter(path):
    """The calling thread alone; other threads stay where they are."""
    with open(path, encoding="ascii") as ns:
        if libc.setns(ns.fileno(), CLONE_NEWNET) != 0:
            err = ctypes.get_errno()
            raise OSError(err, f"setns {path}: {os.strerror(err)}")


@contextlib.contextmanager
def inside(name):
    """There and back again."""
    with open("/proc/thread-self/ns/net", encoding="ascii") as home:
        enter(f"/run/netns/{name}")
        try:
            yield
        finally:
            if libc.setns(home.fileno(), CLONE_NEWNET) != 0:
                os.abort()  # whatever it did next would be done in the wrong place


def die_with_parent(sig):
    libc.prctl(PR_SET_PDEATHSIG, sig)
