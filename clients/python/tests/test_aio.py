"""The client for asyncio."""

from __future__ import annotations

import asyncio
import threading

import auscult
import auscult.aio
import numpy as np
import pytest
from auscult._messages import v1

CLIP = "demo:en-slt-01"


def test_calls_run_at_the_same_time_and_streams_are_iterated(daemon_socket):
    async def work():
        async with await auscult.aio.connect(daemon_socket, start=False) as client:
            one, two, models, jobs = await asyncio.gather(
                client.transcribe(CLIP), client.trace(CLIP, "log_mel"), client.models(), client.jobs.list()
            )
            async with client.transcribe_stream(CLIP) as segments:
                found = [one async for one in segments]
            assert tuple(found) == one.segments and segments.stream.transcript == one
            assert two["log_mel"].shape[0] == 80 and models and isinstance(jobs, list)
            with pytest.raises(auscult.NotFound):
                await client.model_info("no-such-model")
            with pytest.raises(AttributeError):
                client.no_such_method
            assert "transcribe" in dir(client) and client.socket == daemon_socket
            live = client.live(features=[("encoder.blocks.1", 5)], transcribe=False)
            async with live:
                await live.send(np.zeros(8000, np.int16))
                await live.finish()
                events = [event async for event in live]
            assert isinstance(events[-1], auscult.LiveEnd) and events[-1].duration == 0.5

    asyncio.run(work())


def test_a_device_is_listened_to_steered_and_marked(fake):
    received: list[object] = []

    def listen(call):
        call.send(started=v1.Started(subscription_id="s-2"))
        received.extend(call.messages())
        call.send(seq=1, level=v1.LiveLevel(start=0, end=0.1, rms_db=-20))
        call.send(seq=2, end=v1.LiveEnd(duration=0.1))
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen

    async def work():
        async with await auscult.aio.connect(fake.path, start=False) as client, client.listen("mic") as live:
            await live.steer("encoder.ln_post = zero")
            await live.mark("here")
            await live.finish()
            return [event async for event in live]

    level, end = asyncio.run(work())
    assert isinstance(level, auscult.LiveLevel) and isinstance(end, auscult.LiveEnd)
    assert received[0].open.device.name == "mic" and received[0].open.HasField("rolling")
    assert [one.WhichOneof("input") for one in received[1:]] == ["interventions", "mark"]


def test_calls_of_a_closed_client_are_told_so(fake):
    async def work():
        async with await auscult.aio.connect(fake.path, start=False) as client:
            pass
        for call in (client.status, lambda: client.transcribe(CLIP), lambda: client.jobs.list()):
            with pytest.raises(auscult.Unavailable, match="closed"):
                await call()

    asyncio.run(work())


def test_a_cancelled_task_cancels_its_stream(fake):
    begun = threading.Event()

    def handler(call):
        call.send(started=v1.Started(subscription_id="s-1"))
        begun.set()

    fake.handlers["auscult.v1.Transcribe/Stream"] = handler

    async def work():
        async with await auscult.aio.connect(fake.path, start=False) as client:
            task = asyncio.create_task(client.transcribe(CLIP))
            await asyncio.to_thread(begun.wait, 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(work())
    # The stream's own connection is gone; the client's went with it.
    assert all(fake.closed.acquire(timeout=60) for _ in range(2))
