"""WebDataset's tar shards: files of the same name but for their endings are one recording."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from typing import Any

from ..errors import DataLoss
from ._recording import Recording, labels

# What of a sample is its sound. Everything else is a label: .json its keys, .txt its text, .cls a class.
SOUNDS = ("wav", "flac", "mp3", "ogg", "opus", "m4a", "aac", "aiff", "au", "caf", "webm", "mp4", "wma")


def recordings(path: str) -> Iterator[Recording]:
    """The recordings of a tar, which is read from its beginning to its end, one member at a time.

    Raises:
        DataLoss: It is no tar, or breaks off.
    """
    key, parts = "", dict[str, bytes]()
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if not member.isfile():
                    continue
                name, ending = _split(member.name)
                if name != key:
                    yield from _sample(key, parts)
                    key, parts = name, {}
                file = archive.extractfile(member)
                if file is not None:
                    parts[ending] = file.read()
    except (tarfile.TarError, EOFError, OSError) as fault:
        if isinstance(fault, FileNotFoundError):
            raise
        raise DataLoss(f"{path} cannot be read as a tar: {fault}", "data_loss") from fault
    yield from _sample(key, parts)


def _split(name: str) -> tuple[str, str]:
    """The key and the ending, which begins at the file name's first dot."""
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return folder + slash + stem, ending.lower()


def _sample(key: str, parts: dict[str, bytes]) -> Iterator[Recording]:
    sounds = [ending for ending in parts if ending.rpartition(".")[2] in SOUNDS]
    if not sounds:
        return
    columns: dict[str, Any] = {}
    for ending, data in parts.items():
        if ending == "json":
            try:
                described = json.loads(data)
            except ValueError as fault:
                raise DataLoss(f"{key}.json is no JSON: {fault}", "data_loss") from fault
            columns.update(described if isinstance(described, dict) else {})
        elif ending in ("txt", "cls", "text"):
            columns["text" if ending != "cls" else "cls"] = data.decode(errors="replace").strip()
    for ending in sounds:
        yield Recording(key if len(sounds) == 1 else f"{key}.{ending}", parts[ending], labels=labels(columns))
