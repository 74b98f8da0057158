"""Activations of many recordings in sharded safetensors, with an index: what trains dictionaries elsewhere.

``FOLDER/00000.safetensors`` and so on hold one tensor for each hook point, the valid frames (or tokens) of some recordings under one
another, ``(positions, columns)``; ``FOLDER/index.jsonl`` says which rows of which file are whose, and ``FOLDER/activations.json`` how
they were made. A file that is listed in the index is whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import _windows
from ..errors import AlreadyExists, AuscultError, DataLoss, InvalidArgument
from . import sources
from ._recording import Recording
from ._blocks import float_wav

if TYPE_CHECKING:
    from ..client import Client

#: Bytes of values in a file.
SHARD_BYTES = 256 << 20


class Activations:
    """What `write_activations` wrote; arrays are mapped, not read.

    Attributes:
        about: How they were made: hook points, columns, model and its digest.
        recordings: The index: for each recording its id, file, first row and number of rows, for each hook point.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            self.about: dict[str, Any] = json.loads((self.folder / "activations.json").read_text())
            lines = (self.folder / "index.jsonl").read_text().splitlines()
            self.recordings: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except (OSError, ValueError) as fault:
            raise DataLoss(f"{folder} holds no activations: {fault}", "data_loss") from fault

    def __len__(self) -> int:
        return len(self.recordings)

    def of(self, number: int, hook: str) -> NDArray[Any]:
        """A recording's rows at a hook point, ``(positions, columns)``."""
        entry = self.recordings[number]
        if hook not in entry["rows"]:
            raise _windows.NoTensor(hook, entry["rows"])
        first, count = entry["rows"][hook]
        return self._mapped(entry["file"], hook)[first : first + count]

    def batches(self, hook: str, size: int) -> Iterator[NDArray[Any]]:
        """All rows of a hook point in batches ``(size, columns)``, in order; the last of a file may be smaller."""
        for file in dict.fromkeys(one["file"] for one in self.recordings):
            rows = self._mapped(file, hook)
            for first in range(0, len(rows), size):
                yield rows[first : first + size]

    def _mapped(self, file: str, hook: str) -> NDArray[Any]:
        safetensors = self.folder / file
        with safetensors.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            header = json.loads(opened.read(length))
        if hook not in header:
            raise _windows.NoTensor(hook, [one for one in header if one != "__metadata__"])
        start, _ = header[hook]["data_offsets"]
        shape = tuple(header[hook]["shape"])
        return np.memmap(safetensors, "<f4", "r", 8 + length + start, shape) if 0 not in shape else np.zeros(shape, "<f4")


def write_activations(
    client: Client,
    source: Any,
    hooks: str | Sequence[str],
    folder: str | os.PathLike[str],
    *,
    audio: str = "",
    id: str = "",
    shard_bytes: int = SHARD_BYTES,
    skip_broken: bool = False,
    **options: Any,
) -> Activations:
    """Traces every recording of a source, and writes the values at hook points.

    Args:
        source, audio, id: As for `auscult.data.recordings`.
        hooks: Hook points whose positions are rows: every one but scores and patterns of attention.
        folder: It must not have activations already.
        shard_bytes: Values of a file; a recording is never divided.
        skip_broken: Whether a recording that cannot be read is left out, and named under ``skipped`` in ``activations.json``.
        options: `Client.trace`'s: ``model``, ``context``, ``interventions``, …

    Raises:
        AlreadyExists: There are activations in the folder.
        InvalidArgument: A hook point has no rows.
    """
    place = Path(folder)
    if (place / "activations.json").exists():
        raise AlreadyExists(f"{place} has activations already", "already_exists")
    place.mkdir(parents=True, exist_ok=True)
    writer = _Shards(place, shard_bytes)
    about: dict[str, Any] = {}
    skipped: list[dict[str, str]] = []
    for one in sources.recordings(source, audio, id):
        try:
            trace = client.trace(_audio(one), hooks, name=one.id, span=one.span, **options)
        except AuscultError as fault:
            if not skip_broken or isinstance(fault, InvalidArgument):
                raise
            skipped.append({"id": one.id, "reason": fault.message})
            continue
        rows = {name: _rows(name, trace.info[name].axes, trace[name]) for name in trace}
        writer.add(one, trace.summary.duration, rows)
        if not about:
            summary = trace.summary
            about = {"model": summary.model, "model_sha256": summary.model_sha256, "precision": summary.precision,
                     "columns": {name: array.shape[1] for name, array in rows.items()}}  # fmt: skip
    writer.close()
    about["skipped"] = skipped
    pending = place / ".activations.json.new"
    pending.write_text(json.dumps(about, indent=1))
    pending.replace(place / "activations.json")
    return Activations(place)


def _audio(one: Recording) -> Any:
    if isinstance(one.audio, np.ndarray) and one.sample_rate != 16000:
        return float_wav(one.audio, one.sample_rate)
    return one.audio


def _rows(name: str, axes: Sequence[str], array: NDArray[Any]) -> NDArray[Any]:
    axis = _windows.position_axis(axes)
    if axis is None or any(one.startswith("key_") for one in axes):
        raise InvalidArgument(f"{name} has the axes {', '.join(axes)}, whose rows are no vectors of one size", "invalid_argument")
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)


class _Shards:
    """Files that are filled one after another."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._number, self._bytes = 0, 0
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._entries: list[dict[str, Any]] = []
        self._counts: dict[str, int] = {}
        (folder / "index.jsonl").write_text("")

    def add(self, one: Recording, duration: float, rows: dict[str, NDArray[Any]]) -> None:
        size = sum(array.nbytes for array in rows.values())
        if self._entries and self._bytes + size > self._most:
            self._write()
        places = {name: [self._counts.get(name, 0), len(array)] for name, array in rows.items()}
        self._entries.append({"id": one.id, "file": f"{self._number:05d}.safetensors", "duration": duration, "rows": places,
                              "labels": dict(one.labels)})  # fmt: skip
        for name, array in rows.items():
            self._parts.setdefault(name, []).append(array)
            self._counts[name] = self._counts.get(name, 0) + len(array)
        self._bytes += size

    def close(self) -> None:
        if self._entries:
            self._write()

    def _write(self) -> None:
        path = self._folder / f"{self._number:05d}.safetensors"
        pending = self._folder / f".{path.name}.new"
        header, offset = {}, 0
        for name, parts in self._parts.items():
            shape = (sum(map(len, parts)), parts[0].shape[1])
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + 4 * shape[0] * shape[1]]}
            offset += 4 * shape[0] * shape[1]
        head = json.dumps(header).encode()
        head += b" " * (-len(head) % 8)
        with pending.open("wb") as file:
            file.write(len(head).to_bytes(8, "little") + head)
            for parts in self._parts.values():
                for part in parts:
                    file.write(np.ascontiguousarray(part, "<f4").tobytes())
        pending.replace(path)
        with (self._folder / "index.jsonl").open("a") as index:
            index.writelines(json.dumps(entry) + "\n" for entry in self._entries)
        self._number, self._bytes, self._parts, self._entries, self._counts = self._number + 1, 0, {}, [], {}
