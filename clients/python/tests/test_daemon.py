"""The client against the real daemon, with the embedded model and its demonstration clips."""

from __future__ import annotations

import json
import wave

import auscult
import numpy as np
import pytest

CLIP = "demo:en-slt-01"
NEURONS = "encoder.blocks.2.mlp.1"


@pytest.fixture
def samples() -> np.ndarray:
    """Half a second of a tone, 16 kHz mono int16, shape (8000,)."""
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16000)).astype(np.int16)


def test_it_serves_and_says_how_it_is(daemon):
    assert daemon.health() == "serving"
    assert daemon.health("auscult.v1.Trace") == "serving"
    with pytest.raises(auscult.NotFound):
        daemon.health("auscult.v1.Nothing")
    status = daemon.status()
    assert status.socket == daemon.socket and status.connections >= 1 and not status.draining
    assert status.kernels.implementation and status.kernels.blas_version
    assert daemon.metrics().rstrip().endswith("# EOF")


def test_the_embedded_model_is_listed_and_described(daemon):
    (embedded,) = [one for one in daemon.models() if one.state == "embedded"]
    info = daemon.model_info()
    assert info.dimensions == embedded.dimensions and info.has_vocabulary and len(info.sha256) == 64
    with pytest.raises(auscult.NotFound):
        daemon.model_info("no-such-model")


def test_hooks_are_found_by_name_and_glob(daemon):
    (neurons,) = daemon.hooks(NEURONS)
    assert (neurons.name, neurons.stack, neurons.layer, neurons.positions_per_second) == (NEURONS, "encoder", 2, 50)
    assert len(neurons.axes) == len(neurons.shape) == 2
    assert len(daemon.hooks()) > len(daemon.hooks("encoder.blocks.*.mlp.1")) > 1
    with pytest.raises(auscult.AuscultError) as raised:
        daemon.hooks("encoder.bricks.2")
    assert raised.value.code in ("INVALID_ARGUMENT", "NOT_FOUND")


def test_text_goes_to_tokens_and_back(daemon):
    tokens = daemon.tokenize(" the goat is cold")
    assert b"".join(one.bytes for one in tokens) == b" the goat is cold"
    assert daemon.detokenize(one.id for one in tokens) == " the goat is cold"


def test_a_clip_is_transcribed_at_once_and_in_segments(daemon):
    transcript = daemon.transcribe(CLIP)
    assert transcript.text.strip() and transcript.language == "en"
    with daemon.transcribe_stream(CLIP) as segments:
        assert tuple(segments) == transcript.segments
        assert segments.transcript == transcript
    words = daemon.transcribe(CLIP, word_timestamps=True).segments[0].words
    assert words and all(word.start <= word.end for word in words)


def test_languages_are_detected_from_an_upload(daemon, samples):
    languages = daemon.detect_language(samples.astype(np.float32) / 32768)
    chances = [one.probability for one in languages]
    assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1, abs=1e-3)


def test_shared_memory_a_stream_and_a_file_hold_the_same_tensors(daemon, tmp_path):
    hooks = [NEURONS, "log_mel"]
    shared = daemon.trace(CLIP, hooks)
    streamed = daemon.trace(CLIP, hooks, memory=False)
    with daemon.trace_stream(CLIP, hooks) as tensors:
        one_by_one = {one.info.name: one.array for one in tensors}
    written = daemon.trace(CLIP, hooks, out=tmp_path / "t.safetensors")
    zipped = daemon.trace(CLIP, hooks, out=tmp_path / "t.npz")
    assert sorted(shared) == sorted(hooks)
    for other in (streamed, written, zipped):
        assert other.info == shared.info
    for name in hooks:
        assert shared[name].shape == shared.info[name].shape
        for other in (streamed, one_by_one, written, zipped):
            assert np.array_equal(other[name], shared[name])


def test_reductions_are_those_of_the_whole(daemon):
    whole = daemon.trace(CLIP, NEURONS)[NEURONS]
    largest = daemon.trace(CLIP, NEURONS, reduce="max")[NEURONS]
    mean = daemon.trace(CLIP, NEURONS, reduce="mean")[NEURONS]
    assert np.array_equal(largest.reshape(-1), whole.max(axis=0))
    assert np.allclose(mean.reshape(-1), whole.mean(axis=0), rtol=1e-4, atol=1e-5)


def test_the_padding_is_traced_where_it_is_asked_for(daemon):
    valid, full = daemon.trace(CLIP, NEURONS), daemon.trace(CLIP, NEURONS, frames="all")
    count = valid.info[NEURONS].valid_frames
    assert valid[NEURONS].shape[0] == count < full[NEURONS].shape[0]
    assert np.array_equal(full[NEURONS][:count], valid[NEURONS])


def test_both_forms_of_an_intervention_change_the_same(daemon):
    changed = daemon.trace(CLIP, NEURONS, interventions=f"{NEURONS} @frames 5:10 = zero")[NEURONS]
    same = daemon.trace(CLIP, NEURONS, interventions=[auscult.Intervention(NEURONS, zero=True, positions=(5, 10))])
    assert np.array_equal(changed, same[NEURONS])
    assert not changed[5:10].any() and changed[10:].any()
    row = np.arange(changed.shape[1], dtype=np.float32)
    patched = daemon.trace(CLIP, NEURONS, interventions=auscult.Intervention(NEURONS, set=row, positions=(5, 10)))
    assert (patched[NEURONS][5:10] == row).all()


def test_the_decoder_reads_what_it_is_given(daemon):
    hook = "decoder.blocks.0.cross_attn.pattern"
    tokens = [one.id for one in daemon.tokenize(" the goat")]
    trace = daemon.trace(CLIP, hook, text=" the goat")
    assert list(trace.summary.tokens[0][-len(tokens) :]) == tokens
    given = daemon.trace(CLIP, hook, tokens=trace.summary.tokens[0])
    assert given.summary.tokens == trace.summary.tokens
    assert np.array_equal(given[hook], trace[hook])


def test_sound_is_the_same_inline_uploaded_and_in_a_file(daemon, samples, tmp_path):
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(samples.astype("<i2").tobytes())
    inline = daemon.trace(samples, "log_mel")["log_mel"]
    uploaded = daemon.trace(samples.astype(np.float32) / 32768, "log_mel")["log_mel"]
    in_a_file = daemon.trace(tmp_path / "tone.wav", "log_mel")["log_mel"]
    assert np.array_equal(inline, uploaded) and np.array_equal(inline, in_a_file)


def test_errors_are_the_daemons(daemon, tmp_path):
    with pytest.raises(auscult.NotFound, match="no-such-file.wav"):
        daemon.transcribe(tmp_path / "no-such-file.wav")
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(auscult.AuscultError, match="text.wav"):
        daemon.transcribe(tmp_path / "text.wav")
    with pytest.raises(auscult.AuscultError):
        daemon.trace(CLIP, "encoder.bricks.2")
    with pytest.raises(auscult.NotFound):
        daemon.cancel("no such subscription")


def test_a_stream_that_is_left_no_longer_runs(daemon):
    with daemon.trace_stream(CLIP, "**") as tensors:
        next(tensors)
        name = tensors.subscription_id
    assert name
    with pytest.raises(auscult.NotFound):
        daemon.cancel(name)


def test_a_job_outlives_its_client(daemon, tmp_path):
    with auscult.connect(daemon.socket, start=False) as other:
        job = other.jobs.start_transcribe(CLIP, label="a clip")
        trace = other.jobs.start_trace(CLIP, NEURONS, out=tmp_path / "t.safetensors")
    transcript = daemon.jobs.wait(job, timeout=300)
    assert isinstance(transcript, auscult.Transcript) and transcript == daemon.transcribe(CLIP)
    result = daemon.jobs.wait(trace, timeout=300)
    assert isinstance(result, auscult.Trace) and result[NEURONS].shape == result.info[NEURONS].shape
    assert {job.id, trace.id} <= {one.id for one in daemon.jobs.list()}
    info = daemon.jobs.get(job)
    assert (info.state, info.label, info.kind) == ("succeeded", "a clip", "transcribe")
    events = list(daemon.jobs.watch(job))
    assert [one.seq for one in events] == list(range(1, info.last_seq + 1))
    daemon.jobs.forget(job)
    with pytest.raises(auscult.NotFound):
        daemon.jobs.get(job)


def test_a_job_that_fails_says_why(daemon, tmp_path):
    with pytest.raises(auscult.NotFound, match="no-such-file.wav"):
        daemon.jobs.start_transcribe(tmp_path / "no-such-file.wav")
    letter = tmp_path / "letter.wav"
    letter.write_text("This is a letter and no recording.")
    job = daemon.jobs.start_transcribe(letter)
    with pytest.raises(auscult.AuscultError, match="letter.wav"):
        daemon.jobs.wait(job, timeout=300)
    assert daemon.jobs.get(job).error is not None


def test_any_method_answers_json(daemon):
    models = daemon.call("auscult.v1.Model/List")["models"]
    assert [one["name"] for one in models] == [one.name for one in daemon.models()]
    clips = {one["name"] for one in daemon.call("auscult.v1.Audio/Clips")["clips"]}
    assert CLIP.removeprefix("demo:") in clips
    messages = list(daemon.call_stream("auscult.v1.Transcribe/Stream", {"audio": {"clip": "en-slt-01"}}))
    assert "started" in messages[0] and "done" in messages[-1]


def test_a_live_line_hears_sound(daemon, samples):
    with daemon.live(features=[(NEURONS, 0)], transcribe=False, timeout=300) as live:
        live.send(samples)
        live.finish()
        events = list(live)
    assert isinstance(events[-1], auscult.LiveEnd)
    assert events[-1].duration == pytest.approx(len(samples) / 16000)
    levels = [event for event in events if isinstance(event, auscult.LiveLevel)]
    assert levels and all(level.rms_db <= level.peak_db <= 0 for level in levels)


def test_settled_features_are_those_of_a_trace_of_their_context(daemon, samples):
    samples = np.tile(samples, 3)
    rolling = auscult.Rolling(context=0.8, in_silence=True)
    with daemon.live(features=[(NEURONS, 3)], transcribe=False, rolling=rolling, timeout=300) as live:
        live.send(samples)
        live.finish()
        events = list(live)
    settled = {}
    for event in events:
        if isinstance(event, auscult.LiveReadings):
            for time, value in list(zip(event.times, event.features[0]))[: event.settled]:
                assert round(time * 50) not in settled
                settled[round(time * 50)] = value
    assert sorted(settled) == list(range(-(-len(samples) // 320)))
    # The second context begins a quarter of its length in, and the frames in its third quarter settle there.
    trace = daemon.trace(samples[10 * 320 : 50 * 320], [NEURONS], context="auto")[NEURONS]
    assert [settled[frame] for frame in range(30, 40)] == list(trace[20:30, 3])


@pytest.fixture
def dictionary(daemon, tmp_path):
    """A folder in SAELens' layout: the residual stream's values themselves, and their negatives, without the rest."""
    width = daemon.trace(CLIP, ["encoder.blocks.1"])["encoder.blocks.1"].shape[1]
    one = np.eye(width, dtype="<f4")
    tensors = {
        "W_enc": np.concatenate([one, -one], 1),
        "W_dec": np.concatenate([one, -one]),
        "b_enc": np.zeros(2 * width, "<f4"),
        "b_dec": np.zeros(width, "<f4"),
    }
    header, data = {}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += np.ascontiguousarray(tensor).tobytes()
    text = json.dumps(header).encode()
    (tmp_path / "sae_weights.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
    configuration = {"architecture": "standard", "d_in": width, "d_sae": 2 * width}
    configuration["metadata"] = {"hook_name": "encoder.blocks.1"}
    (tmp_path / "cfg.json").write_text(json.dumps(configuration))
    return tmp_path


def test_a_dictionarys_latents_are_heard_live(daemon, dictionary, samples):
    with daemon.live(features=[("", 5, dictionary), ("encoder.blocks.1", 5)], transcribe=False, timeout=300) as live:
        live.send(samples)
        live.finish()
        events = [event for event in live if isinstance(event, auscult.LiveActivations)]
    latents, values = (np.concatenate([event.features[i] for event in events]) for i in (0, 1))
    assert len(values) == 25 and (values < 0).any() and (values > 0).any()
    np.testing.assert_allclose(latents, np.maximum(values, 0), rtol=1e-5, atol=1e-6)


def test_a_latent_is_changed_and_a_reconstruction_spliced_in(daemon, dictionary):
    hook = "encoder.blocks.1"
    plain = daemon.trace(CLIP, [hook])[hook]
    spliced = daemon.trace(CLIP, [hook], interventions=[auscult.Intervention(hook, splice=dictionary)])[hook]
    np.testing.assert_allclose(spliced, plain, rtol=1e-5, atol=1e-5)
    off = auscult.Intervention(hook, latent=auscult.Latent(dictionary, 5, set=0))
    changed = daemon.trace(CLIP, [hook], interventions=[off])[hook]
    expected = np.array(plain)
    expected[:, 5] = np.minimum(expected[:, 5], 0)
    np.testing.assert_allclose(changed, expected, rtol=1e-5, atol=1e-5)
    with pytest.raises(auscult.InvalidArgument, match="latent 99999"):
        wrong = auscult.Intervention(hook, latent=auscult.Latent(dictionary, 99999, set=0))
        daemon.trace(CLIP, [hook], interventions=[wrong])


def test_plugins_are_listed(daemon):
    assert all(one.id for one in daemon.plugins())
    with pytest.raises(auscult.NotFound):
        daemon.plugin("org.example.not-there")
