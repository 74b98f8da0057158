"""Results as data frames. pandas is imported when one is asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _windows
from ._optional import needed

if TYPE_CHECKING:
    from .atlas import AtlasRow
    from .plugins import LabelledArray, PluginResult, ResultAxis, Table, TimedEvent
    from .traces import Trace
    from .transcripts import Segment


def records(rows: Iterable[Any], kind: type) -> Any:
    """A row for each dataclass of `kind`, a column for each field."""
    names = [one.name for one in dataclasses.fields(kind)]
    return _frame([[getattr(row, name) for name in names] for row in rows], names)


def trace(trace: Trace, name: str | None) -> Any:
    pandas = needed("pandas", "to_pandas()")
    if name is None:
        from .traces import TensorInfo

        return records(trace.info.values(), TensorInfo).set_index("name")
    info, array = trace.describe(name), trace[name]
    axis = _windows.position_axis(info.axes)
    if axis is None:
        axis = info.axes.index("window") if "window" in info.axes else None
    if axis is None:
        index = pandas.MultiIndex.from_product([range(n) for n in info.shape], names=info.axes)
        return pandas.Series(array.reshape(-1), index=index, name=name)
    if info.first_frame is None or info.axes[axis] == "window":
        first = 1 if info.axes[axis] == "window" else info.first_token or 0
        index = pandas.RangeIndex(first, first + info.shape[axis], name=info.axes[axis])
    else:
        index = pandas.Index(trace.times(name), name="seconds")
    rest = [i for i in range(array.ndim) if i != axis]
    flat = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    if len(rest) == 1:
        columns = pandas.RangeIndex(info.shape[rest[0]], name=info.axes[rest[0]])
    else:
        columns = pandas.MultiIndex.from_product(
            [range(info.shape[i]) for i in rest], names=[info.axes[i] for i in rest]
        )
    return pandas.DataFrame(flat, index=index, columns=columns)


def transcript(segments: Sequence[Segment], words: bool) -> Any:
    from .transcripts import Segment, Word

    if not words:
        return records(segments, Segment).drop(columns="words")
    rows = [(one.id, *dataclasses.astuple(word)) for one in segments for word in one.words or ()]
    return _frame(rows, ["segment", *(one.name for one in dataclasses.fields(Word))])


def table(table: Table) -> Any:
    return _frame(table.rows, list(table.columns))


def labelled(value: LabelledArray) -> Any:
    pandas = needed("pandas", "to_pandas()")
    indices = [_axis_index(value.axes, i, size) for i, size in enumerate(value.array.shape)]
    if value.array.ndim == 1:
        return pandas.Series(value.array, index=indices[0])
    if value.array.ndim == 2:
        return pandas.DataFrame(value.array, index=indices[0], columns=indices[1])
    return pandas.Series(value.array.reshape(-1), index=pandas.MultiIndex.from_product(indices))


def _axis_index(axes: Sequence[ResultAxis], number: int, size: int) -> Any:
    pandas = needed("pandas", "to_pandas()")
    if number >= len(axes):
        return pandas.RangeIndex(size)
    axis = axes[number]
    values = list(axis.labels) if len(axis.labels) == size else axis.first + axis.step * np.arange(size)
    return pandas.Index(values, name=f"{axis.name} ({axis.unit})" if axis.unit else axis.name or None)


def events(events: Sequence[TimedEvent]) -> Any:
    from .plugins import TimedEvent

    return records(events, TimedEvent)


def result(one: PluginResult) -> Any:
    """The value; a single number or text is a frame of one cell."""
    value: Any = one.value
    if hasattr(value, "to_pandas"):
        return value.to_pandas()
    if isinstance(value, tuple):
        return events(value)
    if hasattr(value, "samples"):
        pandas = needed("pandas", "to_pandas()")
        index = pandas.Index(np.arange(len(value.samples)) / value.sample_rate, name="seconds")
        return pandas.Series(value.samples, index=index)
    return _frame([[value]], [one.output_id])


def results(all_results: Iterable[PluginResult]) -> Mapping[str, Any]:
    """By output: the results of all recordings under one another, with a first column ``file`` where they have one."""
    pandas = needed("pandas", "to_pandas()")
    parts: dict[str, list[Any]] = {}
    for one in all_results:
        frame = one.to_pandas()
        if isinstance(frame, pandas.Series):
            frame = frame.rename("value").to_frame()
        if one.file:
            frame.insert(0, "file", one.file)
        parts.setdefault(one.output_id, []).append(frame)
    # Numbers of rows mean nothing across recordings; labels and times do.
    return {
        name: pandas.concat(frames, ignore_index=all(isinstance(f.index, pandas.RangeIndex) for f in frames))
        for name, frames in parts.items()
    }


def atlas(rows: Sequence[AtlasRow]) -> Any:
    """A row for each feature, with the label that it is listed with."""
    from .atlas import AtlasFeature, AtlasLabel

    features = [one.name for one in dataclasses.fields(AtlasFeature)]
    labels = [one.name for one in dataclasses.fields(AtlasLabel)]
    cells = [
        [getattr(row.feature, name) for name in features]
        + [None if row.label is None else getattr(row.label, name) for name in labels]
        for row in rows
    ]
    return _frame(cells, features + labels)


def _frame(rows: Any, columns: list[str]) -> Any:
    return needed("pandas", "to_pandas()").DataFrame([list(row) for row in rows], columns=columns)
