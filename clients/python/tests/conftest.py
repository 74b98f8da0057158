from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import auscult
import pytest
from fake import FakeDaemon, Handler


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket's has 107 bytes at most, and pytest's own can be longer."""
    path = Path(tempfile.mkdtemp(prefix="auscult-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def fake(folder: Path) -> Iterator[FakeDaemon]:
    """A server without methods; a test adds handlers to it."""
    daemon = FakeDaemon(str(folder / "fake.sock"))
    yield daemon
    daemon.close()


@pytest.fixture
def client(fake: FakeDaemon) -> Iterator[auscult.Client]:
    """A client of `fake`."""
    with auscult.connect(fake.path, start=False) as one:
        yield one


@pytest.fixture(scope="session")
def daemon_socket() -> Iterator[str]:
    """The socket of a daemon that was started for these tests, with a registry of its own."""
    program = os.environ.get("AUSCULT_DAEMON")
    if not program:
        pytest.skip("$AUSCULT_DAEMON does not name a daemon")
    path = Path(tempfile.mkdtemp(prefix="auscult-"))
    before = {name: os.environ.get(name) for name in ("XDG_DATA_HOME", "XDG_RUNTIME_DIR")}
    os.environ["XDG_DATA_HOME"] = str(path / "data")
    os.environ["XDG_RUNTIME_DIR"] = str(path)
    socket = str(path / "daemon.sock")
    try:
        with auscult.connect(socket, daemon=program, timeout=120) as client:
            yield socket
            client.stop()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def daemon(daemon_socket: str) -> Iterator[auscult.Client]:
    """A client of the real daemon."""
    with auscult.connect(daemon_socket, start=False) as one:
        yield one
