"""A small ttRPC server that says what a test tells it to. Run as a program, it is a daemon that knows only health."""

from __future__ import annotations

import argparse
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any

from auscult._messages import METHODS, Request, Response, v1

HEADER = struct.Struct(">IIBB")
REQUEST, RESPONSE, DATA = 1, 2, 3
END = 5

#: One that a test may send.
SEGMENT = v1.Segment(id=1, start=0.5, end=2, text=" hello", tokens=[1, 2], temperature=0.2, no_speech_prob=0)


def frame(stream: int, type: int, flags: int, data: bytes = b"") -> bytes:
    return HEADER.pack(len(data), stream, type, flags) + data


def response(stream: int, payload: bytes = b"", code: int = 0, message: str = "", reason: str = "") -> bytes:
    answer = Response(payload=payload)
    if code:
        answer.status.code, answer.status.message = code, message
    if reason:
        detail = answer.status.details.add()
        detail.type_url = "type.googleapis.com/auscult.v1.ErrorDetail"
        detail.value = v1.ErrorDetail(reason=reason).SerializeToString()
    return frame(stream, RESPONSE, 0, answer.SerializeToString())


def read_exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = sock.recv(count - len(data))
        if not got:
            raise EOFError
        data += got
    return data


def read_frame(sock: socket.socket) -> tuple[int, int, int, bytes]:
    """Stream id, type, flags, data."""
    length, stream, type, flags = HEADER.unpack(read_exactly(sock, HEADER.size))
    return stream, type, flags, read_exactly(sock, length)


class Served:
    """One call, as the server sees it."""

    def __init__(self, sock: socket.socket, stream: int, flags: int, request: Any) -> None:
        self.sock, self.stream, self.flags = sock, stream, flags
        self.method = f"{request.service}/{request.method}"
        self.timeout_nano = request.timeout_nano
        self.request = METHODS[self.method].request.FromString(request.payload)

    def answer(self, message: Any) -> None:
        self.sock.sendall(response(self.stream, message.SerializeToString()))

    def fail(self, code: int, message: str, reason: str = "") -> None:
        self.sock.sendall(response(self.stream, code=code, message=message, reason=reason))

    def send(self, **fields: Any) -> None:
        message = METHODS[self.method].answer(**fields)
        self.sock.sendall(frame(self.stream, DATA, 0, message.SerializeToString()))

    def end(self) -> None:
        self.sock.sendall(frame(self.stream, DATA, END))

    def messages(self) -> list[Any]:
        """What the client streams, up to its end."""
        found = []
        while True:
            _, type, flags, data = read_frame(self.sock)
            assert type == DATA
            if flags == END:
                assert data == b""
                return found
            assert flags == 0
            found.append(METHODS[self.method].request.FromString(data))


Handler = Callable[[Served], None]


class FakeDaemon:
    """Answers at a socket with a handler for each method; Health/Check says SERVING. `calls` has what it was asked."""

    def __init__(self, path: str, handlers: dict[str, Handler] | None = None) -> None:
        self.path = path
        self.handlers: dict[str, Handler] = {"grpc.health.v1.Health/Check": _serving} | (handlers or {})
        self.calls: list[Served] = []
        self.closed = threading.Semaphore(0)
        self.connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self.connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def seen(self, method: str) -> list[Any]:
        """The requests of a method."""
        return [call.request for call in self.calls if call.method == method]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            try:
                while True:
                    stream, type, flags, data = read_frame(sock)
                    if type != REQUEST:
                        continue
                    call = Served(sock, stream, flags, Request.FromString(data))
                    self.calls.append(call)
                    handler = self.handlers.get(call.method)
                    if handler is None:
                        call.fail(12, f"{call.method} is not here")
                    else:
                        handler(call)
            except (EOFError, OSError):
                pass
        self.closed.release()


def answer(fake: FakeDaemon, method: str, message: Any) -> None:
    """Has a method answer with a message."""
    fake.handlers[method] = lambda call: call.answer(message)


def stream(fake: FakeDaemon, method: str, *events: dict[str, Any]) -> None:
    """Has a method stream events, with its id before them, and end."""

    def handler(call: Served) -> None:
        call.send(started=v1.Started(subscription_id="s-7"))
        for event in events:
            call.send(**event)
        call.end()

    fake.handlers[method] = handler


def _serving(call: Served) -> None:
    answer = METHODS[call.method].answer
    if call.request.service:
        call.fail(5, f"there is no service {call.request.service}")
    else:
        call.answer(answer(status=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", required=True)
    parser.add_argument("--idle-exit", type=int, required=True)
    stopped = threading.Event()

    def _stop(call: Served) -> None:
        call.answer(v1.Empty())
        stopped.set()

    daemon = FakeDaemon(parser.parse_args().socket, {"auscult.v1.Daemon/Stop": _stop})
    stopped.wait()
