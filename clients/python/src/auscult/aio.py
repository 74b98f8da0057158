"""The client for asyncio: the same calls, awaited; streams are iterated with ``async for``.

    import auscult.aio

    async with await auscult.aio.connect() as client:
        first, second = await asyncio.gather(client.transcribe("a.wav"), client.transcribe("b.wav"))
        async with client.transcribe_stream("talk.wav") as segments:
            async for segment in segments: ...

Threads of the client's own wait for the daemon. Where a task is cancelled, the daemon cancels its stream or transcript; of other
calls it throws the answer away.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from . import client as _client
from . import transcripts
from .errors import Unavailable
from .streams import Stream

T = TypeVar("T")

#: Calls that are waited for at a time; more wait for their turn.
MOST_CALLS = 64


async def connect(*arguments: Any, **options: Any) -> AsyncClient:
    """As `auscult.connect`."""
    return AsyncClient(await asyncio.to_thread(_client.connect, *arguments, **options))


class _Awaited:
    """The methods of an object: those that stream give an `AsyncStream`, the others are awaited."""

    def __init__(self, pool: ThreadPoolExecutor, target: Any, streams: frozenset[str]) -> None:
        self._pool, self._target, self._streams = pool, target, streams

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = getattr(self._target, name)
        if not callable(found):
            return found
        if name in self._streams:
            return lambda *a, **o: AsyncStream(self._pool, functools.partial(found, *a, **o))
        return functools.partial(_in_pool, self._pool, found)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(one for one in dir(self._target) if not one.startswith("_"))})


class AsyncClient(_Awaited):
    """A client of one daemon: every method of `auscult.Client` under its name.

    Attributes:
        client: The client that it waits for.
        jobs, atlas: As `auscult.Client` has them, awaited.
    """

    def __init__(self, client: _client.Client) -> None:
        streams = {"transcribe_stream", "trace_stream", "pull", "run", "run_plugin", "merge", "live", "listen", "recordings", "call_stream"}
        super().__init__(ThreadPoolExecutor(MOST_CALLS, "auscult-aio"), client, frozenset(streams))
        self.client = client
        self.jobs = _Awaited(self._pool, client.jobs, frozenset({"watch", "results"}))
        self.atlas = _Awaited(self._pool, client.atlas, frozenset())

    async def transcribe(self, *arguments: Any, **options: Any) -> transcripts.Transcript:
        """As `auscult.Client.transcribe`."""
        segments = self.transcribe_stream(*arguments, **options)
        async with segments:
            async for _ in segments:
                pass
            found: transcripts.Transcript = segments.stream.transcript
            return found

    async def close(self) -> None:
        """Closes the connection, and cancels what this client runs."""
        await asyncio.to_thread(self.client.close)
        self._pool.shutdown(wait=False)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncStream(Generic[T]):
    """A stream for ``async for``; it begins with ``async with`` or the first step, and is cancelled where it is left early.

    Attributes:
        stream: The stream itself, for what is told beside its values; None before it begins.
    """

    def __init__(self, pool: ThreadPoolExecutor, make: Callable[[], Stream[T]]) -> None:
        self._pool, self._make = pool, make
        self.stream: Any = None

    async def __aenter__(self) -> AsyncStream[T]:
        if self.stream is None:
            opening = asyncio.ensure_future(_in_pool(self._pool, self._make))
            try:
                self.stream = await asyncio.shield(opening)
            except asyncio.CancelledError:
                # It may be open by now, or about to be.
                opening.add_done_callback(_close_opened)
                raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancels it, where it has not come to its end."""
        if self.stream is not None:
            await asyncio.shield(asyncio.to_thread(self.stream.close))

    def __aiter__(self) -> AsyncStream[T]:
        return self

    async def __anext__(self) -> T:
        await self.__aenter__()
        try:
            found: T = await _in_pool(self._pool, next, self.stream, _END)
        except asyncio.CancelledError:
            await self.close()
            raise
        if found is _END:
            raise StopAsyncIteration
        return found

    async def send(self, samples: Any) -> None:
        """Of a live line: sends samples, as `auscult.Live.send`."""
        await self.__aenter__()
        await _in_pool(self._pool, self.stream.send, samples)

    async def steer(self, interventions: Any = ()) -> None:
        """Of a live line: sets what the next looks run under, as `auscult.Live.steer`."""
        await self.__aenter__()
        await _in_pool(self._pool, self.stream.steer, interventions)

    async def mark(self, label: str = "") -> None:
        """Of a live line: marks the newest sound, as `auscult.Live.mark`."""
        await self.__aenter__()
        await _in_pool(self._pool, self.stream.mark, label)

    async def finish(self) -> None:
        """Of a live line: says that the sound is over."""
        await self.__aenter__()
        await _in_pool(self._pool, self.stream.finish)


_END: Any = object()


def _close_opened(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


async def _in_pool(pool: ThreadPoolExecutor, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    call = functools.partial(function, *arguments, **options)
    loop = asyncio.get_running_loop()
    try:
        result = loop.run_in_executor(pool, call)
    except RuntimeError as fault:  # its threads have been let go
        raise Unavailable("this client was closed") from fault
    return await result
