"""Times where nothing was aligned: words where the model heard them, phonemes spread over their words."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ..recordings import TimedLabel
from ._phones import usual_seconds


def matches(words: Sequence[str], heard: Sequence[str]) -> list[int | None]:
    """For each word, which of the heard ones it is; None where it was heard as another or not at all."""
    found: list[int | None] = [None] * len(words)
    for first, second, count in difflib.SequenceMatcher(None, words, heard, autojunk=False).get_matching_blocks():
        for place in range(count):
            found[first + place] = second + place
    return found


def word_times(words: Sequence[str], heard: Sequence[TimedLabel], duration: float) -> list[TimedLabel]:
    """The times of words by those that were heard. Those between two that are known share what lies between them, by their
    letters."""
    times: list[TimedLabel | None] = [
        None if place is None else TimedLabel(heard[place].start, heard[place].end, word)
        for word, place in zip(words, matches(words, [one.label for one in heard]))
    ]
    place = 0
    while place < len(times):
        end = place
        while end < len(times) and times[end] is None:
            end += 1
        if end > place:
            before = times[place - 1] if place else None
            after = times[end] if end < len(times) else None
            # What lies between may have been heard as other words; where nothing was heard at all, all of it is shared.
            low = before.end if before else min((one.start for one in heard), default=0.0)
            high = after.start if after else max((one.end for one in heard), default=duration)
            low = low if before or low < high else 0.0
            times[place:end] = _shared(words[place:end], low, max(low, high))
        place = max(end, place + 1)
    return [one for one in times if one is not None]


def _shared(words: Sequence[str], start: float, end: float) -> list[TimedLabel]:
    bounds = _spread([float(len(word)) for word in words], start, end)
    return [TimedLabel(low, high, word) for word, low, high in zip(words, bounds, bounds[1:])]


def phoneme_times(phonemes: Sequence[str], word: TimedLabel) -> tuple[TimedLabel, ...]:
    """Phonemes over the time of their word, each as long as it usually is beside the others."""
    bounds = _spread([usual_seconds(one) for one in phonemes], word.start, word.end)
    return tuple(TimedLabel(low, high, one) for one, low, high in zip(phonemes, bounds, bounds[1:]))


def _spread(weights: Sequence[float], start: float, end: float) -> list[float]:
    """The bounds of parts of a stretch with these weights."""
    total, bounds = sum(weights) or 1.0, [start]
    for weight in weights:
        bounds.append(bounds[-1] + (end - start) * weight / total)
    return [*bounds[:-1], end] if weights else bounds
