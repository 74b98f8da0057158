"""Results as data frames, figures, and in Jupyter."""

from __future__ import annotations

import io
import re
import struct
import sys
import wave
import zlib

import auscult
import numpy as np
import pytest
from auscult import _colours, _html
from auscult.plugins import LabelledArray, PluginResult, ResultAxis, Table, TimedEvent
from auscult.transcripts import Segment, Transcript, Word
from test_windows import HOOK, part, trace


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


@pytest.fixture
def axes():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot.subplots()[1]
    pyplot.close("all")


TABLE = Table(("word", "count"), (("the", 3.0), ("<b>", None)))
CLIP = auscult.AudioClip(16000, np.array([0, 0.5, -1, 2], np.float32))
ARRAY = LabelledArray(np.array([[1.0, 2.0]]), (ResultAxis("layer", "", ("0",), 0, 0), ResultAxis("time", "s", (), 0.5, 0.1)))
EVENTS = (TimedEvent(0.0, 0.5, "goat", 1.0),)
TRANSCRIPT = Transcript(
    "clip", 2.0, "en", " a goat",
    (Segment(0, 0, 0.0, 1.0, " a <goat>", (5,), 0.0, -0.1, 1.0, None, (Word(" a", 0.0, 0.4, 0.9),)),), 0,
)  # fmt: skip


def test_a_trace_is_a_frame_by_time(pandas):
    both = trace(part(1, 0, [[1, 2], [3, 4]]), part(2, 2, [[5, 6]]))
    frame = both.to_pandas(HOOK)
    assert frame.index.name == "seconds" and frame.index.tolist() == [0, 0.02, 0.04]
    assert frame.columns.name == "neuron" and frame.values.tolist() == [[1, 2], [3, 4], [5, 6]]
    heads = trace(part(1, 0, np.arange(12).reshape(2, 2, 3), ("head", "frame", "key_frame"), suffix=False), windows=1)
    frame = heads.to_pandas(HOOK)
    assert frame.shape == (2, 6) and frame.columns.names == ["head", "key_frame"]
    assert frame[(1, 2)].tolist() == [8, 11]
    assert both.to_pandas().loc[HOOK, "shape"] == (3, 2)
    with pytest.raises(KeyError, match=HOOK):
        both.to_pandas("encoder")


def test_results_are_frames(pandas):
    assert TABLE.to_pandas()["word"].tolist() == ["the", "<b>"]
    frame = ARRAY.to_pandas()
    assert frame.index.tolist() == ["0"] and np.allclose(frame.columns, [0.5, 0.6]) and frame.columns.name == "time (s)"
    assert TRANSCRIPT.to_pandas()["text"].tolist() == [" a <goat>"]
    assert TRANSCRIPT.to_pandas(words=True)[["segment", "word", "end"]].values.tolist() == [[0, " a", 0.4]]
    for value, shape in ((TABLE, (2, 2)), (EVENTS, (1, 4)), (3.5, (1, 1)), (CLIP, (4,))):
        assert PluginResult("o", "", value).to_pandas().shape == shape


def test_a_runs_results_are_a_frame_for_each_output(pandas, fake, client):
    from auscult._messages import v1

    def handler(call):
        for event in (table("a", 1), table("b", 2), {"result": v1.PluginResult(output_id="s", scalar=7)}):
            call.send(**event)
        call.send(end=v1.PluginEnd(results=3))
        call.end()

    def table(file, cell):
        row = v1.PluginRow(cells=[v1.PluginCell(number=cell)])
        return {"result": v1.PluginResult(output_id="t", file=file, table=v1.PluginTable(columns=["n"], rows=[row]))}

    fake.handlers["auscult.v1.Plugin/Run"] = handler
    frames = client.run("org.p", ["demo:a"]).to_pandas()
    assert frames["t"].values.tolist() == [["a", 1.0], ["b", 2.0]] and frames["s"].values.tolist() == [[7.0]]


def test_results_are_figures(axes):
    both = trace(part(1, 0, [[1, 2], [3, 4]]), part(2, 2, [[5, 6]]))
    assert both.plot(HOOK, ax=axes) is axes
    (image,) = axes.images
    assert image.get_array().tolist() == [[1, 3, 5], [2, 4, 6]] and image.get_extent()[:2] == [0, pytest.approx(0.06)]
    assert axes.get_xlabel() == "seconds" and axes.get_ylabel() == "neuron"
    with pytest.raises(auscult.InvalidArgument, match="no heads"):
        both.plot(HOOK, head=1)
    heads = trace(part(1, 0, np.arange(12).reshape(2, 2, 3), ("head", "frame", "key_frame"), suffix=False), windows=1)
    assert heads.plot(HOOK, head=1).images[0].get_array().tolist() == [[6, 9], [7, 10], [8, 11]]
    assert heads.plot(HOOK).images[0].get_array().tolist() == [[3, 6], [4, 7], [5, 8]]
    with pytest.raises(auscult.InvalidArgument, match="heads 0 to 1"):
        heads.plot(HOOK, head=2)
    for value in (TABLE, ARRAY, EVENTS, CLIP):
        assert PluginResult("o", "f", value).plot().get_title() == "o: f"
    with pytest.raises(auscult.InvalidArgument, match="no column 'x'"):
        TABLE.plot("x")
    with pytest.raises(auscult.InvalidArgument, match="has no picture"):
        PluginResult("o", "f", "text").plot()


def test_a_library_that_is_missing_is_named_with_its_purpose(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"to_pandas\(\) needs pandas.*pip install pandas"):
        TABLE.to_pandas()


def pixels(png):
    """The palette's indices of a PNG as `_colours.png` writes it."""
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(png[start + 4 : start + 4 + length]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return rows[:, 1:]


def test_a_heat_map_keeps_the_largest_of_cells_that_share_a_pixel():
    values = np.zeros((4, 100))
    values[1, 37], values[3, 99] = 2.0, np.nan
    small = pixels(_colours.heat_map(values, width=10, height=2))
    assert small.shape == (2, 10) and np.argwhere(small == 254).tolist() == [[0, 3]] and (small == 0).sum() == 19
    assert not pixels(_colours.heat_map(np.ones((2, 2)))).any()
    colours = _colours.table().astype(int)
    assert colours.shape == (255, 3) and colours[0].sum() < 150 and colours[-1].sum() > 550


def test_jupyter_shows_tables_pictures_and_players():
    assert "&lt;goat&gt;" in TRANSCRIPT._repr_html_() and "<goat>" not in TRANSCRIPT._repr_html_()
    assert "<td>&lt;b&gt;</td><td></td>" in TABLE._repr_html_()
    page = trace(part(1, 0, [[1, 2], [3, 4]]), part(2, 2, [[5, 6]]))._repr_html_()
    assert "3 frame × 2 neuron" in page and page.count('src="data:image/png;base64,') == 1
    sound = _html.wav(CLIP.samples, CLIP.sample_rate)
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getframerate() == 16000
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 16384, -32768, 32767]
    assert CLIP._repr_html_() == auscult.Sound(sound)._repr_html_()
    assert re.match(r'<audio controls.* src="data:audio/flac;', auscult.Sound(b"fLaC")._repr_html_())
    many = Table(("n",), tuple((float(i),) for i in range(100)))._repr_html_()
    assert many.count("<tr>") == 61 and "40 more rows" in many


def test_an_excerpt_can_be_played(daemon):
    sound = daemon.excerpt("demo:en-slt-01", (0.5, 1.0))
    assert isinstance(sound, bytes) and sound[:4] == b"RIFF" and "audio/wav" in sound._repr_html_()


def test_progress_is_a_bar():
    pytest.importorskip("tqdm")
    out = io.StringIO()
    with auscult.ProgressBar("trace", file=out) as bar:
        for done in (1, 3):
            bar(auscult.Progress(done, 3, "windows", "talk"))
        bar(auscult.Progress(5, 0, "bytes", ""))
    text = out.getvalue()
    assert "trace" in text and "3/3" in text and "talk" in text and "5 bytes" in text
