"""Runs of plugins: their results as they come, their recordings, how they were made, and their states."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Union

from . import _pandas
from ._audio import Audio, set_recordings
from ._messages import enum_number, enum_word, present, v1
from ._wire import Connection
from .errors import DataLoss, InvalidArgument
from .interventions import Interventions
from .interventions import interventions as intervention_messages
from .models import Model, Precision, model_ref
from .padding import Padding, padding_number, padding_word
from .permissions import Permissions, permissions_message
from .plugins import PluginLog, PluginResult, RecordingNotice, SkippedRecording, argument_messages, result
from .streams import Stream
from .traces import Context

#: The i-th of n parts of the recordings, counted from 0: those whose number, modulo n, is i.
Shard = tuple[int, int]
#: Where a state goes: a file, or True to have it sent back, as `PluginRun.state`.
StateTarget = Union[str, "os.PathLike[str]", bool, None]


class ScanOptions(TypedDict, total=False):
    """What any run of a plugin takes, a scan into an atlas too."""

    #: The plugin's, by their names.
    arguments: Union[Mapping[str, object], None]
    model: Model
    vocabulary: Union[str, "os.PathLike[str]"]
    precision: Precision
    #: How much of a window the encoder hears: ``"full"``, the default, or ``"auto"``.
    context: Context
    #: Plugin processes at a time.
    workers: int
    #: Of random numbers.
    seed: int
    #: Whether to end at a recording that cannot be read, rather than to leave it out.
    stop_at_broken: bool
    #: What the plugin may do beside reading what its arguments name.
    permissions: Union[Permissions, None]


class RunOptions(ScanOptions, total=False):
    """How a plugin runs over recordings."""

    #: ``(i, n)``: the i-th of n parts of the recordings, counted from 0.
    shard: Union[Shard, None]
    #: A file for the state after the last recording, or True to have it in `PluginRun.state`: for `Client.merge`.
    state: StateTarget
    #: A file that the state is kept in meanwhile, and that the run goes on from.
    checkpoint: Union[str, "os.PathLike[str]", None]
    interventions: Interventions
    #: What fills the last window: zeros behind the samples (``"sound"``, the default), or behind the log-mel of the whole
    #: recording (``"mel"``).
    padding: Union[Padding, None]


@dataclass(frozen=True)
class Provenance:
    """How a result was made."""

    #: The version of auscult.
    version: str
    model: str
    model_sha256: str
    precision: Precision
    context: Context
    padding: Padding | None
    #: In their text form; none where nothing was changed.
    interventions: tuple[str, ...]
    #: Recordings, of this run or shard.
    recordings: int
    #: Of the list of all recordings, with what is known about them.
    recordings_sha256: str
    shard: Shard | None
    plugin: str
    plugin_version: str
    #: All of the plugin's parameters.
    arguments: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class RunRecording:
    """A recording that a plugin has heard."""

    #: From 0; the same in every shard.
    number: int
    name: str
    #: The file, or ``"demo:NAME"``; None for samples that came with the request.
    path: str | None
    #: The part that was meant, in seconds; None for all of it, or up to its end.
    span: tuple[float, float | None] | None
    #: Of the bytes of the file, whatever part of it was meant.
    sha256: str
    #: Seconds that were heard.
    duration: float
    #: Columns with a value.
    labels: Mapping[str, str]


@dataclass(frozen=True)
class RunEnd:
    """How a run ended."""

    recordings: int
    results: int
    skipped: int
    #: In all, in the engine, and in the plugin.
    seconds: float
    engine_seconds: float
    plugin_seconds: float


class PluginRun(Stream[PluginResult]):
    """The results of a plugin, as they come. What is told beside them is in the attributes, as far as it has come.

    Attributes:
        log: What the plugin has said.
        provenance: How the results are made; there before the first.
        recordings: Those that were heard.
        skipped: Those that were left out.
        notices: What there is to know about those that were heard.
        state: The state as bytes, for `Client.merge`; None where it was not asked for, or has not come.
        end: Counts and times; None before the end.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._log: list[PluginLog] = []
        self._recordings: list[RunRecording] = []
        self._skipped: list[SkippedRecording] = []
        self._notices: list[RecordingNotice] = []
        self._open: Any = None
        self._state: bytearray | None = None
        self.provenance: Provenance | None = None
        self.end: RunEnd | None = None
        super().__init__(*arguments, **options)

    @property
    def log(self) -> tuple[PluginLog, ...]:
        return tuple(self._log)

    @property
    def recordings(self) -> tuple[RunRecording, ...]:
        return tuple(self._recordings)

    @property
    def skipped(self) -> tuple[SkippedRecording, ...]:
        return tuple(self._skipped)

    @property
    def notices(self) -> tuple[RecordingNotice, ...]:
        return tuple(self._notices)

    @property
    def state(self) -> bytes | None:
        return None if self._state is None or self.end is None else bytes(self._state)

    def wait(self) -> tuple[PluginResult, ...]:
        """Reads to the end: all results that had not been read."""
        with self:
            return tuple(self)

    def to_pandas(self) -> Mapping[str, Any]:
        """Reads to the end: a data frame for each output, of all recordings' results that had not been read. Needs pandas."""
        return _pandas.results(self.wait())

    def _take(self, kind: str, message: Any) -> PluginResult | None:
        if kind in ("result", "chunk"):
            return self._piece(kind, message)
        if kind == "log":
            self._log.append(PluginLog(message.log.level, message.log.message))
        elif kind == "provenance":
            self.provenance = provenance(message.provenance)
        elif kind == "recording":
            self._recordings.append(recording(message.recording))
        elif kind == "skipped":
            self._skipped.append(SkippedRecording(message.skipped.file, message.skipped.reason))
        elif kind == "notice":
            notice = message.notice
            self._notices.append(RecordingNotice(notice.file, notice.notice.code, notice.notice.text))
        elif kind == "state":
            self._state = self._state or bytearray()
            self._state += message.state.data
        elif kind == "end":
            if self._open is not None:
                raise DataLoss("the run ended before all of a result had come")
            self.end = RunEnd(*(getattr(message.end, name) for name in RunEnd.__dataclass_fields__))
        return None

    def _piece(self, kind: str, message: Any) -> PluginResult | None:
        """A result that is whole with this message; large ones come in several."""
        if kind == "result":
            if self._open is not None:
                raise DataLoss("a result began before all of the one before had come")
            if not message.result.continues:
                return result(message.result)
            self._open = _Open(message.result)
            return None
        if self._open is None:
            raise DataLoss("a piece came that belongs to no result")
        self._open.add(message.chunk)
        if not message.chunk.last:
            return None
        whole, self._open = self._open.whole(), None
        return result(whole)


class _Open:
    """A result whose value is coming."""

    def __init__(self, head: Any) -> None:
        self._message = head
        self._data = bytearray()
        self._text: list[str] = []

    def add(self, chunk: Any) -> None:
        self._data += chunk.data
        self._text.append(chunk.text)
        self._message.table.rows.extend(chunk.rows) if chunk.rows else None
        self._message.events.events.extend(chunk.events) if chunk.events else None

    def whole(self) -> Any:
        kind = self._message.WhichOneof("value")
        if kind == "array":
            self._message.array.tensor.data = bytes(self._data)
        elif kind == "audio":
            self._message.audio.samples = bytes(self._data)
        elif kind == "text":
            self._message.text = "".join(self._text)
        return self._message


def run_request(
    plugin: str,
    data: Audio | Sequence[Audio],
    connection: Connection | None,
    timeout: float | None,
    options: RunOptions,
) -> Any:
    """A RunPluginRequest; everything is checked before sound is uploaded on `connection`."""
    check_options(options, RunOptions, "a run")
    checkpoint, arguments = options.get("checkpoint"), options.get("arguments") or {}
    request = v1.RunPluginRequest(
        plugin_id=plugin,
        model=model_ref(options.get("model", ""), options.get("vocabulary", ""), options.get("precision", "exact")),
        arguments=argument_messages(arguments),
        interventions=intervention_messages(options.get("interventions", ())),
        checkpoint="" if checkpoint is None else os.fspath(checkpoint),
        workers=options.get("workers", 1),
        seed=options.get("seed", 0),
        stop_at_broken=options.get("stop_at_broken", False),
        context=enum_number("EncoderContext", options.get("context", "full")),
        padding=padding_number(options.get("padding")),
        permissions=permissions_message(options.get("permissions")),
    )
    if (shard := options.get("shard")) is not None:
        index, count = shard
        if not 0 <= index < count:
            raise InvalidArgument(f"shard {index} of {count}: expected 0 to {max(count, 1) - 1}", "invalid_argument")
        request.shard.index, request.shard.count = index, count
    set_state(request, options.get("state"))
    set_recordings(request, data, connection, timeout)
    return request


def check_options(options: Mapping[str, object], known: Any, what: str) -> None:
    """Raises a TypeError for an option that `known`, a TypedDict, does not have."""
    for name in sorted(options.keys() - known.__annotations__.keys()):
        raise TypeError(f"{what} has no option {name!r}; it has {', '.join(sorted(known.__annotations__))}")


def set_state(request: Any, state: StateTarget) -> None:
    if state is True:
        request.return_state = True
    elif state:
        request.state_file = os.fspath(state)


def provenance(message: Any) -> Provenance:
    shard = present(message.recordings, "shard")
    return Provenance(
        version=message.version,
        model=message.model,
        model_sha256=message.model_sha256,
        precision=enum_word("ModelRef.Precision", message.precision),
        context=enum_word("EncoderContext", message.context),
        padding=padding_word(message),
        interventions=tuple(message.interventions),
        recordings=message.recordings.count,
        recordings_sha256=message.recordings.sha256,
        shard=None if shard is None else (shard.index, shard.count),
        plugin=message.plugin.id,
        plugin_version=message.plugin.version,
        arguments={one.id: one.value for one in message.plugin.arguments},
        seed=message.plugin.seed,
    )


def recording(message: Any) -> RunRecording:
    source, span = message.WhichOneof("source"), present(message, "span")
    path = None if source is None else message.path if source == "path" else "demo:" + message.clip
    return RunRecording(
        number=message.number,
        name=message.name,
        path=path,
        span=None if span is None else (span.start, present(span, "end")),
        sha256=message.sha256,
        duration=message.duration,
        labels={one.column: one.value for one in message.labels},
    )
