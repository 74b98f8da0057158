"""Live audio: samples go in; levels, text and activations come out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Union

from ._audio import s16le
from ._call import Call
from ._messages import present, v1
from .errors import AuscultError, FailedPrecondition, Unavailable
from .models import Model, Precision, model_ref
from .padding import Padding, padding_number, padding_word
from .streams import Stream

# The contract's most is 1 MiB a message; smaller pieces reach the engine sooner.
_PIECE_BYTES = 1 << 16

@dataclass(frozen=True)
class LiveEvent:
    """What all events have."""

    #: Counts from 1.
    seq: int
    #: Events between the one before and this one that were dropped because they were not read in time.
    dropped: int


@dataclass(frozen=True)
class LiveLevel(LiveEvent):
    """How loud the sound was since the event before; decibels below full scale, -120 for silence."""

    #: Seconds from the first sample, here and in the other events.
    start: float
    end: float
    rms_db: float
    peak_db: float


@dataclass(frozen=True)
class LiveHypothesis(LiveEvent):
    """What was said since the last segment, as it looks now; the next one replaces it."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class LiveSegment(LiveEvent):
    """What was said; it does not change any more."""

    start: float
    end: float
    text: str
    avg_logprob: float
    #: None where the model has no token for it.
    no_speech_prob: float | None


@dataclass(frozen=True)
class LiveActivations(LiveEvent):
    """The features' values in the frames that came since the event before."""

    #: Of the first frame.
    start: float
    frames_per_second: float
    #: One tuple a feature, in the order in which they were asked for; one value a frame.
    features: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LiveEnd(LiveEvent):
    """The last event."""

    #: Seconds of sound that came.
    duration: float
    #: Looks that were left out because the engine was busy.
    skipped_steps: int
    #: What windows were padded with; None where a daemon does not say.
    padding: Padding | None = None


#: ``(hook, column)``, or ``(hook, latent, dictionary's folder)``.
Feature = Union["tuple[str, int]", "tuple[str, int, os.PathLike[str] | str]"]
AnyLiveEvent = Union[LiveLevel, LiveHypothesis, LiveSegment, LiveActivations, LiveEnd]


class Live(Stream[AnyLiveEvent]):
    """A microphone's line to the daemon, as `Client.live`; use it in ``with``, and iterate for its events.

    One thread may send while another iterates; in a single thread, `poll` gives what has come without waiting.
    """

    _finished = False

    def _begin(self, request: Any, timeout: float | None) -> Call:
        call = self._connection.open(self._method.name, None, streaming=True, timeout=timeout)
        call.send(v1.LiveInput(open=request).SerializeToString())
        return call

    def send(self, samples: Any) -> None:
        """Sends 16 kHz mono samples.

        Args:
            samples: Shape ``(samples,)``; float (rounded to 16 bits, clipped at full scale ±1) or int16; or bytes of
                signed 16-bit little-endian samples.

        Raises:
            AuscultError: What ended the call, where it has ended.
        """
        data = s16le(samples)
        if self._finished or self._done:
            raise FailedPrecondition("no sound can follow: this line was finished or closed")
        for offset in range(0, len(data), _PIECE_BYTES):
            self._push(v1.LiveInput(pcm_s16le=data[offset : offset + _PIECE_BYTES]).SerializeToString())

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
        one = getattr(message, kind)
        if kind == "level":
            return LiveLevel(*head, one.start, one.end, one.rms_db, one.peak_db)
        if kind == "hypothesis":
            return LiveHypothesis(*head, one.start, one.end, one.text)
        if kind == "segment":
            return LiveSegment(*head, one.start, one.end, one.text, one.avg_logprob, present(one, "no_speech_prob"))
        if kind == "activations":
            values = tuple(tuple(feature.values) for feature in one.features)
            return LiveActivations(*head, one.start, one.frames_per_second, values)
        if kind == "end":
            return LiveEnd(*head, one.duration, one.skipped_steps, padding_word(one))
        return None


def opening(
    model: Model,
    vocabulary: str,
    precision: Precision,
    language: str,
    transcribe: bool,
    features: Iterable[Feature],
    step: float | None,
    window: float | None,
    padding: Padding | None = None,
) -> Any:
    """The first message of a line; `step` and `window` in seconds."""
    return v1.LiveOpen(
        model=model_ref(model, vocabulary, precision),
        language=language,
        transcribe=transcribe,
        features=[_feature(*one) for one in features],
        step_ms=0 if step is None else round(step * 1000),
        window_ms=0 if window is None else round(window * 1000),
        padding=padding_number(padding),
    )


def _feature(hook: str, index: int, dictionary: os.PathLike[str] | str = "") -> Any:
    return v1.LiveFeature(hook=hook, index=index, dictionary=os.fspath(dictionary))
