"""Calls about models, against a server that says what it is told."""

from __future__ import annotations

import auscult
import numpy as np
import pytest
from auscult._messages import v1
from fake import answer, stream


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
