"""Recordings of several windows: one array a hook point, its windows, and names that are not there."""

from __future__ import annotations

import auscult
import numpy as np
import pytest
from auscult.traces import TensorInfo, TraceSummary

HOOK = "encoder.blocks.2.mlp.1"


def part(window, first, values, axes=("frame", "neuron"), name=HOOK, valid=None, suffix=True):
    values = np.asarray(values, np.float32)
    info = TensorInfo(
        name=f"{name}@window{window}" if suffix else name, hook=name, window=window, dtype="F32", shape=values.shape, axes=axes,
        first_frame=first, first_token=None if first is not None else 0,
        frames_per_second=None if first is None else 50.0, valid_frames=valid,
    )  # fmt: skip
    return info, values


def trace(*parts, windows=2):
    infos = tuple(info for info, _ in parts)
    summary = TraceSummary(
        "talk", "m", "", 1.0, infos, tokens=((1, 2), (3,))[:windows], windows=windows, output_file=None,
        window_starts=(0.0, 0.06)[:windows],
    )  # fmt: skip
    return auscult.Trace(summary, {info.name: values for info, values in parts})


def test_windows_are_one_array_and_can_be_had_alone():
    first, second = np.arange(6).reshape(3, 2), np.arange(6, 10).reshape(2, 2)
    both = trace(part(1, 0, first, valid=3), part(2, 3, second, valid=2))
    assert list(both) == [HOOK] and len(both) == 1 and HOOK in both
    assert both[HOOK].tolist() == np.arange(10).reshape(5, 2).tolist() and both[HOOK] is both[HOOK]
    assert not both[HOOK].flags.writeable
    info = both.info[HOOK]
    assert (info.name, info.shape, info.valid_frames) == (HOOK, (5, 2), 5)
    assert both.times(HOOK).tolist() == [0, 0.02, 0.04, 0.06, 0.08]
    assert both[f"{HOOK}@window2"].tolist() == second.tolist()
    alone = both.window(2)
    assert alone[HOOK].tolist() == second.tolist() and alone.times(HOOK).tolist() == [0.06, 0.08]
    assert (alone.summary.tokens, alone.summary.window_starts, alone.summary.windows) == (((3,),), (0.06,), 1)
    for number in (0, 3):
        with pytest.raises(IndexError, match="1 to 2"):
            both.window(number)


def test_of_frames_that_two_windows_saw_the_later_ones_are_kept():
    both = trace(part(1, 0, np.zeros((4, 2))), part(2, 3, np.ones((2, 2))))
    assert both[HOOK][:, 0].tolist() == [0, 0, 0, 1, 1]
    assert both.times(HOOK).tolist() == [0, 0.02, 0.04, 0.06, 0.08]


def test_windows_with_a_gap_between_them_stay_apart():
    both = trace(part(1, 0, np.zeros((2, 2))), part(2, 3, np.ones((2, 2))))
    assert list(both) == [f"{HOOK}@window1", f"{HOOK}@window2"]
    with pytest.raises(KeyError, match=f"there is no tensor '{HOOK}'; there are '?{HOOK}@window"):
        both[HOOK]


def test_other_axes_are_joined_along_positions_or_stacked():
    mel = trace(
        part(1, 0, np.zeros((3, 4)), ("mel", "mel_frame")), part(2, 4, np.ones((3, 2)), ("mel", "mel_frame"))
    )
    assert mel[HOOK].shape == (3, 6) and mel.times(HOOK).shape == (6,)
    logits = trace(part(1, None, np.zeros((2, 5)), ("token", "vocab")), part(2, None, np.ones((1, 5)), ("token", "vocab")))
    assert logits[HOOK][:, 0].tolist() == [0, 0, 1]
    with pytest.raises(auscult.InvalidArgument, match="no frames"):
        logits.times(HOOK)
    reduced = trace(part(1, 0, np.zeros(4), ("neuron",)), part(2, 3, np.ones(4), ("neuron",)))
    assert reduced[HOOK].shape == (2, 4) and reduced.info[HOOK].axes == ("window", "neuron")
    own_keys = ("head", "token", "key_token")
    keys = trace(part(1, None, np.zeros((1, 2, 2)), own_keys), part(2, None, np.zeros((1, 3, 3)), own_keys))
    assert list(keys) == [f"{HOOK}@window1", f"{HOOK}@window2"]


def test_a_transcripts_single_window_has_the_hook_points_name():
    one = trace(part(1, 0, np.ones((2, 2))), windows=1)
    assert list(one) == [HOOK] and one[HOOK].shape == (2, 2)


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    one = trace(part(1, 0, np.ones((2, 2)), suffix=False), windows=1)
    with pytest.raises(KeyError) as raised:
        one["encoder.blocks.2.mlp"]
    assert str(raised.value) == f"there is no tensor 'encoder.blocks.2.mlp'; there are {HOOK}"
    for ask in (one.times, one.describe):
        with pytest.raises(KeyError, match=HOOK):
            ask("nothing")


def test_a_long_recording_is_traced_whole(daemon, tmp_path):
    samples = np.random.default_rng(3).normal(0, 0.05, 16000 * 12).astype(np.float32)
    hooks = [HOOK, "log_mel", "encoder.blocks.0.attn.pattern", "decoder.blocks.0.attn.pattern"]
    long = daemon.trace(samples, hooks)
    window = daemon.model_info().window_seconds
    assert long.summary.windows == -(-12 // window)
    assert long[HOOK].shape[0] == len(long.times(HOOK)) == 600 and long["log_mel"].shape[1] == 1200
    assert np.allclose(np.diff(long.times(HOOK)), 0.02)
    pieces = [long.window(i + 1) for i in range(long.summary.windows)]
    assert np.array_equal(np.concatenate([one[HOOK] for one in pieces]), long[HOOK])
    for number, one in enumerate(pieces):
        begin = number * window
        alone = daemon.trace(samples, HOOK, span=(begin, min(12.0, begin + window)))
        assert np.array_equal(alone[HOOK], one[HOOK])
    written = daemon.trace(samples, hooks, out=tmp_path / "t.safetensors")
    assert written.info == long.info and np.array_equal(written[HOOK], long[HOOK])
    assert np.array_equal(written.window(2)["log_mel"], pieces[1]["log_mel"])
