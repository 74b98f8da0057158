"""Both forms of an intervention, and what is refused before it is sent."""

from __future__ import annotations

import auscult
import numpy as np
import pytest
from auscult import Clamp, Intervention, Latent, Patch, Quantile, Resample
from auscult.interventions import interventions


def test_text_goes_as_it_is():
    text = "encoder.blocks.2.mlp.1 @frames 50:100 = zero"
    assert [one.text for one in interventions(text)] == [text]
    both = interventions([text, "encoder.ln_post substitute-padding 0s:1s"])
    assert [one.text for one in both] == [text, "encoder.ln_post substitute-padding 0s:1s"]


def test_paths_go_as_they_are_written():
    texts = ["a.b=set v.safetensors", 'a.b latent "my d" 3 = scale 0.5']
    assert [one.text for one in interventions(texts)] == texts
    (one,) = interventions(Intervention("a.b", set="v.safetensors"))
    assert one.set.path == "v.safetensors"


def test_every_operation_has_its_message():
    steer = np.arange(6, dtype=np.float64).reshape(2, 3)
    given = [
        Intervention("h", zero=True, positions=(50, 100), heads=(0, 3)),
        Intervention("h", mean=True, positions=(5, None)),
        Intervention("h", scale=0.0),
        Intervention("h", add=steer, factor=-2),
        Intervention("h", set=steer[:, ::2]),
        Intervention("h", noise=0.5, seed=7),
        Intervention("h", window=0),
        Intervention("h", substitute_padding=True),
        Intervention("h", splice="/d"),
        Intervention("h", latent=Latent("/d", 5, scale=0.0)),
        Intervention("h", latent=Latent("/d", 5, set=0.0)),
        Intervention("h", latent=Latent("/d", 5, clamp=Clamp(0, Quantile(0.9), over="demo:"))),
        Intervention("h", clamp=0.0, neurons=(5, 7)),
        Intervention("h", patch="o.wav", words=3),
        Intervention("h", patch=Patch("o.wav", words="mug"), words="rug"),
        Intervention("h", resample=Resample("/s", seed=4), to=("r", [1])),
        Intervention("h", mean="/s", to="r", words=(2, 4)),
    ]
    made = interventions(given)
    expected = ["zero", "mean", "scale", "add", "set", "noise", "window", "substitute_padding", "splice"]
    expected += ["latent", "latent", "latent", "clamp", "patch", "patch", "resample", "mean_over"]
    assert [one.WhichOneof("operation") for one in made] == expected
    assert {one.hook for one in made} == {"h"} and {one.text for one in made} == {""}
    assert (made[0].positions.start, made[0].positions.end, list(made[0].heads)) == (50, 100, [0, 3])
    assert made[1].positions.start == 5 and not made[1].positions.HasField("end")
    assert not made[2].HasField("positions")
    tensor = made[3].add.value.tensor
    assert (list(tensor.shape), tensor.dtype, made[3].add.factor) == ([2, 3], 1, -2)
    assert np.frombuffer(tensor.data, "<f4").tolist() == [0, 1, 2, 3, 4, 5]
    assert np.frombuffer(made[4].set.tensor.data, "<f4").tolist() == [0, 2, 3, 5]
    assert (made[5].noise.standard_deviation, made[5].noise.seed) == (0.5, 7)
    assert made[8].splice == "/d"
    assert [(one.latent.dictionary, one.latent.index) for one in made[9:12]] == [("/d", 5)] * 3
    assert [one.latent.WhichOneof("change") for one in made[9:12]] == ["scale", "set", "clamp"]
    clamp = made[11].latent.clamp
    assert (clamp.lower.value, clamp.upper.quantile, clamp.over) == (0, 0.9, "demo:")
    clamp = made[12].clamp
    assert (clamp.lower.WhichOneof("limit"), clamp.upper.value, clamp.over) == ("value", 0, "")
    assert list(made[12].neurons) == [5, 7]
    numbers = made[13].words.numbers
    assert (made[13].patch.source, numbers.first, numbers.last) == ("o.wav", 3, 3)
    assert (made[14].patch.words.said, made[14].words.said) == ("mug", "rug")
    assert (made[15].resample.data_set, made[15].resample.seed) == ("/s", 4)
    assert (made[15].receiver.hook, list(made[15].receiver.heads)) == ("r", [1])
    assert (made[16].mean_over, made[16].receiver.hook, made[16].words.numbers.last) == ("/s", "r", 4)


@pytest.mark.parametrize(
    "wrong",
    [Intervention("h"), Intervention("h", zero=True, scale=2.0), Intervention("h", set=np.array(["a"])),
     Intervention("h", zero=True, positions=(0, 1), words=1), Intervention("h", patch=Patch("a", (0, 1), "w")),
     Intervention("h", latent=Latent("d", 0)), Intervention("h", latent=Latent("d", 0, scale=1, set=1))],
)
def test_none_or_several_operations_and_text_for_numbers_are_refused(wrong):
    with pytest.raises(auscult.InvalidArgument):
        interventions(wrong)


def test_what_is_no_intervention_is_a_type_error():
    with pytest.raises(TypeError, match="Intervention"):
        interventions([{"zero": True}])  # type: ignore[list-item]
