#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sends, receives and judges frames for the smoke tests. Exit code 0: all is as it should be.

  wire.py capture AT MTU         prints "ready", judges every frame until SIGTERM, prints counts
  wire.py frames FROM TO FIRST-LAST[:STEP] [TPID:TCI]...
                                 numbered frames of each length, compared byte by byte
  wire.py datagrams FROM TO MAX [COUNT]
                                 numbered UDP datagrams of many sizes: content, boundaries, order;
                                 2000, or with KNIT_SLOW, which an emulated machine has, 400
  wire.py stream FROM TO MIB     one TCP connection, compared byte by byte
  wire.py longest FROM TO DEVICE MIB
                                 the same, and prints how long the longest frame is that a packet
                                 socket at DEVICE sees
  wire.py segments FROM TO SIZE  UDP datagrams sent in one piece of 20, which kernel or port cuts
  wire.py zero FROM TO           a datagram whose checksum is 0, which means "none", so 0xffff
  wire.py unsummed FROM TO DEVICE
                                 datagrams without checksum arrive, as seen at DEVICE, without one
  wire.py corrupt FROM SOURCE,DESTINATION MAC TO tcp|udp
                                 a run of segments to MAC, one of them damaged
  wire.py seen FROM TO DEVICE SIZE
                                 60 datagrams of SIZE: a packet socket at DEVICE sees each of them
  wire.py nft NETNS add|del      a table of nftables with an empty chain that received packets pass
  wire.py cross FROM TO OTHER MAC [TCI]
                                 frames to MAC: all of them arrive at TO, none at OTHER

AT, and FROM, TO and OTHER of frames, corrupt and cross are NETNS:DEVICE, the others'
are NETNS:ADDRESS.
"""

import ctypes
import os
import random
import select
import signal
import socket
import struct
import sys
import threading

ETHERTYPE = 0x88B5  # for local experiments
AUXDATA = 8  # PACKET_AUXDATA
SOL_PACKET = 263
PORT = 5005
COUNT = 2000 if os.environ.get("KNIT_SLOW", "1") == "1" else 400
libc = ctypes.CDLL(None, use_errno=True)


def socket_in(netns, *args):
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{netns}") as there:
        if libc.setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"setns {netns}")
        try:
            return socket.socket(*args)
        finally:
            libc.setns(home.fileno(), 0)


def endpoint(text):
    return text.split(":", 1)


def packet_socket(netns, device, protocol):
    s = socket_in(netns, socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, AUXDATA, 1)
    s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    s.bind((device, protocol))
    return s


def ip_family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def receive(s):
    """A frame as it was on the wire: a tag that the kernel took out is put back."""
    data, control, _, address = s.recvmsg(1 << 17, 64)
    for level, kind, value in control:
        if level == SOL_PACKET and kind == AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
            if status & 0x10:  # TP_STATUS_VLAN_VALID
                tag = struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci)
                data = data[:12] + tag + data[12:]
    return data, address


def checksum(data):
    """Of RFC 1071, 0 if data contains its right checksum: 2^16 is 1 modulo 2^16-1."""
    if len(data) & 1:
        data += b"\0"
    value = int.from_bytes(data, "big")
    return (0xFFFF - (value % 0xFFFF or (0xFFFF if value else 0))) & 0xFFFF


class Judge:
    def __init__(self, mtu):
        self.mtu = mtu
        names = ("frames", "tcp", "udp", "icmp", "arp", "vlan", "fragment", "other")
        self.count = dict.fromkeys(names, 0)
        self.longest = 0
        self.bad = []

    def fail(self, why, frame):
        self.bad.append(f"{why}: {len(frame)} bytes {frame[:80].hex()}")

    def frame(self, frame):
        offset = 12
        self.count["frames"] += 1
        while frame[offset:offset + 2] in (b"\x81\x00", b"\x88\xa8"):
            offset += 4
            self.count["vlan"] += 1
        self.longest = max(self.longest, len(frame))
        if len(frame) > self.mtu + offset + 2:
            self.fail(f"longer than the MTU {self.mtu}", frame)
        ethertype = int.from_bytes(frame[offset:offset + 2], "big")
        packet = frame[offset + 2:]
        if ethertype == 0x0800:
            self.ipv4(packet, frame)
        elif ethertype == 0x86DD:
            self.ipv6(packet, frame)
        else:
            self.count["arp" if ethertype == 0x0806 else "other"] += 1

    def ipv4(self, packet, frame):
        header = (packet[0] & 15) * 4
        total = int.from_bytes(packet[2:4], "big")
        if checksum(packet[:header]):
            self.fail("IPv4 header checksum", frame)
        if total > len(packet) or total < header:
            self.fail("IPv4 total length", frame)
        elif int.from_bytes(packet[6:8], "big") & 0x3FFF:
            self.count["fragment"] += 1
        else:
            self.layer4(packet[9], packet[12:20], packet[header:total], frame)

    def ipv6(self, packet, frame):
        length = int.from_bytes(packet[4:6], "big")
        next_header, offset = packet[6], 40
        if length > len(packet) - 40:
            return self.fail("IPv6 length", frame)
        while next_header in (0, 43, 60):
            next_header, offset = packet[offset], offset + packet[offset + 1] * 8 + 8
        if next_header == 44:
            self.count["fragment"] += 1
        else:
            self.layer4(next_header, packet[8:40], packet[offset:40 + length], frame)

    def layer4(self, protocol, addresses, data, frame):
        name = {1: "icmp", 58: "icmp", 6: "tcp", 17: "udp"}.get(protocol, "other")
        self.count[name] += 1
        if name == "other":
            return
        length = int.from_bytes(data[4:6], "big")
        if protocol == 17 and (data[6:8] == b"\0\0" or length != len(data)):
            self.fail("UDP without checksum or with a wrong length", frame)
        pseudo = addresses + struct.pack("!IHBB", len(data), 0, 0, protocol)
        if protocol == 1:
            pseudo = b""
        if checksum(pseudo + data):
            self.fail(f"{name} checksum", frame)


def capture(where, mtu):
    netns, device = endpoint(where)
    s = packet_socket(netns, device, 3)  # ETH_P_ALL
    judge = Judge(int(mtu))
    ending = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(1))
    print("ready", flush=True)
    while select.select([s], [], [], 0.05)[0] or not ending:
        if select.select([s], [], [], 0)[0]:
            judge.frame(receive(s)[0])
    judge.count.update(longest=judge.longest, bad=len(judge.bad))
    print(*(f"{k} {v}" for k, v in judge.count.items()))
    print(*judge.bad[:20], sep="\n")
    return not judge.bad


def tags(texts):
    return b"".join(struct.pack("!HH", *(int(n, 0) for n in t.split(":"))) for t in texts)


def numbered_frame(number, length, addresses, tag):
    head = addresses + tag + struct.pack("!HI", ETHERTYPE, number)
    return head + random.Random(number).randbytes(length + len(tag) - len(head))


def arrivals(s, want, is_ours, seconds=3):
    """What arrives until want frames are there or nothing came for some seconds."""
    got = []
    while len(got) < want and select.select([s], [], [], seconds)[0]:
        frame, address = receive(s)
        if address[2] != 4 and is_ours(frame):  # PACKET_OUTGOING
            got.append(frame)
    return got


def frames(source, destination, sizes, *vlan):
    (from_ns, from_dev), (to_ns, to_dev) = endpoint(source), endpoint(destination)
    span, _, step = sizes.partition(":")
    first, last = (int(n) for n in span.split("-"))
    out = packet_socket(from_ns, from_dev, 0)
    into = packet_socket(to_ns, to_dev, 3)
    tag = tags(vlan)
    # Not the far end's own address: that is also the sender's. Broadcast is for everybody.
    addresses = b"\xff" * 6 + b"\x02\0\0\0\0\x01"
    lengths = list(range(first, last, int(step or 1))) + [last]
    for begin in range(0, len(lengths), 24):
        batch = enumerate(lengths[begin:begin + 24], begin)
        sent = [numbered_frame(i, n, addresses, tag) for i, n in batch]
        for frame in sent:
            out.send(frame)
        got = arrivals(into, len(sent), lambda f: f[12 + len(tag):14 + len(tag)] == b"\x88\xb5")
        if got != sent:
            wrong = [len(f) for f in sent if f not in got]
            print(f"sent {len(sent)} received {len(got)}; lengths missing or different: {wrong}")
            print("received lengths:", [len(f) for f in got])
            return False
    print(f"{len(lengths)} frames of {first} to {last} bytes")
    return True


def datagram_sizes(largest, count):
    """Runs of equal sizes with a short last one, which can be coalesced, and anything between."""
    rng = random.Random(largest)
    while count > 0:
        size = rng.choice((largest, rng.randint(4, largest), rng.randint(4, largest), 4, 5))
        run = rng.randint(1, 20)
        count -= run
        yield from [size] * run
        if rng.random() < 0.5:
            yield rng.randint(4, size)


def datagrams(source, destination, largest, count=COUNT):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    out = socket_in(from_ns, ip_family(from_addr), socket.SOCK_DGRAM)
    into = socket_in(to_ns, ip_family(to_addr), socket.SOCK_DGRAM)
    into.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
    into.bind((to_addr, PORT))
    into.settimeout(3)
    out.bind((from_addr, 0))
    out.connect((to_addr, PORT))
    sizes = list(datagram_sizes(int(largest), int(count)))
    content = [struct.pack("!I", i) + random.Random(i).randbytes(n - 4)
               for i, n in enumerate(sizes)]
    for begin in range(0, len(content), 48):
        batch = content[begin:begin + 48]
        for datagram in batch:
            out.send(datagram)
        for datagram in batch:
            try:
                got = into.recv(1 << 16)
            except socket.timeout:
                got = b""
            if got != datagram:
                number = int.from_bytes(got[:4], "big")
                want = int.from_bytes(datagram[:4], "big")
                print(f"expected number {want}, {len(datagram)} bytes,"
                      f" found number {number}, {len(got)} bytes")
                return False
    print(f"{len(content)} datagrams of 4 to {largest} bytes")
    return True


def segments(source, destination, size):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    out = socket_in(from_ns, ip_family(from_addr), socket.SOCK_DGRAM)
    into = socket_in(to_ns, ip_family(to_addr), socket.SOCK_DGRAM)
    into.bind((to_addr, PORT))
    into.settimeout(3)
    out.bind((from_addr, 0))
    out.connect((to_addr, PORT))
    out.setsockopt(socket.SOL_UDP, 103, int(size))  # UDP_SEGMENT
    for tail in (0, 1, int(size) // 2):
        content = random.Random(tail).randbytes(20 * int(size) + tail)
        out.send(content)
        got = [into.recv(1 << 16) for _ in range(20 + bool(tail))]
        if got != [content[i:i + int(size)] for i in range(0, len(content), int(size))]:
            print("received lengths:", [len(g) for g in got])
            return False
    return True


def zero(source, destination):
    """IPv6 addresses: there the kernel drops a datagram without checksum."""
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    out = socket_in(from_ns, socket.AF_INET6, socket.SOCK_DGRAM)
    into = socket_in(to_ns, socket.AF_INET6, socket.SOCK_DGRAM)
    into.bind((to_addr, PORT))
    into.settimeout(3)
    out.bind((from_addr, 0))
    head = struct.pack("!IHBB HHHH", 10, 0, 0, 17, out.getsockname()[1], PORT, 10, 0)
    addresses = b"".join(socket.inet_pton(socket.AF_INET6, a) for a in (from_addr, to_addr))
    content = struct.pack("!H", checksum(addresses + head))
    out.sendto(content, (to_addr, PORT))
    return into.recv(100) == content


def stream(source, destination, mib):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    listener = socket_in(to_ns, ip_family(to_addr), socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((to_addr, PORT))
    listener.listen()
    out = socket_in(from_ns, ip_family(from_addr), socket.SOCK_STREAM)
    out.bind((from_addr, 0))
    out.settimeout(10)
    out.connect((to_addr, PORT))
    into = listener.accept()[0]
    into.settimeout(10)
    block = random.Random(1).randbytes(1 << 20)
    right = block * 2
    got = 0

    def send():
        rng = random.Random(2)
        for i in range(int(mib)):
            at = 0
            while at < len(block):
                piece = block[at:at + rng.choice((1, 100, 1448, 5000, 65000, 300000))]
                out.sendall(piece)
                at += len(piece)
        out.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    while data := into.recv(1 << 18):
        at = got % len(block)
        if data != right[at:at + len(data)]:
            print(f"{len(data)} bytes from {got} on differ")
            return False
        got += len(data)
    sender.join()
    print(f"{got} bytes of {mib} MiB")
    return got == int(mib) * len(block)


def segment(protocol, addresses, number, payload):
    """An IPv4 packet; consecutive numbers make consecutive TCP sequence numbers."""
    if protocol == 6:
        sequence = 1000 + number * len(payload)
        head = struct.pack("!HHIIBBHHH", 4000, PORT + 1, sequence, 1, 0x50, 0x10, 500, 0, 0)
    else:
        head = struct.pack("!HHHH", 4000, PORT + 1, 8 + len(payload), 0)
    at = 16 if protocol == 6 else 6
    pseudo = addresses + struct.pack("!BBH", 0, protocol, len(head) + len(payload))
    value = struct.pack("!H", checksum(pseudo + head + payload) or 0xFFFF)
    head = head[:at] + value + head[at + 2:]
    total = 20 + len(head) + len(payload)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, total, number, 0x4000, 64, protocol, 0)
    value = struct.pack("!H", checksum(ip + addresses))
    return ip[:10] + value + addresses + head + payload


def corrupt(source, destination, mac, seen_at, kind):
    """What coalesces segments must not mend a damaged one by computing its checksum anew."""
    (from_ns, from_dev), (seen_ns, seen_dev) = endpoint(source), endpoint(seen_at)
    from_addr, to_addr = destination.split(",")
    addresses = socket.inet_aton(from_addr) + socket.inet_aton(to_addr)
    protocol = 6 if kind == "tcp" else 17
    out = packet_socket(from_ns, from_dev, 0)
    into = packet_socket(seen_ns, seen_dev, 3)
    ethernet = bytes.fromhex(mac.replace(":", "")) + b"\x02\0\0\0\0\x01\x08\0"
    payloads = [random.Random(i).randbytes(1000) for i in range(16)]
    packets = [bytearray(ethernet + segment(protocol, addresses, i, p))
               for i, p in enumerate(payloads)]
    packets[7][500] ^= 0x10
    for packet in packets:
        out.send(packet)
    got = arrivals(into, 16, lambda f: f[23] == protocol and f[26:34] == addresses, 1)
    judge = Judge(1500)
    good = 0
    for frame in got:
        before = len(judge.bad)
        judge.frame(frame)
        if len(judge.bad) == before:
            good += 1
            if frame[-1000:] not in payloads:
                print("a damaged payload arrived with a good checksum")
                return False
    print(f"{len(got)} of 16 {kind} segments arrived, {good} good")
    return good == 15


def seen(source, destination, device, size):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    out = socket_in(from_ns, ip_family(from_addr), socket.SOCK_DGRAM)
    into = socket_in(to_ns, ip_family(to_addr), socket.SOCK_DGRAM)
    into.bind((to_addr, PORT))
    tap = packet_socket(to_ns, device, 3)
    out.bind((from_addr, 0))
    out.connect((to_addr, PORT))
    for i in range(60):
        out.send(struct.pack("!I", i) + bytes(int(size) - 4))
    port = struct.pack("!HH", out.getsockname()[1], PORT)
    got = arrivals(tap, 60, lambda f: port in f[34:58], 1)
    numbers = [int.from_bytes(f[-int(size):][:4], "big") for f in got]
    print(f"60 sent, {len(got)} seen, the longest of {max(map(len, got), default=0)} bytes")
    return numbers == list(range(60))


def unsummed(source, destination, device):
    (from_ns, from_addr), (to_ns, to_addr) = endpoint(source), endpoint(destination)
    out = socket_in(from_ns, socket.AF_INET, socket.SOCK_DGRAM)
    into = packet_socket(to_ns, device, 3)
    out.setsockopt(socket.SOL_SOCKET, 11, 1)  # SO_NO_CHECK
    out.bind((from_addr, 0))
    for i in range(8):
        out.sendto(bytes([i]) * (100 + i), (to_addr, PORT))
    port = struct.pack("!HH", out.getsockname()[1], PORT)
    got = arrivals(into, 8, lambda f: f[34:38] == port, 1)
    print("checksums", [f[40:42].hex() for f in got])
    return len(got) == 8 and all(f[40:42] == b"\0\0" for f in got)


def longest(source, destination, device, mib):
    tap = packet_socket(endpoint(destination)[0], device, 3)
    most = [0]
    over = threading.Event()

    def look():
        start = bytearray(64)
        while not over.is_set() or select.select([tap], [], [], 0)[0]:
            if select.select([tap], [], [], 0.1)[0]:
                most[0] = max(most[0], tap.recv_into(start, 0, socket.MSG_TRUNC))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    good = stream(source, destination, mib)
    over.set()
    watcher.join()
    print(f"longest {most[0]}")
    return good


def attribute(kind, value):
    length = 4 + len(value)
    return struct.pack("HH", length, kind) + value + bytes(-length % 4)


def nft_message(kind, flags, family, body):
    nfgen = struct.pack("!BBH", family, 0, 10 if kind in (0x10, 0x11) else 0)
    return struct.pack("IHHII", 20 + len(body), kind, 1 | 4 | flags, 1, 0) + nfgen + body


def nft(netns, action):
    s = socket_in(netns, socket.AF_NETLINK, socket.SOCK_RAW, 12)  # NETLINK_NETFILTER
    name = b"observer\0"
    hook = attribute(1, struct.pack("!I", 1)) + attribute(2, struct.pack("!i", 0))
    # NFT_MSG_NEWTABLE, NEWCHAIN at NF_INET_LOCAL_IN, DELTABLE; for NFPROTO_IPV4
    made = [nft_message(0xA00, 0x400, 2, attribute(1, name)),
            nft_message(0xA03, 0x400, 2, attribute(1, name) + attribute(3, name)
                        + attribute(4 | 0x8000, hook) + attribute(7, b"filter\0"))]
    gone = [nft_message(0xA02, 0, 2, attribute(1, name))]
    batch = made if action == "add" else gone
    s.send(b"".join([nft_message(0x10, 0, 0, b"")] + batch + [nft_message(0x11, 0, 0, b"")]))
    answers = [int.from_bytes(s.recv(4096)[16:20], "little", signed=True) for _ in batch]
    print("nftables answered", answers)
    return not any(answers)


def cross(source, destination, elsewhere, mac, tci="0"):
    (from_ns, from_dev), (to_ns, to_dev) = endpoint(source), endpoint(destination)
    out = packet_socket(from_ns, from_dev, 0)
    into = packet_socket(to_ns, to_dev, 3)
    other = packet_socket(*endpoint(elsewhere), 3)
    to_mac = bytes.fromhex(mac.replace(":", ""))
    tag = b"" if tci == "0" else struct.pack("!HH", 0x8100, int(tci))
    sent = [numbered_frame(i, 100, to_mac + b"\x02\0\0\0\0\x02", tag) for i in range(20)]
    for frame in sent:
        out.send(frame)
    got = arrivals(into, len(sent), lambda f: f in sent, 1)
    strays = arrivals(other, len(sent), lambda f: f in sent, 0.1)
    print(f"{len(got)} of {len(sent)} frames arrived, {len(strays)} elsewhere")
    return got == sent and not strays


COMMANDS = {f.__name__: f for f in (capture, frames, datagrams, segments, zero, stream, longest,
                                    corrupt, seen, unsummed, nft, cross)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(0 if COMMANDS[sys.argv[1]](*sys.argv[2:]) else 1)
