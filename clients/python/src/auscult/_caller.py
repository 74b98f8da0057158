"""What makes a client's calls: its connections, and methods by name."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from google.protobuf import json_format

from . import _socket
from ._messages import METHODS, Method
from ._wire import BUFFER_BYTES, Connection
from .errors import InvalidArgument, NotFound, Unavailable
from .streams import MessageStream, Stream

AnyStream = TypeVar("AnyStream", bound=Stream[Any])
C = TypeVar("C", bound="Caller")

# Seconds for calls that ask for little and need no engine.
DEFAULT_TIMEOUT = 60.0


class Caller:
    """The part of `auscult.Client` that knows connections and methods, and no nouns."""

    def __init__(self, path: str, connection: Connection, buffer_bytes: int = BUFFER_BYTES) -> None:
        self.socket = path
        self._buffer_bytes = buffer_bytes
        self._connection = connection
        self._closed = False
        self._lock = threading.RLock()
        self._streams: weakref.WeakSet[Stream[Any]] = weakref.WeakSet()
        _clients.add(self)

    # Any method.

    def call(
        self, method: str, request: Mapping[str, Any] | None = None, *, timeout: float | None = DEFAULT_TIMEOUT
    ) -> dict[str, Any]:
        """Calls any method of the contract that has one message each way.

        Args:
            method: ``"auscult.v1.Model/List"``.
            request: The message in protobuf's JSON mapping, with the contract's names: bytes are base64, 64-bit
                integers may be strings.

        Returns:
            The answer in the same form; 64-bit integers are strings, and fields with their default value are left out.
        """
        known = _method(method)
        if known.client_streaming or known.server_streaming:
            raise InvalidArgument(
                f"{method} streams: use call_stream for its answers, or the client's own method", "invalid_argument"
            )
        return _to_json(self._unary(method, _from_json(known, request), timeout))

    def call_stream(
        self, method: str, request: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> MessageStream:
        """As `call`, for methods that answer with a stream: iterates over all messages, ``started`` too."""
        known = _method(method)
        if known.client_streaming or not known.server_streaming:
            raise InvalidArgument(f"{method} does not answer one message with a stream", "invalid_argument")
        message = _from_json(known, request)
        return self._opened(lambda it: MessageStream(it, method, message, convert=_to_json, timeout=timeout))

    # The connection.

    def close(self) -> None:
        """Closes the connection and cancels what this client runs. The daemon and its jobs live on."""
        self._closed = True
        for stream in list(self._streams):
            stream.close()
        self._connection.close()

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<auscult.{type(self).__name__} of {self.socket}>"

    def _main(self) -> Connection:
        """The connection of calls that do not stream."""
        with self._lock:
            if self._closed:
                raise Unavailable("this client was closed")
            if self._connection.lost:
                self._connection = Connection(_socket.dial(self.socket), self.socket)
            return self._connection

    def _unary(
        self, method: str, request: Any, timeout: float | None = DEFAULT_TIMEOUT, connection: Connection | None = None
    ) -> Any:
        known = METHODS[method]
        data = (connection or self._main()).unary(method, request.SerializeToString(), timeout)
        return known.answer.FromString(data)

    def _opened(self, make: Callable[[Connection], AnyStream]) -> AnyStream:
        """A stream on a connection of its own."""
        if self._closed:
            raise Unavailable("this client was closed")
        connection = Connection(_socket.dial(self.socket), self.socket, self._buffer_bytes)
        try:
            stream = make(connection)
        except BaseException:
            connection.close()
            raise
        self._streams.add(stream)
        return stream

    def _forked(self) -> None:
        self._lock = threading.RLock()


def _method(name: str) -> Method:
    known = METHODS.get(name)
    if known is None:
        raise NotFound(f"the contract has no method {name!r}; it has {', '.join(sorted(METHODS))}", "not_found")
    return known


def _from_json(method: Method, request: Mapping[str, Any] | None) -> Any:
    try:
        return json_format.ParseDict(dict(request or {}), method.request())
    except json_format.ParseError as fault:
        raise InvalidArgument(f"the request of {method.name}: {fault}", "invalid_argument") from fault


def _to_json(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return found


_clients: weakref.WeakSet[Caller] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._forked()


os.register_at_fork(after_in_child=_after_fork)
