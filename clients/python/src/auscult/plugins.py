"""Analyses: what there are, what they take, and the typed results that they give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

import numpy as np
from numpy.typing import NDArray

from . import _html, _pandas, _plots, _tensors
from ._messages import enum_word, present, v1
from .errors import DataLoss

ResultKind = Literal["scalar", "vector", "matrix", "table", "timed_events", "audio_clip", "text"]
PlotHint = Literal["plot_hint_unspecified", "no_plot", "bar", "heat_map", "line", "spectrogram_overlay", "player"]


@dataclass(frozen=True)
class PluginListing:
    """A plugin that the daemon has found."""

    #: Reverse DNS: ``"org.example.attention-stats"``.
    id: str
    name: str
    version: str
    vendor: str
    licence: str
    #: The bundle's folder.
    path: str
    #: Why it cannot be used; empty where it can.
    problem: str


@dataclass(frozen=True)
class PluginParameter:
    """Something that can be set."""

    id: str
    #: ``"integer"``, ``"number"``, ``"string"``, ``"boolean"``, ``"choice"``, ``"path"``.
    kind: str
    default: str
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class ResultAxis:
    """An axis of a vector or matrix."""

    name: str
    unit: str
    #: One for each position, or none.
    labels: tuple[str, ...]
    #: Without labels: the value of position i is first + i × step.
    first: float
    step: float


@dataclass(frozen=True)
class PluginOutput:
    """A declared result."""

    id: str
    title: str
    unit: str
    kind: ResultKind
    axes: tuple[ResultAxis, ...]
    plot: PlotHint
    description: str


@dataclass(frozen=True)
class PluginDescription:
    """What a plugin needs, takes and gives."""

    listing: PluginListing
    description: str
    #: Globs of the hook points that it reads.
    hooks: tuple[str, ...]
    #: Whether it needs gradients, and of which objective.
    gradients: bool
    objective: str
    parameters: tuple[PluginParameter, ...]
    outputs: tuple[PluginOutput, ...]
    #: Whether it can hear sound that is still being made (``plugins`` of `Client.live`).
    can_stream: bool = False


@dataclass(frozen=True, eq=False)
class LabelledArray:
    """A vector or matrix; axes are those declared where there are none."""

    array: NDArray[Any]
    axes: tuple[ResultAxis, ...]

    def to_pandas(self) -> Any:
        """A series or a data frame, labelled as the axes are. Needs pandas."""
        return _pandas.labelled(self)

    def plot(self, *, ax: Any = None) -> Any:
        """A line, bars or a heat map, on matplotlib's axes `ax` or new ones, which are returned."""
        return _plots.labelled(self, ax)


@dataclass(frozen=True)
class Table:
    """Rows of numbers and text, a cell for each column; None for an empty cell."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Union[float, str, None], ...], ...]

    def to_pandas(self) -> Any:
        """A data frame. Needs pandas."""
        return _pandas.table(self)

    def plot(self, x: str | None = None, y: str | None = None, *, ax: Any = None) -> Any:
        """A column over another, or over the rows, on matplotlib's axes `ax` or new ones, which are returned.

        Args:
            y: The last column of numbers without.
        """
        return _plots.table(self, x, y, ax)

    def _repr_html_(self) -> str:
        return _html.table(self)


@dataclass(frozen=True)
class TimedEvent:
    """Something with a time, in seconds, half open."""

    start: float
    end: float
    label: str
    value: float


@dataclass(frozen=True, eq=False)
class AudioClip:
    """Mono sound; float32 samples of shape ``(samples,)``, read-only."""

    sample_rate: int
    samples: NDArray[np.float32]

    def plot(self, *, ax: Any = None) -> Any:
        """The samples over time, on matplotlib's axes `ax` or new ones, which are returned."""
        return _plots.clip(self, ax)

    def _repr_html_(self) -> str:
        return _html.clip(self)


@dataclass(frozen=True)
class PluginLog:
    """Something that a plugin says."""

    level: str
    message: str


@dataclass(frozen=True)
class RecordingNotice:
    """Something about a recording that was heard, or about a data set."""

    #: As the data set names it, or the data set's own file.
    file: str
    code: str
    text: str


@dataclass(frozen=True)
class SkippedRecording:
    """A recording that was left out."""

    file: str
    reason: str


@dataclass(frozen=True, eq=False)
class PluginResult:
    """A value of a declared output."""

    output_id: str
    #: The recording that it is about; empty where it is about all of them.
    file: str
    value: Union[float, str, LabelledArray, Table, tuple[TimedEvent, ...], AudioClip]

    def to_pandas(self) -> Any:
        """The value as a data frame or a series. Needs pandas."""
        return _pandas.result(self)

    def plot(self, *, ax: Any = None) -> Any:
        """The value as a figure, on matplotlib's axes `ax` or new ones, which are returned."""
        return _plots.result(self, ax)

    def _repr_html_(self) -> str | None:
        show = getattr(self.value, "_repr_html_", None)
        return None if show is None else str(show())


def listing(message: Any) -> PluginListing:
    return PluginListing(*(getattr(message, name) for name in PluginListing.__dataclass_fields__))


def description(message: Any) -> PluginDescription:
    return PluginDescription(
        listing=listing(message.listing),
        description=message.description,
        hooks=tuple(message.needs.hooks),
        gradients=message.needs.gradients,
        objective=message.needs.objective,
        parameters=tuple(_parameter(one) for one in message.parameters),
        outputs=tuple(_output(one) for one in message.outputs),
        can_stream=message.needs.can_stream,
    )


def argument_messages(arguments: Mapping[str, object]) -> list[Any]:
    def text(value: object) -> str:
        return str(value).lower() if isinstance(value, bool) else str(value)

    return [v1.PluginArgument(id=key, value=text(value)) for key, value in arguments.items()]


def _parameter(message: Any) -> PluginParameter:
    return PluginParameter(
        id=message.id,
        kind=message.kind,
        default=message.default,
        minimum=present(message, "minimum"),
        maximum=present(message, "maximum"),
        choices=tuple(message.choices),
        description=message.description,
    )


def _output(message: Any) -> PluginOutput:
    return PluginOutput(
        id=message.id,
        title=message.title,
        unit=message.unit,
        kind=enum_word("ResultKind", message.kind),
        axes=_axes(message.axes),
        plot=enum_word("PlotHint", message.plot),
        description=message.description,
    )


def _axes(messages: Any) -> tuple[ResultAxis, ...]:
    return tuple(ResultAxis(one.name, one.unit, tuple(one.labels), one.first, one.step) for one in messages)


def result(message: Any) -> PluginResult:
    kind = message.WhichOneof("value")
    value: Any = None if kind is None else _VALUES.get(kind, lambda same: same)(getattr(message, kind))
    if value is None:
        raise DataLoss(f"the result {message.output_id} has no value of a kind that this client knows")
    return PluginResult(message.output_id, message.file, value)


def _array(message: Any) -> LabelledArray:
    return LabelledArray(_tensors.by_value(message.tensor), _axes(message.axes))


def _table(message: Any) -> Table:
    def cell(one: Any) -> float | str | None:
        kind = one.WhichOneof("value")
        value: float | str | None = None if kind is None else getattr(one, kind)
        return value

    return Table(tuple(message.columns), tuple(tuple(cell(one) for one in row.cells) for row in message.rows))


def _events(message: Any) -> tuple[TimedEvent, ...]:
    return tuple(TimedEvent(one.start, one.end, one.label, one.value) for one in message.events)


def _clip(message: Any) -> AudioClip:
    if len(message.samples) % 4:
        raise DataLoss(f"a clip of float32 samples has {len(message.samples)} bytes")
    return AudioClip(message.sample_rate, np.frombuffer(message.samples, "<f4"))


_VALUES = {"array": _array, "table": _table, "events": _events, "audio": _clip}
