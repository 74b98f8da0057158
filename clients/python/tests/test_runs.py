"""Runs of plugins against real daemons: shards, states, large results' pieces, jobs."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import auscult
import numpy as np
import pytest
from auscult._messages import v1
from fake import stream

PLUGIN = "attention-stats"


def plain(value):
    """A result's value as what can be compared to the bit."""
    if isinstance(value, auscult.LabelledArray):
        return value.array.tobytes(), value.array.shape, value.axes
    if isinstance(value, auscult.AudioClip):
        return value.samples.tobytes(), value.sample_rate
    return value


def everything(run):
    return [(one.output_id, one.file, plain(one.value)) for one in run.wait()]


@pytest.fixture
def analyses(daemon):
    """The daemon, where it finds the analyses that come along."""
    if not any(one.id.endswith(PLUGIN) for one in daemon.plugins()):
        pytest.skip(f"the daemon finds no {PLUGIN}: make plugins, and $AUSCULT_PLUGIN_PATH names their folder")
    return daemon


@pytest.fixture
def other():
    """A second daemon, with folders of its own."""
    path = Path(tempfile.mkdtemp(prefix="auscult-"))
    with auscult.connect(str(path / "other.sock"), daemon=os.environ["AUSCULT_DAEMON"], timeout=120) as client:
        yield client
        client.stop()
    shutil.rmtree(path, ignore_errors=True)


def test_shards_on_two_daemons_merged_are_one_run_to_the_bit(analyses, other, tmp_path):
    whole = analyses.run(PLUGIN, "demo:", state=True)
    expected = everything(whole)
    assert expected and whole.end.results == len(expected)
    halves = [
        one.run(PLUGIN, "demo:", shard=(index, 2), state=True) for index, one in enumerate([analyses, other])
    ]
    for half in halves:
        half.wait()
        assert half.state and half.provenance.shard is not None
    heard = sorted(one.number for half in halves for one in half.recordings)
    assert heard == [one.number for one in whole.recordings] and heard == list(range(len(heard)))
    (tmp_path / "first.state").write_bytes(halves[0].state)
    for states in ([halves[1].state, halves[0].state], [halves[1].state, tmp_path / "first.state"]):
        merged = analyses.merge(states, state=True)
        assert everything(merged) == expected
        assert merged.provenance.recordings_sha256 == whole.provenance.recordings_sha256
        assert merged.provenance.recordings == whole.provenance.recordings
    # What was merged can be merged again, alone.
    assert everything(other.merge([merged.state])) == expected


def test_a_run_says_how_it_was_made_and_what_it_heard(analyses):
    with analyses.run(
        PLUGIN, ["demo:en-slt-01"], seed=5, context="auto", interventions="encoder.blocks.0.mlp.1 = zero"
    ) as run:
        next(run)
        made = run.provenance
    assert (made.context, made.padding, made.precision, made.seed) == ("auto", "sound", "exact", 5)
    assert len(made.interventions) == 1 and "encoder.blocks.0.mlp.1" in made.interventions[0]
    assert made.plugin.endswith(PLUGIN) and made.arguments and made.recordings == 1
    (recording,) = run.recordings
    assert recording.path == "demo:en-slt-01" and len(recording.sha256) == 64 and recording.labels["language"] == "en"


def test_a_job_gives_what_its_run_told(analyses):
    job = analyses.jobs.start_run(PLUGIN, "demo:", label="all clips")
    with analyses.jobs.results(job) as followed:
        results = everything(followed)
    assert results == everything(analyses.run(PLUGIN, "demo:"))
    assert results == everything(analyses.jobs.results(job))
    assert analyses.jobs.get(job).state == "succeeded" and followed.provenance is not None


def test_states_that_are_none_are_refused(analyses, tmp_path):
    with pytest.raises(auscult.AuscultError, match="not the state of a plugin's run"):
        analyses.merge([b"not a state"]).wait()
    with pytest.raises(auscult.InvalidArgument, match="shard 2 of 2"):
        analyses.run(PLUGIN, "demo:", shard=(2, 2))


def test_permissions_are_sent_as_they_were_given(fake, client, tmp_path):
    for method in ("auscult.v1.Plugin/Run", "auscult.v1.Plugin/Merge"):
        stream(fake, method, {"end": v1.PluginEnd()})
    permissions = auscult.Permissions(read=[tmp_path], write=["out"], network=True)
    client.run(PLUGIN, [], permissions=permissions).wait()
    client.run(PLUGIN, []).wait()
    client.merge(["a.state"], permissions=auscult.Permissions(unconfined=True)).wait()
    given, none = fake.seen("auscult.v1.Plugin/Run")
    (merged,) = fake.seen("auscult.v1.Plugin/Merge")
    assert given.permissions == v1.PluginPermissions(read=[str(tmp_path)], write=["out"], network=True)
    assert merged.permissions == v1.PluginPermissions(unconfined=True)
    assert not none.HasField("permissions")


def test_a_large_result_comes_together_from_its_pieces(fake, client):
    head = v1.PluginResult(
        output_id="o", continues=True, array=v1.PluginArray(tensor=v1.Tensor(dtype=1, shape=[2, 2]))
    )
    data = np.array([[1, 2], [3, 4]], "<f4")
    pieces = [data.tobytes()[:8], data.tobytes()[8:]]
    chunks = [{"chunk": v1.PluginResultChunk(data=one, last=one is pieces[-1])} for one in pieces]
    small = {"result": v1.PluginResult(output_id="s", scalar=1)}
    stream(fake, "auscult.v1.Plugin/Run", {"result": head}, *chunks, small, {"end": v1.PluginEnd(results=2)})
    large, scalar = client.run("org.p", ["demo:a"]).wait()
    assert np.array_equal(large.value.array, data) and scalar.value == 1


def test_a_result_without_its_end_is_data_loss(fake, client):
    head = v1.PluginResult(output_id="o", continues=True, text="")
    stream(fake, "auscult.v1.Plugin/Run", {"result": head}, {"end": v1.PluginEnd()})
    with pytest.raises(auscult.DataLoss, match="before all of a result"):
        client.run("org.p", ["demo:a"]).wait()


def test_a_recording_or_all_that_a_name_stands_for_is_what_a_run_hears(fake, client, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    stream(fake, "auscult.v1.Plugin/Run", {"end": v1.PluginEnd()})
    given = [
        ("talk.wav", ["talk.wav"], []),
        (["demo:"], [], ["demo:"]),
        (["demo:en-slt-01", "clips", Path("a.tsv"), Path("b.wav")], ["", "b.wav"], ["clips", "a.tsv"]),
        (np.zeros(4, np.int16), [""], []),
    ]
    for data, paths, sets in given:
        client.run_plugin("org.p", data).wait()
        request = fake.seen("auscult.v1.Plugin/Run")[-1]
        assert [one.path for one in request.audio] == paths and list(request.data_sets) == sets
    assert request.audio[0].pcm_s16le == bytes(8)
