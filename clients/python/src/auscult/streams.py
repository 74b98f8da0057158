"""Answers that come piece by piece.

Each stream has a connection of its own, so that a reader which pauses holds up no other call.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar

from . import models, transcripts
from ._call import Call
from ._messages import METHODS, v1
from ._tensors import Assembly, map_shared
from ._wire import Connection
from .errors import DataLoss, Internal
from .traces import TracedTensor, TraceSummary, tensor_info, trace_summary

T = TypeVar("T")

# Seconds to wait for the daemon to say that it has cancelled; closing the connection cancels as well.
_CANCEL_TIMEOUT = 5.0


@dataclass(frozen=True)
class Progress:
    """How far long work has come."""

    done: float
    #: 0 where it is not known.
    total: float
    #: ``"seconds"``, ``"windows"``, ``"bytes"``.
    unit: str
    #: What is being worked on, where there are several things.
    label: str


OnProgress = Callable[[Progress], None]


def progress(message: Any) -> Progress:
    return Progress(message.done, message.total, message.unit, message.label)


class Stream(Iterator[T], Generic[T]):
    """Iterates over what a call answers with. Use it in ``with``, or read it to its end, or `close` it.

    Closing it, or letting go of it, before its end cancels the call. A stream is read by one thread at a time; any
    thread may close it.

    Attributes:
        subscription_id: What `Client.cancel` takes; None until the daemon has said it.
        progress: The latest progress, or None.
    """

    def __init__(
        self,
        connection: Connection,
        method: str,
        request: Any,
        *,
        timeout: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.subscription_id: str | None = None
        self.progress: Progress | None = None
        self._on_progress = on_progress
        self._connection = connection
        self._method = METHODS[method]
        self._done = False
        if timeout is not None:
            request.deadline_ms = max(1, int(timeout * 1000))
        self._call = self._begin(request, timeout)

    def _begin(self, request: Any, timeout: float | None) -> Call:
        return self._connection.open(
            self._method.name, request.SerializeToString(), streaming=True, timeout=timeout
        )

    def __iter__(self: S) -> S:
        return self

    def __next__(self) -> T:
        found = self._next(wait=True)
        if found is None:
            raise StopIteration
        return found

    def _next(self, wait: bool) -> T | None:
        """What comes next; None at the end, or, without `wait`, where nothing has come yet."""
        try:
            while not self._done:
                # Asked first: what comes between the two questions is then read the next time.
                at_end = wait or self._call.ended
                data = self._call.receive(wait)
                if data is None:
                    if at_end:
                        self._release()
                    return None
                found = self._accept(self._read(data))
                if found is not None:
                    return found
        except BaseException:
            self.close()
            raise
        return None

    def _read(self, data: bytes) -> Any:
        try:
            return self._method.answer.FromString(data)
        except Exception as fault:
            raise Internal(f"a message of {self._method.name} cannot be read: {fault}") from fault

    def _accept(self, message: Any) -> T | None:
        kind = message.WhichOneof("event")
        if kind == "started":
            self.subscription_id = message.started.subscription_id
            return None
        if kind == "progress":
            self.progress = progress(message.progress)
            if self._on_progress is not None:
                self._on_progress(self.progress)
            return None
        return None if kind is None else self._take(kind, message)

    def _take(self, kind: str, message: Any) -> T | None:
        """What the iterator gives for a message; None to go on."""
        raise NotImplementedError

    def close(self) -> None:
        """Cancels the call where it has not ended, and closes its connection. Does nothing the second time."""
        if self._done:
            return
        ended = self._call.ended
        self._call.abandon()
        if not ended and self.subscription_id and not self._connection.lost:
            request = v1.CancelRequest(subscription_id=self.subscription_id)
            with contextlib.suppress(Exception):
                self._connection.unary("auscult.v1.Daemon/Cancel", request.SerializeToString(), _CANCEL_TIMEOUT)
        self._release()

    def _release(self) -> None:
        self._done = True
        self._connection.close()

    def __enter__(self: S) -> S:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Sends nothing: a collector may run this in any thread, the reader's too.
        if hasattr(self, "_call") and not self._done:
            self._release()


S = TypeVar("S", bound=Stream[Any])


class TranscribeStream(Stream[transcripts.Segment]):
    """Segments, as soon as their window is done."""

    _transcript: transcripts.Transcript | None = None

    @property
    def transcript(self) -> transcripts.Transcript:
        """The whole transcript, once the segments have been read.

        Raises:
            DataLoss: It has not come.
        """
        if self._transcript is None:
            raise DataLoss("there is no transcript: the stream has not been read to its end")
        return self._transcript

    def _take(self, kind: str, message: Any) -> transcripts.Segment | None:
        if kind == "segment":
            return transcripts.segment(message.segment)
        if kind == "done":
            self._transcript = transcripts.transcript(message.done)
        return None


class TraceStream(Stream[TracedTensor]):
    """Tensors, each as soon as all of it has come."""

    _summary: TraceSummary | None = None
    _assembly: Assembly | None = None
    _waiting: Iterator[TracedTensor] = iter(())

    @property
    def summary(self) -> TraceSummary:
        """What was traced, once the tensors have been read.

        Raises:
            DataLoss: It has not come.
        """
        if self._summary is None:
            raise DataLoss("there is no summary: the trace has not been read to its end")
        return self._summary

    def __next__(self) -> TracedTensor:
        for one in self._waiting:
            return one
        return super().__next__()

    def _take(self, kind: str, message: Any) -> TracedTensor | None:
        if kind == "tensor":
            self._check_complete("another began")
            self._assembly = Assembly(message.tensor)
            return self._finished()
        if kind == "chunk":
            if self._assembly is None:
                raise DataLoss("a chunk came that belongs to no tensor")
            self._assembly.add(message.chunk)
            return self._finished()
        if kind == "memory":
            tensors = [TracedTensor(tensor_info(header), array) for header, array in map_shared(message.memory)]
            self._waiting = iter(tensors)
            return next(self._waiting, None)
        if kind == "done":
            self._check_complete("the trace ended")
            self._summary = trace_summary(message.done)
        return None

    def _finished(self) -> TracedTensor | None:
        if self._assembly is None or not self._assembly.complete:
            return None
        done, self._assembly = self._assembly, None
        return TracedTensor(tensor_info(done.header), done.array())

    def _check_complete(self, event: str) -> None:
        if self._assembly is not None:
            raise DataLoss(f"{event} before all of {self._assembly.header.name} had come")


@dataclass(frozen=True)
class PullEvent:
    """A step of a download."""

    #: ``"verifying"``: the file is complete and its SHA-256 is being checked. ``"retrying"``: the file is tried again.
    kind: Literal["progress", "verifying", "retrying", "done"]
    #: Bytes; the label is the file. Only for ``"progress"``.
    progress: Progress | None = None
    #: The file, or why one is tried again.
    text: str = ""
    #: Only for ``"done"``.
    model: models.RegisteredModel | None = None


class PullStream(Stream[PullEvent]):
    """The steps of a download; the last is ``"done"``."""

    def _accept(self, message: Any) -> PullEvent | None:
        super()._accept(message)
        kind = message.WhichOneof("event")
        if kind == "progress":
            return PullEvent("progress", progress=self.progress)
        if kind == "verifying":
            return PullEvent("verifying", text=message.verifying)
        if kind == "retrying":
            return PullEvent("retrying", text=message.retrying)
        if kind == "done":
            return PullEvent("done", model=models.registered(message.done))
        return None

    def _take(self, kind: str, message: Any) -> PullEvent | None:
        return None


class MessageStream(Stream[Any]):
    """The messages of any method, as they come."""

    def __init__(
        self, connection: Connection, method: str, request: Any, *, convert: Callable[[Any], Any], timeout: float | None
    ) -> None:
        self._convert = convert
        has_deadline = "deadline_ms" in METHODS[method].request.DESCRIPTOR.fields_by_name
        super().__init__(connection, method, request, timeout=timeout if has_deadline else None)

    def _accept(self, message: Any) -> Any:
        if "started" in message.DESCRIPTOR.fields_by_name and message.HasField("started"):
            self.subscription_id = message.started.subscription_id
        return self._convert(message)
