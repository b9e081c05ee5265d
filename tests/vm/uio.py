#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a driver in user space does with igb_uio, without DPDK.

  uio.py dma ADDRESS    writes the DMA region and reads it back at its bus address, in the
                        kernel's view of physical memory (/proc/kcore)
  uio.py irq ADDRESS    of an e1000 or e1000e: interrupts arrive, and are held back when masked
  uio.py reset ADDRESS  of an e1000e: the first open makes it forget where its rings are, another
                        one does not
  uio.py rebind ADDRESS the same forgets it when it is removed, too, and bound anew it may not reach
                        memory before the first open
  uio.py early ADDRESS  opens it, without a reset, while it is being bound, again and again: if that
                        disables an irq that is not there yet, the kernel warns
  uio.py wc ADDRESS     maps its prefetchable BAR, and finds it write-combining in the kernel's list
  uio.py small ADDRESS  a BAR that shares its page with others can't be mapped
  uio.py taint ADDRESS  the kernel is tainted by the first open, not before
  uio.py locked ADDRESS opens it, locks the kernel down, and can neither open nor map it any more
  uio.py maps ADDRESS   compares maps and port regions with the device's BARs
  uio.py hold ADDRESS   opens and maps everything, prints "holds", waits for the device's end, then
                        touches what was mapped: prints "SIGBUS" for each map, and what read and
                        write say
"""

import contextlib
import ctypes
import errno
import mmap
import os
import select
import signal
import stat
import struct
import sys
import tempfile
import time

PAGE = mmap.PAGESIZE
MEMTYPES = "/sys/kernel/debug/x86/pat_memtype_list"
IORESOURCE_IO = 0x100
IORESOURCE_MEM = 0x200
IORESOURCE_PREFETCH = 0x2000
# Of e1000 and e1000e: cause (a write raises it), mask set and clear, vectors; the link's bit, and
# that of all causes which are no queue's
ICR, ICS, IMS, IMC, IVAR = 0xc0, 0xc8, 0xd0, 0xd8, 0xe4
# Of e1000e: where its receive ring is
RDBAL = 0x2800
LINK, OTHER, OTHER_TO_0 = 1 << 2, 1 << 24, 8 << 16
# Of the PCI command register: may reach memory
MASTER = 1 << 2
EARLY_ROUNDS = 20
TAINT_USER = 1 << 6


def sysfs(address, *parts):
    return os.path.join("/sys/bus/pci/devices", address, *parts)


def read(path):
    with open(path) as f:
        return f.read().strip()


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def bind(address):
    write(sysfs(address, "driver_override"), "igb_uio\n")
    write("/sys/bus/pci/drivers_probe", address)
    write(sysfs(address, "driver_override"), "\n")
    if os.path.basename(os.readlink(sysfs(address, "driver"))) != "igb_uio":
        raise SystemExit("not bound")


def unbind(address):
    write(sysfs(address, "driver", "unbind"), address)


def uio_number(address):
    names = [n for n in os.listdir(sysfs(address, "uio")) if n.startswith("uio")]
    return int(names[0][3:])


def uio_open(address):
    return os.open(f"/dev/uio{uio_number(address)}", os.O_RDWR)


def regions(address, kind, prefix):
    """The maps or port regions, as dictionaries of their attributes, in order."""
    folder = f"/sys/class/uio/uio{uio_number(address)}/{kind}"
    found = []
    while os.path.isdir(f"{folder}/{prefix}{len(found)}"):
        path = f"{folder}/{prefix}{len(found)}"
        found.append({name: read(f"{path}/{name}") for name in os.listdir(path)})
    return found


def physical(address, size):
    """Memory as the kernel sees it: the segment of /proc/kcore with that physical address."""
    with open("/proc/kcore", "rb") as f:
        header = f.read(64)
        phoff, = struct.unpack_from("<Q", header, 32)
        phentsize, phnum = struct.unpack_from("<HH", header, 54)
        for i in range(phnum):
            f.seek(phoff + i * phentsize)
            kind, _, offset, _, paddr, filesz, _, _ = struct.unpack("<IIQQQQQQ", f.read(56))
            if kind == 1 and paddr != (1 << 64) - 1 and paddr <= address < paddr + filesz:
                f.seek(offset + address - paddr)
                return f.read(size)
    raise SystemExit(f"no segment of /proc/kcore has {address:#x}")


def dma(address):
    maps = regions(address, "maps", "map")
    index = [m["name"] for m in maps].index("dma")
    size = int(maps[index]["size"], 0)
    phys = int(read(sysfs(address, "phys")), 0)
    if phys != int(maps[index]["addr"], 0) or phys % PAGE:
        raise SystemExit(f"phys is {phys:#x}, the map's address {maps[index]['addr']}")
    fd = uio_open(address)
    region = mmap.mmap(fd, size, offset=index * PAGE)
    # Iteration would yield bytes objects, none of which is false.
    others = size - region[:].count(0)
    if others:
        raise SystemExit(f"the region is not empty at first: {others} bytes are not zero")
    written = b"".join(struct.pack("<QQ", i, ~i & (1 << 64) - 1) for i in range(size // 16))
    region[:] = written
    if physical(phys, size) != written:
        raise SystemExit(f"other bytes at {phys:#x}")
    print(f"{size} bytes at {phys:#x}: as written")


def maps_match(address):
    want_maps, want_ports = [], []
    for bar, (start, end, flags) in enumerate(resource(address)):
        entry = (f"BAR{bar}", start, end - start + 1)
        if start and flags & IORESOURCE_MEM:
            want_maps.append(entry)
        elif start and flags & IORESOURCE_IO:
            want_ports.append(entry)
    maps = [(m["name"], int(m["addr"], 0) + int(m["offset"], 0), int(m["size"], 0))
            for m in regions(address, "maps", "map") if m["name"] != "dma"]
    ports = [(p["name"], int(p["start"], 0), int(p["size"], 0))
             for p in regions(address, "portio", "port")]
    print("maps", maps, "ports", ports)
    if not want_maps or maps != want_maps or ports != want_ports:
        raise SystemExit(f"BARs: maps {want_maps}, ports {want_ports}")


def resource(address):
    return [[int(part, 16) for part in line.split()]
            for line in read(sysfs(address, "resource")).splitlines()[:6]]


def irq(address):
    fd = uio_open(address)
    with open(sysfs(address, "resource0"), "r+b") as f:
        bar = mmap.mmap(f.fileno(), 0)

    def put(register, value):
        ctypes.c_uint32.from_buffer(bar, register).value = value

    def raise_it():
        put(IMC, 0xffffffff)
        put(ICR, 0xffffffff)
        ctypes.c_uint32.from_buffer(bar, ICR).value  # pylint: disable=expression-not-assigned
        put(IVAR, OTHER_TO_0)
        put(IMS, LINK | OTHER)
        put(ICS, LINK)

    def comes(seconds):
        return bool(select.select([fd], [], [], seconds)[0]) and os.read(fd, 4)

    def let_through(on):
        os.write(fd, struct.pack("<i", on))

    raise_it()
    if not comes(10):
        raise SystemExit("no interrupt")
    let_through(0)
    raise_it()
    if comes(0.5):
        raise SystemExit("an interrupt, although they are held back")
    let_through(1)
    if not comes(10):
        raise SystemExit("the one that was held back is lost")
    put(IMC, 0xffffffff)
    print("interrupts come, and are held back")


@contextlib.contextmanager
def receive_ring(address):
    """Where it is: a function that sets that, and one that expects it."""
    with open(sysfs(address, "resource0"), "r+b") as f:
        bar = mmap.mmap(f.fileno(), 0)
    ring = ctypes.c_uint32.from_buffer(bar, RDBAL)

    def expect(value, when):
        if ring.value != value:
            raise SystemExit(f"the ring is at {ring.value:#x} instead of {value:#x} {when}")

    def put(value):
        ring.value = value
        expect(value, "when it was written")

    yield put, expect


def reset(address):
    with receive_ring(address) as (put, expect):
        fd = uio_open(address)
        put(PAGE)
        os.close(fd)
        fd = uio_open(address)
        expect(0, "after the first open")
        put(PAGE)
        uio_open(address)
        expect(PAGE, "after another open")
    print("the first open resets it")


def command(address, bits=0):
    """Of its configuration space; sets bits."""
    with open(sysfs(address, "config"), "r+b", buffering=0) as f:
        f.seek(4)
        value, = struct.unpack("<H", f.read(2))
        if bits:
            f.seek(4)
            f.write(struct.pack("<H", value | bits))
    return value | bits


def rebind(address):
    with receive_ring(address) as (put, expect):
        fd = uio_open(address)
        put(PAGE)
        os.close(fd)
        expect(PAGE, "after the last close")
        unbind(address)
        expect(0, "after it was removed")
        command(address, MASTER)
        bind(address)
        if command(address) & MASTER:
            raise SystemExit("it may reach memory before it is opened")
        fd = uio_open(address)
        if not command(address) & MASTER:
            raise SystemExit("it may not reach memory although it is open")
        os.close(fd)
    print("forgets its ring when it is removed")


def open_early(node):
    """The first open that is let through, and its close: the exit code of a child.

    Not before the kernel's list of devices has it. Until then uio has a number for a device that it
    did not initialise yet, and warns of an open; that is the kernel's own fault.
    """
    number = os.stat(node).st_rdev
    listed = f"/sys/dev/char/{os.major(number)}:{os.minor(number)}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not os.path.exists(listed):
            continue
        with contextlib.suppress(OSError):
            os.close(os.open(node, os.O_RDWR))
            return 0
    return 1


def bind_and_open(address, node):
    pid = os.fork()
    if pid == 0:
        os._exit(open_early(node))
    bind(address)
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("never let through")
    os.close(os.open(node, os.O_RDWR))


# By a node of its own: the one in /dev comes and goes, and uio knows the device before.
def early(address):
    number = os.stat(f"/dev/uio{uio_number(address)}").st_rdev
    method = sysfs(address, "reset_method")
    quick = os.path.exists(method)  # since Linux 5.15: without a reset, rounds are short
    if quick:
        write(method, "\n")
    try:
        with tempfile.TemporaryDirectory() as folder:
            node = os.path.join(folder, "uio")
            os.mknod(node, 0o600 | stat.S_IFCHR, number)
            for _ in range(EARLY_ROUNDS):
                unbind(address)
                bind_and_open(address, node)
    finally:
        if quick:
            write(method, "default\n")
    print(f"opened early {EARLY_ROUNDS} times")


def write_combining(address):
    bars = resource(address)
    bar, = [n for n, (start, _, flags) in enumerate(bars)
            if start and flags & IORESOURCE_PREFETCH]
    maps = regions(address, "maps", "map")
    index = [m["name"] for m in maps].index(f"BAR{bar}")
    fd = uio_open(address)
    region = mmap.mmap(fd, int(maps[index]["size"], 0), offset=index * PAGE)
    region[0]  # pylint: disable=pointless-statement
    listed = read(MEMTYPES)
    print(listed)
    if not [line for line in listed.splitlines()
            if line.startswith("PAT: [mem ") and f"{bars[bar][0]:#018x}-" in line and
            line.endswith("write-combining")]:
        raise SystemExit(f"BAR{bar} at {bars[bar][0]:#x} is mapped in another way")


def refused(what, call, errors):
    try:
        call()
    except OSError as error:
        if error.errno in errors:
            return
        raise
    raise SystemExit(f"{what} was allowed")


def small(address):
    sizes = [int(m["size"], 0) for m in regions(address, "maps", "map")]
    fd = uio_open(address)
    if not [size for size in sizes if size % PAGE]:
        raise SystemExit(f"maps of {sizes} bytes: none is small")
    for index, size in enumerate(sizes):
        if size % PAGE:
            refused(f"map {index}", lambda at=index: mmap.mmap(fd, PAGE, offset=at * PAGE),
                    [errno.EACCES])
    os.close(fd)
    print(f"maps of {sizes} bytes: small ones are refused")


def tainted():
    return int(read("/proc/sys/kernel/tainted")) & TAINT_USER


def taint(address):
    if tainted():
        raise SystemExit("it is tainted already")
    os.close(uio_open(address))
    if not tainted():
        raise SystemExit("it is not tainted")


def locked(address):
    fd = uio_open(address)
    before = mmap.mmap(fd, PAGE)
    write("/sys/kernel/security/lockdown", "integrity")
    if touches(ctypes.addressof(ctypes.c_char.from_buffer(before))) != signal.SIGBUS:
        raise SystemExit("a mapping that was not touched before got its registers")
    refused("a mapping", lambda: mmap.mmap(fd, PAGE), [errno.EPERM])
    refused("an open", lambda: uio_open(address), [errno.EPERM])
    os.close(fd)


def touches(address):
    """A child reads one word: the signal that ends it, or 0."""
    pid = os.fork()
    if pid == 0:
        ctypes.c_uint32.from_address(address).value
        os._exit(0)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def hold(address):
    fd = uio_open(address)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                          ctypes.c_int, ctypes.c_long]
    mapped = []
    for index in range(len(regions(address, "maps", "map"))):
        at = libc.mmap(None, PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd,
                       index * PAGE)
        if at == ctypes.c_void_p(-1).value or touches(at):
            raise SystemExit(f"map {index} can't be used")
        ctypes.c_uint32.from_address(at).value
        mapped.append(at)
    if libc.mmap(None, PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, fd,
                 0) != ctypes.c_void_p(-1).value:
        raise SystemExit("a private mapping was allowed")
    print("holds", flush=True)
    try:
        os.read(fd, 4)
    except OSError as error:
        print("read:", error.strerror)
    try:
        os.write(fd, struct.pack("<i", 1))
    except OSError as error:
        print("write:", error.strerror)
    for at in mapped:
        print("SIGBUS" if touches(at) == signal.SIGBUS else "no signal", flush=True)


COMMANDS = {"dma": dma, "irq": irq, "maps": maps_match, "hold": hold, "reset": reset,
            "rebind": rebind, "early": early, "wc": write_combining, "small": small,
            "taint": taint, "locked": locked}
COMMANDS[sys.argv[1]](sys.argv[2])
