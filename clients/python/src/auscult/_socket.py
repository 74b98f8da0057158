"""Where the daemon listens, and starting one where nothing does."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from ._programs import bundled
from .errors import InvalidArgument, PermissionDenied, Unavailable

# What fits into sockaddr_un on Linux, without its final NUL.
_LONGEST_PATH = 107
# Seconds that the daemon may take to accept a connection.
_CONNECT_TIMEOUT = 10.0
# Seconds without a client after which a daemon that was started here leaves.
IDLE_EXIT = 600


def socket_path(given: str | os.PathLike[str] | None) -> str:
    """The argument, ``$AUSCULT_SOCKET``, or auscult/auscult.sock in ``$XDG_RUNTIME_DIR``, or one in /tmp.

    Raises:
        InvalidArgument: It is too long for a Unix socket.
    """
    named = os.fspath(given) if given is not None else os.environ.get("AUSCULT_SOCKET")
    if not named:
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        folder = os.path.join(runtime, "auscult") if runtime else f"/tmp/auscult-{os.getuid()}"
        named = os.path.join(folder, "auscult.sock")
    path = os.path.abspath(named)
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise InvalidArgument(
            f"the socket's path has {len(os.fsencode(path))} bytes; {_LONGEST_PATH} is the most: {path}",
            "invalid_argument",
        )
    return path


def dial(path: str) -> socket.socket:
    """Connects to a socket whose other end runs as this user or as root.

    Raises:
        Unavailable: Nothing listens there.
        PermissionDenied: Someone else does, or it may not be opened.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(_CONNECT_TIMEOUT)
        sock.connect(path)
        _check_peer(sock, path)
        return sock
    except BaseException as fault:
        sock.close()
        if isinstance(fault, PermissionError):
            raise PermissionDenied(f"the socket {path} may not be opened: {fault.strerror}") from fault
        if isinstance(fault, OSError):
            raise Unavailable(f"no daemon answers at {path}: {fault.strerror or fault}") from fault
        raise


def _check_peer(sock: socket.socket, path: str) -> None:
    if not hasattr(socket, "SO_PEERCRED"):
        return
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    if user not in (os.getuid(), 0):
        raise PermissionDenied(f"what listens at {path} belongs to user {user}; expected {os.getuid()} or root")


def daemon_program(given: str | os.PathLike[str] | None) -> str:
    """The argument, ``$AUSCULT_DAEMON``, the one that came along with this package, or ``auscultd`` in ``$PATH``."""
    chosen = os.fspath(given) if given is not None else os.environ.get("AUSCULT_DAEMON")
    named = chosen or bundled("auscultd") or "auscultd"
    found = shutil.which(named)
    if found is None:
        raise Unavailable(
            f"no daemon listens and none can be started: {named} is not an executable. Name it with daemon=, "
            "$AUSCULT_DAEMON or $PATH"
        )
    return os.path.abspath(found)


def start(program: str, path: str, timeout: float) -> socket.socket:
    """Starts a daemon that outlives this process, and waits until it accepts.

    What it logs goes to a file beside the socket: ``auscult.log`` for ``auscult.sock``.

    Raises:
        Unavailable: It ended, with what it said, or did not accept in `timeout` seconds.
    """
    log = Path(path).with_suffix(".log")
    try:
        process, said_before = _launch(program, path, log)
    except OSError as fault:
        raise Unavailable(f"{program} could not be started: {fault}") from fault
    deadline = time.monotonic() + timeout
    ended_at: float | None = None
    while True:
        with contextlib.suppress(Unavailable):
            sock = dial(path)
            _reap(process)
            return sock
        now = time.monotonic()
        if process.poll() is not None:
            # Another client may have started one in the same moment, and this one have made way for it.
            ended_at = ended_at or now
            if now - ended_at > 2:
                raise Unavailable(f"{program} ended with status {process.returncode}: {_tail(log, said_before)}")
        if now > deadline:
            process.terminate()
            _reap(process)
            raise Unavailable(f"{program} was started, but did not accept at {path} within {timeout:g} s; see {log}")
        time.sleep(0.02)


def _launch(program: str, path: str, log: Path) -> tuple[subprocess.Popen[bytes], int]:
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Not through a link that someone else may have put into a shared folder.
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        said_before = os.fstat(descriptor).st_size
        process = subprocess.Popen(
            [program, "--socket", path, "--idle-exit", str(IDLE_EXIT)],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    return process, said_before


def _reap(process: subprocess.Popen[bytes]) -> None:
    # Takes the status when the daemon leaves, so that no zombie stays behind.
    threading.Thread(target=process.wait, name="auscultd", daemon=True).start()


def _tail(log: Path, start: int) -> str:
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(start)
        lines = file.read(1 << 16).decode(errors="replace").strip().splitlines()
        return " ".join(lines[-3:]) if lines else "it printed nothing"
    return f"see {log}"
