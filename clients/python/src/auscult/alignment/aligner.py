"""Words and phonemes of recordings, and when they are heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .._audio import Audio, Span
from ..client import Client
from ..errors import FailedPrecondition, InvalidArgument
from ..models import Model, Precision
from ..recordings import TimedLabel
from . import _espeak
from ._coarse import phoneme_times, word_times
from ._forced import ForcedAligner, NotAligned
from ._pieces import SAMPLE_RATE, Piece, pieces
from ._sound import read_samples
from ._textgrid import textgrid
from ._words import SpokenWord, spoken_words

#: How the times of a word were found. ``"forced"``: aligned, with the dictionary's pronunciation. ``"guessed"``: aligned,
#: with espeak-ng's pronunciation of a word that the dictionary does not have. ``"coarse"``: the word where the model heard
#: it, by its cross-attention, and espeak-ng's phonemes spread over it.
Quality = Literal["forced", "guessed", "coarse"]
#: ``"auto"``: English is aligned, other languages and what cannot be aligned are placed coarsely. ``"forced"``: what cannot be
#: aligned is an error. ``"coarse"``: all is placed coarsely.
Method = Literal["auto", "forced", "coarse"]

# Seconds that are aligned at once: up to the first without a cut; where one is needed, or the whole was not found, at a
# quiet place from the first to the second.
_WHOLE, _PIECES, _SHORT_PIECES = 40.0, (10.0, 30.0), (4.0, 12.0)


@dataclass(frozen=True)
class AlignedWord:
    """A word, when it is heard, and its phonemes."""

    #: In lower case, without the punctuation around it.
    label: str
    #: Seconds from the recording's beginning, half open.
    start: float
    end: float
    #: ARPAbet in upper case without stress, and what other languages add to it. Empty where nobody knows how it is said.
    phonemes: tuple[TimedLabel, ...]
    quality: Quality


@dataclass(frozen=True)
class Alignment:
    """What is said in a recording, and when."""

    text: str
    #: The code of its language.
    language: str
    #: Where the recording, or the part of it that was meant, ends.
    duration: float
    words: tuple[AlignedWord, ...]

    @property
    def phonemes(self) -> tuple[TimedLabel, ...]:
        """Of all words, in their order."""
        return tuple(one for word in self.words for one in word.phonemes)

    def count(self, quality: Quality) -> int:
        """How many words are of this quality."""
        return sum(word.quality == quality for word in self.words)

    @property
    def kind(self) -> Literal["forced", "coarse", "mixed", "empty"]:
        """``"forced"`` where every word was aligned, ``"coarse"`` where none was."""
        coarse = self.count("coarse")
        if not self.words:
            return "empty"
        return "forced" if coarse == 0 else "coarse" if coarse == len(self.words) else "mixed"

    def textgrid(self) -> str:
        """A TextGrid with the tiers ``words``, ``phones``, and ``quality``, which has each word's."""
        words = [TimedLabel(one.start, one.end, one.label) for one in self.words]
        quality = [TimedLabel(one.start, one.end, one.quality) for one in self.words]
        return textgrid(self.duration, [("words", words), ("phones", self.phonemes), ("quality", quality)])


class Aligner:
    """Aligns recordings with their texts, one after another.

    Args:
        client: The daemon that reads them, and writes down what has no text.
        model: What writes it down, and hears the words that are placed coarsely.
        method: See `Method`.
    """

    def __init__(
        self,
        client: Client,
        *,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        method: Method = "auto",
    ) -> None:
        if method not in ("auto", "forced", "coarse"):
            raise InvalidArgument(f"method is {method!r}, expected auto, forced or coarse", "invalid_argument")
        self._client, self._model, self._vocabulary, self._precision = client, model, vocabulary, precision
        self._method = method

    @cached_property
    def _forced(self) -> ForcedAligner:
        return ForcedAligner(lambda written: _espeak.phonemes(written, "en"))

    def align(
        self, audio: Audio, *, text: str | None = None, language: str = "", span: Span | None = None, name: str = ""
    ) -> Alignment:
        """The words of a recording and their phonemes.

        Args:
            audio: As for `Client.transcribe`.
            text: What is said; without it the model writes it down.
            language: The code of its language; without it the model tells, where there is no text, or else it is English.
            span: The part that is meant, in seconds.

        Raises:
            FailedPrecondition: pocketsphinx or espeak-ng is needed and not installed; or, with the method ``"forced"``,
                the words are not to be found in the recording.
            AuscultError: What the daemon says of the recording or the model.
        """
        return _Alignment(self, audio, text, language, span, name).made()

    # What one alignment asks of it.

    def heard(
        self, audio: Audio, language: str, span: Span | None, name: str
    ) -> tuple[str, str, list[tuple[str, float, float]]]:
        """The language and the text that the model writes, and its words as it writes them."""
        transcript = self._client.transcribe(
            audio, word_timestamps=True, model=self._model, vocabulary=self._vocabulary, precision=self._precision,
            span=span, name=name, language=language,
        )  # fmt: skip
        words = [(one.word, one.start, one.end) for segment in transcript.segments for one in segment.words or ()]
        return transcript.language or language or "en", transcript.text.strip(), words


class _Alignment:
    """One recording while it is aligned. Times are from the beginning of the part that is meant."""

    def __init__(
        self, aligner: Aligner, audio: Audio, text: str | None, language: str, span: Span | None, name: str
    ) -> None:
        self._aligner, self._audio, self._span, self._name = aligner, audio, span, name
        self._text, self._language = text, language
        self._heard: list[tuple[SpokenWord, float, float]] | None = None
        self._offset = span[0] if span is not None else 0.0

    def made(self) -> Alignment:
        if self._text is None:
            self._listen()
        language = self._language or "en"
        text = self._text or ""
        samples = read_samples(self._aligner._client, self._audio, self._span)
        words = spoken_words(text)
        forced = self._aligner._method == "forced" or (self._aligner._method == "auto" and language == "en")
        if self._aligner._method == "forced" and language != "en":
            raise FailedPrecondition(
                f"{self._named}only English can be aligned, and the recording's language is {language!r}", "unsupported"
            )
        found = self._forced(words, samples) if forced else self._coarse(words, samples, language)
        duration = self._offset + len(samples) / SAMPLE_RATE
        return Alignment(text, language, duration, tuple(self._moved(one) for one in found))

    @property
    def _named(self) -> str:
        return f"{self._name}: " if self._name else ""

    def _listen(self) -> list[tuple[SpokenWord, float, float]]:
        """The words that the model hears; they are the text where none was given."""
        if self._heard is None:
            language, text, words = self._aligner.heard(self._audio, self._language, self._span, self._name)
            spoken = [(one, start, end) for word, start, end in words for one in spoken_words(word)]
            self._heard = [(one, start - self._offset, end - self._offset) for one, start, end in spoken]
            self._language = self._language or language
            if self._text is None:
                self._text = text
        return self._heard

    @property
    def _heard_labels(self) -> list[TimedLabel]:
        return [TimedLabel(start, end, word.label) for word, start, end in self._listen()]

    def _forced(self, words: Sequence[SpokenWord], samples: NDArray[np.int16]) -> list[AlignedWord]:
        """The words aligned at once, or in pieces; those of a piece where that fails are placed coarsely."""
        if not words:
            return []
        duration = len(samples) / SAMPLE_RATE
        whole = [Piece(0, len(words), 0.0, duration)]
        if duration <= _WHOLE:
            found, failed = self._aligned(words, samples, whole)
            if not failed:
                return _sorted(found)
        else:
            found, failed = {}, whole
        for least, most in (_PIECES, _SHORT_PIECES):
            cut = [self._cut(words, samples, one, least, most) for one in failed]
            more, failed = self._aligned(words, samples, [piece for group in cut for piece in group])
            found |= more
        if failed and self._aligner._method == "forced":
            first = failed[0]
            said = " ".join(word.label for word in words[first.first : first.last][:8])
            raise FailedPrecondition(
                f"{self._named}the text from {first.start:.1f} to {first.end:.1f} s was not found in the sound there: {said}",
                "not_aligned",
            )
        if failed:
            times = word_times([word.label for word in words], self._heard_labels, duration)
            for place in (place for piece in failed for place in range(piece.first, piece.last)):
                found[place] = self._placed(words[place], times[place], "en")
        return _sorted(found)

    def _cut(
        self, words: Sequence[SpokenWord], samples: NDArray[np.int16], piece: Piece, least: float, most: float
    ) -> list[Piece]:
        """A piece in smaller ones."""
        labels = [word.label for word in words[piece.first : piece.last]]
        heard = [
            TimedLabel(one.start - piece.start, one.end - piece.start, one.label)
            for one in self._heard_labels
            if piece.start <= (one.start + one.end) / 2 < piece.end
        ]
        part = samples[round(piece.start * SAMPLE_RATE) : round(piece.end * SAMPLE_RATE)]
        return [
            Piece(piece.first + one.first, piece.first + one.last, piece.start + one.start, piece.start + one.end)
            for one in pieces(labels, heard, part, least, most)
        ]

    def _aligned(
        self, words: Sequence[SpokenWord], samples: NDArray[np.int16], parts: Sequence[Piece]
    ) -> tuple[dict[int, AlignedWord], list[Piece]]:
        """What was found, and the pieces where it was not."""
        found: dict[int, AlignedWord] = {}
        failed = []
        forced = self._aligner._forced
        for piece in parts:
            some = words[piece.first : piece.last]
            part = samples[round(piece.start * SAMPLE_RATE) : round(piece.end * SAMPLE_RATE)]
            try:
                times = forced.align(part.astype("<i2").tobytes(), some)
            except NotAligned:
                failed.append(piece)
                continue
            for place, (word, one) in enumerate(zip(some, times), piece.first):
                # A word that nobody can say has no time of its own.
                if one is not None:
                    quality: Quality = "forced" if forced.knows(word) else "guessed"
                    found[place] = _later(AlignedWord(word.label, one[0].start, one[0].end, one[1], quality), piece.start)
        return found, failed

    def _coarse(self, words: Sequence[SpokenWord], samples: NDArray[np.int16], language: str) -> list[AlignedWord]:
        if not words:
            return []
        times = word_times([one.label for one in words], self._heard_labels, len(samples) / SAMPLE_RATE)
        return [self._placed(word, time, language) for word, time in zip(words, times)]

    def _placed(self, word: SpokenWord, time: TimedLabel, language: str) -> AlignedWord:
        phonemes = phoneme_times(_espeak.phonemes(word.written, language), time)
        return AlignedWord(word.label, time.start, time.end, phonemes, "coarse")

    def _moved(self, word: AlignedWord) -> AlignedWord:
        return _later(word, self._offset)


def _later(word: AlignedWord, seconds: float) -> AlignedWord:
    if seconds == 0:
        return word
    phonemes = tuple(TimedLabel(one.start + seconds, one.end + seconds, one.label) for one in word.phonemes)
    return AlignedWord(word.label, word.start + seconds, word.end + seconds, phonemes, word.quality)


def _sorted(found: dict[int, AlignedWord]) -> list[AlignedWord]:
    return [found[place] for place in sorted(found)]


def align(
    audio: Audio,
    *,
    text: str | None = None,
    language: str = "",
    span: Span | None = None,
    model: Model = "",
    method: Method = "auto",
    client: Client | None = None,
) -> Alignment:
    """The words of a recording and their phonemes, with their times; see `Aligner.align`.

    Without a client, one is connected, which starts a daemon where none listens.
    """
    from ..client import connect

    if client is not None:
        return Aligner(client, model=model, method=method).align(audio, text=text, language=language, span=span)
    with connect() as own:
        return align(audio, text=text, language=language, span=span, model=model, method=method, client=own)
