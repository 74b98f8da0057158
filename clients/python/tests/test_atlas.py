"""Atlases through the real daemon."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import auscult
import numpy as np
import pytest

HOOK = "encoder.blocks.0.mlp.1"
OPTIONS = {"hooks": HOOK, "arguments": {"k": 3, "permutations": 20, "minimum": 3}}


@pytest.fixture
def scanner(daemon):
    if not any(one.id.endswith(".features") and not one.problem for one in daemon.plugins()):
        pytest.skip("the daemon has no plugin that scans features")
    return daemon


def test_an_atlas_is_built_searched_and_listened_to(scanner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scan = scanner.atlas.build("demo:", "demo.atlas", **OPTIONS)
    assert (tmp_path / "demo.atlas").exists() and not list(tmp_path.glob("*.checkpoint"))
    assert list(scan.hooks) == [HOOK] and scan.recordings > 10 and scan.arguments["k"] == "3"
    assert [one.id for one in scanner.atlas.scans("demo.atlas")] == [scan.id]
    page = scanner.atlas.search("demo.atlas", sort="maximum", page_size=3)
    assert page.total == scan.hooks[HOOK] and len(page.rows) == 3
    largest = [row.feature.maximum for row in page.rows]
    assert largest == sorted(largest, reverse=True)
    card = scanner.atlas.card("demo.atlas", HOOK, page.rows[0].feature.number)
    first = card.examples[0]
    assert first.value == card.feature.maximum and first.rank == 1
    assert abs(first.activation[first.frame - first.curve_first] - first.value) < 0.01 * abs(first.value)
    # Ranges of both kinds, of the lowest activations up, each with its own examples; and the columns of the data set.
    assert {one.kind for one in card.bins} == {"width", "quantile"}
    assert any(one.sounds and list(one.sounds.values()) == sorted(one.sounds.values(), reverse=True) for one in card.bins)
    for one in card.bins:
        assert all(one.low <= example.value <= one.high for example in one.examples)
    assert {one.column for one in card.columns} and all(one.frames > 0 for one in card.columns)
    sound = scanner.atlas.listen("demo.atlas", HOOK, card.feature.number, around=0.5)
    assert sound[:4] == b"RIFF"
    with pytest.raises(auscult.NotFound, match="rank 99"):
        scanner.atlas.listen("demo.atlas", HOOK, card.feature.number, rank=99)
    with pytest.raises(auscult.NotFound):
        scanner.atlas.card("demo.atlas", HOOK, 10**9)
    with pytest.raises(auscult.InvalidArgument, match="sort"):
        scanner.atlas.search("demo.atlas", sort="beauty")
    with pytest.raises(auscult.NotFound, match="other.atlas"):
        scanner.atlas.scans("other.atlas")


def test_a_build_goes_on_when_its_client_is_killed(scanner, tmp_path):
    program = (
        "import auscult, sys\n"
        f"client = auscult.connect({scanner.socket!r}, start=False)\n"
        f"print(client.atlas.start('demo:', 'a.atlas', **{OPTIONS!r}).id, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe, text=True) as child:
        job = child.stdout.readline().strip()
        os.kill(child.pid, signal.SIGKILL)
    scan = scanner.jobs.wait(job, timeout=300)
    assert isinstance(scan, auscult.AtlasScan) and list(scan.hooks) == [HOOK]
    assert [one.id for one in scanner.atlas.scans(tmp_path / "a.atlas")] == [scan.id]


def contents(path):
    """All that an atlas has of its one scan, but for when it was made, and its number: one that was cut off had one, too."""
    with contextlib.closing(sqlite3.connect(path)) as atlas:
        atlas.row_factory = sqlite3.Row
        names = atlas.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
        tables = [row["name"] for row in names]
        rows = {table: [dict(row) for row in atlas.execute(f'SELECT * FROM "{table}"')] for table in tables}
    (scan,) = rows["scans"]
    del scan["id"], scan["started"], scan["finished"]
    for row in (row for table in rows.values() for row in table):
        row.pop("scan_id", None)
    return rows


@pytest.fixture
def mortal(scanner):
    """Connects to a daemon of its own, which is started where the one before was killed."""
    path = Path(tempfile.mkdtemp(prefix="auscult-"))
    clients = []

    def connect():
        clients.append(auscult.connect(str(path / "mortal.sock"), daemon=os.environ["AUSCULT_DAEMON"], timeout=120))
        return clients[-1]

    yield connect
    clients[-1].stop()
    for client in clients:
        client.close()
    shutil.rmtree(path, ignore_errors=True)


def test_a_build_survives_that_the_daemon_is_killed(mortal, tmp_path):
    (tmp_path / "set").mkdir()
    for number in range(160):
        # A run keeps its state after a hundred recordings.
        tone = 8000 * np.sin(np.arange(4800) * (200 + 11 * number) * 2 * np.pi / 16000)
        with wave.open(str(tmp_path / "set" / f"{number:03}.wav"), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(tone.astype("<i2").tobytes())
    first = mortal()
    job = first.atlas.start(tmp_path / "set", tmp_path / "killed.atlas", **OPTIONS)
    with pytest.raises(auscult.Unavailable):
        for event in first.jobs.watch(job):
            if event.progress is not None and event.progress.done >= 120:
                os.kill(first.status().pid, signal.SIGKILL)
                first.jobs.list()
    assert (tmp_path / "killed.atlas.checkpoint").exists()
    # The same call, to another daemon, goes on; nothing shows that there were two.
    second = mortal()
    scan = second.atlas.build(tmp_path / "set", tmp_path / "killed.atlas", **OPTIONS)
    assert scan.recordings == 160 and not list(tmp_path.glob("*.checkpoint"))
    second.atlas.build(tmp_path / "set", tmp_path / "whole.atlas", **OPTIONS)
    assert contents(tmp_path / "killed.atlas") == contents(tmp_path / "whole.atlas")


def test_a_build_that_fails_or_is_cancelled_leaves_nothing(scanner, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.wav").write_text("no sound")
    with pytest.raises(auscult.DataLoss):
        scanner.atlas.build(tmp_path / "set", tmp_path / "a.atlas", **OPTIONS)
    with pytest.raises(auscult.InvalidArgument, match="nope"):
        scanner.atlas.build("demo:", tmp_path / "a.atlas", arguments={"nope": 1})
    job = scanner.atlas.start("demo:", tmp_path / "a.atlas", **OPTIONS)
    scanner.jobs.cancel(job)
    limit = time.monotonic() + 60
    while not scanner.jobs.get(job).has_ended and time.monotonic() < limit:
        time.sleep(0.05)
    assert scanner.jobs.get(job).state == "cancelled"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("a.atlas") and path.suffix != ".checkpoint"] == []
