"""`auscult align`: what it writes, against a server that says what it is told and against the daemon."""

from __future__ import annotations

import io
import json
import sys
import wave

import auscult
import numpy as np
import pytest
from auscult._messages import v1
from auscult.alignment import _espeak, __main__ as command
from fake import stream

FRENCH = {"le": ("L", "AH"), "chat": ("SH", "AA"), "dort": ("D", "AO", "RR")}


def sound(seconds: float) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.zeros(round(16000 * seconds), "<i2").tobytes())
    return data.getvalue()


@pytest.fixture
def french(fake, tmp_path, monkeypatch):
    """A daemon that hears "le chat dort" in every recording of two seconds, and knows two of them."""
    monkeypatch.setattr(_espeak, "phonemes", lambda written, language: FRENCH[written.lower()])
    monkeypatch.setenv("AUSCULT_SOCKET", fake.path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.wav").write_bytes(sound(2.0))
    labels = [v1.RecordingLabel(column=key, value=value) for key, value in
              (("language", "fr"), ("speaker", "s1"), ("text", "Le chat dort."), ("room", "kitchen"))]  # fmt: skip
    recordings = [
        v1.RecordingInfo(number=0, name="a.wav", path=str(tmp_path / "a.wav"), labels=labels),
        v1.RecordingInfo(number=1, name="deep/b.wav", path=str(tmp_path / "b.wav"), labels=labels[:1],
                         span=v1.Span(start=0.5, end=2.0)),
    ]  # fmt: skip
    stream(fake, "auscult.v1.Recordings/List", *({"recording": one} for one in recordings), {"end": v1.RecordingSet(count=2)})
    words = [v1.Word(word=word, start=start, end=start + 0.4, probability=1)
             for word, start in ((" Le", 0.5), (" chat", 0.9), (" dort.", 1.3))]  # fmt: skip
    segment = v1.Segment(id=0, start=0.5, end=1.7, text=" Le chat dort.", words=words, has_words=True)
    whole = v1.Transcript(file="x", duration=2.0, language="fr", text=" Le chat dort.", segments=[segment])
    stream(fake, "auscult.v1.Transcribe/Stream", {"segment": segment}, {"done": whole})

    def excerpt(call):
        span = call.request.span
        call.answer(v1.ExcerptFile(data=sound(min(span.end, 2.0) - span.start), sample_rate=16000))

    fake.handlers["auscult.v1.Audio/Excerpt"] = excerpt
    return tmp_path


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_textgrid_a_recording_and_a_manifest_that_keeps_every_label(french, capsys):
    out = french / "out"
    assert command.main([str(french / "list.csv"), "--out", str(out)]) == 0
    first, second = rows(out / "manifest.jsonl")
    assert first == {
        "path": str(french / "a.wav"), "text": "Le chat dort.", "language": "fr", "speaker": "s1",
        "alignment": "a.TextGrid", "alignment_kind": "coarse", "words_coarse": 3, "room": "kitchen",
    }  # fmt: skip
    assert (second["start"], second["end"], second["alignment"]) == (0.5, 2.0, "deep/b.0.5-2.TextGrid")
    grid = (out / "a.TextGrid").read_text()
    assert 'name = "words"' in grid and 'name = "phones"' in grid and 'text = "coarse"' in grid
    # A part's times are those of its file.
    assert "xmax = 2\n" in (out / "deep/b.0.5-2.TextGrid").read_text()
    printed = capsys.readouterr()
    assert printed.err.count("name a released one, --model tiny.en") == 1
    assert "2 recordings; words: 6 coarse" in printed.out and "[2/2] deep/b.wav: 3 words, 3 coarse" in printed.err


def test_a_textgrid_that_is_there_stays_unless_it_may_be_made_anew(french, monkeypatch, capsys):
    monkeypatch.chdir(french)
    (french / "a.TextGrid").write_text("made by hand")
    assert command.main(["list.csv"]) == 0
    assert (french / "a.TextGrid").read_text() == "made by hand"
    assert "--overwrite" in capsys.readouterr().err
    first = rows(french / "aligned.jsonl")[0]
    assert (first["path"], first["alignment_kind"], first["room"]) == ("a.wav", "found", "kitchen")
    assert command.main(["list.csv", "--overwrite"]) == 0
    assert "IntervalTier" in (french / "a.TextGrid").read_text()


def test_a_recording_that_cannot_be_read_is_told_and_does_not_lose_the_others(french, fake, capsys):
    def excerpt(call):
        if call.request.audio.path.endswith("a.wav"):
            return call.fail(15, "a.wav: is no sound", "data_loss")
        call.answer(v1.ExcerptFile(data=sound(1.5)))

    fake.handlers["auscult.v1.Audio/Excerpt"] = excerpt
    out = french / "out"
    assert command.main([str(french / "list.csv"), "--out", str(out), "-q"]) == 65
    assert "error: a.wav: is no sound" in capsys.readouterr().err
    assert [one["path"] for one in rows(out / "manifest.jsonl")] == [str(french / "b.wav")]


def test_what_is_forced_in_another_language_than_english_is_an_error(french, capsys):
    assert command.main([str(french / "list.csv"), "--out", str(french / "out"), "--method", "forced"]) == 65
    assert "only English can be aligned, and the recording's language is 'fr'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["x.csv", "--text", "one", "--out", "o"], 64, "--text is the text of one recording; 2 are named"),
        (["x.csv", "--method", "magic"], 64, "invalid choice"),
        (["x.csv", "--score"], 66, "none of the recordings has an alignment"),
        ([], 64, "required"),
    ],
)
def test_a_command_that_makes_no_sense_says_why(french, capsys, arguments, status, message):
    assert command.main(arguments) == status
    assert message in capsys.readouterr().err


def test_the_manifest_is_not_written_over_an_input(french, capsys):
    (french / "list.jsonl").write_text('{"path": "a.wav"}\n')
    path = str(french / "list.jsonl")
    assert command.main([path, "--manifest", path]) == 64
    assert "name another with --manifest" in capsys.readouterr().err
    assert (french / "list.jsonl").read_text() == '{"path": "a.wav"}\n'


def test_an_embedded_clip_has_no_folder_for_its_textgrid(french, fake, capsys):
    clip = v1.RecordingInfo(number=0, name="demo:x", clip="x")
    stream(fake, "auscult.v1.Recordings/List", {"recording": clip}, {"end": v1.RecordingSet(count=1)})
    assert command.main(["demo:x"]) == 64
    assert "name one with --out" in capsys.readouterr().err


def test_without_pocketsphinx_the_command_names_what_brings_it(french, fake, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    english = v1.RecordingInfo(number=0, name="a.wav", path=str(french / "a.wav"), labels=[
        v1.RecordingLabel(column="text", value="the cat"), v1.RecordingLabel(column="language", value="en")])  # fmt: skip
    stream(fake, "auscult.v1.Recordings/List", {"recording": english}, {"end": v1.RecordingSet(count=1)})
    assert command.main([str(french / "a.wav"), "--out", str(french / "out")]) == 69
    assert "pip install './clients/python[align]'" in capsys.readouterr().err


def test_no_daemon_is_an_error_of_its_own(tmp_path, capsys):
    assert command.main(["a.wav", "--socket", str(tmp_path / "none.sock"), "--no-start"]) == 69
    assert "error:" in capsys.readouterr().err


# With the daemon and pocketsphinx.


@pytest.fixture
def english(daemon, monkeypatch):
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install './clients/python[align]'")
    try:
        _espeak.library()
    except auscult.FailedPrecondition as fault:
        pytest.skip(fault.message)
    monkeypatch.setenv("AUSCULT_SOCKET", daemon.socket)
    return daemon


CLIPS = [f"demo:en-{voice}-0{number}" for voice in ("slt", "rms", "kal", "awb") for number in (1, 2, 3)]


def test_words_and_phonemes_of_embedded_clips_are_within_20_milliseconds_in_the_median(english, capsys):
    assert command.main(["demo:", "--score", "--by", "engine", "-q", "--format", "json"]) == 0
    scores = {(one["group"], one["of"]): one for one in json.loads(capsys.readouterr().out)}
    for of in ("words", "phonemes"):
        assert scores["flite", of]["median"] <= 0.02 and scores["flite", of]["matched"] > 0.9
        assert scores["flite", of]["known"] >= 50


def test_a_long_recording_is_aligned_in_pieces_as_its_parts_are_alone(english, monkeypatch):
    clips = {one.name: one for one in english.recordings("demo:", alignments=True) if one.name in CLIPS}
    parts, offsets, text, alone = [], [], [], []
    for name in CLIPS:
        with wave.open(io.BytesIO(english.excerpt(name))) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        offset = sum(map(len, parts)) / 16000
        offsets.append(offset)
        parts += [samples, np.zeros(8000, np.int16)]
        text.append(clips[name].labels["text"])
        alone += [one.start + offset for one in auscult.align(name, text=text[-1], client=english).words]
    # Few pieces come where a recording of this length would be aligned whole.
    monkeypatch.setattr("auscult.alignment.aligner._WHOLE", 8.0)
    found = auscult.align(np.concatenate(parts), text=" ".join(text), client=english)
    assert len(found.words) == len(alone) and found.kind == "forced"
    errors = np.abs(np.array([one.start for one in found.words]) - alone)
    assert np.median(errors) <= 0.01 and np.quantile(errors, 0.9) <= 0.05


def test_features_take_the_manifest_as_it_is(english, tmp_path):
    for name in CLIPS[:4]:
        (tmp_path / f"{name.removeprefix('demo:')}.wav").write_bytes(english.excerpt(name))
        (tmp_path / f"{name.removeprefix('demo:')}.txt").write_text(
            next(one.labels["text"] for one in english.recordings(name) if one.name == name)
        )
    assert command.main([str(tmp_path), "--manifest", str(tmp_path / "list.jsonl"), "--language", "en", "-q"]) == 0
    with english.recordings(tmp_path / "list.jsonl", alignments=True) as listed:
        found = list(listed)
    assert len(found) == 4 and not listed.skipped and not listed.notices
    assert all(one.phonemes and one.words and one.labels["alignment_kind"] == "forced" for one in found)
    if not any(one.id.endswith("features") for one in english.plugins()):
        pytest.skip("the daemon finds no features: make plugins")
    run = english.run("features", tmp_path / "list.jsonl", arguments={"hooks": "encoder.blocks.0.mlp.1"})
    results = {one.output_id: one.value for one in run.wait()}
    neurons = results["neurons"]
    # What is heard at the largest activations is named by word and phoneme.
    examples = {one for row in neurons.rows for one in str(row[neurons.columns.index("examples")]).split() if "/" in one}
    words = {one.label for recording in found for one in recording.words}
    phonemes = {one.label for recording in found for one in recording.phonemes}
    assert examples and {one.split("/")[0] for one in examples} <= words
    assert {one.split("/")[1] for one in examples} <= phonemes
    assert not run.skipped
