"""Results as figures. matplotlib is imported when one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _colours, _windows
from ._optional import needed
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .atlas import AtlasExample
    from .plugins import AudioClip, LabelledArray, PluginResult, ResultAxis, Table, TimedEvent
    from .traces import Trace


def axes(ax: Any) -> Any:
    """These axes, or those of a new figure."""
    if ax is not None:
        return ax
    return needed("matplotlib.pyplot", "plot()").subplots(layout="constrained")[1]


def colour_map() -> Any:
    return needed("matplotlib.colors", "plot()").ListedColormap(_colours.table() / 255, name="auscult")


def trace(trace: Trace, name: str, head: int | None, ax: Any) -> Any:
    info = trace.describe(name)
    array: Any = np.asarray(trace[name], np.float64)
    names = list(info.axes)
    if "head" in names:
        axis = names.index("head")
        if head is not None and not 0 <= head < info.shape[axis]:
            raise InvalidArgument(f"{name} has heads 0 to {info.shape[axis] - 1}, and no head {head}", "invalid_argument")
        array = array.mean(axis) if head is None else array.take(head, axis)
        del names[axis]
    elif head is not None:
        raise InvalidArgument(f"{name} has no heads: its axes are {', '.join(info.axes)}", "invalid_argument")
    ax = axes(ax)
    where = _windows.position_axis(names)
    if array.ndim == 1:
        ax.plot(array)
        ax.set_xlabel(names[0])
    elif array.ndim == 2:
        if where is None:
            where = 0
        picture = array if where == 1 else array.T
        bounds = None
        if info.first_frame is not None and info.frames_per_second and names[where] != "window":
            times = trace.times(name)
            end = times[-1] + 1 / info.frames_per_second if len(times) else 0.0
            bounds = (times[0] if len(times) else 0.0, end, -0.5, picture.shape[0] - 0.5)
        image = ax.imshow(
            picture, aspect="auto", origin="lower", interpolation="nearest", cmap=colour_map(), extent=bounds
        )
        ax.figure.colorbar(image, ax=ax)
        ax.set_xlabel("seconds" if bounds else names[where])
        ax.set_ylabel(names[1 - where])
    else:
        raise InvalidArgument(f"{name} has {array.ndim} axes beside heads; a picture has two", "invalid_argument")
    ax.set_title(name if head is None else f"{name}, head {head}")
    return ax


def labelled(value: LabelledArray, ax: Any) -> Any:
    if value.array.ndim not in (1, 2):
        raise InvalidArgument(f"an array of {value.array.ndim} axes has no picture", "invalid_argument")
    ax, array = axes(ax), np.asarray(value.array, np.float64)
    if array.ndim == 1:
        _line(ax, array, value.axes[0] if value.axes else None)
    else:
        image = ax.imshow(array, aspect="auto", interpolation="nearest", cmap=colour_map())
        ax.figure.colorbar(image, ax=ax)
        for number, (label, ticks) in enumerate(((ax.set_ylabel, ax.set_yticks), (ax.set_xlabel, ax.set_xticks))):
            if number < len(value.axes):
                one = value.axes[number]
                label(_unit(one))
                if one.labels and len(one.labels) <= 40:
                    ticks(range(len(one.labels)), one.labels)
    return ax


def _line(ax: Any, values: Any, axis: ResultAxis | None) -> None:
    if axis is not None and axis.labels:
        ax.bar(range(len(values)), values)
        if len(axis.labels) <= 40:
            ax.set_xticks(range(len(axis.labels)), axis.labels, rotation=90 if len(axis.labels) > 8 else 0)
    elif axis is not None and axis.step:
        ax.plot(axis.first + axis.step * np.arange(len(values)), values)
    else:
        ax.plot(values)
    if axis is not None:
        ax.set_xlabel(_unit(axis))


def _unit(axis: ResultAxis) -> str:
    return f"{axis.name} ({axis.unit})" if axis.unit else axis.name


def table(value: Table, x: str | None, y: str | None, ax: Any) -> Any:
    """One column of numbers over another, or over its rows."""
    numbers = [
        name for i, name in enumerate(value.columns)
        if value.rows and all(isinstance(row[i], (int, float)) or row[i] is None for row in value.rows)
    ]  # fmt: skip
    for wanted in (x, y):
        if wanted is not None and wanted not in value.columns:
            raise InvalidArgument(f"there is no column {wanted!r}; there are {', '.join(value.columns)}", "invalid_argument")
    if y is None:
        if not numbers:
            raise InvalidArgument(f"no column has numbers alone: {', '.join(value.columns)}", "invalid_argument")
        y = numbers[-1]
    ax = axes(ax)
    heights = [np.nan if cell is None else cell for cell in _column(value, y)]
    if x is None or x in numbers:
        ax.plot(range(len(heights)) if x is None else _column(value, x), heights, ".")
    else:
        ax.bar([str(one) for one in _column(value, x)], heights)
    ax.set_xlabel(x or "row")
    ax.set_ylabel(y)
    return ax


def _column(value: Table, name: str) -> list[Any]:
    place = value.columns.index(name)
    return [row[place] for row in value.rows]


def events(value: tuple[TimedEvent, ...], ax: Any) -> Any:
    ax = axes(ax)
    for one in value:
        ax.axvspan(one.start, one.end, alpha=0.3)
        ax.text(one.start, 0.5, one.label, rotation=90, va="center")
    if value:
        ax.set_xlim(min(one.start for one in value), max(one.end for one in value))
    ax.set_xlabel("seconds")
    ax.set_yticks([])
    return ax


def clip(value: AudioClip, ax: Any) -> Any:
    ax = axes(ax)
    ax.plot(np.arange(len(value.samples)) / value.sample_rate, value.samples, linewidth=0.5)
    ax.set_xlabel("seconds")
    return ax


def result(one: PluginResult, ax: Any) -> Any:
    value: Any = one.value
    if isinstance(value, tuple):
        found = events(value, ax)
    elif hasattr(value, "plot"):
        found = value.plot(ax=ax)
    else:
        raise InvalidArgument(f"{one.output_id} is a {type(value).__name__} and has no picture", "invalid_argument")
    found.set_title(f"{one.output_id}: {one.file}" if one.file else one.output_id)
    return found


def example(one: AtlasExample, ax: Any) -> Any:
    if not len(one.activation):
        raise InvalidArgument(f"the atlas kept no curve of example {one.side}{one.rank}", "invalid_argument")
    ax = axes(ax)
    ax.plot(one.curve_first + np.arange(len(one.activation)), one.activation)
    ax.axvline(one.frame, linestyle=":")
    ax.set_xlabel("frame")
    ax.set_title(f"{one.recording}: {one.heard}")
    return ax
