"""One call: what came for it, in order, and how it ended."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from . import _frames
from ._messages import Response, v1
from .errors import AuscultError, DeadlineExceeded, Internal, InvalidArgument, ResourceExhausted, Unavailable, from_code

if TYPE_CHECKING:
    from ._wire import Connection

_DETAIL = "auscult.v1.ErrorDetail"


class Call:
    """A call on a `Connection`, made by `Connection.open`. Any thread may use it; messages are bytes.

    Args:
        streaming: Whether the answer is a stream; otherwise it is one message.
        deadline: On `time.monotonic`'s clock, or None. A call past it fails with `DeadlineExceeded` here, whatever the
            daemon does.
    """

    def __init__(
        self, connection: Connection, stream: int, method: str, streaming: bool, deadline: float | None
    ) -> None:
        self.method = method
        self._connection = connection
        self._stream = stream
        self._streaming = streaming
        self._deadline = deadline
        # Threading's default lock here is reentrant, so a collector that runs while it is held may abandon the call.
        self._changed = threading.Condition()
        self._messages: deque[bytes] = deque()
        self._queued = 0
        self._ended = False
        self._error: AuscultError | None = None

    # What the caller does.

    def send(self, message: bytes) -> None:
        """Sends one message of a client stream."""
        check_size(self.method, len(message))
        self._connection.send(_frames.encode(self._stream, _frames.DATA, 0, message))

    def close_send(self) -> None:
        """Says that no more messages follow."""
        flags = _frames.REMOTE_CLOSED | _frames.NO_DATA
        self._connection.send(_frames.encode(self._stream, _frames.DATA, flags))

    @property
    def ended(self) -> bool:
        """Whether the daemon has ended the call; messages may still wait here."""
        return self._ended

    @property
    def error(self) -> AuscultError | None:
        """What the call failed with, where it has."""
        return self._error

    def receive(self, wait: bool = True) -> bytes | None:
        """The next message; None at the end, or, without `wait`, where none has come yet.

        Raises:
            AuscultError: The call failed; after the messages that came before that.
        """
        with self._changed:
            while not self._messages and not self._ended and wait:
                left = None if self._deadline is None else self._deadline - time.monotonic()
                if left is not None and left <= 0:
                    self.fail(DeadlineExceeded(f"{self.method} was not done in the time that was given"))
                    self._connection.forget(self._stream)
                    break
                self._changed.wait(left)
            if self._messages:
                message = self._messages.popleft()
                self._queued -= len(message)
                self._changed.notify_all()
                return message
            if self._error is not None:
                raise self._error
            return None

    def result(self) -> bytes:
        """The one message that answers the call."""
        answer = self.receive()
        if answer is None:
            raise Internal(f"{self.method} ended without an answer")
        return answer

    def abandon(self) -> None:
        """Throws away what has come and what will come. The daemon does not learn of it."""
        self._connection.forget(self._stream)
        with self._changed:
            self._messages.clear()
            self._queued = 0
            self._ended = True
            self._changed.notify_all()

    # What the connection does, in its reader thread.

    def take(self, frame: _frames.Frame) -> None:
        """Takes a frame of this call, and holds the reader up while more than `buffer_bytes` wait here."""
        if frame.oversize:
            self._end(ResourceExhausted(f"{self.method} answered with {frame.length} bytes; 4194304 is the most"))
        elif frame.type == _frames.RESPONSE:
            self._take_response(frame.data)
        elif not self._streaming:
            self._end(Internal(f"{self.method} answered with a stream; expected one message"))
        else:
            closed = bool(frame.flags & _frames.REMOTE_CLOSED)
            # A closing frame without data is an end and no message, whether or not it says no-data.
            if not frame.flags & _frames.NO_DATA and (frame.data or not closed):
                self._put(frame.data)
            if closed:
                self._end(None)

    def fail(self, error: AuscultError) -> None:
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()

    def forked(self) -> None:
        """In the child of a fork: ends the call, whose lock may have been held by a thread that is not here."""
        self._changed = threading.Condition()
        self.fail(Unavailable(f"{self.method} belongs to the process that this one was forked from"))

    def _take_response(self, data: bytes) -> None:
        try:
            response = Response.FromString(data)
        except Exception as fault:
            self._end(Internal(f"the answer to {self.method} cannot be read: {fault}"))
            return
        if response.status.code:
            self._end(from_code(response.status.code, response.status.message, _reason(response.status)))
            return
        # For a stream an OK response is an end; some servers put no message into it.
        if response.payload or not self._streaming:
            self._put(response.payload)
        self._end(None)

    def _put(self, message: bytes) -> None:
        with self._changed:
            if self._ended:
                return
            self._messages.append(message)
            self._queued += len(message)
            self._changed.notify_all()
            while self._queued > self._connection.buffer_bytes and not self._ended:
                with self._connection.held_up(self.method):
                    self._changed.wait()

    def _end(self, error: AuscultError | None) -> None:
        self._connection.forget(self._stream)
        with self._changed:
            if not self._ended:
                self._ended, self._error = True, error
            self._changed.notify_all()


def check_size(method: str, count: int) -> None:
    if count > _frames.MAX_DATA:
        raise InvalidArgument(
            f"a message of {count} bytes for {method}; {_frames.MAX_DATA} is the most. Longer sound is uploaded, and a "
            "tensor can be given as the path of a safetensors file",
            "invalid_argument",
        )


def _reason(status: Any) -> str:
    for detail in status.details:
        if detail.type_url.rpartition("/")[2] == _DETAIL:
            try:
                return str(v1.ErrorDetail.FromString(detail.value).reason)
            except Exception:
                return ""
    return ""
