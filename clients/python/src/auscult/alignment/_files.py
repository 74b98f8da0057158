"""Where alignments are written: a TextGrid a recording, and a manifest of them all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .._audio import path_text, text_path
from ..errors import InvalidArgument
from ..recordings import ListedRecording
from .aligner import Alignment

# Columns that say what another key of a row says, or that are no longer so.
_REPLACED = frozenset({"text", "language", "speaker", "alignment", "alignment_kind", "phonemes", "words", "path"})


class Grids:
    """The places of TextGrids: beside the recordings, or below a folder.

    Args:
        folder: Without one, beside each recording.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._taken: set[Path] = set()

    def place(self, recording: ListedRecording) -> Path:
        """The TextGrid of a recording: `talk.TextGrid` for `talk.wav`, `talk.12.5-15.TextGrid` for a part of it.

        Raises:
            InvalidArgument: It lies in no file, and no folder was given.
        """
        path = recording.path
        in_file = path is not None and not path.startswith("demo:")
        if not in_file and self._folder is None:
            raise InvalidArgument(
                f"{recording.name} is not a file, so its TextGrid has no folder: name one with --out",
                "invalid_argument",
            )
        stem = Path(text_path(path or recording.name)).stem if in_file else recording.name.removeprefix("demo:")
        if recording.span is not None:
            start, end = recording.span
            stem += f".{start:g}-" + ("" if end is None else f"{end:g}")
        folder = Path(text_path(path or "")).parent if self._folder is None else self._folder / _below(recording.name)
        found, number = folder / f"{stem}.TextGrid", 1
        while found in self._taken:
            number += 1
            found = folder / f"{stem}-{number}.TextGrid"
        self._taken.add(found)
        return found


def _below(name: str) -> Path:
    """The folder that a data set's own name of a recording has: none of an absolute one, and none that leads out."""
    folder = Path(text_path(name)).parent
    return Path() if folder.is_absolute() or ".." in folder.parts else folder


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def manifest_row(
    recording: ListedRecording, grid: Path, manifest: Path, found: Alignment | None, labels: Mapping[str, str]
) -> str:
    """A line of a manifest: the recording with its text, its alignment, and every label that it had before.

    Args:
        found: None where the TextGrid was there already, and nothing is known of how it was made.
    """
    row: dict[str, object] = {"path": _relative(Path(text_path(recording.path or "")), manifest)}
    if recording.span is not None:
        row["start"] = recording.span[0]
        if recording.span[1] is not None:
            row["end"] = recording.span[1]
    text = found.text if found is not None else labels.get("text")
    language = found.language if found is not None else labels.get("language")
    for key, value in (("text", text), ("language", language), ("speaker", labels.get("speaker"))):
        if value:
            row[key] = value
    row["alignment"] = _relative(grid, manifest)
    row["alignment_kind"] = found.kind if found is not None else "found"
    if found is not None:
        row |= {f"words_{one}": found.count(one) for one in ("forced", "guessed", "coarse") if found.count(one)}
    row |= {key: value for key, value in labels.items() if key not in _REPLACED and key not in row}
    return json.dumps(row, ensure_ascii=False)


def _relative(path: Path, manifest: Path) -> str:
    """Relative to the manifest where it lies below its folder, absolute elsewhere."""
    whole, folder = Path(os.path.abspath(path)), Path(os.path.abspath(manifest)).parent
    return path_text(str(whole.relative_to(folder) if whole.is_relative_to(folder) else whole))
