"""Finding a daemon, and starting one."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

import auscult
import pytest
from auscult import _socket, _wire
from auscult._messages import METHODS
from fake import FakeDaemon


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch):
    for name in ("AUSCULT_SOCKET", "AUSCULT_DAEMON", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def program(folder: Path, body: str) -> Path:
    path = folder / "auscultd"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_the_socket_is_the_argument_or_comes_from_the_surroundings(monkeypatch):
    assert _socket.socket_path(None) == f"/tmp/auscult-{os.getuid()}/auscult.sock"
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1")
    assert _socket.socket_path(None) == "/run/user/1/auscult/auscult.sock"
    monkeypatch.setenv("AUSCULT_SOCKET", "/s")
    assert _socket.socket_path(None) == "/s"
    assert _socket.socket_path("/given") == "/given"


def test_a_path_that_is_too_long_is_refused():
    assert _socket.socket_path("/" + "a" * 106)
    with pytest.raises(auscult.InvalidArgument, match="108 bytes; 107"):
        auscult.connect("/" + "a" * 107)


def test_without_a_daemon_and_without_leave_to_start_one_it_is_unavailable(folder):
    with pytest.raises(auscult.Unavailable, match="none.sock"):
        auscult.connect(folder / "none.sock", start=False)
    # A socket that its daemon left behind.
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(folder / "left.sock"))
    left.close()
    with pytest.raises(auscult.Unavailable, match="left.sock"):
        auscult.connect(folder / "left.sock", start=False)


def test_a_program_that_is_not_there_is_named(folder, monkeypatch):
    with pytest.raises(auscult.Unavailable, match="no-such-program.*daemon="):
        auscult.connect(folder / "s", daemon="/no-such-program")
    monkeypatch.setenv("AUSCULT_DAEMON", "/another")
    with pytest.raises(auscult.Unavailable, match="/another"):
        auscult.connect(folder / "s")
    monkeypatch.delenv("AUSCULT_DAEMON")
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(auscult.Unavailable, match="auscultd is not an executable"):
        auscult.connect(folder / "s")


def test_a_daemon_is_started_and_outlives_its_client(folder, monkeypatch):
    script = Path(__file__).with_name("fake.py")
    monkeypatch.setenv("AUSCULT_DAEMON", str(program(folder, f'echo "$@"; exec {sys.executable} {script} "$@"')))
    path = folder / "run" / "auscult.sock"
    with auscult.connect(path) as client:
        assert client.health() == "serving"
    with auscult.connect(path, start=False) as again:
        assert again.health() == "serving"
        again.stop()
    assert f"--socket {path} --idle-exit 600" in (folder / "run" / "auscult.log").read_text()
    assert (folder / "run").stat().st_mode & 0o777 == 0o700


def test_a_daemon_that_was_just_ending_is_followed_by_another(folder):
    script = Path(__file__).with_name("fake.py")
    path = folder / "auscult.sock"

    def end(dying: socket.socket) -> None:
        taken, _ = dying.accept()
        path.unlink()
        dying.close()
        taken.close()

    for starts in (False, True):
        dying = socket.socket(socket.AF_UNIX)
        dying.bind(str(path))
        dying.listen()
        ending = threading.Thread(target=end, args=(dying,))
        ending.start()
        if starts:
            daemon = program(folder, f'exec {sys.executable} {script} "$@"')
            with auscult.connect(path, daemon=daemon) as client:
                assert client.health() == "serving"
                client.stop()
        else:
            # The connection was lost, or nobody listens any more when it is asked: which of them comes first is chance.
            with pytest.raises(auscult.Unavailable, match="auscult.sock"):
                auscult.connect(path, start=False)
        ending.join()


def test_a_daemon_that_ends_at_once_is_quoted(folder):
    with pytest.raises(auscult.Unavailable, match="status 3: no model of that name"):
        auscult.connect(folder / "s.sock", daemon=program(folder, "echo no model of that name >&2; exit 3"))


def test_a_daemon_that_never_listens_is_given_up_and_ended(folder, monkeypatch):
    quiet = program(folder, "exec sleep 600")
    launched = []
    launch = _socket._launch
    monkeypatch.setattr(_socket, "_launch", lambda *arguments: launched.append(launch(*arguments)) or launched[0])
    with pytest.raises(auscult.Unavailable, match="did not accept"):
        auscult.connect(folder / "s.sock", daemon=quiet, timeout=0.5)
    assert launched[0][0].wait(60) != 0


def test_a_program_that_cannot_be_run_is_unavailable(folder):
    broken = folder / "auscultd"
    broken.write_bytes(b"\x7fELF no program")
    broken.chmod(0o755)
    with pytest.raises(auscult.Unavailable, match="could not be started"):
        auscult.connect(folder / "s.sock", daemon=broken)


def test_a_daemon_that_is_leaving_is_unavailable(fake: FakeDaemon):
    check = METHODS["grpc.health.v1.Health/Check"]
    fake.handlers[check.name] = lambda call: call.answer(check.answer(status=2))
    with pytest.raises(auscult.Unavailable, match="not_serving"):
        auscult.connect(fake.path, start=False, timeout=0)


def test_something_that_listens_and_never_answers_is_unavailable(fake: FakeDaemon, monkeypatch):
    monkeypatch.setattr(_wire, "GRACE", 0.0)
    fake.handlers["grpc.health.v1.Health/Check"] = lambda call: None
    with pytest.raises(auscult.Unavailable, match="did not answer"):
        auscult.connect(fake.path, start=False, timeout=0)


def test_someone_elses_socket_is_refused(fake: FakeDaemon, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    if os.stat(fake.path).st_uid == 0:
        # Root's daemons are trusted, so this needs a peer that is neither: say that the peer is somebody.
        monkeypatch.setattr(_socket.struct, "unpack", lambda *_: (1, 54321, 1))
    with pytest.raises(auscult.PermissionDenied, match="12345"):
        auscult.connect(fake.path, start=False)
