"""The daemon's client."""

from __future__ import annotations

import os
import time

from . import _socket
from ._calls.daemon import DaemonCalls
from ._calls.live import LiveCalls
from ._calls.plugins import PluginCalls
from ._calls.speech import SpeechCalls
from ._calls.traces import TraceCalls
from ._wire import BUFFER_BYTES, Connection
from .atlas import Atlases
from .errors import DeadlineExceeded, Unavailable
from .jobs import Jobs


def connect(
    socket: str | os.PathLike[str] | None = None,
    start: bool = True,
    timeout: float = 30.0,
    daemon: str | os.PathLike[str] | None = None,
    buffer_bytes: int = BUFFER_BYTES,
) -> Client:
    """Connects to the daemon, and starts one where none listens.

    Args:
        socket: Its Unix socket. Without it ``$AUSCULT_SOCKET``, else ``$XDG_RUNTIME_DIR/auscult/auscult.sock``, else
            ``/tmp/auscult-<uid>/auscult.sock``.
        start: Whether to start a daemon where nothing listens. It outlives this process, and leaves after 600 seconds
            without a client or a job.
        timeout: Seconds until the daemon must have answered.
        daemon: The program to start. Without it ``$AUSCULT_DAEMON``, else the one that came along in a wheel, else
            ``auscultd`` in ``$PATH``.
        buffer_bytes: How much of one stream waits here for a reader that is slower than the daemon. Past it the rest
            waits in the daemon, which closes a connection that takes nothing for some seconds.

    Raises:
        Unavailable: No daemon answers, and none could be started.
    """
    path = _socket.socket_path(socket)
    deadline = time.monotonic() + timeout
    while True:
        started = False
        try:
            sock = _socket.dial(path)
        except Unavailable:
            if not start:
                raise
            sock, started = _socket.start(_socket.daemon_program(daemon), path, timeout), True
        client = Client(path, Connection(sock, path), buffer_bytes)
        try:
            _wait_until_serving(client, timeout)
            return client
        except BaseException as fault:
            # Writing may fail before the reader has seen the end.
            broken = client._connection.lost or isinstance(fault.__cause__, OSError)
            lost = isinstance(fault, Unavailable) and broken
            client.close()
            # A daemon that is just ending takes connections until it has ended: the next one may find none, and start one.
            if not lost or started or not start or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _wait_until_serving(client: Client, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    try:
        while (health := client.health(timeout=max(deadline - time.monotonic(), 1.0))) != "serving":
            if time.monotonic() > deadline:
                raise Unavailable(f"the daemon at {client.socket} answers that it is {health}")
            time.sleep(0.05)
    except DeadlineExceeded:
        raise Unavailable(f"something listens at {client.socket}, but did not answer within {timeout:g} s") from None


class Client(SpeechCalls, TraceCalls, LiveCalls, PluginCalls, DaemonCalls):
    """A client of one daemon, made by `connect`. Any thread may use it; use it in ``with``, or `close` it.

    Each stream opens a connection of its own. A connection that was lost is opened again by the next call. After a
    fork, parent and child each have their own.

    Attributes:
        socket: The path of the daemon's socket.
        jobs: Long work that outlives this client.
        atlas: Features of models with what excites them, in files.
    """

    def __init__(self, path: str, connection: Connection, buffer_bytes: int = BUFFER_BYTES) -> None:
        super().__init__(path, connection, buffer_bytes)
        self.jobs = Jobs(self)
        self.atlas = Atlases(self)
