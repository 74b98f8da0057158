"""Results as Parquet, a file for each output."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .. import _pandas
from .._optional import needed
from ..plugins import PluginResult


def write_results(results: Iterable[PluginResult], folder: str | os.PathLike[str]) -> list[Path]:
    """Writes results to ``FOLDER/OUTPUT.parquet``, of all recordings under one another; each file appears when it is whole.

    Args:
        results: A run (`Client.run`, `Client.merge`, `auscult.data.run`), which is read to its end, or results.

    Returns:
        The files, in the order of the outputs.
    """
    parquet: Any = needed("pyarrow.parquet", "write_results()")
    arrow: Any = needed("pyarrow", "write_results()")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, frame in _pandas.results(results).items():
        frame.columns = [" ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in frame.columns]
        path = place / f"{name}.parquet"
        pending = place / f".{name}.parquet.new"
        parquet.write_table(arrow.Table.from_pandas(frame), pending)
        pending.replace(path)
        written.append(path)
    return written
