#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered datagrams: what of them got lost, and what came too late or twice.

usage: sequence.py send ADDRESS PORT RATE
       sequence.py receive ADDRESS PORT

send: RATE datagrams a second, until SIGTERM; then it prints "sent N".
receive: it prints "ready". Until SIGTERM, and until nothing comes for half a second; then it
prints "received N lost N reordered N". What is missing at the end counts as lost only up to the
highest number that came.
"""

import signal
import socket
import struct
import sys
import time

BUFFER = 16 << 20
ended = False


def end(_signal, _frame):
    global ended
    ended = True


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def send(address, port, rate):
    out = socket.socket(family(address), socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    number, start = 0, time.monotonic()
    while not ended:
        # What was missed is not made up for: a burst would only fill queues.
        due = int((time.monotonic() - start) * rate)
        if number < due:
            start += max(0, due - number - 20) / rate
            out.sendto(struct.pack("!Q", number) + bytes(200), (address, port))
            number += 1
        else:
            time.sleep(0.5 / rate)
    print(f"sent {number}", flush=True)


def receive(address, port):
    seen, highest, late, received = set(), -1, 0, 0
    box = socket.socket(family(address), socket.SOCK_DGRAM)
    box.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE
    box.bind((address, port))
    box.settimeout(0.5)
    print("ready", flush=True)
    while True:
        try:
            (number,) = struct.unpack("!Q", box.recv(2048)[:8])
        except socket.timeout:
            if ended:
                break
            continue
        received += 1
        late += number <= highest
        seen.add(number)
        highest = max(highest, number)
    print(f"received {received} lost {highest + 1 - len(seen)} reordered {late}", flush=True)


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("send", "receive"):
        sys.exit(__doc__)
    signal.signal(signal.SIGTERM, end)
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        receive(sys.argv[2], int(sys.argv[3]))


main()
