"""Atlases: features of models with what excites them, each in one file that the daemon writes and reads."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, cast

import numpy as np
from numpy.typing import NDArray

from . import _html, _pandas, _plots
from ._messages import present, v1
from ._sound import Sound
from .runs import RunOptions, ScanOptions, check_options, run_request

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import Client
    from .jobs import JobInfo

AtlasSort = Literal["number", "density", "maximum", "label", "precision", "lift", "selectivity", "auc", "f1"]
#: The path of an atlas.
Atlas = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class AtlasScan:
    """One pass of a plugin over recordings."""

    id: int
    model: str
    model_sha256: str
    #: The places that were named, divided by spaces.
    data_set: str
    #: That were gone through, those that were left out too.
    recordings: int
    plugin: str
    plugin_version: str
    arguments: Mapping[str, str]
    seed: int
    #: Seconds since 1970-01-01T00:00:00Z.
    started: float
    finished: float
    #: How many features each hook point has, in the model's order.
    hooks: Mapping[str, int]
    #: Recordings that were left out, and why.
    problems: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class AtlasFeature:
    """A neuron, a direction, a dictionary's latent. What the atlas does not know is None."""

    id: int
    scan: int
    hook: str
    #: Its place at the hook point, from 0.
    number: int
    #: A direction's or a latent's; empty for a neuron.
    name: str
    #: Valid frames that were seen.
    frames: int
    mean: float | None
    variance: float | None
    minimum: float | None
    maximum: float | None
    #: The share of valid frames where it is above zero.
    density: float | None


@dataclass(frozen=True)
class AtlasLabel:
    """What a feature was found to say, scored on speakers that it was not named by."""

    #: ``"+"`` for the largest values, ``"-"`` for the smallest.
    side: str
    kind: str
    label: str
    threshold: float | None
    #: Frames by which the activation follows the sound.
    lag: int
    precision: float | None
    recall: float | None
    f1: float | None
    auc: float | None
    #: Bits.
    mutual_information: float | None
    selectivity: float | None
    p_value: float | None
    #: The precision of a feature that fires at random.
    base_rate: float | None
    #: The precision over that.
    lift: float | None
    #: Over all thresholds; its chance level is `base_rate`.
    average_precision: float | None = None
    #: The precision where the feature has found the same share of the label as every other.
    precision_at_recall: float | None = None
    #: The precision on the recordings that it was named by.
    named_precision: float | None = None
    #: Frames above the threshold, of the recordings that it was named by, and of those that it was scored by; 0 where they were not
    #: kept.
    named_frames: int = 0
    scored_frames: int = 0


@dataclass(frozen=True)
class AtlasRow:
    """A feature of a list, with the label that it is listed with."""

    feature: AtlasFeature
    label: AtlasLabel | None


@dataclass(frozen=True)
class AtlasPage:
    """A page of a list of features."""

    #: On all pages.
    total: int
    rows: tuple[AtlasRow, ...]

    def to_pandas(self) -> Any:
        """A data frame with a row for each feature and its label. Needs pandas."""
        return _pandas.atlas(self.rows)


@dataclass(frozen=True, eq=False)
class AtlasExample:
    """One of a feature's strongest moments."""

    side: str
    #: From 1.
    rank: int
    recording: str
    speaker: str
    #: An encoder frame from the recording's start, or a token's position.
    frame: int
    #: The frame's middle, from the beginning of the recording's file; None for a token.
    seconds: float | None
    value: float
    #: The phoneme, the word or the token of the moment.
    heard: str
    #: What is said in the recording, the moment's word between guillemets.
    text: str
    #: The activation around the moment, float32 of shape ``(frames,)``, from frame `curve_first`; empty where it was not
    #: kept.
    activation: NDArray[np.float32]
    curve_first: int

    def plot(self, *, ax: Any = None) -> Any:
        """The activation around the moment, on matplotlib's axes `ax` or new ones, which are returned."""
        return _plots.example(self, ax)


@dataclass(frozen=True)
class AtlasColumn:
    """A feature's statistics over the recordings where a column has a value. What was not kept is None, or no frames."""

    column: str
    value: str
    frames: int
    mean: float | None
    variance: float | None
    maximum: float | None
    density: float | None


@dataclass(frozen=True)
class AtlasBinExample:
    """A moment of a range of activations."""

    recording: str
    #: An encoder frame from the recording's start, or a token's position.
    frame: int
    #: The frame's middle, from the beginning of the recording's file; None for a token.
    seconds: float | None
    value: float
    #: The phonemes, or the token, of the moment.
    heard: tuple[str, ...]


@dataclass(frozen=True)
class AtlasBin:
    """A range of activations, with moments drawn evenly from it."""

    side: str
    #: ``"width"`` for equally wide ranges, ``"quantile"`` for equally full ones.
    kind: str
    #: 0 for the lowest.
    bin: int
    low: float | None
    high: float | None
    #: Frames.
    count: int
    #: How often each phoneme was heard while the activation was in the range, the most frequent first.
    sounds: Mapping[str, int]
    #: The strongest first.
    examples: tuple[AtlasBinExample, ...]


@dataclass(frozen=True)
class AtlasCard:
    """Everything about a feature."""

    feature: AtlasFeature
    labels: tuple[AtlasLabel, ...]
    #: By side and rank.
    examples: tuple[AtlasExample, ...]
    #: Cells ``(side, low, high, count)``: so many frames with values in [low, high).
    histogram: tuple[tuple[str, float, float, int], ...]
    #: By column and value.
    columns: tuple[AtlasColumn, ...] = ()
    #: By side, kind and number.
    bins: tuple[AtlasBin, ...] = ()

    def _repr_html_(self) -> str:
        return _html.card(self)


class Atlases:
    """The daemon's atlases, as `Client.atlas`. Paths begin in this process's folder."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(
        self,
        data: Sequence[Union[str, os.PathLike[str]]] | str | os.PathLike[str],
        out: Atlas,
        *,
        hooks: str | Sequence[str] = (),
        plugin: str = "",
        label: str = "",
        **options: Unpack[ScanOptions],
    ) -> JobInfo:
        """Starts a scan into the atlas `out` as a job, which goes on when this process has ended; see `build`.

        `Client.jobs` watches it, waits for it (its result is an `AtlasScan`), and cancels it.
        """
        check_options(options, ScanOptions, "a scan into an atlas")
        run = run_request(plugin, data, None, None, cast(RunOptions, options))
        path = os.fspath(out)
        request = v1.BuildAtlasRequest(path=path, hooks=[hooks] if isinstance(hooks, str) else list(hooks), run=run)
        return self._client.jobs._start(v1.StartJobRequest(label=label or f"atlas {path}", atlas=request))

    def build(
        self,
        data: Sequence[Union[str, os.PathLike[str]]] | str | os.PathLike[str],
        out: Atlas,
        *,
        hooks: str | Sequence[str] = (),
        plugin: str = "",
        label: str = "",
        timeout: float | None = None,
        **options: Unpack[ScanOptions],
    ) -> AtlasScan:
        """Scans features over recordings into the atlas `out`, which is made where it is not there yet.

        The daemon does it as a job, which goes on where this process ends. However it ends early, the same call goes on
        from the checkpoint beside the atlas.

        Args:
            data: Folders, manifests, ``"demo:"``, files, ``"demo:NAME"``.
            hooks: Hook points, names or globs; none for the plugin's own choice.
            plugin: Any that gives an atlas's tables; ``"features"`` without.
            label: The job's name, for people.
            timeout: Seconds to wait; the job goes on after that.
            options: ``arguments`` of the plugin, ``model``, ``vocabulary``, ``precision``, ``context``, ``workers``, ``seed``,
                ``stop_at_broken``, ``permissions``, as `ScanOptions` describes them.

        Raises:
            AuscultError: The scan failed; of an atlas that was made for it nothing stays.
        """
        job = self.start(data, out, hooks=hooks, plugin=plugin, label=label, **options)
        scan = self._client.jobs.wait(job, timeout=timeout)
        assert isinstance(scan, AtlasScan)
        return scan

    def scans(self, atlas: Atlas) -> tuple[AtlasScan, ...]:
        """The scans that are complete, the newest first."""
        answer = self._client._unary("auscult.v1.Atlas/Show", v1.AtlasRef(path=os.fspath(atlas)))
        return tuple(scan(one) for one in answer.scans)

    def search(
        self,
        atlas: Atlas,
        search: str = "",
        *,
        hook: str = "",
        scan: int = 0,
        label: str = "",
        kind: str = "",
        lift: float | None = None,
        sort: AtlasSort = "number",
        ascending: bool | None = None,
        page: int = 0,
        page_size: int = 50,
    ) -> AtlasPage:
        """Features, a page at a time.

        Args:
            search: Words, each of which must be in the name or the hook point, begin a label, or be the number.
            label: Only features with this label, which is then the one that they are listed with.
            kind: The kind of label that features are listed with: ``"phoneme"``, ``"word"``, …
            lift: Only features with a label of at least this lift.
            ascending: None for the largest first, but for numbers and labels.
        """
        request = v1.SearchAtlasRequest(
            path=os.fspath(atlas),
            search=search,
            hook=hook,
            scan=scan,
            label=label,
            kind=kind,
            sort=sort,
            page=page,
            page_size=page_size,
        )
        if lift is not None:
            request.lift = lift
        if ascending is not None:
            request.ascending = ascending
        answer = self._client._unary("auscult.v1.Atlas/Search", request)
        return AtlasPage(
            answer.total,
            tuple(_row(one) for one in answer.rows),
        )

    def card(self, atlas: Atlas, hook: str, feature: int | str, *, scan: int = 0) -> AtlasCard:
        """Everything about a feature, which is called by its number or its name, of the newest scan that has it."""
        answer = self._client._unary("auscult.v1.Atlas/Card", _ref(atlas, hook, feature, scan))
        return AtlasCard(
            feature=_feature(answer.feature),
            labels=tuple(_label(one) for one in answer.labels),
            examples=tuple(_example(one) for one in answer.examples),
            histogram=tuple((one.side, one.low, one.high, one.count) for one in answer.histogram),
            columns=tuple(AtlasColumn(**_fields(one, AtlasColumn)) for one in answer.columns),
            bins=tuple(_bin(one) for one in answer.bins),
        )

    def listen(
        self,
        atlas: Atlas,
        hook: str,
        feature: int | str,
        *,
        rank: int = 1,
        side: str = "+",
        scan: int = 0,
        around: float = 2.0,
        surroundings_db: float = -20.0,
        gain_db: float = 0.0,
        flac: bool = False,
    ) -> Sound:
        """A feature's moment of a rank as a sound file, 16 kHz mono: WAV, or FLAC. Its bytes; Jupyter shows a player.

        Args:
            side: ``"+"`` for the largest values, ``"-"`` for the smallest.
            around: Seconds to each side of the moment, up to 50.
            surroundings_db: The level of what is around the moment's 62.5 ms.
        """
        request = v1.ListenAtlasRequest(
            feature=_ref(atlas, hook, feature, scan),
            side=side,
            rank=rank,
            around=around,
            surroundings_db=surroundings_db,
            gain_db=gain_db,
            format=1 if flac else 0,
        )
        return Sound(self._client._unary("auscult.v1.Atlas/Listen", request).data)


def scan(message: Any) -> AtlasScan:
    return AtlasScan(
        id=message.id,
        model=message.model,
        model_sha256=message.model_sha256,
        data_set=message.data_set,
        recordings=message.recordings,
        plugin=message.plugin,
        plugin_version=message.plugin_version,
        arguments={one.id: one.value for one in message.arguments},
        seed=message.seed,
        started=message.started,
        finished=message.finished,
        hooks={one.hook: one.features for one in message.hooks},
        problems=tuple((one.file, one.reason) for one in message.problems),
    )


def _ref(atlas: Atlas, hook: str, feature: int | str, scan: int) -> Any:
    return v1.AtlasFeatureRef(path=os.fspath(atlas), hook=hook, feature=str(feature), scan=scan)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _fields(message: Any, kind: type[Any]) -> dict[str, Any]:
    """The fields of a data class by their names; numbers that are not known are None."""
    values = {name: getattr(message, name) for name in kind.__dataclass_fields__}
    return {name: _known(it) if isinstance(it, float) else it for name, it in values.items()}


def _feature(message: Any) -> AtlasFeature:
    return AtlasFeature(**_fields(message, AtlasFeature))


def _row(message: Any) -> AtlasRow:
    label = present(message, "label")
    return AtlasRow(_feature(message.feature), None if label is None else _label(label))


def _label(message: Any) -> AtlasLabel:
    return AtlasLabel(**_fields(message, AtlasLabel))


def _bin(message: Any) -> AtlasBin:
    examples = (AtlasBinExample(**{**_fields(one, AtlasBinExample), "heard": tuple(one.heard)}) for one in message.examples)
    fields = _fields(message, AtlasBin)
    return AtlasBin(**{**fields, "sounds": {one.sound: one.count for one in message.sounds}, "examples": tuple(examples)})


def _example(message: Any) -> AtlasExample:
    return AtlasExample(**{**_fields(message, AtlasExample), "activation": np.array(message.activation, np.float32)})
