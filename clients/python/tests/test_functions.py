"""Functions at hook points."""

from __future__ import annotations

import os

import auscult
import numpy as np
import pytest

CLIP = "demo:en-slt-01"
NEURONS = "encoder.blocks.2.mlp.1"


def same(one, other):
    return list(one) == list(other) and all(np.array_equal(one[name], other[name]) for name in one)


def left_behind():
    return [one for one in os.listdir("/dev/shm") if one.startswith("auscult-")] if os.path.isdir("/dev/shm") else []


def test_functions_do_what_the_interventions_of_the_same_meaning_do(daemon):
    hooks = ["encoder.ln_post", "decoder.logits"]
    before = left_behind()
    plain = daemon.trace(CLIP, hooks)
    tokens = plain.summary.tokens[0]
    looked = []
    assert same(daemon.run_with_hooks(CLIP, {NEURONS: lambda x: looked.append(x.shape)}, hooks), plain)
    assert looked == [daemon.hooks(NEURONS)[0].shape]
    changed = {
        "encoder.blocks.*.mlp.1": (lambda x: x * 0.5, "encoder.blocks.*.mlp.1 = scale 0.5"),
        "encoder.blocks.0.attn.pattern": (lambda x: np.zeros_like(x), "encoder.blocks.0.attn.pattern = zero"),
        "decoder.blocks.1.cross_attn.z": (lambda x: 2 * x, "decoder.blocks.1.cross_attn.z = scale 2"),
        "encoder.conv1": (lambda x: x * 0.25, "encoder.conv1 = scale 0.25"),
    }
    for hook, (function, text) in changed.items():
        expected = daemon.trace(CLIP, hooks, interventions=text, tokens=tokens)
        assert same(daemon.run_with_hooks(CLIP, {hook: function}, hooks), expected) and not same(expected, plain)
    every = daemon.trace(CLIP, hooks, interventions=[text for _, text in changed.values()], tokens=tokens)
    assert same(daemon.run_with_hooks(CLIP, {hook: one for hook, (one, _) in changed.items()}, hooks), every)
    assert left_behind() == before


def test_a_function_sees_what_the_ones_before_it_have_changed(daemon):
    seen = {}

    def silence(x):
        x[:] = 0

    daemon.run_with_hooks(CLIP, {"encoder.blocks.1": lambda x: seen.update(later=x.copy()), "encoder.blocks.0": silence})
    expected = daemon.trace(CLIP, "encoder.blocks.1", interventions="encoder.blocks.0 = zero", frames="all")
    assert np.array_equal(seen["later"], expected["encoder.blocks.1"])


def test_functions_serve_transcripts(daemon):
    with daemon.hooked(CLIP, {"encoder.ln_post": lambda x: x * 0}, padding="mel") as changes:
        changed = daemon.transcribe(CLIP, interventions=changes)
    assert changed.text == daemon.transcribe(CLIP, interventions="encoder.ln_post = zero").text
    assert changed.text != daemon.transcribe(CLIP).text


def test_what_a_function_cannot_do_is_said(daemon):
    for returned, part in ((np.zeros(3), r"returned float64 of shape \(3,\)"), (np.array("x"), "returned <U1")):
        with pytest.raises(auscult.InvalidArgument, match=part):
            daemon.run_with_hooks(CLIP, {NEURONS: lambda x: returned})
    with pytest.raises(ZeroDivisionError):
        daemon.run_with_hooks(CLIP, {NEURONS: lambda x: 1 / 0})
    with pytest.raises(auscult.InvalidArgument, match="2 windows.*span"):
        daemon.run_with_hooks(np.zeros(16000 * 12, np.int16), {NEURONS: lambda x: x})
    with pytest.raises(auscult.AuscultError, match="bricks"):
        daemon.run_with_hooks(CLIP, {"encoder.bricks.2": lambda x: x})
    with pytest.raises(TypeError, match="expected a function"):
        daemon.run_with_hooks(CLIP, {NEURONS: 3})
    with pytest.raises(auscult.InvalidArgument, match="not a transcript"):
        daemon.run_with_hooks(CLIP, {"decoder.ln": lambda x: x}, transcript=True)
    assert daemon.health() == "serving"
