"""What is taken for a recording, and how it travels."""

from __future__ import annotations

import os
from pathlib import Path

import auscult
import numpy as np
import pytest
from auscult._audio import audio_source, is_data_set, s16le, text_path
from auscult._messages import v1


def test_a_path_goes_as_it_is_written_and_a_clip_is_named():
    assert audio_source("talk.wav", None).path == "talk.wav"
    assert audio_source(Path("a/../talk.wav"), None).path == "a/../talk.wav"
    assert audio_source("~/talk.wav", None).path == "~/talk.wav"
    source = audio_source("demo:en-slt-01", None, name="a clip", span=(0.5, None))
    assert (source.clip, source.name) == ("en-slt-01", "a clip")
    assert source.span.start == 0.5 and not source.span.HasField("end")
    assert audio_source("demo:x", None, span=(0.5, 0.0)).span.HasField("end")


def test_a_job_cannot_read_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/stdin", "/dev/fd/3", "/proc/self/fd/3"):
        with pytest.raises(auscult.InvalidArgument, match="this process alone"):
            audio_source(path, None)


def test_short_16_bit_sound_travels_in_the_request():
    samples = np.array([0, 1, -1, 32767, -32768], np.int16)
    assert audio_source(samples, None).pcm_s16le == samples.astype("<i2").tobytes()
    assert audio_source(samples.astype(">i2"), None).pcm_s16le == samples.astype("<i2").tobytes()
    assert audio_source(samples[::2], None).pcm_s16le == samples[[0, 2, 4]].astype("<i2").tobytes()


def test_bytes_travel_as_bytes_for_the_daemon_to_open(fake, client):
    assert audio_source(b"\xff\xfb\x90", None).data == b"\xff\xfb\x90"
    assert audio_source(bytearray(), None).WhichOneof("source") == "data"
    assert audio_source(np.frombuffer(b"\x01\x00", "<i2"), None).pcm_s16le == b"\x01\x00"
    chunks = uploads(fake)
    client.detect_language(bytes(range(256)) * 8192)
    assert {chunk.encoding for chunk in chunks[0]} == {3}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"plain.wav", "plain.wav"),
        ("Übung.wav".encode(), "Übung.wav"),
        (b"byte-\xff.wav", "byte-\uefff.wav"),
        (b"\xc3(.wav", "\uefc3(.wav"),
        ("\uefff.wav".encode(), "\uefee\uefbf\uefbf.wav"),
    ],
)
def test_a_path_of_any_bytes_reaches_the_daemon(tmp_path, name, expected):
    path = os.path.join(os.fsencode(tmp_path), name)
    for given in (os.fsdecode(path), Path(os.fsdecode(path))):
        assert audio_source(given, None).path == f"{tmp_path}/{expected}"
    assert audio_source(os.fsdecode(path), None, name=os.fsdecode(name)).name == expected
    assert text_path(expected) == os.fsdecode(name)


def test_folders_manifests_and_all_clips_stand_for_several_recordings(tmp_path):
    several = [tmp_path, str(tmp_path), "demo:", *(f"list.{one}" for one in ("jsonl", "ndjson", "json", "csv", "tsv", "TAB"))]
    assert all(map(is_data_set, several))
    assert not any(map(is_data_set, ["talk.wav", "demo:en-slt-01", b"list.csv", np.zeros(3), tmp_path / "x.flac"]))


def test_a_file_that_is_called_like_a_clip_can_be_named():
    assert audio_source("./demo:x.wav", None).path == "./demo:x.wav"


@pytest.mark.parametrize(
    ("audio", "part"),
    [
        (np.zeros((2, 100), np.float32), r"\(2, 100\)"),
        (np.zeros(10, np.int32), "int32"),
        (np.array([0.0, np.nan]), "finite"),
    ],
)
def test_what_is_no_mono_sound_is_refused(audio, part):
    with pytest.raises(auscult.InvalidArgument, match=part):
        audio_source(audio, None)


def test_what_is_no_recording_at_all_is_a_type_error():
    with pytest.raises(TypeError, match="demo:NAME"):
        audio_source([0.0, 0.1], None)  # type: ignore[arg-type]


def test_a_job_cannot_take_floats():
    with pytest.raises(auscult.InvalidArgument, match="upload"):
        audio_source(np.zeros(4, np.float32), None)


def test_floats_become_16_bits_rounded_and_clipped():
    samples = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 1.4 / 32768, 1.6 / 32768])
    expected = [0, 16384, -16384, 32767, -32768, 32767, -32768, 1, 2]
    assert np.frombuffer(s16le(samples), "<i2").tolist() == expected


def uploads(fake):
    """Answers uploads, and keeps their chunks."""
    chunks: list[list[object]] = []

    def upload(call):
        chunks.append(call.messages())
        size = sum(len(chunk.data) for chunk in chunks[-1])
        call.answer(v1.UploadedAudio(upload_id=f"upload-{len(chunks)}", bytes=size))

    fake.handlers["auscult.v1.Audio/Upload"] = upload
    fake.handlers["auscult.v1.Audio/Discard"] = lambda call: call.answer(v1.Empty())
    fake.handlers["auscult.v1.Transcribe/DetectLanguage"] = lambda call: call.answer(
        v1.LanguageProbabilities(languages=[v1.LanguageProbability(language="en", probability=0.5)])
    )
    return chunks


def test_floats_are_uploaded_as_they_are_and_dropped_after_the_call(fake, client):
    chunks = uploads(fake)
    samples = np.linspace(-1, 1, 1000)
    assert client.detect_language(samples) == [auscult.LanguageProbability("en", 0.5)]
    (chunk,) = chunks[0]
    assert chunk.encoding == 1
    assert np.array_equal(np.frombuffer(chunk.data, "<f4"), samples.astype(np.float32))
    assert fake.seen("auscult.v1.Transcribe/DetectLanguage")[0].audio.upload_id == "upload-1"
    assert [one.upload_id for one in fake.seen("auscult.v1.Audio/Discard")] == ["upload-1"]


def test_long_16_bit_sound_is_uploaded_in_chunks_of_a_mebibyte(fake, client):
    chunks = uploads(fake)
    samples = (np.arange((1 << 20) + 5) % 1000).astype(np.int16)
    client.detect_language(samples)
    assert [len(chunk.data) for chunk in chunks[0]] == [1 << 20, 1 << 20, 10]
    assert b"".join(chunk.data for chunk in chunks[0]) == samples.astype("<i2").tobytes()
    assert {chunk.encoding for chunk in chunks[0]} == {0}


@pytest.mark.parametrize("hang_up", [False, True])
def test_an_upload_that_is_refused_half_way_says_why(fake, client, hang_up):
    def refuse(call):
        call.fail(8, "uploads of this connection are limited to 1000 bytes")
        if hang_up:
            # The rest is not read, so the client meets a connection that is closed.
            raise EOFError

    fake.handlers["auscult.v1.Audio/Upload"] = refuse
    with pytest.raises(auscult.ResourceExhausted, match="1000 bytes"):
        client.detect_language(np.zeros(4 << 20, np.float32))


def test_an_excerpt_asks_for_a_moment_only_where_there_is_one(fake, client):
    fake.handlers["auscult.v1.Audio/Excerpt"] = lambda call: call.answer(v1.ExcerptFile(data=b"RIFF"))
    assert client.excerpt("demo:en-slt-01", (0.5, None), flac=True) == b"RIFF"
    assert client.excerpt("demo:en-slt-01", frame=0, surroundings_db=0, gain_db=6) == b"RIFF"
    plain, moment = fake.seen("auscult.v1.Audio/Excerpt")
    assert plain.span.start == 0.5 and not plain.span.HasField("end") and not plain.HasField("moment")
    assert (plain.audio.clip, plain.format) == ("en-slt-01", 1)
    assert not moment.HasField("span") and moment.gain_db == 6 and moment.format == 0
    assert (moment.moment.frame, moment.moment.window_samples, moment.moment.edge_ms) == (0, 1000, 8)
    assert moment.moment.HasField("surroundings_db") and moment.moment.surroundings_db == 0
