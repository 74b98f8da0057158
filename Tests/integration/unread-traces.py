#!/usr/bin/env python3
"""Asks for traces of everything and reads none of them, in rounds of 50 connections, and prints the daemon's resident memory.

    unread-traces.py SOCKET PID [ROUNDS]        a daemon with --stall-timeout 60, by hand; needs protobuf
"""
import pathlib
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients/python/src"))
from auscult._messages import v1  # noqa: E402
from auscult._wire import Request  # noqa: E402

path, process, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 4
trace = v1.TraceRequest(hooks=["**"])
trace.audio.clip = "en-slt-01"
call = Request(service="auscult.v1.Trace", method="Run", payload=trace.SerializeToString()).SerializeToString()


def resident():
    return int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 >> 20


print(f"fresh: {resident()} MiB", flush=True)
for number in range(1, rounds + 1):
    connections = []
    for _ in range(50):
        connections.append(socket.socket(socket.AF_UNIX))
        connections[-1].connect(path)
        # A frame: its length, the stream, a request, after which nothing comes.
        connections[-1].sendall(struct.pack(">IIBB", len(call), 1, 1, 1) + call)
    time.sleep(8)
    highest = resident()
    for connection in connections:
        connection.close()
    time.sleep(6)
    print(f"round {number}: {highest} MiB unread, {resident()} MiB afterwards", flush=True)
