"""The examples run as they are."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]


def test_the_tour_runs(daemon, daemon_socket, monkeypatch, capsys):
    monkeypatch.setenv("AUSCULT_SOCKET", daemon_socket)
    found = runpy.run_path(str(ROOT / "examples" / "listen.py"))
    neurons = found["neurons"]
    assert neurons[found["frame"], found["neuron"]] == neurons.max() and np.isfinite(neurons).all()
    assert found["transcript"].text.strip()
    assert f"neuron {found['neuron']} is " in capsys.readouterr().out


def test_the_readmes_example_runs(daemon, daemon_socket, monkeypatch, capsys):
    monkeypatch.setenv("AUSCULT_SOCKET", daemon_socket)
    examples = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (code,) = (example for example in examples if "is largest at" in example)
    exec(compile(code, "README.md", "exec"), {})
    assert "is largest at" in capsys.readouterr().out


def test_the_page_for_transformerlens_runs(daemon, daemon_socket, monkeypatch, capsys):
    monkeypatch.setenv("AUSCULT_SOCKET", daemon_socket)
    page = ROOT.parents[1] / "docs" / "how-to" / "transformerlens.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 6
    found: dict = {}
    for code in examples:
        assert len(code.splitlines()) <= 5, code
        exec(compile(code, str(page), "exec"), found)
    assert found["pattern"].ndim == 3
    assert found["firing"] and all(0 <= share <= 1 for share in found["firing"].values())
    assert not np.array_equal(found["ablated"], found["logits"])
    assert found["layers"].shape[1:] == found["logits"].shape
    assert capsys.readouterr().out.startswith("[")
