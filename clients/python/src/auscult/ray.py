"""Runs on several machines, with Ray: `auscult.data.run` whose blocks are tasks.

    import auscult.ray

    run = auscult.ray.run("features", dataset, arguments={"hooks": "encoder.blocks.2.mlp.1"}, address="auto")
    run.results.to_pandas()

or ``python -m auscult.ray PLUGIN SOURCE … --address ADDRESS --out FOLDER``. Each node has one daemon, which its tasks attach to, or start.
A task is sent a block's encoded bytes and gives its state back; the driver merges states in the order of the blocks. A task that is
lost, with its worker, its node or its daemon, is run again: what it gives depends on the block, the plugin, its arguments, the seed and
the model alone, so nothing but its time is lost, and the result is one process's, to the bit.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import data as _data
from .data import sources as _sources
from ._optional import needed
from ._progress import ProgressBar
from .client import Client, connect
from .data._blocks import BLOCK, Merging, run_block
from .errors import Aborted, Cancelled, FailedPrecondition, InvalidArgument, Unavailable
from .streams import OnProgress, Progress

if TYPE_CHECKING:
    from .runs import PluginRun

#: Tries of a block in its task, before the task fails: for daemons that are killed. Lost workers and nodes are not counted.
TRIES = 5


@dataclass
class NodeRate:
    """What a node has done."""

    blocks: int = 0
    recordings: int = 0
    #: Of its tasks, in which others may run beside them.
    seconds: float = 0.0


@dataclass
class RayRun:
    """What came of a run.

    Attributes:
        results: The results of all blocks, as `auscult.Client.merge` gives them.
        nodes: What each node has done, by Ray's id of it. Blocks that were taken from earlier runs are under ``""``.
    """

    results: PluginRun
    nodes: dict[str, NodeRate] = field(default_factory=dict)


def run(
    plugin: str,
    source: Any,
    *,
    address: str | None = None,
    client: Client | None = None,
    block: int = BLOCK,
    audio: str = "",
    id: str = "",
    states: str | os.PathLike[str] | None = None,
    state: Any = None,
    ahead: int | None = None,
    cpus: float = 1.0,
    socket: str | None = None,
    daemon: str | None = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> RayRun:
    """Runs a plugin over a source on all nodes of a Ray cluster.

    Args:
        source, audio, id: As for `auscult.data.recordings`. Sounds that are named by paths must lie on every node under that path.
        address: The cluster's, as for ``ray.init``; a cluster on this machine where there is none. Without it Ray decides, and where it was
            initialised already it stays so.
        client: Merges; a client of this machine's daemon by default.
        block: Recordings of a task.
        states: A folder in which the states of finished blocks are kept, under the digest of all that they depend on: a run that was cut
            short goes on from there.
        state: Where the state of all goes, as for `auscult.Client.run`.
        ahead: Tasks that are under way or wait at a time; so many blocks are in Ray's memory. Twice the cluster's CPUs by default.
        cpus: What a task reserves.
        socket: A daemon's socket on each node, in which ``{node}`` stands for Ray's id of it; by default the one that `auscult.connect` finds.
        daemon: The program to start there.
        on_progress: Called with the recordings that were heard, and the node that heard the last.
        options: `auscult.Client.run`'s: ``arguments``, ``model``, ``seed``, ``context``, …
    """
    ray: Any = needed("ray", "auscult.ray")
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False)
    for name in ("shard", "state", "checkpoint", "workers", "on_progress"):
        if name in options:
            raise InvalidArgument(f"{name} is not for a run on a cluster", "invalid_argument")
    if _sources.is_daemons(source):
        raise InvalidArgument(
            f"{source} is read by a daemon by itself, in one run; name a source of auscult.data.recordings, or its recordings in a list",
            "invalid_argument",
        )
    own = connect() if client is None else client
    most = ahead or max(2, 2 * int(ray.cluster_resources().get("CPU", 1)))
    task = ray.remote(max_retries=-1, num_cpus=cpus)(_task)
    kept = None if states is None else Path(states)
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    nodes: dict[str, NodeRate] = {}
    waiting: deque[_Pending] = deque()
    heard = 0
    identity = _identity(own, plugin, options)

    with Merging(own) as merging:

        def take() -> None:
            """Merges the oldest block."""
            nonlocal heard
            one = waiting.popleft()
            node, seconds, found = ("", 0.0, one.path.read_bytes()) if one.task is None and one.path else ray.get(one.task)
            if one.path is not None and one.task is not None:
                _keep(one.path, found)
            rate = nodes.setdefault(node, NodeRate())
            rate.blocks, rate.recordings, rate.seconds = rate.blocks + 1, rate.recordings + one.count, rate.seconds + seconds
            merging.add(found)
            heard += one.count
            if on_progress is not None:
                on_progress(Progress(heard, 0, "recordings", node))

        try:
            for one in _data.blocks(source, block, audio, id):
                path = None if kept is None else kept / f"{_digest(identity, one)}.state"
                there = path is not None and path.exists()
                reference = None if there else task.remote(plugin, one, options, socket, daemon)
                waiting.append(_Pending(reference, len(one.recordings), path))
                while len(waiting) >= most:
                    take()
            while waiting:
                take()
            return RayRun(merging.finish(state), nodes)
        finally:
            for left in waiting:
                if left.task is not None:
                    ray.cancel(left.task)


@dataclass(frozen=True)
class _Pending:
    """A block whose state is computed, or lies in a file."""

    task: Any
    count: int
    path: Path | None


def _task(
    plugin: str, block: _data.Block, options: Mapping[str, Any], socket: str | None, daemon: str | None
) -> tuple[str, float, bytes]:
    """In a worker: the node, the seconds that it took, and the block's state."""
    ray: Any = needed("ray", "auscult.ray")
    node = ray.get_runtime_context().get_node_id()
    place = None if socket is None else socket.replace("{node}", node[:16])
    began = time.monotonic()
    for left in reversed(range(TRIES)):
        try:
            with connect(place, daemon=daemon) as client:
                state = run_block(client, plugin, block, **options)
                return node, time.monotonic() - began, state
        except (Unavailable, Cancelled, Aborted, FailedPrecondition):
            # The daemon was killed, or leaves; the next one begins anew.
            if not left:
                raise
            time.sleep(0.2 * (TRIES - left))
    raise AssertionError("the last try returns or raises")


def _identity(client: Client, plugin: str, options: Mapping[str, Any]) -> str:
    """What states depend on beside their recordings."""
    info = client.model_info(options.get("model", ""), options.get("vocabulary", ""))
    listing = client.plugin(plugin).listing
    rest = sorted((key, repr(value)) for key, value in options.items() if key != "timeout")
    return repr((listing.id, listing.version, info.sha256, rest))


def _digest(identity: str, block: _data.Block) -> str:
    digest = hashlib.sha256(identity.encode())
    for one in block.recordings:
        sound = one.audio.encode() if isinstance(one.audio, str) else one.audio if isinstance(one.audio, bytes) else one.audio.tobytes()
        head = repr((one.id, one.sample_rate, one.span, sorted(one.labels.items()), len(sound)))
        digest.update(head.encode(errors="surrogateescape") + sound)
    return digest.hexdigest()


def _keep(path: Path, state: bytes) -> None:
    """Whole, or not at all."""
    pending = path.with_suffix(f".{os.getpid()}.new")
    pending.write_bytes(state)
    pending.replace(path)


def _named(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise InvalidArgument(f"-p {word}: expected KEY=VALUE", "invalid_argument")
        yield key, value


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m auscult.ray``."""
    parser = argparse.ArgumentParser(prog="python -m auscult.ray", description="Runs a plugin over a source on a Ray cluster.")
    parser.add_argument("plugin")
    parser.add_argument("source", nargs="+", help="tars, Parquet files, wav.scp, Lhotse's manifests")
    parser.add_argument("-p", dest="parameters", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the plugin")
    parser.add_argument("--address", help="the cluster's, as for ray.init; 'auto' for the one that this machine is in")
    parser.add_argument("--out", default="results", help="a folder for Parquet files, one for each output")
    parser.add_argument("--states", help="a folder that keeps finished blocks, so that the run can go on")
    parser.add_argument("--model", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--block", type=int, default=BLOCK, help="recordings of a task")
    given = parser.parse_args(arguments)
    with ProgressBar(given.plugin) as bar:
        done = run(
            given.plugin, list(given.source), address=given.address, states=given.states, block=given.block, model=given.model,
            seed=given.seed, arguments=dict(_named(given.parameters)), on_progress=bar,
        )  # fmt: skip
        for path in _data.write_results(done.results, given.out):
            print(path)
    for node, rate in done.nodes.items():
        print(f"{node or 'kept'}: {rate.recordings} recordings in {rate.blocks} blocks, {rate.seconds:.1f} s")


if __name__ == "__main__":
    # By its own name, by which workers know it.
    from auscult.ray import main as main_by_name

    main_by_name()
