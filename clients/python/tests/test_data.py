"""Data where people have it, and results out of it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import auscult
import numpy as np
import pytest
from auscult import data
from auscult.plugins import PluginResult, Table

DEMO = Path(__file__).parents[3] / "models" / "demo"
NEURONS = "encoder.blocks.2.mlp.1"


def sounds(count):
    """Embedded clips as files: `(id, bytes)`."""
    files = sorted(DEMO.glob("en-*.flac"))[:count]
    if len(files) < count:
        pytest.skip(f"there are no {count} clips in {DEMO}")
    return [(one.name, one.read_bytes()) for one in files]


def write_tar(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def told(recordings):
    return [(one.id, one.audio, one.span, dict(one.labels)) for one in recordings]


def test_a_tars_files_of_one_name_are_a_recording(tmp_path):
    for number in range(2):
        write_tar(
            tmp_path / f"{number:03d}.tar",
            [(f"a/{number}.flac", b"sound"), (f"a/{number}.json", b'{"sentence": "hi", "age": 7, "x": [1]}'), (f"a/{number}.cls", b"3"),
             (f"b{number}.txt", b"no sound")],
        )  # fmt: skip
    expected = [(f"a/{n}", b"sound", None, {"age": 7, "cls": "3", "text": "hi"}) for n in range(2)]
    assert told(data.recordings(str(tmp_path / "{000..001}.tar"))) == expected
    assert told(data.recordings([tmp_path / "000.tar", tmp_path / "001.tar"])) == expected
    whole = (tmp_path / "000.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:700])
    with pytest.raises(auscult.DataLoss, match="cut.tar"):
        list(data.recordings(tmp_path / "cut.tar"))


def test_kaldis_lists_are_read_with_what_lies_beside_them(tmp_path):
    (tmp_path / "wav.scp").write_text("r1 a.wav\nr2 /b.flac\n")
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / "text").write_text("r1 turn on\nu1 the light\n")
    (tmp_path / "utt2spk").write_text("r1 s1\n")
    assert told(data.recordings(tmp_path)) == [
        ("r1", str(tmp_path / "a.wav"), None, {"text": "turn on", "speaker": "s1"}), ("r2", "/b.flac", None, {}),
    ]  # fmt: skip
    (tmp_path / "segments").write_text("u1 r2 0.5 1.5\nu2 r2 2 -1\n")
    assert told(data.recordings(tmp_path / "wav.scp")) == [
        ("u1", "/b.flac", (0.5, 1.5), {"text": "the light"}), ("u2", "/b.flac", (2.0, None), {}),
    ]  # fmt: skip
    (tmp_path / "segments").write_text("u1 nothing 0 1\n")
    with pytest.raises(auscult.DataLoss, match="u1"):
        list(data.recordings(tmp_path))
    for line, error in (("r1 sox a.wav -t wav - |\n", auscult.InvalidArgument), ("r1\n", auscult.DataLoss)):
        (tmp_path / "wav.scp").write_text(line)
        with pytest.raises(error, match="r1"):
            list(data.recordings(tmp_path))


def test_lhotses_recordings_and_cuts_are_read(tmp_path):
    recording = {"id": "r", "sources": [{"type": "file", "channels": [0], "source": "/r.wav"}], "sampling_rate": 16000}
    cut = {"id": "c", "start": 1.0, "duration": 0.5, "recording": recording,
           "supervisions": [{"text": "hi", "speaker": "s", "start": 0}]}  # fmt: skip
    with gzip.open(tmp_path / "cuts.jsonl.gz", "wt") as file:
        file.write(json.dumps(cut) + "\n" + json.dumps(recording) + "\n")
    assert told(data.recordings(tmp_path / "cuts.jsonl.gz")) == [
        ("c", "/r.wav", (1.0, 1.5), {"text": "hi", "speaker": "s"}), ("r", "/r.wav", None, {}),
    ]  # fmt: skip
    recording["sources"][0]["type"] = "command"
    (tmp_path / "r.jsonl").write_text(json.dumps(recording) + "\n{}\n")
    with pytest.raises(auscult.InvalidArgument, match=r"r.jsonl:1"):
        list(data.recordings(tmp_path / "r.jsonl"))


def test_tables_are_read_a_few_rows_at_a_time(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"audio": {"bytes": bytes([n]), "path": f"{n}.wav"}, "sentence": f"t{n}", "age": n} for n in range(40)]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=7)
    expected = [(f"{n}.wav", bytes([n]), None, {"age": n, "text": f"t{n}"}) for n in range(40)]
    assert told(data.recordings(tmp_path / "a.parquet")) == told(data.recordings(tmp_path)) == expected
    assert told(data.recordings(rows)) == expected
    assert [one.id for one in data.recordings(tmp_path / "a.parquet", id="sentence")][:2] == ["t0", "t1"]
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(auscult.DataLoss, match="a.parquet"):
        list(data.recordings(tmp_path / "a.parquet"))


def test_hugging_faces_data_sets_keep_their_sound_encoded():
    datasets = pytest.importorskip("datasets")
    clips = sounds(3)
    rows = [{"audio": {"bytes": content, "path": name}, "sentence": name} for name, content in clips]
    table = datasets.Dataset.from_list(rows).cast_column("audio", datasets.Audio(16000))
    assert table.features["audio"].decode
    expected = [(name, content, None, {"text": name}) for name, content in clips]
    assert told(data.recordings(table)) == expected
    assert told(data.recordings(table.to_iterable_dataset())) == expected


def test_what_is_no_source_is_said(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"path": "a.wav"}\n')
    wrong = [
        (tmp_path / "none.tar", auscult.NotFound, "none.tar"),
        (tmp_path, auscult.InvalidArgument, "the daemon reads itself"),
        (tmp_path / "m.jsonl", auscult.InvalidArgument, "the daemon reads itself"),
        (7, auscult.InvalidArgument, "int"),
        ([7], auscult.InvalidArgument, "row 0"),
        ([{"sentence": "x"}], auscult.InvalidArgument, "row 0 has no column 'with sound'; it has sentence"),
        ([{"audio": 7}], auscult.InvalidArgument, "bytes, path or samples"),
    ]
    for source, error, part in wrong:
        with pytest.raises(error, match=part):
            list(data.recordings(source))
    with pytest.raises(auscult.InvalidArgument, match="at least 1"):
        list(data.blocks([], 0))


def test_blocks_are_written_with_their_labels_and_leave_nothing(tmp_path):
    samples = np.array([0, 1, -1], np.float32)
    recordings = [
        data.Recording("a/b.wav", b"x", span=(1, None), labels={"text": "t", "path": "no", "age": 3}),
        data.Recording("a_b.wav", b"y"),
        data.Recording("s", samples, 8000),
        data.Recording("p", "/p.wav", span=(0, 1)),
    ]
    first, second = data.blocks(recordings, 3)
    assert (first.number, second.number, len(second.recordings)) == (0, 1, 1)
    with first.manifest() as manifest:
        lines = [json.loads(line) for line in manifest.read_text().splitlines()]
        assert lines[0] == {"text": "t", "age": 3, "path": "a_b.wav", "start": 1}
        assert lines[1:] == [{"path": "1/a_b.wav"}, {"path": "s"}]
        assert (manifest.parent / "1/a_b.wav").read_bytes() == b"y"
        assert np.array_equal(np.frombuffer((manifest.parent / "s").read_bytes()[44:], "<f4"), samples)
    assert not manifest.parent.exists()
    with second.manifest() as manifest:
        assert json.loads(manifest.read_text()) == {"path": "/p.wav", "start": 0, "end": 1}


def test_results_are_parquet(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    pytest.importorskip("pandas")
    results = [PluginResult("t", name, Table(("n", "w"), ((1.0, "a"), (2.0, None)))) for name in ("x", "y")]
    (path,) = data.write_results(results, tmp_path / "out")
    found = parquet.read_table(path).to_pylist()
    assert [(one["file"], one["n"], one["w"]) for one in found] == [("x", 1, "a"), ("x", 2, None), ("y", 1, "a"), ("y", 2, None)]


def plain(results):
    return [
        (one.output_id, one.file, one.value.array.tobytes() if hasattr(one.value, "array") else one.value) for one in results
    ]


@pytest.fixture
def analyses(daemon):
    if not any(one.id.endswith("attention-stats") for one in daemon.plugins()):
        pytest.skip("the daemon finds no attention-stats: make plugins, and $AUSCULT_PLUGIN_PATH names their folder")
    return daemon


def test_a_run_in_blocks_gives_what_one_run_gives(analyses, tmp_path):
    clips = sounds(7)
    for name, content in clips:
        (tmp_path / name).write_bytes(content)
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({"path": name}) + "\n" for name, _ in clips))
    expected = plain(data.run(analyses, "attention-stats", tmp_path / "m.jsonl").wait())
    write_tar(tmp_path / "a.tar", clips)
    source = [data.Recording(name, content) for name, content in clips]
    steps = []
    run = data.run(analyses, "attention-stats", source, block=2, on_progress=steps.append)
    assert plain(run.wait()) == expected and [one.done for one in steps] == [2, 4, 6, 7]
    assert run.provenance.recordings == 7
    with pytest.raises(auscult.InvalidArgument, match="no recordings"):
        data.run(analyses, "attention-stats", [])


def test_many_states_are_merged_as_a_tree(analyses, monkeypatch):
    from auscult.data import _blocks

    source = [data.Recording(name, content) for name, content in sounds(7)]
    expected = plain(data.run(analyses, "attention-stats", source, block=1).wait())
    monkeypatch.setattr(_blocks, "FAN_IN", 2)
    assert plain(data.run(analyses, "attention-stats", source, block=1).wait()) == expected


def test_activations_are_sharded_files_with_an_index(daemon, tmp_path):
    clips = sounds(3)
    source = [data.Recording(name, content, labels={"text": name}) for name, content in clips]
    hooks = [NEURONS, "encoder.blocks.0.attn.z"]
    whole = [daemon.trace(content, hooks) for _, content in clips]
    most = whole[0][NEURONS].nbytes + whole[0][hooks[1]].nbytes + 1
    written = data.write_activations(daemon, source, hooks, tmp_path / "a", shard_bytes=most)
    assert len(written) == 3 and written.recordings[1]["labels"] == {"text": clips[1][0]}
    assert len({one["file"] for one in written.recordings}) > 1
    for number, trace in enumerate(whole):
        assert np.array_equal(written.of(number, NEURONS), trace[NEURONS])
        assert np.array_equal(written.of(number, hooks[1]), trace[hooks[1]].reshape(len(trace[hooks[1]]), -1))
    assert np.array_equal(np.concatenate(list(written.batches(NEURONS, 50))), np.concatenate([one[NEURONS] for one in whole]))
    assert written.about["columns"][NEURONS] == whole[0][NEURONS].shape[1] and len(written.about["model_sha256"]) == 64
    with pytest.raises(KeyError, match=NEURONS):
        written.of(0, "encoder")
    with pytest.raises(auscult.AlreadyExists):
        data.write_activations(daemon, source, hooks, tmp_path / "a")
    with pytest.raises(auscult.InvalidArgument, match="no vectors"):
        data.write_activations(daemon, source, "encoder.blocks.0.attn.pattern", tmp_path / "b")
    with pytest.raises(auscult.DataLoss, match="no activations"):
        data.Activations(tmp_path / "none")
    broken = [data.Recording("bad", "/none.wav"), *source[:1]]
    with pytest.raises(auscult.NotFound):
        data.write_activations(daemon, broken, NEURONS, tmp_path / "c")
    left = data.write_activations(daemon, broken, NEURONS, tmp_path / "d", skip_broken=True)
    assert len(left) == 1 and left.about["skipped"][0]["id"] == "bad"


def test_safetensors_reads_what_was_written(daemon, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    name, content = sounds(1)[0]
    data.write_activations(daemon, [data.Recording(name, content)], NEURONS, tmp_path / "a")
    found = safetensors.load_file(tmp_path / "a" / "00000.safetensors")
    assert np.array_equal(found[NEURONS], daemon.trace(content, NEURONS)[NEURONS])
