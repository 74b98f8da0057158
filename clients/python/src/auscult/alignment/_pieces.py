"""Long recordings in pieces that are aligned one by one, cut where it is quiet between two words that were heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recordings import TimedLabel
from ._coarse import matches

SAMPLE_RATE = 16000
# A cut is made in the middle of the quietest stretch of this length, in seconds.
_QUIET = 0.1


@dataclass(frozen=True)
class Piece:
    """Some of the words, and the seconds that they are said in."""

    first: int
    #: The first word that is not in it.
    last: int
    start: float
    end: float


def pieces(
    words: Sequence[str], heard: Sequence[TimedLabel], samples: NDArray[np.int16], least: float, most: float
) -> list[Piece]:
    """Cuts between two neighbouring words that were both heard.

    Args:
        words: Labels, as `heard` has them.
        least: Seconds of a piece before a cut is looked for.
        most: Seconds of a piece that are too many, where there is another way.
    """
    duration = len(samples) / SAMPLE_RATE
    found: list[Piece] = []
    first, start = 0, 0.0
    cuts = _cuts(words, heard, samples)
    while duration - start > most:
        later = [cut for cut in cuts if cut[0] > first and cut[1] - start >= least]
        within = [cut for cut in later if cut[1] - start <= most]
        if not later:
            break
        place, time, _ = min(within, key=lambda cut: cut[2]) if within else later[0]
        found.append(Piece(first, place, start, time))
        first, start = place, time
    return [*found, Piece(first, len(words), start, duration)]


def _cuts(
    words: Sequence[str], heard: Sequence[TimedLabel], samples: NDArray[np.int16]
) -> list[tuple[int, float, float]]:
    """Places in `words` where one can cut, the time there, and how loud it is."""
    where = matches(words, [one.label for one in heard])
    found = []
    for place in range(1, len(words)):
        before, after = where[place - 1], where[place]
        if before is None or after is None or after != before + 1:
            continue
        low, high = ((one.start + one.end) / 2 for one in (heard[before], heard[after]))
        time, loudness = _quietest(samples, low, high)
        found.append((place, time, loudness))
    return found


def _quietest(samples: NDArray[np.int16], low: float, high: float) -> tuple[float, float]:
    """The middle of the quietest stretch between two times, and its mean square."""
    step, length = SAMPLE_RATE // 100, int(_QUIET * SAMPLE_RATE)
    start, end = int(low * SAMPLE_RATE), int(high * SAMPLE_RATE)
    starts = range(start, max(end - length, start) + 1, step)
    energies = [float(np.mean(np.square(samples[one : one + length], dtype=np.float64))) for one in starts
                if one + length <= len(samples)]  # fmt: skip
    if not energies:
        return (low + high) / 2, float("inf")
    best = int(np.argmin(energies))
    return (starts[best] + length / 2) / SAMPLE_RATE, energies[best]
