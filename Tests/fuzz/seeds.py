#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with into Tests/fuzz/corpus: conversations as real clients have them, and messages.

The first byte chooses what an input is (Fuzz.swift): 0 for bytes from a socket, which the second byte cuts into pieces; 1 for a
message, whose type the second byte chooses by its place in AllMessages.swift; 6 for a file and 7 for what a browser asks, of the
second byte's kind.
"""

import re
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
    "TTRPC.Request": unary,
    "TTRPC.Response": field(1, field(1, 5) + field(2, "no model")),
    "GoogleRPC.Status": field(1, 5) + field(3, field(1, "type.googleapis.com/x") + field(2, b"\x0a\x01r")),
    "V1.TranscribeRequest": field(1, field(1, "tiny"))
    + field(2, field(2, "en-slt-01") + field(6, b"\x09" + struct.pack("<d", 1)))
    + field(3, field(1, "en") + field(4, struct.pack("<2d", 0, 0.2)) + field(20, field(1, varint(50257))))
    # Once more: protobuf-c merges the two.
    + field(2, field(5, "name")),
    "V1.DetokenizeRequest": field(2, varint(1) + varint(300) + varint(70000)),
    "V1.ModelRef": field(1, "a\0b"),
}

header = b'{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"a":"b"}}'
files = {
    "safetensors": (0, struct.pack("<Q", len(header)) + header + struct.pack("<2f", 1, -2)),
    "model-bin": (2, struct.pack("<IH", 6, 8) + b"Whisper\0"),
    "json": (3, b'{"a": [1, -2.5e3, "\\u00e9", null, true], "b": {}}'),
    "jsonl": (4, b'{"audio_filepath": "a.wav", "duration": 1.5, "text": "one"}\n{"path": "b.wav", "start": 1, "end": 2}\n'),
    "manifest-json": (5, b'[{"audio": "a.wav", "text": "one"}]'),
    "csv": (6, b'path,text\na.wav,"one, ""two"""\n'),
    "tsv": (7, b"path\tsentence\na.wav\tone\n"),
}
pages = {
    "query": (0, b"iy\nencoder.blocks.2.mlp.1\nphoneme\n1.25\nselectivity\ndown\n0\n100"),
    "excerpt": (1, b"12-0-2000"),
    "range": (2, b"bytes=100-299"),
}

folder = Path(__file__).parent / "corpus"
folder.mkdir(exist_ok=True)
generated = Path(__file__).parents[2] / "Sources/Messages/Generated/AllMessages.swift"
places = {name: place for place, name in enumerate(re.findall(r"^    ([\w.]+)\.self,$", generated.read_text(), re.M))}
for name, content in connections.items():
    for cut in (7, 255):
        folder.joinpath(f"connection-{name}-{cut}").write_bytes(bytes([0, cut]) + content)
for name, content in messages.items():
    folder.joinpath(f"message-{name}").write_bytes(bytes([1, places[name]]) + content)
for name, (kind, content) in files.items():
    folder.joinpath(f"file-{name}").write_bytes(bytes([6, kind]) + content)
for name, (kind, content) in pages.items():
    folder.joinpath(f"page-{name}").write_bytes(bytes([7, kind]) + content)
