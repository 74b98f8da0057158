"""Tables with sound in them: Parquet files, Hugging Face's data sets, rows of any kind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .._optional import needed
from ..errors import DataLoss, InvalidArgument
from ._recording import Recording, of_value

# Rows of a Parquet file that are in memory at a time.
_ROWS = 16
_USUAL = ("audio", "wav", "sound", "bytes", "path", "file")


def parquet(path: str, audio: str, id: str) -> Iterator[Recording]:
    """The rows of a Parquet file, or of those of a folder in the order of their names.

    Raises:
        DataLoss: It cannot be read as Parquet.
    """
    module: Any = needed("pyarrow.parquet", "Parquet")
    arrow: Any = needed("pyarrow", "Parquet")
    files = sorted(Path(path).glob("*.parquet")) if os.path.isdir(path) else [Path(path)]

    def all_rows() -> Iterator[Mapping[str, Any]]:
        for file in files:
            try:
                with module.ParquetFile(file) as table:
                    for batch in table.iter_batches(_ROWS):
                        yield from batch.to_pylist()
            except arrow.ArrowInvalid as fault:
                raise DataLoss(f"{file} cannot be read as Parquet: {fault}", "data_loss") from fault

    return rows(all_rows(), audio, id)


def is_hugging_face(source: Any) -> bool:
    return type(source).__module__.partition(".")[0] == "datasets" and hasattr(source, "features")


def hugging_face(source: Any, audio: str, id: str) -> Iterator[Recording]:
    """The rows of a ``datasets.Dataset`` or ``IterableDataset``: its sound stays encoded, and the daemon decodes it."""
    kinds = needed("datasets", "a Hugging Face data set")
    features = source.features or {}
    columns = [name for name, kind in features.items() if isinstance(kind, kinds.Audio)]
    if not audio and len(columns) > 1:
        raise InvalidArgument(f"there are several columns with sound: {', '.join(columns)}; choose one with audio=", "invalid_argument")
    audio = audio or (columns[0] if columns else "")
    for name in columns:
        source = source.cast_column(name, kinds.Audio(decode=False))
    return rows(source, audio, id)


def rows(source: Iterable[Any], audio: str, id: str) -> Iterator[Recording]:
    """Rows, mappings from column to value; what is a `Recording` already stays as it is."""
    for number, row in enumerate(source):
        if isinstance(row, Recording):
            yield row
            continue
        if not isinstance(row, Mapping):
            raise InvalidArgument(f"row {number}: expected a mapping of columns, not {type(row).__name__}", "invalid_argument")
        column = audio or next((name for name in _USUAL if name in row), "")
        if column not in row:
            raise InvalidArgument(
                f"row {number} has no column {column or 'with sound'!r}; it has {', '.join(map(str, row))}: choose one with audio=",
                "invalid_argument",
            )
        rest = {key: value for key, value in row.items() if key != column}
        yield of_value(_name(row, column, id, number), row[column], rest)


def _name(row: Mapping[str, Any], column: str, id: str, number: int) -> str:
    if id:
        if id not in row:
            raise InvalidArgument(f"row {number} has no column {id!r}; it has {', '.join(map(str, row))}", "invalid_argument")
        return str(row[id])
    for usual in ("id", "key", "__key__", "file_name", "path", "file"):
        if isinstance(row.get(usual), (str, int)):
            return str(row[usual])
    value = row[column]
    path = value.get("path") if isinstance(value, Mapping) else value
    return os.path.basename(path) if isinstance(path, str) and path else f"{number:08d}"
