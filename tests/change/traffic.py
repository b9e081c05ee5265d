# SPDX-License-Identifier: BSD-3-Clause
"""Numbered frames between pairs of devices, in both directions, and what becomes of them."""
import ctypes
import errno
import fcntl
import os
import select
import socket
import struct
import threading
import time

ETH_P_IP = 0x0800
EVERY = 0.005  # seconds between two frames of a direction
FLOWS = 4  # of each direction; a frame belongs to one
MAGIC = b"knit"
LIBC = ctypes.CDLL(None, use_errno=True)
FORM = struct.Struct("!4sIBBII")  # magic, path, direction, flow, epoch, number
SO_RCVBUFFORCE = 33
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def in_netns(name, function):
    """What function returns in that namespace. Only of this thread."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if LIBC.setns(there, 0):
            raise OSError(ctypes.get_errno(), "setns")
        return function()
    finally:
        LIBC.setns(own, 0)
        os.close(own)
        os.close(there)


def open_device(device):
    """Sets it up. A socket that receives the IPv4 frames that come from it."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
    request = struct.pack("16sh14x", device.encode(), 0)
    flags = struct.unpack("16sh14x", fcntl.ioctl(s, SIOCGIFFLAGS, request))[1]
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", device.encode(), flags | IFF_UP))
    s.bind((device, ETH_P_IP))
    s.setblocking(False)
    return s


def frame(path, way, flow, epoch, number):
    payload = FORM.pack(MAGIC, path, way, flow, epoch, number)
    udp = struct.pack("!HHHH", 1024 + (path * 8 + way * 4 + flow) % 60000, 9, 8 + len(payload), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0,
                     bytes((10, 1, path >> 8 & 255, path & 255)), bytes((10, 2, way, 1)))
    words = sum(struct.unpack("!10H", ip))
    words = (words & 0xffff) + (words >> 16)
    ip = ip[:10] + struct.pack("!H", ~(words + (words >> 16)) & 0xffff) + ip[12:]
    return bytes.fromhex("020000000077020000000078") + struct.pack("!H", ETH_P_IP) + ip + udp \
        + payload


class Flow:
    """Frames of one epoch in one direction."""

    def __init__(self):
        self.sent = self.next = self.lost = self.late = 0
        self.gaps = []

    def take(self, number):
        if number < self.next:
            self.late += 1
            return
        if number > self.next:
            self.gaps.append((self.next, number))
        self.lost += number - self.next
        self.next = number + 1


class Path:
    def __init__(self, number, ends, sockets):
        self.number = number
        self.ends = ends
        self.sockets = sockets
        self.epoch = 0
        self.flows = [[Flow() for _ in range(FLOWS)] for _ in range(2)]
        self.turn = 0

    def again(self):
        self.epoch += 1
        self.flows = [[Flow() for _ in range(FLOWS)] for _ in range(2)]

    def each(self):
        return [flow for way in self.flows for flow in way]

    def faults(self):
        told = []
        for way in range(2):
            for i, flow in enumerate(self.flows[way]):
                if flow.lost or flow.late:
                    told.append(f"{self.ends[way][1]} to {self.ends[1 - way][1]}, flow {i}: "
                                f"{flow.lost} lost, {flow.late} late or twice, of {flow.next}; "
                                f"gaps {flow.gaps[:3]}")
        return told


class Traffic:
    def __init__(self):
        self.lock = threading.Lock()
        self.paths = {}  # number: Path
        self.by_fd = {}  # fd: (Path, direction that arrives there)
        self.strays = []
        self.count = 0
        self.running = True
        self.poll = select.epoll()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def add(self, ends, seconds=10):
        """A path between two (namespace, device). They may take a moment to exist."""
        sockets = []
        end = time.monotonic() + seconds
        for netns, device in ends:
            while True:
                try:
                    sockets.append(in_netns(netns, lambda d=device: open_device(d)))
                    break
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.02)
        with self.lock:
            self.count += 1
            path = Path(self.count, ends, sockets)
            self.paths[path.number] = path
            for i, s in enumerate(sockets):
                self.by_fd[s.fileno()] = (path, 1 - i)
                self.poll.register(s, select.EPOLLIN)
        return path

    @staticmethod
    def up(devices):
        """(namespace, device): each is set up."""
        for netns, device in devices:
            in_netns(netns, lambda d=device: open_device(d).close())

    def remove(self, path):
        with self.lock:
            del self.paths[path.number]
            for s in path.sockets:
                del self.by_fd[s.fileno()]
                self.poll.unregister(s)
                s.close()

    def end(self):
        self.running = False
        self.thread.join()

    def run(self):
        due = time.monotonic()
        while self.running:
            for fd, _ in self.poll.poll(max(0, due - time.monotonic())):
                with self.lock:
                    self.receive(fd)
            if time.monotonic() >= due:
                due = time.monotonic() + EVERY
                with self.lock:
                    for path in self.paths.values():
                        self.send(path)

    def send(self, path):
        path.turn = (path.turn + 1) % FLOWS
        for way in range(2):
            flow = path.flows[way][path.turn]
            try:
                path.sockets[way].send(frame(path.number, way, path.turn, path.epoch, flow.sent))
                flow.sent += 1
            except OSError as e:  # the device is away, or its queue is full: not sent
                if e.errno not in (errno.ENETDOWN, errno.ENXIO, errno.ENODEV, errno.ENOBUFS,
                                   errno.EAGAIN):
                    raise

    def receive(self, fd):
        if fd not in self.by_fd:
            return
        here, arriving = self.by_fd[fd]
        for _ in range(256):
            try:
                data = here.sockets[1 - arriving].recv(2048)
            except BlockingIOError:
                return
            except OSError as e:
                if e.errno != errno.ENETDOWN:
                    raise
                return
            if len(data) < 42 + FORM.size or data[42:46] != MAGIC:
                continue
            _, number, way, flow, epoch, count = FORM.unpack_from(data, 42)
            path = self.paths.get(number)
            if path is None:
                continue
            if path is not here or way != arriving:
                self.strays.append(f"a frame of {path.ends}, direction {way}, at "
                                   f"{here.ends[1 - arriving]}")
            elif epoch == path.epoch:
                path.flows[way][flow].take(count)

    def forget_strays(self):
        """Those of paths that a reload took away, between the reload and their end here."""
        with self.lock:
            self.strays = []

    def wait(self, paths, condition, seconds):
        """Those that do not fulfil it in time."""
        end = time.monotonic() + seconds
        while True:
            with self.lock:
                late = [p for p in paths if not condition(p)]
            if not late or time.monotonic() > end:
                return late
            time.sleep(0.02)

    def strict(self, paths, seconds):
        """Packets arrive again in all flows; from here on each must. Lines about where not."""
        with self.lock:
            for path in paths:
                path.again()
        late = self.wait(paths, lambda p: all(f.next for f in p.each()), seconds)
        told = [f"{p.ends}: no packets, of {FLOWS} flows there and back: sent "
                f"{[f.sent for f in p.each()]}, arrived {[f.next for f in p.each()]}"
                for p in late]
        with self.lock:
            for path in paths:
                path.again()
        return told

    def settle(self, paths, seconds):
        """What was sent until now has arrived. Lines about what has not."""
        with self.lock:
            sent = {p.number: [f.sent for f in p.each()] for p in paths}
        late = self.wait(paths, lambda p: all(f.next >= n for f, n in
                                              zip(p.each(), sent[p.number])), seconds)
        told = []
        with self.lock:
            for p in paths:
                told += p.faults()
            for p in late:
                told.append(f"{p.ends}: last frames do not arrive: sent {sent[p.number]}, "
                            f"arrived {[f.next for f in p.each()]}")
            told += self.strays
            self.strays = []
        return told
