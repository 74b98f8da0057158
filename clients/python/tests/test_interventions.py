"""Both forms of an intervention, and what is refused before it is sent."""

from __future__ import annotations

import auscult
import numpy as np
import pytest
from auscult import Intervention, Latent
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
    ]
    made = interventions(given)
    expected = ["zero", "mean", "scale", "add", "set", "noise", "window", "substitute_padding", "splice"]
    expected += ["latent", "latent"]
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
    assert [(one.latent.dictionary, one.latent.index) for one in made[9:]] == [("/d", 5), ("/d", 5)]
    assert [one.latent.WhichOneof("change") for one in made[9:]] == ["scale", "set"]


@pytest.mark.parametrize(
    "wrong",
    [Intervention("h"), Intervention("h", zero=True, scale=2.0), Intervention("h", set=np.array(["a"])),
     Intervention("h", latent=Latent("d", 0)), Intervention("h", latent=Latent("d", 0, scale=1, set=1))],
)
def test_none_or_several_operations_and_text_for_numbers_are_refused(wrong):
    with pytest.raises(auscult.InvalidArgument):
        interventions(wrong)


def test_what_is_no_intervention_is_a_type_error():
    with pytest.raises(TypeError, match="Intervention"):
        interventions([{"zero": True}])  # type: ignore[list-item]
