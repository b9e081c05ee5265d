# SPDX-License-Identifier: BSD-3-Clause
"""What is measured on a channel, and how each figure is counted."""
import contextlib
import json
import time

from .net import ADDR, ADDR6, NO_MAC, OUTSIDE, OUTSIDE_MAC
from .pktgen import generating
from .proc import SLOW, Failed, call, wait_for

PORT = 5001
HEADERS = 14 + 20 + 8  # Ethernet, IPv4, UDP


def payload(size):
    return size - HEADERS


def send(session, mac, size, flows, seconds=None):
    seconds = seconds or session.env.seconds
    return session.run(f"send 0 {size} {flows} {mac} {ADDR['left']} {PORT} {seconds}", seconds)


def to_socket(session, size, flows):
    """Datagrams a UDP socket's owner received, per second from the first to the last of them."""
    env = session.env
    flush(session, size)
    args = [env.tool("bench-udp"), "sink", str(PORT), str(env.seconds + 20)]
    with session.tool("left", args) as sink:
        sink.json(5)
        send(session, session.net.mac["left"], size, flows)
        settle(session, "left")
        sink.popen.terminate()
        got = sink.json(5)
    if got["packets"] < 2:
        raise Failed("the socket received nothing")
    return got["packets"] / got["seconds"] / 1e3


def flush(session, size):
    """Frames of another size may be left in the channel, which go when others push them."""
    if session.env.flush_seconds:
        send(session, NO_MAC, size, 1, session.env.flush_seconds)
        settle(session, "left")


def settle(session, side):
    """Until the interface's counter stands still for two looks: all that was sent has arrived."""
    seen = [None]

    def still():
        before, seen[0] = seen[0], session.net.received(side)
        return before == seen[0]
    wait_for(f"{session.net.iface[side]} to come to rest", still)


def to_drop(session, size):
    """Frames for another host's MAC that the interface took, per second of sending.

    Frames that were merged on the way in count as what they were merged from: a hand-over has one
    set of headers, so frames = (bytes - hand-overs * headers) / payload. Without merging that is
    the interface's packet counter.
    """
    flush(session, size)
    before = session.net.received("left")
    sent = send(session, NO_MAC, size, 1)
    settle(session, "left")
    after = session.net.received("left")
    packets, octets = after[0] - before[0], after[1] - before[1]
    frames = (octets - packets * HEADERS) / payload(size)
    if frames < 2 or frames > sent["packets"] * 1.001 + 10:
        raise Failed(f"{sent['packets']} frames sent, {frames:.0f} counted")
    return frames / sent["seconds"] / 1e3


def from_kernel(session, size):
    """Packets the application received while one thread sent as fast as it could."""
    args = [session.env.tool("bench-udp"), "send", OUTSIDE, str(PORT), str(payload(size)), "60"]
    with session.tool("left", args) as sender:
        sender.json(5)
        return received(session)


def received(session):
    seconds = session.env.seconds
    got = session.run(f"recv 0 {seconds}", seconds * 2 + 10)
    if got["packets"] == 0:
        raise Failed("the application received nothing")
    return got["packets"] / got["seconds"] / 1e3


def pktgen(session, size):
    """Likewise from the kernel's own packet generator, without the stack."""
    net = session.net
    lines = [f"pkt_size {size}", f"dst {OUTSIDE}", f"dst_mac {OUTSIDE_MAC}"]
    # A queue that the last one left full would take nothing.
    session.run(f"recv 0 {session.env.flush_seconds}", 10)
    with generating(session.env, net, "left", net.iface["left"], session.env.cpu, lines,
                    lambda: net.sent("left")):
        return received(session)


def tcp(session, flows):
    """iperf3 from left to right in all lanes at once, as the receivers count it."""
    listen = ["iperf3", "-s", "-1", "--forceflush"]
    to = ADDR6["right"] if session.env.ipv6 else ADDR["right"]
    connect = ["iperf3", "-c", to, *session.env.tcp_amount, "-P", str(flows), "-J",
               "--connect-timeout", str(int(2000 * SLOW))]
    lanes = range(len(session.nets))
    total = 0
    if session.env.ipv6:
        for net in session.nets:
            net.configure6()
    with contextlib.ExitStack() as stack:
        stack.enter_context(session.forwarding(session.env.tcp_rest_us))
        servers = [stack.enter_context(session.tool("right", listen, lane)) for lane in lanes]
        for server in servers:
            server.until("listening", 5)
        for client in [stack.enter_context(session.tool("left", connect, lane)) for lane in lanes]:
            out = json.loads(client.rest(20))
            if "error" in out:
                raise Failed(f"iperf3: {out['error']}")
            total += out["end"]["sum_received"]["bits_per_second"] / 1e9
    return total


def ping(session):
    env = session.env
    args = [env.tool("bench-ping"), ADDR["right"], str(env.pings), str(env.ping_us)]
    with session.tool("left", args) as proc:
        got = proc.json(env.pings * env.ping_us / 1e6 + 5)
    if got["lost"] * 100 > env.pings:
        raise Failed(f"{got['lost']} of {env.pings} pings lost")
    return got["median"], got["p99"]


def rtt_idle(session):
    with session.forwarding(0):
        return ping(session)


def rtt_loaded(session):
    """While 50 000 datagrams a second of 100 bytes, the same for every channel, cross as well."""
    env = session.env
    args = [env.tool("bench-udp"), "send", ADDR["right"], str(PORT), "100",
            str(env.pings * env.ping_us / 1e6 + 10), str(env.load_pps)]
    sink = [env.tool("bench-udp"), "sink", str(PORT), "60"]
    with session.forwarding(0), session.tool("right", sink) as server:
        server.json(5)
        with session.tool("left", args):
            return ping(session)


def cpu_idle(session, kernel_only=False):
    """Per cent of one CPU, of all the channel's processes and kernel threads, without packets."""
    def used():
        return session.kernel_seconds() + (0 if kernel_only else session.cpu_seconds())

    with session.forwarding(0):
        session.settle()
        before, start = used(), time.monotonic()
        time.sleep(session.env.idle_seconds)
        return (used() - before) / (time.monotonic() - start) * 100


class Metric:
    """names and values go together: a function may measure several things at once."""

    def __init__(self, names, unit, lower, fn, *args):
        self.names = names
        self.unit = unit
        self.lower = lower  # less is better
        self.fn = fn
        self.args = args

    def measure(self, session):
        value = self.fn(session, *self.args)
        return value if isinstance(value, tuple) else (value,)


# Between the application and one side.
APP_METRICS = [
    Metric(["to_kernel_udp_64"], "kpps", False, to_socket, 64, 1),
    Metric(["to_kernel_udp_1500"], "kpps", False, to_socket, 1500, 1),
    Metric(["to_kernel_udp_64_16flows"], "kpps", False, to_socket, 64, 16),
    Metric(["to_kernel_drop_64"], "kpps", False, to_drop, 64),
    Metric(["to_kernel_drop_1500"], "kpps", False, to_drop, 1500),
    Metric(["from_kernel_64"], "kpps", False, from_kernel, 64),
    Metric(["from_kernel_1500"], "kpps", False, from_kernel, 1500),
]

# From side to side: through the application, or through knit's worker.
FORWARD_METRICS = [
    Metric(["tcp_1flow"], "Gbit/s", False, tcp, 1),
    Metric(["tcp_4flows"], "Gbit/s", False, tcp, 4),
    Metric(["rtt_idle_median", "rtt_idle_p99"], "us", True, rtt_idle),
    Metric(["rtt_loaded_median", "rtt_loaded_p99"], "us", True, rtt_loaded),
    Metric(["cpu_idle"], "% of a CPU", True, cpu_idle),
]

# Likewise, with so many lanes of two interfaces each.
LANE_METRICS = {2: [Metric(["tcp_4interfaces"], "Gbit/s", False, tcp, 1)],
                4: [Metric(["tcp_8interfaces"], "Gbit/s", False, tcp, 1)]}

# In a virtual machine. From side to side through the application, knit's, too.
VM_METRICS = APP_METRICS[:2] + APP_METRICS[3:] + FORWARD_METRICS[:3] + [
    Metric(["cpu_idle_kernel"], "% of a CPU", True, cpu_idle, True),
    Metric(["from_kernel_pktgen_64"], "kpps", False, pktgen, 64),
    Metric(["from_kernel_pktgen_1500"], "kpps", False, pktgen, 1500),
]

# There through knit's worker, too.
VM_WORKER_METRICS = FORWARD_METRICS[4:]

# Likewise; knit's worker polls, as the peers always do.
POLLING_METRICS = [
    Metric(["rtt_polled_idle_median", "rtt_polled_idle_p99"], "us", True, rtt_idle),
    Metric(["rtt_polled_loaded_median", "rtt_polled_loaded_p99"], "us", True, rtt_loaded),
]
