#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with into Tests/fuzz/corpus: conversations as real clients have them, and messages.

The first byte chooses what an input is (Fuzz.swift): 0 for bytes from a socket, which four bytes follow that say where they
are cut; any other for a message, by its place in Contract.swift.
"""

import struct
from pathlib import Path

REQUEST, RESPONSE, DATA = 1, 2, 3


def field(number: int, value: "int | str | bytes") -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def frame(stream: int, kind: int, flags: int = 0, data: bytes = b"") -> bytes:
    return struct.pack(">IIBB", len(data), stream, kind, flags) + data


def request(service: str, method: str, payload: bytes = b"") -> bytes:
    return field(1, service) + field(2, method) + (field(3, payload) if payload else b"")


upload = request("auscult.v1.Audio", "Upload")
unary = field(1, "svc") + field(2, "M") + field(4, 4_999_912_345) + field(5, field(1, "k") + field(2, "v"))
connections = {
    "unary": frame(1, REQUEST, 0, unary),
    "server-stream": frame(1, REQUEST, 1, request("grpc.health.v1.Health", "Watch")),
    "client-stream": frame(1, REQUEST, 2, upload) + frame(1, DATA, 0, field(2, b"\xaa\xbb")) + frame(1, DATA, 5),
    "client-stream-rust": frame(1, REQUEST, 6, upload) + frame(1, DATA, 1),
    "wrong-ids": b"".join(frame(i, REQUEST, 0, upload) for i in (7, 8, 7, 5)) + frame(9, DATA, 0, b"x"),
    "closing-payload": frame(1, REQUEST, 2, upload) + frame(1, DATA, 1, b"x") + frame(1, DATA, 0, b"y"),
    "oversized": struct.pack(">IIBB", (4 << 20) + 1, 1, REQUEST, 0) + b"x" * 40,
    "unknown-type": frame(1, 9, 255, b"?") + frame(1, RESPONSE, 0, b"?"),
}
messages = {
    "request": unary,
    "status": field(1, 5) + field(2, "no model") + field(3, field(1, "type.googleapis.com/x") + field(2, b"\x0a\x01r")),
    "transcribe": field(1, field(1, "tiny")) + field(2, field(2, "en-slt-01") + field(6, b"\x09" + struct.pack("<d", 1)))
    + field(3, field(1, "en") + field(4, struct.pack("<2d", 0, 0.2)) + field(20, field(1, varint(50257)))),
    "packed": field(2, varint(1) + varint(300) + varint(70000)),
    "merged": field(2, field(2, "clip")) + field(2, field(5, "name")),
    "nul": field(1, "a\0b"),
}

folder = Path(__file__).parent / "corpus"
folder.mkdir(exist_ok=True)
for name, content in connections.items():
    folder.joinpath("connection-" + name).write_bytes(bytes([0, 1, 7, 255, 10]) + content)
for choice, (name, content) in enumerate(messages.items(), start=1):
    folder.joinpath("message-" + name).write_bytes(bytes([choice]) + content)
