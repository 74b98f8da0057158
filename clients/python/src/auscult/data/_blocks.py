"""Runs over any source: in blocks of recordings, each with a state, which are merged in their order.

A block's sounds are written to a folder of its own, with a manifest, for as long as it runs. What a block gives depends on its
recordings, the plugin, its arguments, the seed and the model, and on nothing else: so blocks may run anywhere, and again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidArgument
from ..runs import PluginRun
from ..streams import OnProgress, Progress
from . import sources
from ._recording import Recording

if TYPE_CHECKING:
    from ..client import Client

#: Recordings of a block.
BLOCK = 64
#: States that are put together at a time.
FAN_IN = 16


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive recordings of a source."""

    number: int
    recordings: tuple[Recording, ...]

    @contextlib.contextmanager
    def manifest(self) -> Iterator[Path]:
        """A manifest of the block in a folder that is there inside the ``with``."""
        folder = Path(tempfile.mkdtemp(prefix="auscult-block-"))
        try:
            path = folder / "block.jsonl"
            with path.open("w", encoding="utf-8") as file:
                for number, one in enumerate(self.recordings):
                    file.write(json.dumps(_line(one, number, folder), ensure_ascii=False) + "\n")
            yield path
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def blocks(source: Any, size: int = BLOCK, audio: str = "", id: str = "") -> Iterator[Block]:
    """A source in blocks of `size` recordings, the last one smaller; one is in memory at a time.

    Args:
        source, audio, id: As for `auscult.data.recordings`.
    """
    if size < 1:
        raise InvalidArgument(f"expected blocks of at least 1 recording, not {size}", "invalid_argument")
    number, held = 0, list[Recording]()
    for one in sources.recordings(source, audio, id):
        held.append(one)
        if len(held) == size:
            yield Block(number, tuple(held))
            number, held = number + 1, []
    if held:
        yield Block(number, tuple(held))


def run(
    client: Client,
    plugin: str,
    source: Any,
    *,
    block: int = BLOCK,
    audio: str = "",
    id: str = "",
    state: Any = None,
    on_progress: OnProgress | None = None,
    **options: Any,
) -> PluginRun:
    """Runs a plugin over any source, and gives its results as `Client.run` does.

    What the daemon reads by itself (a folder, a manifest, ``"demo:"``) is one run. Of everything else, blocks of `block`
    recordings are runs whose states are merged.

    Args:
        source, audio, id: As for `auscult.data.recordings`.
        on_progress: Called with the recordings that were heard.
        options: `Client.run`'s: ``arguments``, ``model``, ``seed``, ``context``, …
    """
    if sources.is_daemons(source):
        return client.run(plugin, os.fspath(source), state=state, on_progress=on_progress, **options)
    with Merging(client) as merging:
        heard = 0
        for one in blocks(source, block, audio, id):
            merging.add(run_block(client, plugin, one, **options))
            heard += len(one.recordings)
            if on_progress is not None:
                on_progress(Progress(heard, 0, "recordings", ""))
        return merging.finish(state)


def run_block(client: Client, plugin: str, block: Block, **options: Any) -> bytes:
    """The state of a plugin that has heard a block."""
    with block.manifest() as manifest, client.run(plugin, manifest, state=True, **options) as going:
        for _ in going:
            pass
        state = going.state
        assert state is not None, "a run that was asked for its state has one at its end"
        return state


class Merging:
    """States that are put together as a tree, in the order in which they come; they wait in files."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._folder = Path(tempfile.mkdtemp(prefix="auscult-states-"))
        self._count = 0
        # Of each level of the tree, the states that wait.
        self._levels: list[list[Path]] = []

    def add(self, state: bytes) -> None:
        """Takes the next block's state."""
        path = self._next()
        path.write_bytes(state)
        self._put(0, path)

    def finish(self, state: Any = None) -> PluginRun:
        """The results of all of them.

        Raises:
            InvalidArgument: There were none.
        """
        left = [path for level in reversed(self._levels) for path in level]
        if not left:
            raise InvalidArgument("the source has no recordings", "invalid_argument")
        # As bytes: the files are gone when the results are read.
        return self._client.merge([path.read_bytes() for path in left], state=state)

    def __enter__(self) -> Merging:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _put(self, level: int, path: Path) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(path)
        if len(self._levels[level]) < FAN_IN:
            return
        together, self._levels[level] = self._levels[level], []
        merged = self._next()
        with self._client.merge(together, state=merged) as merging:
            for _ in merging:
                pass
        for one in together:
            one.unlink()
        self._put(level + 1, merged)

    def _next(self) -> Path:
        self._count += 1
        return self._folder / f"{self._count}.state"


def _line(one: Recording, number: int, folder: Path) -> dict[str, Any]:
    """A manifest's line; sound that is no file is written to one, called as the recording is."""
    line: dict[str, Any] = {key: value for key, value in one.labels.items() if key not in _KEYS}
    if isinstance(one.audio, str):
        line["path"] = os.path.abspath(one.audio)
    else:
        file = folder / _file_name(one.id)
        if file.exists():
            file = folder / str(number) / file.name
            file.parent.mkdir()
        file.write_bytes(one.audio if isinstance(one.audio, bytes) else float_wav(one.audio, one.sample_rate))
        line["path"] = str(file.relative_to(folder))
    if one.span is not None:
        line["start"] = one.span[0]
        if one.span[1] is not None:
            line["end"] = one.span[1]
    return line


# Keys of a manifest that say where the sound is, and so are no labels here.
_KEYS = frozenset({"path", "file", "audio", "audio_filepath", "file_name", "filename", "audio_path", "wav", "start", "offset",
                   "end", "duration", "alignment", "phonemes", "words"})  # fmt: skip


def _file_name(id: str) -> str:
    return re.sub(r"[^\w.+-]", "_", id).lstrip(".")[-200:] or "recording"


def float_wav(samples: NDArray[Any], rate: int) -> bytes:
    """A WAV file of mono samples: 32-bit floats, or 16-bit whole numbers where they are.

    Raises:
        InvalidArgument: They are no samples of one channel.
    """
    if samples.ndim != 1 or samples.dtype.kind not in "fi" or (samples.dtype.kind == "i" and samples.dtype.itemsize != 2):
        raise InvalidArgument(f"expected samples of shape (samples,), float or int16, not {samples.dtype} {samples.shape}", "invalid_argument")
    whole = samples.dtype.kind == "i"
    data = np.ascontiguousarray(samples, "<i2" if whole else "<f4").tobytes()
    width = 2 if whole else 4
    form = struct.pack("<HHIIHH", 1 if whole else 3, 1, rate, rate * width, width, 8 * width)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data


