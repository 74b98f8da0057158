"""Transcripts, and how they are asked for."""

from __future__ import annotations

import auscult
import pytest
from auscult._messages import v1
from fake import SEGMENT, stream


def test_a_transcript_is_put_together(fake, client):
    done = v1.Transcript(file="clip", language="en", text=" hello", segments=[SEGMENT], duration=2.5, seed=3)
    words = v1.Segment(id=2, has_words=True, words=[v1.Word(word=" a", start=1, end=2, probability=0.5)])
    progress = {"progress": v1.Progress(done=1, total=2, unit="seconds")}
    stream(fake, "auscult.v1.Transcribe/Stream", progress, {"segment": SEGMENT}, {"segment": words}, {"done": done})
    steps: list[auscult.Progress] = []
    transcript = client.transcribe("demo:x", on_progress=steps.append)
    assert (transcript.text, transcript.language, transcript.seed) == (" hello", "en", 3)
    assert transcript.segments[0].tokens == (1, 2)
    assert steps == [auscult.Progress(1, 2, "seconds", "")]
    with client.transcribe_stream("demo:x") as segments:
        first, second = segments
    assert (first.no_speech_prob, first.words) == (0.0, None)
    assert (second.no_speech_prob, second.words) == (None, (auscult.Word(" a", 1, 2, 0.5),))
    assert segments.transcript == transcript and segments.subscription_id == "s-7"


def test_decoding_options_have_openais_names_and_their_absence(fake, client):
    stream(fake, "auscult.v1.Transcribe/Stream", {"done": v1.Transcript()})
    client.transcribe("demo:x")
    client.transcribe(
        "demo:x",
        task="translate",
        temperature=0.0,
        patience=0.0,
        condition_on_previous_text=False,
        suppress_blank=True,
        no_speech_threshold=None,
        logprob_threshold=-2.0,
        suppress_tokens=[],
        clip_timestamps=[0, 1.5],
        name="n",
        timeout=2,
    )
    plain, full = fake.seen("auscult.v1.Transcribe/Stream")
    assert plain.options.SerializeToString() == b"" and plain.deadline_ms == 0
    options = full.options
    assert (options.task, list(options.temperatures), full.audio.name, full.deadline_ms) == (1, [0.0], "n", 2000)
    assert options.HasField("patience") and not options.HasField("length_penalty")
    assert (options.no_condition_on_previous_text, options.allow_blank) == (True, False)
    assert options.HasField("no_speech_threshold") and not options.no_speech_threshold.HasField("value")
    assert options.logprob_threshold.value == -2.0 and not options.HasField("compression_ratio_threshold")
    assert options.HasField("suppress_tokens") and list(options.clip_timestamps) == [0, 1.5]


def test_a_wrong_option_is_named(client):
    with pytest.raises(TypeError, match="beamsize"):
        client.transcribe("demo:x", beamsize=5)
    with pytest.raises(auscult.InvalidArgument, match="task.*'translate'"):
        client.transcribe("demo:x", task="dictate")
    with pytest.raises(auscult.InvalidArgument, match="beam_size cannot be"):
        client.transcribe("demo:x", beam_size=-1)


def test_openai_s_text_of_tokens_and_of_clips_is_taken(fake, client):
    fake.handlers["auscult.v1.Transcribe/Stream"] = lambda call: call.fail(3, "enough")
    for suppress, clips in (("-1", "0"), ("", ""), ("50364, 50365,-1", "0,12.5")):
        with pytest.raises(auscult.InvalidArgument, match="enough"):
            client.transcribe("demo:x", suppress_tokens=suppress, clip_timestamps=clips, language="auto")
    options = [one.options for one in fake.seen("auscult.v1.Transcribe/Stream")]
    assert [list(one.suppress_tokens.ids) for one in options] == [[-1], [], [50364, 50365, -1]]
    assert all(one.HasField("suppress_tokens") for one in options)
    assert [list(one.clip_timestamps) for one in options] == [[0], [], [0, 12.5]]
    with pytest.raises(auscult.InvalidArgument, match="clip_timestamps"):
        client.transcribe("demo:x", clip_timestamps="soon")


def test_notices_of_a_recording_are_in_its_transcript(fake, client):
    notice = v1.Notice(code="cut_short", text="is cut short")
    done = v1.Transcript(file="x", text="hi", notices=[notice])
    stream(fake, "auscult.v1.Transcribe/Stream", {"done": done})
    assert client.transcribe("x.wav", strict=True).notices == (auscult.Notice("cut_short", "is cut short"),)
    assert fake.seen("auscult.v1.Transcribe/Stream")[0].audio.strict
