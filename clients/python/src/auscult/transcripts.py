"""What was said: transcripts, their segments and words, and how decoding is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Union

from . import _html, _pandas
from ._audio import Span
from ._messages import enum_number, present, v1
from .errors import InvalidArgument
from .interventions import Interventions
from .models import Model, Precision, precision_word
from .padding import Padding, padding_word

Task = Literal["transcribe", "translate"]


@dataclass(frozen=True)
class Word:
    """A word and when it was said."""

    #: With the space before it and the punctuation around it.
    word: str
    #: Seconds.
    start: float
    #: Seconds; the range is half open.
    end: float
    #: The mean probability of its tokens.
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech, as the model's timestamps or its windows cut it. The names are openai/whisper's."""

    #: Counts from 0.
    id: int
    #: Where its window began, in log-mel frames of 10 ms.
    seek: int
    #: Seconds.
    start: float
    #: Seconds; the range is half open.
    end: float
    #: With the space that it begins with.
    text: str
    #: Timestamp tokens among them.
    tokens: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    #: None where the model has no token for it.
    no_speech_prob: float | None
    #: None where word timestamps were not asked for.
    words: tuple[Word, ...] | None


@dataclass(frozen=True)
class Notice:
    """Something about a recording that could be used, which its reader should know."""

    #: ``"cut_short"``, ``"wrong_length"``, ``"passed_over"``, ``"damaged"``, ``"clipped"``, ``"scaled"``,
    #: ``"channels_cancel"``, ``"taken_for_samples"``, or one that this client does not know yet.
    code: str
    text: str


def notices(messages: Any) -> tuple[Notice, ...]:
    return tuple(Notice(one.code, one.text) for one in messages)


@dataclass(frozen=True)
class Transcript:
    """The transcript of a recording."""

    #: As the recording was named.
    file: str
    #: Seconds of audio that were transcribed.
    duration: float
    #: The code of the language that was given or found.
    language: str
    text: str
    segments: tuple[Segment, ...]
    #: Where random draws began; the same seed gives the same text.
    seed: int
    #: In what numbers the model computed.
    precision: Precision = "exact"
    #: What windows were padded with; None where a daemon does not say.
    padding: Padding | None = None
    #: What there is to know about the recording.
    notices: tuple[Notice, ...] = ()

    def to_pandas(self, words: bool = False) -> Any:
        """A data frame with a row for each segment, or each word where they were asked for. Needs pandas."""
        return _pandas.transcript(self.segments, words)

    def _repr_html_(self) -> str:
        return _html.transcript(self)


@dataclass(frozen=True)
class LanguageProbability:
    """How likely a language is, between 0 and 1."""

    language: str
    probability: float


class DecodingOptions(TypedDict, total=False):
    """How to decode. The names and defaults are openai/whisper's; what is left out has its default there.

    For a threshold, None means none.
    """

    #: A code (``"zh"``, ``"zh-CN"``) or an English name; without it, or with ``"auto"``, the model tells.
    language: str
    #: ``"translate"`` writes English.
    task: Task
    word_timestamps: bool
    #: Tried in turn until a window's text is plausible: 0, 0.2, 0.4, 0.6, 0.8, 1.
    temperature: Union[float, Sequence[float]]
    #: Beams at temperature 0; without it, greedy.
    beam_size: int
    #: Samples to choose from above temperature 0.
    best_of: int
    patience: float
    length_penalty: float
    #: Where the random draws of temperatures above 0 begin.
    seed: int
    initial_prompt: str
    carry_initial_prompt: bool
    condition_on_previous_text: bool
    without_timestamps: bool
    #: The most tokens of a window.
    sample_length: int
    #: How each window's own text begins.
    prefix: str
    compression_ratio_threshold: Union[float, None]
    logprob_threshold: Union[float, None]
    no_speech_threshold: Union[float, None]
    #: Seconds.
    hallucination_silence_threshold: Union[float, None]
    #: Ids, among which -1 stands for openai's list of non-speech tokens; or openai's text of them: ``"-1"``, ``""``.
    suppress_tokens: Union[str, Sequence[int]]
    suppress_blank: bool
    #: Seconds.
    max_initial_timestamp: Union[float, None]
    #: Start, end, start, end … in seconds; the last end may be left out.
    #: Or openai's text of them: ``"0,12.5"``.
    clip_timestamps: Union[str, Sequence[float]]


class TranscribeOptions(DecodingOptions, total=False):
    """What to transcribe, and how."""

    #: What messages and the result call the recording.
    name: str
    #: The part to listen to, in seconds.
    span: Union[Span, None]
    model: Model
    vocabulary: str
    precision: Precision
    #: None for what is usual, ``"mel"``.
    padding: Union[Padding, None]
    interventions: Interventions
    #: Whether a recording that would come with a notice is an error: cut short, damaged in part, on another scale.
    strict: bool


_PLAIN = (
    "language", "word_timestamps", "beam_size", "best_of", "patience", "length_penalty", "seed", "initial_prompt",
    "carry_initial_prompt", "without_timestamps", "sample_length", "prefix",
)  # fmt: skip
_THRESHOLDS = (
    "compression_ratio_threshold", "logprob_threshold", "no_speech_threshold", "hallucination_silence_threshold",
    "max_initial_timestamp",
)  # fmt: skip
_NEGATED = {"condition_on_previous_text": "no_condition_on_previous_text", "suppress_blank": "allow_blank"}


def decoding_options(given: Mapping[str, Any]) -> Any:
    """The message of these options.

    Raises:
        TypeError: An option that there is not.
        InvalidArgument: A value that cannot be one of it.
    """
    options = v1.DecodingOptions()
    for name, value in given.items():
        try:
            _set(options, name, value)
        except InvalidArgument as fault:
            raise InvalidArgument(f"{name}: {fault.message}", fault.reason) from None
        except (TypeError, ValueError) as fault:
            if name not in DecodingOptions.__annotations__:
                raise
            raise InvalidArgument(f"{name} cannot be {value!r}: {fault}", "invalid_argument") from None
    return options


def _set(options: Any, name: str, value: Any) -> None:
    if name in _THRESHOLDS:
        getattr(options, name).SetInParent()
        if value is not None:
            getattr(options, name).value = value
    elif name in _NEGATED:
        setattr(options, _NEGATED[name], not value)
    elif name in _PLAIN:
        if value is not None:
            setattr(options, name, value)
    elif name == "task":
        options.task = enum_number("Task", value)
    elif name == "temperature":
        options.temperatures.extend([value] if isinstance(value, (int, float)) else value)
    elif name == "suppress_tokens":
        options.suppress_tokens.SetInParent()
        options.suppress_tokens.ids.extend(_listed(value, int))
    elif name == "clip_timestamps":
        options.clip_timestamps.extend(_listed(value, float))
    else:
        expected = ", ".join(DecodingOptions.__annotations__)
        raise TypeError(f"there is no decoding option {name!r}; there are {expected}")


def _listed(value: Any, kind: type) -> Any:
    """A list, or openai/whisper's text of one: numbers divided by commas."""
    if not isinstance(value, str):
        return value
    return [kind(part) for part in value.split(",")] if value.strip() else []


def segment(message: Any) -> Segment:
    words = tuple(Word(word.word, word.start, word.end, word.probability) for word in message.words)
    return Segment(
        id=message.id,
        seek=message.seek,
        start=message.start,
        end=message.end,
        text=message.text,
        tokens=tuple(message.tokens),
        temperature=message.temperature,
        avg_logprob=message.avg_logprob,
        compression_ratio=message.compression_ratio,
        no_speech_prob=present(message, "no_speech_prob"),
        words=words if message.has_words else None,
    )


def transcript(message: Any) -> Transcript:
    return Transcript(
        file=message.file,
        duration=message.duration,
        language=message.language,
        text=message.text,
        segments=tuple(segment(one) for one in message.segments),
        seed=message.seed,
        precision=precision_word(message),
        padding=padding_word(message),
        notices=notices(message.notices),
    )
