"""ttRPC's frames: a header of 10 bytes, big-endian (length u32, stream id u32, type u8, flags u8), then the data."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

HEADER = struct.Struct(">IIBB")
# The most bytes of one frame's data, and so of one message.
MAX_DATA = 4 << 20

REQUEST, RESPONSE, DATA = 1, 2, 3
REMOTE_CLOSED, REMOTE_OPEN, NO_DATA = 1, 2, 4


class Frame(NamedTuple):
    """A frame that came."""

    stream: int
    type: int
    flags: int
    data: bytes
    # What its header gave; more than `MAX_DATA` where the data was thrown away.
    length: int

    @property
    def oversize(self) -> bool:
        return self.length > MAX_DATA


def encode(stream: int, type: int, flags: int, data: bytes = b"") -> bytes:
    """A frame as it goes over the wire."""
    return HEADER.pack(len(data), stream, type, flags) + data


def read(sock: socket.socket) -> Frame | None:
    """The next frame, or None where the peer has closed the connection between two frames.

    Data of more than 4 MiB is read and thrown away, so that the connection can live on.

    Raises:
        OSError: The connection broke.
        EOFError: It was closed within a frame.
    """
    header = _read(sock, HEADER.size, may_end=True)
    if header is None:
        return None
    length, stream, type, flags = HEADER.unpack(header)
    if length > MAX_DATA:
        left = length
        while left:
            left -= len(_read(sock, min(left, 1 << 16)) or b"")
        return Frame(stream, type, flags, b"", length)
    return Frame(stream, type, flags, _read(sock, length) or b"", length)


def _read(sock: socket.socket, count: int, may_end: bool = False) -> bytes | None:
    buffer = bytearray(count)
    view = memoryview(buffer)
    done = 0
    while done < count:
        got = sock.recv_into(view[done:])
        if got == 0:
            if may_end and done == 0:
                return None
            raise EOFError(f"{done} of {count} bytes came before the connection was closed")
        done += got
    return bytes(buffer)
