"""A ttRPC connection over a Unix socket.

One thread for each connection reads frames and hands them to their calls; any thread may call and send. A call's queue
is bounded: while more than `Connection.buffer_bytes` of one call wait to be taken, the thread reads nothing, for other
calls of that connection neither, and the daemon closes a connection that stands still for long. That is why the client
gives each stream a connection of its own.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
import time
import weakref
from collections.abc import Iterator

from . import _frames
from ._call import Call, check_size
from ._messages import Request
from .errors import AuscultError, Cancelled, Unavailable

BUFFER_BYTES = 16 << 20
# Seconds that a connection may take to accept more bytes before it counts as lost.
SEND_TIMEOUT = 60.0
# Seconds that a call waits past its deadline, so that the daemon's own error comes first.
GRACE = 2.0

# Seconds of a held-up reader from which on a lost connection is put down to that.
_NOTABLE_PAUSE = 1.0
_MAX_STREAM = 0xFFFF_FFFF
_SEND_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)


class Connection:
    """A connected socket with its reader thread.

    Args:
        sock: Connected; the connection owns it from here on.
        name: What errors call the peer: the socket's path.
        buffer_bytes: How much of one call may wait before nothing more is read.
    """

    def __init__(self, sock: socket.socket, name: str, buffer_bytes: int = BUFFER_BYTES) -> None:
        sock.settimeout(None)
        self.name = name
        self.buffer_bytes = buffer_bytes
        self._socket = sock
        self._process = os.getpid()
        # Reentrant, because a collector may run `forget` while this thread holds it.
        self._lock = threading.RLock()
        # Held while a frame is written, and while a stream id is chosen: ids must rise on the wire.
        self._sending = threading.RLock()
        self._calls: dict[int, Call] = {}
        self._next_stream = 1
        self._lost: AuscultError | None = None
        self._held_up_for = 0.0
        self._reader = threading.Thread(
            target=_read_frames, args=(sock, weakref.ref(self)), name=f"auscult {name}", daemon=True
        )
        self._finalizer = weakref.finalize(self, _shut, sock, self._process)
        _connections.add(self)
        self._reader.start()

    @property
    def lost(self) -> bool:
        """Whether calls can no longer be made."""
        return self._lost is not None or self._process != os.getpid()

    def open(
        self,
        method: str,
        payload: bytes | None,
        *,
        streaming: bool = False,
        timeout: float | None = None,
    ) -> Call:
        """Begins a call.

        Args:
            method: ``"auscult.v1.Model/List"``.
            payload: The request message; None where the client streams its messages.
            streaming: Whether the daemon answers with a stream.
            timeout: Seconds; sent along for calls that do not stream.
        """
        service, _, name = method.rpartition("/")
        request = Request(service=service, method=name)
        folder = _working_folder()
        if folder:
            request.metadata.add(key="working-folder", value=folder)
        if payload:
            request.payload = payload
        if timeout is not None and not streaming and payload is not None:
            request.timeout_nano = min(max(1, int(timeout * 1e9)), (1 << 63) - 1)
        data = request.SerializeToString()
        check_size(method, len(data))
        flags = _frames.REMOTE_OPEN if payload is None else _frames.REMOTE_CLOSED if streaming else 0
        deadline = None if timeout is None else time.monotonic() + timeout + GRACE
        with self._sending:
            stream = self._next_stream
            call = Call(self, stream, method, streaming, deadline)
            with self._lock:
                if stream > _MAX_STREAM:
                    raise Unavailable(f"the connection to {self.name} has used all its stream ids")
                self._check_alive()
                self._calls[stream] = call
            self._next_stream = stream + 2
            try:
                self.send(_frames.encode(stream, _frames.REQUEST, flags, data))
            except BaseException:
                self.forget(stream)
                raise
        return call

    def unary(self, method: str, payload: bytes, timeout: float | None = None) -> bytes:
        """Makes a call with one message each way.

        Raises:
            AuscultError: What the daemon answered, or `Unavailable` where the connection was lost.
        """
        call = self.open(method, payload, timeout=timeout)
        try:
            return call.result()
        finally:
            self.forget(call._stream)

    def send(self, frame: bytes) -> None:
        """Writes a frame; blocks while the daemon does not read."""
        with self._sending:
            self._check_alive()
            left = memoryview(frame)
            try:
                while left:
                    try:
                        left = left[self._socket.send(left, _SEND_FLAGS) :]
                    except BlockingIOError:
                        self._wait_for_room()
            except OSError as fault:
                # What the daemon had to say may still be on its way in: the reader ends the calls when all is read.
                raise Unavailable(f"the connection to {self.name} was lost: {fault}") from fault
            except BaseException:
                # A part of a frame may have gone out; nothing that follows would be understood.
                self.close()
                raise

    def forget(self, stream: int) -> None:
        """Drops a call; what still comes for it is thrown away."""
        with self._lock:
            self._calls.pop(stream, None)

    def close(self, error: AuscultError | None = None) -> None:
        """Closes the connection, which cancels its calls. They fail with `error`, or as cancelled."""
        with self._lock:
            if self._lost is None:
                self._lost = error or Cancelled(f"the connection to {self.name} was closed by this client")
            calls, self._calls = list(self._calls.values()), {}
        self._finalizer()
        for call in calls:
            call.fail(self._lost if error is None else type(error)(f"{error.message}; it ran {call.method}"))

    @contextlib.contextmanager
    def held_up(self, method: str) -> Iterator[None]:
        """Around a pause of the reader, so that a connection lost after one can say so."""
        began = time.monotonic()
        yield
        self._held_up_for = max(self._held_up_for, time.monotonic() - began)

    def _check_alive(self) -> None:
        if self._process != os.getpid():
            raise Unavailable(f"the connection to {self.name} belongs to the process that this one was forked from")
        if self._lost is not None:
            raise Unavailable(self._lost.message)

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        if not poll.poll(SEND_TIMEOUT * 1000):
            raise OSError(f"the daemon read nothing for {SEND_TIMEOUT:g} s")

    def _take(self, frame: _frames.Frame) -> None:
        if frame.type not in (_frames.RESPONSE, _frames.DATA):
            return
        with self._lock:
            call = self._calls.get(frame.stream)
        if call is not None:
            call.take(frame)

    def _end(self, fault: str) -> None:
        hint = ""
        if self._held_up_for >= _NOTABLE_PAUSE:
            hint = (
                f" (results were not taken for up to {self._held_up_for:.0f} s, and a daemon closes a connection that "
                "stands still: take them faster, or write them to a file)"
            )
        self.close(Unavailable(f"the connection to {self.name} was lost: {fault}{hint}"))

    def _forked(self) -> None:
        """In the child of a fork, which has no reader thread: lets the socket go without closing the parent's."""
        self._lock, self._sending = threading.RLock(), threading.RLock()
        self._finalizer.detach()
        self._socket.close()
        for call in self._calls.values():
            call.forked()
        self._calls.clear()


def _read_frames(sock: socket.socket, reference: weakref.ref[Connection]) -> None:
    """The reader thread. Between frames it holds no connection, so that one which nobody uses can be collected."""
    fault = "the daemon closed it"
    try:
        while (frame := _frames.read(sock)) is not None:
            connection = reference()
            if connection is None:
                break
            connection._take(frame)
            del connection
    except EOFError as error:
        fault = f"the daemon closed it within a frame: {error}"
    except OSError as error:
        fault = str(error)
    except Exception as error:
        fault = f"a frame could not be taken: {error!r}"
    connection = reference()
    if connection is None:
        sock.close()
        return
    connection._end(fault)
    # Not while a sender has the descriptor in its hands: its number may be another file's by then.
    with connection._sending:
        sock.close()


def _shut(sock: socket.socket, process: int) -> None:
    # Wakes the reader, which closes the socket. In another process it would end the owner's connection.
    if process == os.getpid():
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


_connections: weakref.WeakSet[Connection] = weakref.WeakSet()


def _forget_parents() -> None:
    for connection in list(_connections):
        connection._forked()


os.register_at_fork(after_in_child=_forget_parents)


def _working_folder() -> str:
    """Where the daemon begins relative paths; empty where this process's folder is gone, or has no name in UTF-8."""
    try:
        folder = os.getcwd()
        folder.encode()
    except (OSError, UnicodeEncodeError):
        return ""
    return folder
