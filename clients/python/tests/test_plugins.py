"""Plugins' descriptions and their results' types."""

from __future__ import annotations

import auscult
import numpy as np
import pytest
from auscult._messages import v1
from fake import answer, stream


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


def test_an_option_that_a_run_or_a_scan_does_not_have_is_refused_by_its_name(fake, client):
    with pytest.raises(TypeError, match="a run has no option 'sead'; it has arguments, checkpoint, "):
        client.run("p", "demo:", sead=3)
    with pytest.raises(TypeError, match="a run has no option 'sead'"):
        client.jobs.start_run("p", "demo:", sead=3)
    with pytest.raises(TypeError, match="a scan into an atlas has no option 'shard'; it has arguments, context, "):
        client.atlas.build("demo:", "a.atlas", shard=(0, 2))
