"""What the client asks and what it makes of the answers, against a server that says what it is told."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import threading

import auscult
import numpy as np
import pytest
from auscult._messages import METHODS, v1


def answer(fake, method, message):
    fake.handlers[method] = lambda call: call.answer(message)


def stream(fake, method, *events):
    def handler(call):
        call.send(started=v1.Started(subscription_id="s-7"))
        for event in events:
            call.send(**event)
        call.end()

    fake.handlers[method] = handler


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


SEGMENT = v1.Segment(id=1, start=0.5, end=2, text=" hello", tokens=[1, 2], temperature=0.2, no_speech_prob=0)


def test_models_are_listed(fake, client):
    sizes = v1.Dimensions(n_mels=80)
    listed = [
        v1.ModelListing(name="default", state=1, format="hugging_face", dimensions=sizes, resident=True),
        v1.ModelListing(name="tiny", state=4),
        v1.ModelListing(name="odd", state=9, problem="cannot be opened"),
    ]
    answer(fake, "auscult.v1.Model/List", v1.ModelList(models=listed))
    first, second, third = client.models()
    assert (first.name, first.state, first.dimensions.n_mels, first.resident) == ("default", "embedded", 80, True)
    assert (second.state, second.dimensions) == ("released", None)
    # A state that this version does not know is no error.
    assert (third.state, third.problem) == ("unknown_9", "cannot be opened")


def test_hooks_tell_zero_from_absent(fake, client):
    points = [
        v1.HookPoint(name="a", stack="encoder", layer=0, axes=["frame"], shape=[1500], positions_per_second=50),
        v1.HookPoint(name="b", stack="decoder"),
    ]
    answer(fake, "auscult.v1.Model/Hooks", v1.HookList(hooks=points))
    assert client.hooks("*", tokens=3) == [
        auscult.HookPoint("a", "encoder", 0, ("frame",), (1500,), 50.0),
        auscult.HookPoint("b", "decoder", None, (), (), None),
    ]
    assert fake.seen("auscult.v1.Model/Hooks")[0].tokens == 3


def test_tokens_go_both_ways(fake, client):
    answer(fake, "auscult.v1.Model/Tokenize", v1.TokenList(tokens=[v1.Token(id=5, bytes=b"\xc3", special=True)]))
    answer(fake, "auscult.v1.Model/Detokenize", v1.DetokenizedText(text="hä"))
    assert client.tokenize("hä", parse_special=True) == [auscult.Token(5, b"\xc3", "", True)]
    assert client.detokenize(np.array([5, 6])) == "hä"
    assert list(fake.seen("auscult.v1.Model/Detokenize")[0].ids) == [5, 6]


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


def test_pulling_tells_its_steps(fake, client):
    stream(
        fake,
        "auscult.v1.Model/Pull",
        {"progress": v1.Progress(done=1, total=2, unit="bytes", label="f")},
        {"verifying": "f"},
        {"retrying": "f: timed out"},
        {"done": v1.RegisteredModel(name="tiny", downloaded=True, warnings=["w"])},
    )
    steps = list(client.pull("tiny", mirror="m"))
    assert [one.kind for one in steps] == ["progress", "verifying", "retrying", "done"]
    assert steps[0].progress == auscult.Progress(1, 2, "bytes", "f") and steps[2].text == "f: timed out"
    assert steps[3].model == auscult.RegisteredModel("tiny", "", "", "", True, ("w",))


def test_a_job_is_started_watched_and_answered(fake, client, tmp_path):
    info = v1.JobInfo(id="j", label="l", kind="transcribe", state=2, created=5, last_seq=1)
    failed = v1.JobInfo(id="j", state=4, ended=7, error=v1.JobError(code=15, message="cut off", reason="data_loss"))
    answer(fake, "auscult.v1.Job/Start", info)
    answer(fake, "auscult.v1.Job/Get", failed)
    answer(fake, "auscult.v1.Job/List", v1.JobList(jobs=[info, failed]))
    answer(fake, "auscult.v1.Job/Cancel", info)
    answer(fake, "auscult.v1.Job/Forget", v1.Empty())
    answer(fake, "auscult.v1.Job/Result", v1.JobResult(transcript=v1.Transcript(text="t")))
    stream(
        fake,
        "auscult.v1.Job/Watch",
        {"seq": 1, "state": info},
        {"seq": 5, "dropped": 3, "progress": v1.Progress(done=1)},
        {"seq": 6, "segment": SEGMENT},
    )
    job = client.jobs.start_transcribe("demo:x", label="l", language="en")
    assert (job.state, job.started, job.has_ended) == ("running", None, False)
    assert fake.seen("auscult.v1.Job/Start")[0].transcribe.options.language == "en"
    client.jobs.start_trace(np.zeros(4, np.int16), "log_mel", out=tmp_path / "t.npz", reduce="mean")
    trace = fake.seen("auscult.v1.Job/Start")[1].trace
    assert (trace.file, trace.reduction, trace.audio.pcm_s16le) == (str(tmp_path / "t.npz"), 2, bytes(8))
    assert client.jobs.get(job).error == auscult.JobError("DATA_LOSS", "cut off", "data_loss")
    events = list(client.jobs.watch(job, after_seq=0))
    assert [(one.seq, one.dropped) for one in events] == [(1, 0), (5, 3), (6, 0)]
    assert events[0].state.id == "j" and events[1].progress.done == 1 and events[2].segment.text == " hello"
    assert client.jobs.wait("j").text == "t"
    assert [one.id for one in client.jobs.list()] == ["j", "j"]
    client.jobs.cancel("j")
    client.jobs.forget(job)
    assert fake.seen("auscult.v1.Job/Forget")[0].id == "j"


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


def test_plugins_are_described_and_their_results_are_typed(fake, client):
    listing = v1.PluginListing(id="org.p", name="P", problem="quarantined")
    described = v1.PluginDescription(
        listing=listing,
        needs=v1.PluginNeeds(hooks=["*"], gradients=True),
        parameters=[v1.PluginParameter(id="k", kind="integer", minimum=0)],
        outputs=[v1.PluginOutput(id="o", kind=3, plot=3, axes=[v1.ResultAxis(name="head", labels=["a"])])],
    )
    answer(fake, "auscult.v1.Plugin/List", v1.PluginList(plugins=[listing]))
    answer(fake, "auscult.v1.Plugin/Describe", described)
    tensor = v1.Tensor(dtype=1, shape=[1, 2], data=np.array([1, 2], "<f4").tobytes())
    cells = [v1.PluginCell(number=1), v1.PluginCell(text="t"), v1.PluginCell()]
    values = [
        {"scalar": 0.0},
        {"text": "words"},
        {"array": v1.PluginArray(tensor=tensor)},
        {"table": v1.PluginTable(columns=["a", "b", "c"], rows=[v1.PluginRow(cells=cells)])},
        {"events": v1.PluginTimedEvents(events=[v1.PluginTimedEvent(start=1, end=2, label="l", value=3)])},
        {"audio": v1.PluginAudioClip(sample_rate=16000, samples=np.array([0.5], "<f4").tobytes())},
    ]
    results = [{"result": v1.PluginResult(output_id="o", file="f", **value)} for value in values]
    log = {"log": v1.PluginLog(level="info", message="m")}
    stream(fake, "auscult.v1.Plugin/Run", log, *results, {"end": v1.PluginEnd()})
    assert client.plugins() == [auscult.PluginListing("org.p", "P", "", "", "", "", "quarantined")]
    description = client.plugin("org.p")
    assert (description.parameters[0].minimum, description.parameters[0].maximum) == (0.0, None)
    assert (description.outputs[0].kind, description.outputs[0].plot) == ("matrix", "heat_map")
    with client.run_plugin("org.p", ["demo:a", b""], arguments={"k": 3, "fast": True}) as run:
        scalar, text, matrix, table, events, clip = (one.value for one in run)
    assert (scalar, text) == (0.0, "words")
    assert matrix.array.tolist() == [[1, 2]]
    assert table.rows == ((1.0, "t", None),)
    assert events == (auscult.TimedEvent(1, 2, "l", 3),)
    assert clip.samples.tolist() == [0.5]
    assert run.log == (auscult.PluginLog("info", "m"),)
    request = fake.seen("auscult.v1.Plugin/Run")[0]
    assert [(one.id, one.value) for one in request.arguments] == [("k", "3"), ("fast", "true")]
    assert len(request.audio) == 2


def test_a_plugins_array_of_the_wrong_size_is_data_loss(fake, client):
    tensor = v1.Tensor(dtype=1, shape=[3], data=bytes(8))
    result = v1.PluginResult(output_id="o", array=v1.PluginArray(tensor=tensor))
    stream(fake, "auscult.v1.Plugin/Run", {"result": result}, {"end": v1.PluginEnd()})
    with pytest.raises(auscult.DataLoss, match="12 bytes"):
        list(client.run_plugin("org.p", ["demo:a"]))


def test_the_daemons_status_is_read(fake, client):
    status = v1.DaemonStatus(
        version="0.1.0",
        pid=5,
        models=[v1.ResidentModel(name="default", users=1)],
        calls=[v1.CallInfo(subscription_id="s", method="auscult.v1.Trace/Run", seconds=1)],
        kernels=v1.KernelStatus(implementation="avx2", products="own", blas_core="Prescott", warnings=["slow"]),
    )
    answer(fake, "auscult.v1.Daemon/Status", status)
    found = client.status()
    assert (found.pid, found.models[0].users, found.calls[0].subscription_id) == (5, 1, "s")
    assert (found.kernels.implementation, found.kernels.blas_core, found.kernels.warnings) == ("avx2", "Prescott", ("slow",))


def test_health_and_cancel_and_stop(fake, client):
    answer(fake, "auscult.v1.Daemon/Cancel", v1.Empty())
    answer(fake, "auscult.v1.Daemon/Stop", v1.Empty())
    assert client.health() == "serving"
    with pytest.raises(auscult.NotFound, match="nobody"):
        client.health("nobody")
    client.cancel("s-9")
    client.stop(drain=1.5)
    assert fake.seen("auscult.v1.Daemon/Cancel")[0].subscription_id == "s-9"
    assert fake.seen("auscult.v1.Daemon/Stop")[0].drain_ms == 1500


def test_any_method_can_be_called_with_json(fake, client):
    answer(fake, "auscult.v1.Daemon/Status", v1.DaemonStatus(pid=5, memory_bytes=1 << 40))
    stream(fake, "auscult.v1.Job/Watch", {"seq": 1, "progress": v1.Progress(done=1)})
    assert client.call("auscult.v1.Daemon/Status") == {"pid": 5, "memory_bytes": str(1 << 40)}
    found = list(client.call_stream("auscult.v1.Job/Watch", {"id": "j", "after_seq": 3}))
    assert found == [{"started": {"subscription_id": "s-7"}}, {"seq": "1", "progress": {"done": 1.0}}]
    assert fake.seen("auscult.v1.Job/Watch")[0].after_seq == 3
    with pytest.raises(auscult.NotFound, match="Model/List"):
        client.call("auscult.v1.Model/Lost")
    with pytest.raises(auscult.InvalidArgument, match="call_stream"):
        client.call("auscult.v1.Trace/Run")
    with pytest.raises(auscult.InvalidArgument, match="patern"):
        client.call("auscult.v1.Model/Hooks", {"patern": "*"})
    with pytest.raises(auscult.InvalidArgument):
        client.call_stream("auscult.v1.Model/List")


def test_a_method_that_the_daemon_does_not_have_is_unimplemented(client):
    with pytest.raises(auscult.Unimplemented, match="Plugin/List"):
        client.plugins()


def test_a_client_that_was_closed_says_so(client):
    client.close()
    client.close()
    with pytest.raises(auscult.Unavailable, match="closed"):
        client.models()
    with pytest.raises(auscult.Unavailable, match="closed"):
        client.pull("tiny")


def test_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(auscult.NotFound("no model", "not_found")))
    assert (type(error), error.message, error.reason, error.code) == (
        auscult.NotFound,
        "no model",
        "not_found",
        "NOT_FOUND",
    )


def test_every_method_of_the_contract_is_known():
    assert METHODS["auscult.v1.Live/Listen"].client_streaming and METHODS["auscult.v1.Live/Listen"].server_streaming
    assert not METHODS["auscult.v1.Model/List"].server_streaming
    services = {name.split("/")[0] for name in METHODS}
    assert {"auscult.v1.Daemon", "auscult.v1.Plugin", "grpc.health.v1.Health"} <= services


def test_a_precision_goes_with_the_model_and_comes_back_with_results(fake, client):
    answer(fake, "auscult.v1.Model/Info", v1.ModelInfo(name="default", precision=1))
    assert client.model_info(precision="int8").precision == "int8"
    assert client.model_info().precision == "int8"
    seen = fake.seen("auscult.v1.Model/Info")
    assert [one.precision for one in seen] == [1, 0]
    stream(fake, "auscult.v1.Transcribe/Stream", {"done": v1.Transcript(precision=2)})
    assert client.transcribe("demo:a", precision="bf16").precision == "bf16"
    assert fake.seen("auscult.v1.Transcribe/Stream")[0].model.precision == 2
    with pytest.raises(auscult.InvalidArgument, match="'int7'"):
        client.hooks(precision="int7")


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
