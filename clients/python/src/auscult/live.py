"""Live audio: samples go in; levels, text and activations come out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, Union

import numpy as np

from . import interventions as _interventions
from . import plugins as _plugins
from ._audio import s16le
from ._call import Call
from ._messages import enum_number, present, v1
from .errors import AuscultError, FailedPrecondition, Unavailable
from .interventions import Interventions
from .models import Model, Precision, model_ref
from .padding import Padding, padding_number, padding_word
from .permissions import Permissions, permissions_message
from .streams import Stream
from .traces import Context

# The contract's most is 1 MiB a message; smaller pieces reach the engine sooner.
_PIECE_BYTES = 1 << 16

@dataclass(frozen=True)
class Rolling:
    """Features from a short context that follows the sound, with what has settled."""

    #: Seconds of new sound between two passes, in whole frames of 0.02.
    hop: float = 0.1
    #: Seconds of the context, a multiple of 0.08; None for 3.2, or what the model can hear.
    context: float | None = None
    #: A value is sent again when it changed by more than this part of the largest magnitude that its feature has had.
    revision: float = 0.05
    #: Whether passes are made in silence too.
    in_silence: bool = False


@dataclass(frozen=True)
class LivePlugin:
    """A plugin that hears the sound as well, each frame once, when it has settled; it has to say that it can."""

    #: Its id, or the last part of it where that is unique; or a bundle's folder.
    plugin: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    #: What it may do beside reading what its arguments name.
    permissions: Permissions | None = None


@dataclass(frozen=True)
class LiveEvent:
    """What all events have."""

    #: Counts from 1.
    seq: int
    #: Events between the one before and this one that were dropped because they were not read in time.
    dropped: int
    #: When the newest sound that it is about was captured, and when the event was made: seconds since 1970; None where it is not known.
    captured: float | None = field(default=None, kw_only=True, compare=False)
    made: float | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True)
class LiveLevel(LiveEvent):
    """How loud the sound was since the event before; decibels below full scale, -120 for silence."""

    #: Seconds from the first sample, here and in the other events.
    start: float
    end: float
    rms_db: float
    peak_db: float
    #: Whether some of it may be a voice.
    voice: bool = False


@dataclass(frozen=True)
class LiveHypothesis(LiveEvent):
    """What was said since the last segment, as it looks now; the next one replaces it."""

    start: float
    end: float
    text: str
    #: The beginning of it, in whole words, that the hypothesis before had too.
    stable: str = ""
    #: Whether it was written without interventions, beside another that was not.
    plain: bool = False


@dataclass(frozen=True)
class LiveSegment(LiveEvent):
    """What was said; it does not change any more."""

    start: float
    end: float
    text: str
    avg_logprob: float
    #: None where the model has no token for it.
    no_speech_prob: float | None
    #: As of `LiveHypothesis`.
    plain: bool = False


@dataclass(frozen=True)
class LiveActivations(LiveEvent):
    """The features' values in the frames that came since the event before."""

    #: Of the first frame.
    start: float
    frames_per_second: float
    #: One tuple a feature, in the order in which they were asked for; one value a frame.
    features: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LiveReadings(LiveEvent):
    """The features' values in some frames, by one pass over a rolling context: new ones, those that changed, those that settle."""

    #: The sound of the pass. A value was computed from the sound up to `end`.
    start: float
    end: float
    #: When each of the frames begins.
    times: tuple[float, ...]
    #: The number of frames, from the first, that are settled: they are not sent again.
    settled: int
    #: One tuple a feature, in the order in which they were asked for; one value for each of `times`.
    features: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LiveUnread(LiveEvent):
    """Frames without values."""

    start: float
    end: float
    #: ``"silence"``: no voice in their context; ``"busy"``: the engine was busy for longer than a context.
    reason: str


@dataclass(frozen=True)
class LiveGap(LiveEvent):
    """Sound that was lost."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True)
class LiveSteering(LiveEvent):
    """The interventions of the passes over sound after `start`, as their text."""

    start: float
    interventions: tuple[str, ...]


@dataclass(frozen=True)
class LiveMark(LiveEvent):
    """A moment that was marked."""

    time: float
    label: str


@dataclass(frozen=True)
class LiveHeard(LiveEvent):
    """The sound itself, where `echo` asks for it."""

    #: Of the first sample.
    start: float
    #: 16 kHz mono, int16, shape ``(samples,)``.
    samples: np.ndarray[Any, np.dtype[np.int16]]


@dataclass(frozen=True)
class LiveSource(LiveEvent):
    """What became of the device: it is open, or was lost, and is tried again."""

    open: bool
    device: str
    #: Hertz.
    sample_rate: float
    #: Seconds that the device and its driver hold sound back, as they say.
    latency: float
    #: Why it was lost.
    reason: str


@dataclass(frozen=True, eq=False)
class LiveResult(LiveEvent):
    """What a plugin gives of the sound from `start` to `end`."""

    #: Its id, and its place among the plugins that were asked for.
    plugin: str
    place: int
    start: float
    end: float
    result: _plugins.PluginResult


@dataclass(frozen=True)
class LivePluginLog(LiveEvent):
    """Something that a plugin says: the level is ``"failure"`` where it went wrong, and hears no more."""

    plugin: str
    place: int
    level: str
    message: str


@dataclass(frozen=True)
class LiveEnd(LiveEvent):
    """The last event."""

    #: Seconds of sound that came.
    duration: float
    #: Steps that were left out because the engine was busy.
    skipped_steps: int
    #: What windows were padded with; None where a daemon does not say.
    padding: Padding | None = None
    #: Hops whose pass was made together with a later one because the engine was busy.
    merged_hops: int = 0


@dataclass(frozen=True)
class SoundDevice:
    """A sound input of the daemon's machine."""

    #: It may change when something is plugged in.
    number: int
    name: str
    host_api: str
    channels: int
    #: Hertz.
    sample_rate: float
    #: Seconds that the device and its driver hold sound back, as they say.
    latency: float
    is_default: bool


#: ``(hook, column)``, or ``(hook, latent, dictionary's folder)``.
Feature = Union["tuple[str, int]", "tuple[str, int, os.PathLike[str] | str]"]
AnyLiveEvent = Union[
    LiveLevel,
    LiveHypothesis,
    LiveSegment,
    LiveActivations,
    LiveReadings,
    LiveUnread,
    LiveGap,
    LiveSteering,
    LiveMark,
    LiveHeard,
    LiveSource,
    LiveResult,
    LivePluginLog,
    LiveEnd,
]


class LiveOptions(TypedDict, total=False):
    """What is made of the sound."""

    model: Model
    vocabulary: str
    precision: Precision
    #: Without it, it is detected, once for each window.
    language: str
    #: Whether to transcribe; True by default.
    transcribe: bool
    #: ``(hook, column)`` of encoder activations to read out: ``("encoder.blocks.2.mlp.1", 17)``; or ``(hook, latent, dictionary)``
    #: for a latent of the sparse dictionary in a folder, where an empty hook means the one that the dictionary names.
    features: Iterable[Feature]
    #: Seconds of new sound between two steps; 0.5 by default, at least 0.1.
    step: Union[float, None]
    #: Seconds of sound that the encoder is given at most; the model's own window by default.
    window: Union[float, None]
    #: What fills the window behind the sound: zeros behind the samples (``"sound"``, the default), or behind their log-mel
    #: (``"mel"``), as a transcription has them.
    padding: Union[Padding, None]
    #: Features from a short context of their own, as they settle (`LiveReadings`), and levels at their pace; None for none.
    rolling: Union[Rolling, None]
    #: What passes run under, until `Live.steer` sets others.
    interventions: Interventions
    #: Whether the text is also written without interventions, side by side.
    compare: bool
    #: How much of the text's window the encoder computes: ``"full"`` or ``"auto"``.
    context: Context
    #: Whether the sound is among the events too (`LiveHeard`), with `rolling`.
    echo: bool
    #: Analyses that hear the sound as well (`LiveResult`), with `rolling`: names, or `LivePlugin`.
    plugins: Iterable[Union[str, LivePlugin]]


class Live(Stream[AnyLiveEvent]):
    """A microphone's line to the daemon, as `Client.live`; use it in ``with``, and iterate for its events.

    One thread may send while another iterates; in a single thread, `poll` gives what has come without waiting.
    """

    _finished = False

    #: Ids of plugins, by their places.
    _ids: dict[int, str]

    def _begin(self, request: Any, timeout: float | None) -> Call:
        self._ids = {}
        call = self._connection.open(self._method.name, None, streaming=True, timeout=timeout)
        call.send(v1.LiveInput(open=request).SerializeToString())
        return call

    def send(self, samples: Any, *, captured: float | None = None, lost: int = 0) -> None:
        """Sends 16 kHz mono samples.

        Args:
            samples: Shape ``(samples,)``; float (rounded to 16 bits, clipped at full scale ±1) or int16; or bytes of
                signed 16-bit little-endian samples.
            captured: When the first of them was captured, in seconds since 1970; without it, the time of arrival is taken.
            lost: Samples that were lost before them: no pass has sound from before and after the gap.

        Raises:
            AuscultError: What ended the call, where it has ended.
        """
        data = s16le(samples)
        if self._finished or self._done:
            raise FailedPrecondition("no sound can follow: this line was finished or closed")
        for offset in range(0, len(data), _PIECE_BYTES):
            piece = data[offset : offset + _PIECE_BYTES]
            if captured is None and lost == 0:
                message = v1.LiveInput(pcm_s16le=piece)
            else:
                time = 0 if captured is None else round((captured + offset / 32000) * 1e9)
                sound = v1.LiveSound(pcm_s16le=piece, captured_unix_ns=time, lost=lost if offset == 0 else 0)
                message = v1.LiveInput(sound=sound)
            self._push(message.SerializeToString())

    def steer(self, interventions: Interventions = ()) -> None:
        """Sets the interventions of the next passes, in place of those before; none without an argument."""
        steering = v1.LiveInterventions(interventions=_interventions.interventions(interventions))
        self._push(v1.LiveInput(interventions=steering).SerializeToString())

    def mark(self, label: str = "") -> None:
        """Marks the newest sound: a `LiveMark` follows among the events."""
        self._push(v1.LiveInput(mark=v1.LiveMark(label=label)).SerializeToString())

    def finish(self) -> None:
        """Says that the sound is over. Iterate on: the last segment and a `LiveEnd` follow."""
        if not self._finished and not self._done:
            self._finished = True
            if not self._call.ended:
                self._call.close_send()

    def poll(self) -> list[AnyLiveEvent]:
        """The events that have come, oldest first, without waiting for more."""
        events: list[AnyLiveEvent] = []
        while (event := self._next(wait=False)) is not None:
            events.append(event)
        return events

    def _push(self, message: bytes) -> None:
        fault: AuscultError = Unavailable("no sound can follow: the daemon has ended the call")
        if not self._call.ended:
            try:
                self._call.send(message)
                return
            except Unavailable as lost:
                fault = lost
        # The daemon's own error, where it gave one, says more than that it hung up.
        raise self._call.error or fault

    def _take(self, kind: str, message: Any) -> AnyLiveEvent | None:
        head = (message.seq, message.dropped)
        times: dict[str, Any] = {
            "captured": message.captured_unix_ns / 1e9 if message.captured_unix_ns else None,
            "made": message.made_unix_ns / 1e9 if message.made_unix_ns else None,
        }
        one = getattr(message, kind)
        if kind == "level":
            return LiveLevel(*head, one.start, one.end, one.rms_db, one.peak_db, one.voice, **times)
        if kind == "hypothesis":
            return LiveHypothesis(*head, one.start, one.end, one.text, one.stable, one.plain, **times)
        if kind == "segment":
            probability = present(one, "no_speech_prob")
            return LiveSegment(*head, one.start, one.end, one.text, one.avg_logprob, probability, one.plain, **times)
        if kind == "activations":
            values = tuple(tuple(feature.values) for feature in one.features)
            return LiveActivations(*head, one.start, one.frames_per_second, values, **times)
        if kind == "readings":
            values = tuple(tuple(feature.values) for feature in one.features)
            frames = tuple(one.start + frame / one.frames_per_second for frame in one.frames)
            return LiveReadings(*head, one.start, one.end, frames, one.settled, values, **times)
        if kind == "unread":
            reason = v1.LiveUnread.Reason.Name(one.reason).lower() if one.reason in (1, 2) else str(one.reason)
            return LiveUnread(*head, one.start, one.end, reason, **times)
        if kind == "gap":
            return LiveGap(*head, one.start, one.end, one.reason, **times)
        if kind == "steering":
            return LiveSteering(*head, one.start, tuple(one.interventions), **times)
        if kind == "marked":
            return LiveMark(*head, one.time, one.label, **times)
        if kind == "heard":
            return LiveHeard(*head, one.start, np.frombuffer(one.pcm_s16le, "<i2"), **times)
        if kind == "source":
            source = (one.state == 1, one.device, one.sample_rate, one.latency, one.reason)
            return LiveSource(*head, *source, **times)
        if kind == "plugin":
            return self._news(head, one, times)
        if kind == "end":
            return LiveEnd(*head, one.duration, one.skipped_steps, padding_word(one), one.merged_hops, **times)
        return None

    def _news(self, head: tuple[int, int], news: Any, times: dict[str, Any]) -> AnyLiveEvent | None:
        kind = news.WhichOneof("news")
        if kind == "description":
            self._ids[news.plugin] = news.description.listing.id
        plugin = (self._ids.get(news.plugin, str(news.plugin)), news.plugin)
        if kind == "result":
            return LiveResult(*head, *plugin, news.start, news.end, _plugins.result(news.result), **times)
        if kind == "log":
            return LivePluginLog(*head, *plugin, news.log.level, news.log.message, **times)
        if kind == "failure":
            return LivePluginLog(*head, *plugin, "failure", news.failure, **times)
        return None


def opening(options: LiveOptions, device: str | int | None = None) -> Any:
    """The first message of a line, or of listening to a device."""

    def make(
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        language: str = "",
        transcribe: bool = True,
        features: Iterable[Feature] = (),
        step: float | None = None,
        window: float | None = None,
        padding: Padding | None = None,
        rolling: Rolling | None = None,
        interventions: Interventions = (),
        compare: bool = False,
        context: Context = "full",
        echo: bool = False,
        plugins: Iterable[str | LivePlugin] = (),
    ) -> Any:
        return v1.LiveOpen(
            model=model_ref(model, vocabulary, precision),
            language=language,
            transcribe=transcribe,
            features=[_feature(*one) for one in features],
            step_ms=_milliseconds(step),
            window_ms=_milliseconds(window),
            padding=padding_number(padding),
            interventions=_interventions.interventions(interventions),
            compare=compare,
            context=enum_number("EncoderContext", context),
            echo=echo,
            rolling=None if rolling is None else _rolling(rolling),
            device=None if device is None else v1.LiveDevice(name=str(device)),
            plugins=[_plugin(one) for one in plugins],
        )

    return make(**options)


def _rolling(rolling: Rolling) -> Any:
    return v1.LiveRolling(
        hop_ms=_milliseconds(rolling.hop),
        context_ms=_milliseconds(rolling.context),
        revision=rolling.revision,
        in_silence=rolling.in_silence,
    )


def _plugin(plugin: str | LivePlugin) -> Any:
    one = LivePlugin(plugin) if isinstance(plugin, str) else plugin
    return v1.LivePlugin(
        plugin_id=one.plugin,
        arguments=_plugins.argument_messages(one.arguments),
        permissions=permissions_message(one.permissions),
    )


def _milliseconds(seconds: float | None) -> int:
    return 0 if seconds is None else round(seconds * 1000)


def device(one: Any) -> SoundDevice:
    return SoundDevice(
        one.number, one.name, one.host_api, one.channels, one.sample_rate, one.latency, one.is_default
    )


def _feature(hook: str, index: int, dictionary: os.PathLike[str] | str = "") -> Any:
    return v1.LiveFeature(hook=hook, index=index, dictionary=os.fspath(dictionary))
