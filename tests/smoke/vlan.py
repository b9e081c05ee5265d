#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A VLAN device for kernels that have none (CONFIG_VLAN_8021Q): vlan.py DEVICE ID [TPID]

Makes the tap DEVICE.ID, with DEVICE's address. What the kernel sends there leaves DEVICE with a
tag, and tagged frames that DEVICE receives arrive there. Frames keep their unfinished checksums and
stay uncut, as they do on the kernel's own VLAN devices. Ends with SIGTERM, and DEVICE.ID with it.
"""

import fcntl
import select
import socket
import struct
import sys

SOL_PACKET = 263
PACKET_OUTGOING = 4
VNET = struct.Struct("=BBHHHH")  # flags, gso_type, hdr_len, gso_size, csum_start, csum_offset


def make_tap(name):
    tap = open("/dev/net/tun", "r+b", buffering=0)
    fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x0002 | 0x1000 | 0x4000))
    fcntl.ioctl(tap, 0x400454D0, 0x01 | 0x02 | 0x04)  # TUNSETOFFLOAD: checksum, TSO
    return tap


def open_device(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    s.setsockopt(SOL_PACKET, 8, 1)  # PACKET_AUXDATA
    s.setsockopt(SOL_PACKET, 15, 1)  # PACKET_VNET_HDR
    s.bind((name, 3))
    return s


def send_tagged(s, data, tag):
    flags, gso, hdr_len, size, start, offset = VNET.unpack(data[:10])
    if flags & 1:
        start += 4
    s.send(VNET.pack(flags, gso, hdr_len + 4 if hdr_len else 0, size, start, offset) +
           data[10:22] + tag + data[22:])


def receive_tagged(s, tap, vid, tpid):
    data, control, _, address = s.recvmsg(1 << 17, 64)
    for level, kind, value in control:
        if (level, kind) != (SOL_PACKET, 8) or address[2] == PACKET_OUTGOING:
            continue
        status, _, _, _, _, tci, found = struct.unpack("IIIHHHH", value[:20])
        if status & 0x10 and tci & 0xFFF == vid and found == tpid:
            tap.write(data)


def main(name, vid, tpid=0x8100):
    s = open_device(name)
    tap = make_tap(f"{name}.{vid}")
    fcntl.ioctl(s, 0x8924, struct.pack("16sH6s8x", f"{name}.{vid}".encode(), 1, s.getsockname()[4]))
    tag = struct.pack("!HH", tpid, vid)
    while True:
        for ready in select.select([s, tap], [], [])[0]:
            try:
                if ready is tap:
                    send_tagged(s, tap.read(1 << 17), tag)
                else:
                    receive_tagged(s, tap, vid, tpid)
            except OSError:  # down: the frame is lost
                pass


if __name__ == "__main__":
    main(sys.argv[1], *(int(n, 0) for n in sys.argv[2:]))
