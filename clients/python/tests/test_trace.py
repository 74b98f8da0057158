"""Tensors: streamed, through shared memory, and from a file."""

from __future__ import annotations

import array
import fcntl
import gc
import json
import os
import socket
import threading
from pathlib import Path

import auscult
import numpy as np
import pytest
from auscult._messages import v1

NAME = "encoder.blocks.2.mlp.1"
VALUES = np.arange(12, dtype=np.float32).reshape(3, 4)


def header(name=NAME, values=VALUES, dtype=1):
    return v1.TensorHeader(
        name=name,
        hook=name,
        window=1,
        dtype=dtype,
        shape=values.shape,
        axes=["frame", "neuron"],
        first_frame=10,
        frames_per_second=50,
        valid_frames=3,
        byte_count=values.nbytes,
    )


def summary(*headers, **fields):
    return v1.TraceSummary(file="clip", model="m", duration=0.06, tensors=headers, windows=1, **fields)


def run(fake, *events, end=True):
    """Answers traces with these events after `started`."""

    def handler(call):
        call.send(started=v1.Started(subscription_id="s-1"))
        for event in events:
            call.send(**event)
        if end:
            call.end()

    fake.handlers["auscult.v1.Trace/Run"] = handler


def chunk(offset, data):
    return {"chunk": v1.TensorChunk(offset=offset, data=data)}


def test_chunks_become_arrays_that_cannot_be_changed(fake, client):
    data = VALUES.tobytes()
    other = header("log_mel", np.zeros((0, 4), np.float32))
    run(
        fake,
        {"tensor": header()},
        chunk(0, data[:7]),
        {"progress": v1.Progress(done=1, total=2, unit="windows")},
        chunk(7, data[7:]),
        {"tensor": other},
        {"done": summary(header(), other, tokens=[v1.TokenSequence(ids=[1, 2])])},
    )
    steps: list[auscult.Progress] = []
    trace = client.trace("demo:x", NAME, memory=False, on_progress=steps.append)
    assert list(trace) == [NAME, "log_mel"] and len(trace) == 2
    assert trace[NAME].dtype == np.float32 and np.array_equal(trace[NAME], VALUES)
    assert trace["log_mel"].shape == (0, 4)
    with pytest.raises(ValueError):
        trace[NAME][0, 0] = 1
    assert trace.info[NAME].axes == ("frame", "neuron")
    assert trace.times(NAME).tolist() == [0.2, 0.22, 0.24]
    assert trace.summary.tokens == ((1, 2),)
    assert steps == [auscult.Progress(1, 2, "windows", "")]
    with pytest.raises(KeyError):
        trace["decoder.ln"]


def test_the_request_says_what_was_asked_for(fake, client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(fake, {"done": summary()})
    client.trace("demo:x", NAME, memory=False, frames="all", reduce="max", text="a", language="en", timeout=30)
    client.trace("demo:x", [NAME], memory=True, tokens=[], interventions="h = zero", model="./m", span=(1, 2))
    client.trace("demo:x", [NAME], out="t.npz", task="translate")
    first, second, third = fake.seen("auscult.v1.Trace/Run")
    assert (list(first.hooks), first.frames, first.reduction, first.text) == ([NAME], 1, 1, "a")
    assert (first.WhichOneof("output"), first.deadline_ms) == ("stream", 30_000)
    assert (second.WhichOneof("output"), second.WhichOneof("decoder_input")) == ("memory", "tokens")
    assert second.interventions[0].text == "h = zero"
    assert (second.model.name, second.audio.span.end) == ("./m", 2)
    assert (third.file, third.task, third.deadline_ms) == ("t.npz", 1, 0)


def test_a_transcript_is_traced_as_it_would_be_written(fake, client):
    done = summary()
    done.padding, done.window_starts[:], done.prompt_tokens[:] = 2, [0, 28.5], [3, 9]
    run(fake, {"done": done})
    trace = client.trace("demo:x", NAME, memory=False, transcript=True, language="de", padding="mel")
    client.trace("demo:x", NAME, memory=False, transcript={"beam_size": 5, "language": "en"})
    assert (trace.summary.padding, trace.summary.window_starts, trace.summary.prompt_tokens) == ("mel", (0, 28.5), (3, 9))
    first, second = fake.seen("auscult.v1.Trace/Run")
    assert (first.WhichOneof("decoder_input"), first.transcript.language, first.padding) == ("transcript", "de", 2)
    assert (second.transcript.language, second.transcript.beam_size, second.padding) == ("en", 5, 0)


@pytest.mark.parametrize(
    ("wrong", "part"),
    [({"frames": "some"}, "'valid', 'all'"), ({"reduce": "sum"}, "'max'"), ({"text": "a", "tokens": [1]}, "one of them"),
     ({"text": "a", "transcript": True}, "one of them"), ({"padding": "loud"}, "'sound', 'mel'")],
)
def test_a_wrong_argument_is_refused_here(client, wrong, part):
    with pytest.raises(auscult.InvalidArgument, match=part):
        client.trace("demo:x", NAME, **wrong)


def test_an_argument_that_there_is_not_is_a_type_error(client):
    with pytest.raises(TypeError, match="reduction"):
        client.trace("demo:x", NAME, reduction="max")


@pytest.mark.parametrize(
    "events",
    [
        [chunk(0, b"1234")],
        [{"tensor": header()}, chunk(4, bytes(44))],
        [{"tensor": header()}, chunk(0, bytes(49))],
        [{"tensor": header()}, chunk(0, bytes(47)), {"done": summary(header())}],
        [{"tensor": header()}, {"tensor": header()}],
        [{"tensor": v1.TensorHeader(name=NAME, dtype=1, shape=[3, 4], byte_count=47)}],
        [{"tensor": v1.TensorHeader(name=NAME, dtype=99, shape=[3, 4], byte_count=48)}],
        [{"tensor": header()}, chunk(0, bytes(48))],
        [{"done": summary(header())}],
    ],
)
def test_what_did_not_arrive_whole_is_data_loss(fake, client, events):
    run(fake, *events)
    with pytest.raises(auscult.DataLoss):
        client.trace("demo:x", NAME, memory=False)


def test_a_tensor_that_cannot_fit_is_refused(fake, client):
    run(fake, {"tensor": v1.TensorHeader(name=NAME, dtype=7, shape=[1 << 62], byte_count=1 << 62)})
    with pytest.raises(auscult.ResourceExhausted, match="memory"):
        client.trace("demo:x", NAME, memory=False)


def test_bfloat16_is_widened(fake, client):
    words = np.array([[0x3F80, 0xC000]], "<u2")
    one = header(values=words, dtype=3)
    run(fake, {"tensor": one}, chunk(0, words.tobytes()), {"done": summary(one)})
    assert client.trace("demo:x", NAME, memory=False)[NAME].tolist() == [[1.0, -2.0]]


def test_a_stream_gives_each_tensor_as_soon_as_it_is_whole(fake, client):
    release = threading.Event()

    def handler(call):
        call.send(started=v1.Started(subscription_id="s-1"))
        call.send(tensor=header())
        call.send(chunk=v1.TensorChunk(data=VALUES.tobytes()))
        release.wait(60)
        call.send(done=summary(header()))
        call.end()

    fake.handlers["auscult.v1.Trace/Run"] = handler
    with client.trace_stream("demo:x", NAME) as tensors:
        one = next(tensors)
        assert tensors.subscription_id == "s-1"
        with pytest.raises(auscult.DataLoss, match="read to its end"):
            tensors.summary
        release.set()
        assert list(tensors) == []
        assert tensors.summary.file == "clip"
    assert one.info.name == NAME and np.array_equal(one.array, VALUES)


class Memory:
    """Hands a memfd over once, to whoever sends the token."""

    def __init__(self, path, data, seals=fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE, hand_over=True):
        self.descriptor = os.memfd_create("test", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        os.write(self.descriptor, data)
        if seals:
            fcntl.fcntl(self.descriptor, fcntl.F_ADD_SEALS, seals)
        self.path, self.hand_over, self.tokens = str(path), hand_over, []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with self._listener:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
        with sock:
            self.tokens.append(sock.recv(16, socket.MSG_WAITALL))
            if self.hand_over:
                rights = array.array("i", [self.descriptor])
                sock.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        os.close(self.descriptor)

    def message(self, size, *tensors):
        shared = [v1.SharedTensor(header=one, offset=offset) for one, offset in tensors]
        return v1.SharedMemory(socket=self.path, token=b"0123456789abcdef", size=size, tensors=shared)


def test_shared_memory_is_mapped_and_lives_as_long_as_an_array(fake, client, folder):
    other = header("log_mel", VALUES + 100)
    memory = Memory(folder / "m.sock", VALUES.tobytes().ljust(64, b"\0") + (VALUES + 100).tobytes())
    shared = memory.message(112, (header(), 0), (other, 64))
    run(fake, {"memory": shared}, {"done": summary(header(), other)})
    trace = client.trace("demo:x", [NAME, "log_mel"])
    assert memory.tokens == [b"0123456789abcdef"]
    first, second = trace[NAME], trace["log_mel"]
    assert not first.flags.owndata and not first.flags.writeable
    with pytest.raises(ValueError):
        first[0, 0] = 1
    client.close()
    del trace, first
    gc.collect()
    assert np.array_equal(second, VALUES + 100)
    memory._thread.join()


@pytest.mark.parametrize(
    ("options", "size", "offset", "error"),
    [
        ({}, 49, 0, auscult.DataLoss),
        ({}, 48, 16, auscult.DataLoss),
        ({"seals": 0}, 48, 0, auscult.Internal),
        ({"hand_over": False}, 48, 0, auscult.Unavailable),
    ],
)
def test_shared_memory_that_is_not_what_was_said_is_refused(fake, client, folder, options, size, offset, error):
    memory = Memory(folder / "m.sock", VALUES.tobytes(), **options)
    run(fake, {"memory": memory.message(size, (header(), offset))}, {"done": summary(header())})
    with pytest.raises(error):
        client.trace("demo:x", NAME)
    memory._thread.join()


def test_shared_memory_whose_socket_is_gone_is_unavailable(fake, client, folder):
    shared = v1.SharedMemory(socket=str(folder / "none"), token=bytes(16), size=48)
    run(fake, {"memory": shared}, {"done": summary()})
    with pytest.raises(auscult.Unavailable, match="none"):
        client.trace("demo:x", NAME)


def test_no_tensors_in_no_memory_are_an_empty_trace(fake, client, folder):
    memory = Memory(folder / "m.sock", b"")
    run(fake, {"memory": memory.message(0)}, {"done": summary()})
    assert dict(client.trace("demo:x", NAME)) == {}
    memory._thread.join()


def write_safetensors(path: Path, values: np.ndarray, name: str = NAME) -> None:
    entry = {name: {"dtype": "F32", "shape": values.shape, "data_offsets": [0, values.nbytes]}}
    text = json.dumps(entry).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + values.tobytes())


def test_a_file_that_the_daemon_wrote_is_read_when_an_array_is_asked_for(fake, client, tmp_path):
    for name in ("t.safetensors", "t.npz"):
        path = tmp_path / name
        run(fake, {"done": summary(header(), output_file=str(path))})
        trace = client.trace("demo:x", NAME, out=path)
        with pytest.raises(auscult.DataLoss, match="cannot be read"):
            trace[NAME]
        if path.suffix == ".npz":
            np.savez(path, **{NAME: VALUES})
        else:
            write_safetensors(path, VALUES)
        assert np.array_equal(trace[NAME], VALUES) and not trace[NAME].flags.writeable


@pytest.mark.parametrize("damage", ["name", "shape", "cut", "header"])
def test_a_file_that_is_not_what_was_said_is_data_loss(fake, client, tmp_path, damage):
    path = tmp_path / "t.safetensors"
    write_safetensors(path, VALUES.T if damage == "shape" else VALUES, "other" if damage == "name" else NAME)
    if damage in ("cut", "header"):
        os.truncate(path, path.stat().st_size - 4 if damage == "cut" else 12)
    run(fake, {"done": summary(header(), output_file=str(path))})
    with pytest.raises(auscult.DataLoss, match="t.safetensors"):
        client.trace("demo:x", NAME, out=path)[NAME]
