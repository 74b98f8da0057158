"""Atlases through the real daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import auscult
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
