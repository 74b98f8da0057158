"""Which kind of source it is that was named."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import InvalidArgument, NotFound
from . import archives, lists, tables
from ._recording import Recording

_BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")


def recordings(source: Any, audio: str = "", id: str = "") -> Iterator[Recording]:
    """The recordings of a source, in its order, read as they are asked for.

    Args:
        source: A Hugging Face ``Dataset`` or ``IterableDataset``; a path of a Parquet file or a folder of them, of a tar
            (``{000..015}`` stands for several), of a Kaldi ``wav.scp`` or a folder with one, of Lhotse's recordings or cuts
            (``.jsonl``, ``.jsonl.gz``); several such paths in a list; or any iterable of `Recording` or of rows (mappings).
        audio: The column with the sound, of tables and rows; found by itself where there is one alone.
        id: The column with the recordings' names; else the sound's own file name, else their number.

    Raises:
        NotFound: A path is not there.
        InvalidArgument: It is no source; a folder or a manifest, which the daemon reads itself, is for `auscult.data.run`.
    """
    if isinstance(source, (str, os.PathLike)):
        return itertools.chain.from_iterable(_of_path(one, audio, id) for one in _expanded(os.fspath(source)))
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, (str, os.PathLike)) for one in source):
        return itertools.chain.from_iterable(recordings(one, audio, id) for one in source)
    if tables.is_hugging_face(source):
        return tables.hugging_face(source, audio, id)
    if isinstance(source, Iterable):
        return tables.rows(source, audio, id)
    raise InvalidArgument(f"expected a source of recordings, not {type(source).__name__}", "invalid_argument")


def is_daemons(source: Any) -> bool:
    """Whether the daemon reads it by itself: a folder, a manifest, ``"demo:"``."""
    if not isinstance(source, (str, os.PathLike)):
        return False
    try:
        return _kind(os.fspath(source)) is None and not _BRACES.search(os.fspath(source))
    except NotFound:
        return False


def _expanded(path: str) -> list[str]:
    """Every path that braces stand for, in order, as WebDataset writes them."""
    found = _BRACES.search(path)
    if found is None:
        return [path]
    first, last = found.groups()
    numbers = range(int(first), int(last) + 1)
    parts = (path[: found.start()] + str(n).zfill(len(first)) + path[found.end() :] for n in numbers)
    return [one for part in parts for one in _expanded(part)]


def _of_path(path: str, audio: str, id: str) -> Iterator[Recording]:
    kind = _kind(path)
    if kind == "tar":
        return archives.recordings(path)
    if kind == "parquet":
        return tables.parquet(path, audio, id)
    if kind == "kaldi":
        return lists.kaldi(path)
    if kind == "lhotse":
        return lists.lhotse(path)
    raise InvalidArgument(
        f"{path} is a folder or a manifest, which the daemon reads itself: name it in Client.run, or in auscult.data.run",
        "invalid_argument",
    )


def _kind(path: str) -> str | None:
    if path == "demo:" or path.startswith("demo:"):
        return None
    place = Path(path)
    if not place.exists():
        raise NotFound(f"there is no {path}", "not_found")
    if place.is_dir():
        if (place / "wav.scp").is_file():
            return "kaldi"
        return "parquet" if any(place.glob("*.parquet")) else None
    name = place.name.lower()
    if name.endswith((".tar", ".tar.gz", ".tgz")):
        return "tar"
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(".scp"):
        return "kaldi"
    if name.endswith((".jsonl", ".jsonl.gz")) and _is_lhotse(path):
        return "lhotse"
    return None


def _is_lhotse(path: str) -> bool:
    with lists.opened(path) as file:
        try:
            first = json.loads(file.readline() or "{}")
        except ValueError:
            return False
    return isinstance(first, dict) and ("sources" in first or isinstance(first.get("recording"), dict))
