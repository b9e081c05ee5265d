# SPDX-License-Identifier: BSD-3-Clause
"""What a channel can't exceed, whatever it is made of.

from_kernel: a device that drops whatever it is given. The sender's way through the stack is the
same but for the queue in front of a device, and nothing takes part of its CPU.

to_kernel_udp, where the kernel has a packet generator: it feeds the socket through a veth pair.
"""
import contextlib
import json
import time

from .metrics import PORT, payload
from .pktgen import generating
from .net import ADDR, OUTSIDE, OUTSIDE_MAC, Net
from .proc import Failed, Proc, call

LIMIT = "limit"  # in the place of a peer
SINK = "kbsink"
KINDS = ("dummy", "ifb")  # the kernel may lack one


def sink_device(ns):
    for kind in KINDS:
        try:
            call(["ip", "-n", ns, "link", "add", SINK, "type", kind])
            break
        except Failed:
            continue
    else:
        raise Failed(f"the kernel has no device of type {' or '.join(KINDS)}")
    call(["ip", "-n", ns, "addr", "add", f"{ADDR['left']}/24", "dev", SINK])
    call(["ip", "-n", ns, "link", "set", SINK, "up"])
    call(["ip", "-n", ns, "neigh", "replace", OUTSIDE, "lladdr", OUTSIDE_MAC, "dev", SINK,
          "nud", "permanent"])


def taken(ns):
    """Packets so far. What one kind counts as sent, the other one counts as dropped."""
    stats = json.loads(call(["ip", "-n", ns, "-s", "-j", "link", "show", SINK]))[0]["stats64"]
    return stats["tx"]["packets"] + stats["tx"]["dropped"] + stats["rx"]["dropped"]


def from_kernel(env, size):
    """Packets of the sender that metrics.from_kernel has, k/s."""
    with Net("limit") as net:
        ns = net.ns["left"]
        sink_device(ns)
        args = [env.tool("bench-udp"), "send", OUTSIDE, str(PORT), str(payload(size)), "60"]
        with Proc(args, env.log("limit"), netns=ns, cpu=env.cpu) as sender:
            sender.json(5)
            time.sleep(env.seconds / 4)
            before, start = taken(ns), time.monotonic()
            time.sleep(env.seconds)
            after, end = taken(ns), time.monotonic()
    if after == before:
        raise Failed("the device took nothing")
    return (after - before) / (end - start) / 1e3


def to_kernel(env, size):
    """Datagrams a UDP socket's owner received, as metrics.to_socket counts them, k/s."""
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(Net("limit"))
        near = net.veth("left")
        net.configure("left")
        net.wait_carrier("left")
        args = [env.tool("bench-udp"), "sink", str(PORT), "60"]
        sink = stack.enter_context(Proc(args, env.log("limit"), netns=net.ns["left"], cpu=env.cpu))
        sink.json(5)
        lines = [f"pkt_size {size - 4}", f"dst {ADDR['left']}", "src_min 10.9.0.2",
                 "src_max 10.9.0.2", f"dst_mac {net.link('left')['address']}",
                 f"udp_dst_min {PORT}", f"udp_dst_max {PORT}"]
        with generating(env, net, "app", near, env.polling_cpu, lines,
                        lambda: net.received("left")):
            time.sleep(env.seconds)
        sink.popen.terminate()
        got = sink.json(5)
    if got["packets"] < 2:
        raise Failed("the socket received nothing")
    return got["packets"] / got["seconds"] / 1e3


# By metric.
LIMITS = {"from_kernel_64": lambda env: from_kernel(env, 64),
          "from_kernel_1500": lambda env: from_kernel(env, 1500)}
PKTGEN_LIMITS = {"to_kernel_udp_64": lambda env: to_kernel(env, 64),
                 "to_kernel_udp_1500": lambda env: to_kernel(env, 1500)}
