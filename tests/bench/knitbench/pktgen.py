# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's own packet generator."""
import contextlib

from .proc import Proc, call, wait_for

SETTINGS = ("count 0", "clone_skb 0", "delay 0")


@contextlib.contextmanager
def generating(env, net, role, dev, cpu, settings, counter):
    """It sends on a device of that namespace, in that CPU's thread; counter() moves then."""
    def tell(name, *lines):
        echo = "; ".join(f"echo '{line}' >/proc/net/pktgen/{name}" for line in lines)
        return ["nsenter", f"--net=/run/netns/{net.ns[role]}", "sh", "-ec", echo]

    call(["modprobe", "pktgen"])
    try:
        call(tell(f"kpktgend_{cpu}", "rem_device_all", f"add_device {dev}"))
        call(tell(dev, *SETTINGS, *settings))
        before = counter()
        # the call lasts as long as it sends
        with Proc(tell("pgctrl", "start"), env.log("pktgen"), cpu=env.cpu):
            try:
                wait_for("pktgen to send", lambda: counter() != before)
                yield
            finally:
                call(tell("pgctrl", "stop"))
    finally:
        call(["rmmod", "pktgen"])
