"""Sound that is still being made: what is sent, and what comes back."""

from __future__ import annotations

import threading

import auscult
import numpy as np
import pytest
from auscult._messages import v1
from fake import answer


def test_a_live_line_takes_sound_and_gives_events(fake, client):
    received: list[object] = []

    def listen(call):
        assert call.flags == 2
        call.send(started=v1.Started(subscription_id="s-7"))
        call.send(seq=1, level=v1.LiveLevel(start=0, end=1, rms_db=-20, peak_db=-6))
        received.extend(call.messages())
        call.send(seq=2, hypothesis=v1.LiveHypothesis(text="h"))
        call.send(seq=5, dropped=2, segment=v1.LiveSegment(text="s", no_speech_prob=0))
        values = [v1.FeatureValues(values=[1, 2]), v1.FeatureValues(values=[3, 4])]
        call.send(seq=6, activations=v1.LiveActivations(start=1, frames_per_second=50, features=values))
        call.send(seq=7, end=v1.LiveEnd(duration=3, skipped_steps=1))
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    wanted = [("encoder.ln_post", 3), ("", 7, "/a/dictionary")]
    with client.live(features=wanted, language="en", step=0.25, timeout=60) as live:
        live.send(np.full(50_000, 0.5, np.float32))
        live.send(b"\x01\x00")
        live.finish()
        with pytest.raises(auscult.FailedPrecondition):
            live.send(b"\x01\x00")
        level, hypothesis, segment, activations, end = live
    assert level == auscult.LiveLevel(1, 0, 0, 1, -20, -6)
    assert (hypothesis.text, segment.dropped, segment.no_speech_prob) == ("h", 2, 0.0)
    assert activations.features == ((1, 2), (3, 4))
    assert end == auscult.LiveEnd(7, 0, 3, 1)
    opening = received[0].open
    assert (opening.step_ms, opening.transcribe, opening.language, opening.deadline_ms) == (250, True, "en", 60_000)
    assert [(one.hook, one.index, one.dictionary) for one in opening.features] == [
        ("encoder.ln_post", 3, ""),
        ("", 7, "/a/dictionary"),
    ]
    sound = b"".join(one.pcm_s16le for one in received[1:])
    assert sound == np.full(50_000, 16384, "<i2").tobytes() + b"\x01\x00"
    assert max(len(one.pcm_s16le) for one in received) <= 1 << 20


def test_listening_to_a_device_steers_marks_and_says_what_has_settled(fake, client):
    received: list[object] = []

    def listen(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        received.extend(call.messages())
        source = v1.LiveSource(state=1, device="mic", sample_rate=48000, latency=0.25)
        call.send(seq=1, source=source)
        values = [v1.FeatureValues(values=[1, 2, 3])]
        readings = v1.LiveReadings(start=2, end=3, frames_per_second=50, frames=[0, 1, 25], settled=2, features=values)
        call.send(seq=2, readings=readings, captured_unix_ns=5_500_000_000, made_unix_ns=6_000_000_000)
        call.send(seq=3, unread=v1.LiveUnread(start=1, end=2, reason=1))
        call.send(seq=4, gap=v1.LiveGap(start=3, end=4, reason="overflow"))
        call.send(seq=5, steering=v1.LiveSteering(start=4, interventions=["a = zero"]))
        call.send(seq=6, marked=v1.LiveMarked(time=5, label="here"))
        call.send(seq=7, hypothesis=v1.LiveHypothesis(text=" a b", stable=" a", plain=True))
        call.send(seq=7, heard=v1.LiveHeard(start=1, pcm_s16le=b"\x01\x00\xff\xff"))
        call.send(seq=8, source=v1.LiveSource(state=2, device="mic", reason="gone"))
        call.send(seq=9, end=v1.LiveEnd(duration=3, merged_hops=4))
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    rolling = auscult.Rolling(hop=0.06, context=0.8, revision=0.25, in_silence=True)
    options = {"rolling": rolling, "compare": True, "context": "auto", "echo": True}
    with client.listen(3, features=[("encoder.ln_post", 3)], **options) as live:
        live.steer("encoder.ln_post = zero")
        live.steer()
        live.mark("here")
        live.finish()
        source, readings, unread, gap, steering, mark, hypothesis, heard, lost, end = live
    assert (source.open, source.sample_rate, source.latency, source.captured) == (True, 48000, 0.25, None)
    assert readings.times == pytest.approx((2, 2.02, 2.5)) and readings.settled == 2
    assert readings.features == ((1, 2, 3),) and (readings.captured, readings.made) == (5.5, 6)
    assert unread == auscult.LiveUnread(3, 0, 1, 2, "silence") and gap == auscult.LiveGap(4, 0, 3, 4, "overflow")
    assert steering.interventions == ("a = zero",) and mark == auscult.LiveMark(6, 0, 5, "here")
    assert (hypothesis.stable, hypothesis.plain) == (" a", True)
    assert heard.start == 1 and heard.samples.tolist() == [1, -1] and received[0].open.echo
    assert (lost.open, lost.reason, end.merged_hops) == (False, "gone", 4)
    opening = received[0].open
    assert (opening.device.name, opening.compare, opening.context) == ("3", True, 1)
    asked = opening.rolling
    assert (asked.hop_ms, asked.context_ms, asked.revision, asked.in_silence) == (60, 800, 0.25, True)
    assert [one.WhichOneof("input") for one in received[1:]] == ["interventions", "interventions", "mark"]
    assert [one.text for one in received[1].interventions.interventions] == ["encoder.ln_post = zero"]
    assert not received[2].interventions.interventions


def test_sound_is_sent_with_its_time_and_what_was_lost(fake, client):
    received: list[object] = []

    def listen(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        received.extend(call.messages())
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    with client.live() as live:
        live.send(np.zeros(40_000, np.int16), captured=1000.5, lost=7)
        live.finish()
        assert list(live) == []
    assert not received[0].open.HasField("device") and not received[0].open.HasField("rolling")
    first, second = (one.sound for one in received[1:])
    assert (first.captured_unix_ns, first.lost, second.lost) == (1_000_500_000_000, 7, 0)
    assert second.captured_unix_ns == 1_000_500_000_000 + len(first.pcm_s16le) // 2 * 62_500


def test_the_sound_inputs_are_listed(fake, client):
    device = v1.SoundDevice(number=2, name="mic", host_api="ALSA", channels=1, sample_rate=48000, is_default=True)
    answer(fake, "auscult.v1.Live/Devices", v1.ListSoundDevicesResponse(devices=[device]))
    assert client.devices() == [auscult.SoundDevice(2, "mic", "ALSA", 1, 48000, 0, True)]


def test_polling_a_live_line_does_not_wait_and_loses_nothing(fake, client):
    go = threading.Event()

    def listen(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        go.wait(60)
        for number in range(1, 101):
            call.send(seq=number, hypothesis=v1.LiveHypothesis(text=str(number)))
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    with client.live() as live:
        assert live.poll() == []
        go.set()
        found: list[int] = []
        while not live._done:
            found.extend(event.seq for event in live.poll())
            threading.Event().wait(0.001)
    assert found == list(range(1, 101))


def test_sound_for_a_line_that_the_daemon_ended_raises_its_error(fake, client):
    refused = threading.Event()

    def listen(call):
        call.fail(3, "there is no hook point encoder.blocks.9")
        refused.set()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    live = client.live(features=[("encoder.blocks.9", 0)])
    assert refused.wait(60)
    with pytest.raises(auscult.InvalidArgument, match="blocks.9"):
        while True:
            live.send(bytes(32_000))
    with pytest.raises(auscult.InvalidArgument, match="blocks.9"):
        next(live)


def test_a_wrong_option_of_a_line_is_named(client):
    with pytest.raises(TypeError, match="hop"):
        client.live(hop=0.1)
    with pytest.raises(auscult.InvalidArgument, match="'full', 'auto', not 'short'"):
        client.listen(context="short")


def test_plugins_hear_the_sound_as_well(fake, client):
    received: list[object] = []

    def listen(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        received.extend(call.messages())
        listing = v1.PluginListing(id="org.example.loudness")
        call.send(seq=1, plugin=v1.LivePluginNews(plugin=1, description=v1.PluginDescription(listing=listing)))
        result = v1.PluginResult(output_id="level", file="sound", scalar=-23.5)
        call.send(seq=2, plugin=v1.LivePluginNews(plugin=1, start=0.4, end=1.2, result=result))
        call.send(seq=3, plugin=v1.LivePluginNews(plugin=1, log=v1.PluginLog(level="info", message="so")))
        call.send(seq=4, plugin=v1.LivePluginNews(plugin=0, failure="it crashed"))
        call.send(seq=5, end=v1.LiveEnd(duration=3))
        call.end()

    fake.handlers["auscult.v1.Live/Listen"] = listen
    allowed = auscult.Permissions(read=["/opt"])
    wanted = ["rhythm", auscult.LivePlugin("loudness", {"limit": -40, "always": True}, allowed)]
    with client.live(rolling=auscult.Rolling(), plugins=wanted) as live:
        live.finish()
        result, log, failure, end = live
    assert (result.plugin, result.place, result.start, result.end) == ("org.example.loudness", 1, 0.4, 1.2)
    assert (result.result.output_id, result.result.value) == ("level", -23.5)
    assert log == auscult.LivePluginLog(3, 0, "org.example.loudness", 1, "info", "so")
    assert failure == auscult.LivePluginLog(4, 0, "0", 0, "failure", "it crashed")
    assert end.duration == 3
    plugins = received[0].open.plugins
    assert [one.plugin_id for one in plugins] == ["rhythm", "loudness"]
    assert {one.id: one.value for one in plugins[1].arguments} == {"limit": "-40", "always": "true"}
    assert plugins[1].permissions.read == ["/opt"] and not plugins[0].HasField("permissions")
