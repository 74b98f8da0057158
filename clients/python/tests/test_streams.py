"""Streams that are left, closed, let go, not read, or cut off."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading

import auscult
import pytest
from auscult._messages import v1
from fake import SEGMENT, answer, stream


def hanging(fake, method, *events):
    """A stream that goes on until it is cancelled; gives what Cancel was asked."""
    cancelled: list[str] = []

    def handler(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        for event in events:
            call.send(**event)

    def cancel(call):
        cancelled.append(call.request.subscription_id)
        call.answer(v1.Empty())

    fake.handlers[method] = handler
    fake.handlers["auscult.v1.Daemon/Cancel"] = cancel
    return cancelled


def test_a_stream_without_its_last_message_is_data_loss(fake, client):
    stream(fake, "auscult.v1.Transcribe/Stream", {"segment": SEGMENT})
    with pytest.raises(auscult.DataLoss):
        client.transcribe("demo:x")


def test_leaving_a_stream_cancels_it_by_its_id(fake, client):
    cancelled = hanging(fake, "auscult.v1.Transcribe/Stream", {"segment": SEGMENT})
    with client.transcribe_stream("demo:x") as segments:
        assert next(segments).text == " hello"
    assert cancelled == ["s-7"]
    # Its connection is closed as well.
    assert fake.closed.acquire(timeout=60)
    assert list(segments) == []
    segments.close()
    assert cancelled == ["s-7"]


def test_an_error_where_a_stream_is_read_cancels_it(fake, client):
    cancelled = hanging(fake, "auscult.v1.Transcribe/Stream", {"progress": v1.Progress(done=1)})

    def give_up(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.transcribe("demo:x", on_progress=give_up)
    assert cancelled == ["s-7"]


def test_a_stream_that_is_let_go_closes_its_connection(fake, client):
    hanging(fake, "auscult.v1.Transcribe/Stream", {"segment": SEGMENT})
    segments = client.transcribe_stream("demo:x")
    next(segments)
    del segments
    gc.collect()
    assert fake.closed.acquire(timeout=60)


def test_closing_a_stream_from_another_thread_ends_its_iteration(fake, client):
    hanging(fake, "auscult.v1.Transcribe/Stream", {"segment": SEGMENT})
    segments = client.transcribe_stream("demo:x")
    next(segments)
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.extend(segments))
    reader.start()
    segments.close()
    reader.join(60)
    assert not reader.is_alive() and found == []


def test_a_stream_that_is_not_read_holds_up_no_other_call(fake, client):
    large = v1.Segment(text="x" * (1 << 20))
    hanging(fake, "auscult.v1.Transcribe/Stream", *[{"segment": large}] * 30)
    answer(fake, "auscult.v1.Daemon/Metrics", v1.MetricsText(text="m"))
    with client.transcribe_stream("demo:x") as segments:
        next(segments)
        assert client.metrics() == "m"


def test_a_daemon_that_goes_away_fails_the_stream_and_the_next_call_connects_again(fake, client):
    def leave(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        call.send(segment=SEGMENT)
        raise EOFError

    fake.handlers["auscult.v1.Transcribe/Stream"] = leave
    answer(fake, "auscult.v1.Daemon/Metrics", v1.MetricsText(text="m"))
    segments = client.transcribe_stream("demo:x")
    assert next(segments).id == 1
    with pytest.raises(auscult.Unavailable, match="Transcribe/Stream"):
        next(segments)
    client._connection.close()
    assert client.metrics() == "m"


def test_a_program_that_ends_with_a_stream_open_ends_quietly(fake, client):
    hanging(fake, "auscult.v1.Transcribe/Stream", {"segment": SEGMENT})
    code = f"""
import auscult
client = auscult.connect({fake.path!r}, start=False)
segments = client.transcribe_stream("demo:x")
print(next(segments).text)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, " hello\n", "")


def test_a_larger_buffer_takes_more_before_it_is_read(fake):
    large = v1.Segment(text="x" * (1 << 20))
    sent = threading.Event()

    def handler(call):
        for _ in range(20):
            call.send(segment=large)
        sent.set()
        call.end()

    fake.handlers["auscult.v1.Transcribe/Stream"] = handler
    with auscult.connect(fake.path, start=False, buffer_bytes=32 << 20) as client:
        with client.transcribe_stream("demo:x") as segments:
            assert sent.wait(60)
            assert len(list(segments)) == 20
