"""Forced alignment of English by pocketsphinx, whose package carries an acoustic model and the CMU dictionary.

Two passes over the samples: the first finds the words with the silences and the variants of pronunciation between them,
the second the phonemes within them, at 10 ms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import AuscultError, FailedPrecondition
from ..recordings import TimedLabel
from ._phones import ARPABET
from ._words import SpokenWord, spellings

SAMPLE_RATE = 16000
_FRAME = 0.01
# Seconds of a phoneme, and so of a word, at least: its model has three states.
_SHORTEST = 3 * _FRAME
# A frame's features are of a window of 25.6 ms that begins with it, so they stand for its middle, 12.8 ms later. The
# boundary between two frames lies half a frame before the second one's middle.
_BOUNDARY = 0.025625 / 2 - _FRAME / 2
# The first finds nearly everything; where its beam loses the way, a wider one with cheaper silences is tried.
_SEARCHES: tuple[dict[str, float], ...] = (
    {"beam": 1e-64, "wbeam": 1e-64, "pbeam": 1e-64},
    {"beam": 1e-120, "wbeam": 1e-120, "pbeam": 1e-120, "silprob": 0.1},
)


#: A word, and its phonemes.
WordTimes = tuple[TimedLabel, tuple[TimedLabel, ...]]


class NotAligned(Exception):
    """The words are not to be found in the samples."""


class ForcedAligner:
    """pocketsphinx with its English model.

    Args:
        pronounce: The phonemes of a word that the dictionary does not have, as it is written.

    Raises:
        FailedPrecondition: pocketsphinx is not installed.
    """

    def __init__(self, pronounce: Callable[[str], tuple[str, ...]]) -> None:
        try:
            import pocketsphinx
        except ImportError:
            raise FailedPrecondition(
                "pocketsphinx is not installed: pip install './clients/python[align]'", "not_installed"
            ) from None
        self._make = pocketsphinx.Decoder
        self._pronounce = pronounce
        self._decoders: dict[int, Any] = {}
        # Of words that are not in the dictionary: the name that they have there.
        self._added: dict[str, str] = {}
        self._spoken: dict[str, tuple[str, ...]] = {}

    def _decoder(self, search: int) -> Any:
        if search not in self._decoders:
            # With bestpath the second pass fails: "impossible duration".
            options = {"lm": None, "bestpath": False, "samprate": SAMPLE_RATE, "loglevel": "FATAL", **_SEARCHES[search]}
            decoder = self._decoders[search] = self._make(**options)
            for name, phones in self._spoken.items():
                decoder.add_word(name, " ".join(phones), False)
        return self._decoders[search]

    def knows(self, word: SpokenWord) -> bool:
        """Whether the dictionary has the word, or its parts."""
        return any(all(map(self._decoder(0).lookup_word, parts)) for parts in spellings(word.label))

    def _name(self, word: SpokenWord) -> str | None:
        """What the dictionary calls the word; None where nobody knows how it is said."""
        decoder = self._decoder(0)
        for parts in spellings(word.label):
            if len(parts) == 1 and decoder.lookup_word(parts[0]):
                return parts[0]
        if word.written in self._added:
            return self._added[word.written]
        phones: list[str] = []
        parts = spellings(word.label)[-1]
        if len(parts) > 1 and all(map(decoder.lookup_word, parts)):
            phones = [phone for part in parts for phone in decoder.lookup_word(part).split()]
        else:
            phones = [phone for phone in self._pronounce(word.written) if phone in ARPABET]
        if not phones:
            return None
        name = f"{re.sub(r'[^a-z]', '', word.label)}~{len(self._added)}"
        self._added[word.written] = name
        self._spoken[name] = tuple(phones)
        for one in self._decoders.values():
            one.add_word(name, " ".join(phones), False)
        return name

    def align(self, samples: bytes, words: Sequence[SpokenWord]) -> list[WordTimes | None]:
        """The times of words and of their phonemes, in seconds from the first sample; None for a word without a sound.

        Args:
            samples: 16 kHz mono, signed 16-bit.

        Raises:
            NotAligned: The samples are too short for the words, or are others.
            FailedPrecondition: espeak-ng is needed and not installed.
        """
        seconds = len(samples) / 2 / SAMPLE_RATE
        # Nobody says them; and a search for far too many words takes for ever.
        if len(words) * _SHORTEST > seconds:
            raise NotAligned(f"{len(words)} words in {seconds:.2f} s")
        names = [self._name(word) for word in words]
        spoken = [name for name in names if name is not None]
        found = self._aligned(samples, spoken) if spoken else []
        if len(found) != len(spoken):
            raise NotAligned(f"{len(found)} of {len(spoken)} words were found")
        rest = iter(found)
        return [None if name is None else _named(word, *next(rest)) for name, word in zip(names, words)]

    def _aligned(self, samples: bytes, names: Sequence[str]) -> list[WordTimes]:
        fault: Exception = NotAligned("no search was made")
        for search in range(len(_SEARCHES)):
            decoder = self._decoder(search)
            try:
                decoder.set_align_text(" ".join(names))
                _pass(decoder, samples)
                if decoder.hyp() is None:
                    raise NotAligned("the words were not found in the sound")
                decoder.set_alignment()
                _pass(decoder, samples)
                return _words(decoder.get_alignment(), len(samples) / 2 / SAMPLE_RATE)
            except AuscultError:
                raise
            except (NotAligned, RuntimeError, ValueError) as caught:
                fault = caught
        raise NotAligned(str(fault)) from fault


def _named(word: SpokenWord, times: TimedLabel, phonemes: tuple[TimedLabel, ...]) -> WordTimes:
    """Under its own name, not the dictionary's."""
    return TimedLabel(times.start, times.end, word.label), phonemes


def _pass(decoder: Any, samples: bytes) -> None:
    decoder.start_utt()
    try:
        decoder.process_raw(samples, full_utt=True)
    finally:
        decoder.end_utt()


def _words(alignment: Any, duration: float) -> list[WordTimes]:
    if alignment is None:
        raise NotAligned("the words were not found in the sound")

    def times(entry: Any) -> tuple[float, float]:
        def boundary(frame: int) -> float:
            return min(max(frame * _FRAME + _BOUNDARY, 0.0), duration)

        return boundary(entry.start), boundary(entry.start + entry.duration)

    return [
        (TimedLabel(*times(word), word.name), tuple(TimedLabel(*times(phone), phone.name) for phone in word))
        for word in alignment
        # Silences and noises: <sil>, [NOISE].
        if not word.name.startswith(("<", "["))
    ]
