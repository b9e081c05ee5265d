# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's telemetry socket, as dpdk-telemetry.py speaks to it."""
import json
import socket

from .proc import Failed, wait_for


class Telemetry:
    def __init__(self, prefix, seconds=15.0):
        self.path = f"/var/run/dpdk/{prefix}/dpdk_telemetry.v2"
        self.sock = wait_for(self.path, self.connect, seconds)
        self.size = json.loads(self.sock.recv(4096))["max_output_len"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(5)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            return None
        return sock

    def ask(self, command):
        """What the command answers; its argument, if any, follows after a comma."""
        try:
            self.sock.send(command.encode())
            answer = json.loads(self.sock.recv(self.size))
        except OSError as err:
            raise Failed(f"telemetry {command}: {err}") from err
        return answer[command.split(",", maxsplit=1)[0]]
