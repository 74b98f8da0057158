"""Kaldi's ``wav.scp`` and Lhotse's manifests: text files that say where recordings lie."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ..errors import DataLoss, InvalidArgument
from ._recording import Label, Recording


def opened(path: str) -> TextIO:
    """A text file, also one that is compressed."""
    if path.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    return open(path, encoding="utf-8")


def kaldi(path: str) -> Iterator[Recording]:
    """The recordings of a ``wav.scp``, with what lies beside it: ``segments``, ``text``, ``utt2spk``.

    Raises:
        InvalidArgument: An entry is a command, which is not run here, or part of an archive.
        DataLoss: A line has too few fields, or a segment is of no recording.
    """
    scp = Path(path) / "wav.scp" if os.path.isdir(path) else Path(path)
    sounds = {id: _sound(scp, id, rest) for id, rest in _pairs(scp)}
    texts, speakers = (dict(_pairs(scp.parent / name)) for name in ("text", "utt2spk"))

    def labels(id: str) -> dict[str, Label]:
        found = {"text": texts.get(id), "speaker": speakers.get(id)}
        return {key: value for key, value in found.items() if value is not None}

    segments = scp.parent / "segments"
    if not segments.exists():
        for id, sound in sounds.items():
            yield Recording(id, sound, labels=labels(id))
        return
    for id, rest in _pairs(segments):
        try:
            recording, start, end = rest.split()
            span = (float(start), None if float(end) < 0 else float(end))
            yield Recording(id, sounds[recording], span=span, labels=labels(id))
        except (ValueError, KeyError) as fault:
            raise DataLoss(f"{segments}: {id}: expected a recording of {scp.name}, a start and an end, not {rest!r}") from fault


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """An id and the rest of each line; none where there is no such file beside ``wav.scp``."""
    if not path.exists():
        return
    with opened(str(path)) as file:
        for number, line in enumerate(file, 1):
            id, _, rest = line.strip().partition(" ")
            if id and not rest.strip():
                id, _, rest = line.strip().partition("\t")
            if not id:
                continue
            if not rest.strip():
                raise DataLoss(f"{path}:{number}: expected an id and a value, not {line.strip()!r}")
            yield id, rest.strip()


def _sound(scp: Path, id: str, entry: str) -> str:
    if entry.endswith("|"):
        raise InvalidArgument(
            f"{scp}: {id} is the command {entry!r}; commands of data sets are not run: write its output to a file", "invalid_argument"
        )
    found = entry if os.path.isabs(entry) else _relative(scp, entry)
    return found


def _relative(scp: Path, entry: str) -> str:
    """Kaldi means the folder that it is run in; the list's own is where most copies lie."""
    beside = scp.parent / entry
    return str(beside if beside.exists() else Path(entry).absolute())


def lhotse(path: str) -> Iterator[Recording]:
    """Lhotse's recordings or cuts, one in each line, with the first supervision's text, speaker and language.

    Raises:
        DataLoss: A line is none of them.
        InvalidArgument: A recording does not lie in one file.
    """
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                one = json.loads(line)
                recording = one["recording"] if "recording" in one else one
                sources, id = recording["sources"], str(one["id"])
            except (ValueError, KeyError, TypeError) as fault:
                raise DataLoss(f"{path}:{number}: expected a recording or a cut of Lhotse: {fault}") from fault
            yield Recording(id, _source(path, number, sources), span=_span(one), labels=_supervised(one))


def _source(path: str, number: int, sources: Any) -> str:
    kinds = [one.get("type") for one in sources]
    if len(sources) != 1 or kinds[0] != "file":
        raise InvalidArgument(f"{path}:{number}: expected one source that is a file, not {kinds}", "invalid_argument")
    found = str(sources[0]["source"])
    beside = Path(path).parent / found
    return found if os.path.isabs(found) or not beside.exists() else str(beside)


def _span(one: dict[str, Any]) -> tuple[float, float | None] | None:
    """A cut's; a recording is all of itself."""
    if "recording" not in one:
        return None
    start = float(one.get("start", 0))
    return (start, start + float(one["duration"])) if "duration" in one else (start, None)


def _supervised(one: dict[str, Any]) -> dict[str, Label]:
    first = (one.get("supervisions") or [{}])[0]
    return {key: first[key] for key in ("text", "speaker", "language", "gender") if isinstance(first.get(key), (str, int, float))}
