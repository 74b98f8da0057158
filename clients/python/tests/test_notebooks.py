"""The notebooks run as they are, from the first cell to the last."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(ROOT.glob("*.ipynb"))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, daemon, daemon_socket, monkeypatch, tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    for module in ("ipykernel", "pandas", "matplotlib"):
        pytest.importorskip(module)
    text = path.read_text(encoding="utf-8")
    if "features" in path.stem and not any(one.id.endswith("features") for one in daemon.plugins()):
        pytest.skip("the daemon finds no features: make plugins, and $AUSCULT_PLUGIN_PATH names their folder")
    program = Path(os.environ["AUSCULT_DAEMON"]).parent
    if '"auscult", ' in text:
        if not all(shutil.which(one) for one in ("make", "cc")) or not (program / "auscult").exists():
            pytest.skip("there is no make, no C compiler, or no auscult beside the daemon")
    monkeypatch.setenv("PATH", f"{program}:{os.environ['PATH']}")
    monkeypatch.setenv("AUSCULT_SOCKET", daemon_socket)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.reads(text, as_version=4)
    # Times that only decide when to give up: a machine may be busy.
    patience = {"timeout": 900, "startup_timeout": 600}
    nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}, **patience).execute()
    assert len([cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]) >= 3


def test_there_are_five_and_they_keep_no_outputs():
    nbformat = pytest.importorskip("nbformat")
    assert len(NOTEBOOKS) == 5
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells), path
