#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""UDP datagrams one way, on many flows: replies would make a tap device move a flow to the queue
on which they come. Exit code 0: all is as it should be.

  oneway.py all FROM TO SIZE...  datagrams of these sizes on each flow: all arrive, in order, as
                                 they were sent; one half is sent in pieces that are cut on the way
  oneway.py flood FROM TO FILE   until FILE exists: what arrives is what was sent, nothing twice
  oneway.py lone FROM TO MS      single ones, with pauses: one half take no longer than MS

FROM and TO are NETNS:ADDRESS.
"""

import os
import random
import socket
import struct
import sys
import threading
import time

from wire import endpoint, ip_family, socket_in

PORT = 5010
FLOWS = 24
PIECES = 7
UDP_SEGMENT = 103
FORCE_BUFFER = 33  # SO_RCVBUFFORCE


def sender(netns, address, to):
    s = socket_in(netns, ip_family(address), socket.SOCK_DGRAM)
    s.bind((address, 0))
    s.connect((to, PORT))
    return s


def receiver(netns, address):
    s = socket_in(netns, ip_family(address), socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, FORCE_BUFFER, 64 << 20)
    s.bind((address, PORT))
    return s


def ends(source, destination):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    return ([sender(from_ns, from_addr, to_addr) for _ in range(FLOWS)],
            receiver(to_ns, to_addr))


def content(flow, number, size):
    head = struct.pack("!HIH", flow, number, size)
    return head + random.Random(flow << 32 | number).randbytes(size - len(head))


def read_head(datagram):
    return struct.unpack("!HIH", datagram[:8])


def is_right(datagram):
    return len(datagram) >= 8 and content(*read_head(datagram)) == datagram


def all(source, destination, *sizes):
    out, into = ends(source, destination)
    into.settimeout(3)
    arrived = 0
    for flow, s in enumerate(out):
        if flow % 2:
            sent = [content(flow, n, int(size)) for n, size in enumerate(sizes)]
            for datagram in sent:
                s.send(datagram)
        else:
            size = int(sizes[flow // 2 % len(sizes)])
            sent = [content(flow, n, size) for n in range(PIECES)]
            s.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
            s.send(b"".join(sent))
        got = []
        try:
            while len(got) < len(sent):
                got.append(into.recv(1 << 16))
        except socket.timeout:
            pass
        if got != sent:
            print(f"flow {flow}: sent {[len(d) for d in sent]}, found {[len(d) for d in got]}")
            return False
        arrived += len(got)
    print(f"{arrived} datagrams on {FLOWS} flows")
    return True


def flood(source, destination, end):
    out, into = ends(source, destination)
    into.settimeout(0.5)
    seen, wrong, sent = set(), [], [0]

    def send():
        rng = random.Random(1)
        while not os.path.exists(end):
            for flow, s in enumerate(out):
                size = rng.choice((8, 100, 600, 1400))
                try:
                    s.send(content(flow, sent[0], size))
                except OSError:  # no room at the moment
                    continue
            sent[0] += 1
            time.sleep(0.002)

    thread = threading.Thread(target=send)
    thread.start()
    while True:
        try:
            datagram = into.recv(1 << 16)
        except socket.timeout:
            if thread.is_alive():
                continue
            break
        key = datagram[:6]
        if key in seen or not is_right(datagram):
            wrong.append(("twice " if key in seen else "damaged ") + datagram[:32].hex())
        seen.add(key)
    print(f"{len(seen)} of {sent[0] * FLOWS} datagrams arrived, {len(wrong)} wrong")
    print(*wrong[:20], sep="\n")
    return len(seen) > 0 and not wrong


def lone(source, destination, limit):
    out, into = ends(source, destination)
    into.settimeout(5)
    took = []
    for number, s in enumerate(out):
        time.sleep(0.4)
        start = time.monotonic()
        s.send(content(number, 0, 100))
        if not is_right(into.recv(1 << 16)):
            return False
        took.append((time.monotonic() - start) * 1000)
    took.sort()
    median = took[len(took) // 2]
    print(f"median {median:.1f} ms, longest {took[-1]:.1f} ms")
    return median <= int(limit)


COMMANDS = {f.__name__: f for f in (all, flood, lone)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(0 if COMMANDS[sys.argv[1]](*sys.argv[2:]) else 1)
