"""One recording of a source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidArgument

#: A label: text or a number. ``text``, ``language`` and ``speaker`` are what a manifest means by them.
Label = Union[str, int, float]

# Other tools' names of what manifests call text, language and speaker; the first that is there counts.
_COLUMNS = {
    "text": ("text", "sentence", "transcription", "transcript"),
    "language": ("language", "locale", "lang"),
    "speaker": ("speaker", "client_id", "speaker_id"),
}


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording with what is known about it."""

    #: What results call it; one of a source is not another's.
    id: str
    #: The bytes of a sound file, its path, or samples of shape ``(samples,)`` at `sample_rate`.
    audio: Union[bytes, str, NDArray[Any]]
    #: Of samples only.
    sample_rate: int = 16000
    #: The part that is meant, in seconds; None for all of it, an end of None for its end.
    span: tuple[float, float | None] | None = None
    labels: Mapping[str, Label] = field(default_factory=dict)


def labels(columns: Mapping[str, Any]) -> dict[str, Label]:
    """The columns that are labels: texts and numbers, under the names of manifests where there are some."""
    plain = {str(key): _plain(value) for key, value in columns.items()}
    found: dict[str, Label] = {key: value for key, value in plain.items() if value is not None}
    for name, others in _COLUMNS.items():
        for other in others:
            if other in found and name not in found:
                found[name] = found.pop(other)
    return found


def _plain(value: Any) -> Label | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float)) else None


def of_value(id: str, value: Any, columns: Mapping[str, Any]) -> Recording:
    """A recording of a cell: bytes, a path, or Hugging Face's ``{"bytes", "path"}`` or ``{"array", "sampling_rate"}``.

    Raises:
        InvalidArgument: It is none of them.
    """
    known = labels(columns)
    if isinstance(value, Mapping):
        if value.get("bytes"):
            return Recording(id, bytes(value["bytes"]), labels=known)
        if value.get("array") is not None:
            array = np.asarray(value["array"])
            return Recording(id, array, int(value.get("sampling_rate") or 16000), labels=known)
        value = value.get("path")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Recording(id, bytes(value), labels=known)
    if isinstance(value, (str, os.PathLike)):
        return Recording(id, os.fsdecode(value), labels=known)
    raise InvalidArgument(
        f"{id}: expected a sound's bytes, path or samples, not {type(value).__name__}", "invalid_argument"
    )
