"""How far an alignment is from one that is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..recordings import TimedLabel
from ._phones import folded
from ._words import spoken_words
from .aligner import Alignment

# A pair of equal labels costs nothing, two different ones cost less than to leave both out.
_DIFFERENT, _LEFT_OUT = 1.0, 0.7


@dataclass
class Errors:
    """Differences of times, in seconds: found − known."""

    #: Known labels, and how many of them were found under the same name.
    known: int = 0
    starts: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)

    def add(self, other: Errors) -> None:
        self.known += other.known
        self.starts += other.starts
        self.ends += other.ends

    @property
    def matched(self) -> float:
        """The share of known labels that were found under the same name."""
        return len(self.starts) / self.known if self.known else float("nan")

    def quantile(self, share: float) -> float:
        """The absolute error of starts and ends that this share of them does not exceed; NaN without any."""
        both = np.abs([*self.starts, *self.ends])
        return float(np.quantile(both, share)) if len(both) else float("nan")

    def within(self, seconds: float) -> float:
        """The share of starts and ends that are not farther off."""
        both = np.abs([*self.starts, *self.ends])
        return float(np.mean(both <= seconds + 1e-9)) if len(both) else float("nan")

    @property
    def bias(self) -> float:
        """The median of found − known, of starts; below 0 where they are early."""
        return float(np.median(self.starts)) if self.starts else float("nan")


@dataclass
class Score:
    """Of some recordings."""

    recordings: int = 0
    words: Errors = field(default_factory=Errors)
    phonemes: Errors = field(default_factory=Errors)

    def add(self, other: Score) -> None:
        self.recordings += other.recordings
        self.words.add(other.words)
        self.phonemes.add(other.phonemes)


def score(found: Alignment, words: Sequence[TimedLabel], phonemes: Sequence[TimedLabel]) -> Score:
    """Compares with the words and phonemes that are known of a recording; either may be empty."""
    heard = [TimedLabel(one.start, one.end, one.label) for one in found.words]
    return Score(
        recordings=1,
        words=compare(_words(words), heard),
        phonemes=compare(_phonemes(phonemes), _phonemes(found.phonemes)),
    )


def _words(labels: Iterable[TimedLabel]) -> list[TimedLabel]:
    """As texts are divided here; a label of two words has no time for either, and is left out."""
    found = []
    for one in labels:
        words = spoken_words(one.label.strip("<>[]")) if one.label not in ("<eps>", "<unk>", "<sil>") else []
        if len(words) == 1:
            found.append(TimedLabel(one.start, one.end, words[0].label))
    return found


def _phonemes(labels: Iterable[TimedLabel]) -> list[TimedLabel]:
    names = [(one, folded(one.label)) for one in labels]
    return [TimedLabel(one.start, one.end, name) for one, name in names if name is not None]


def compare(known: Sequence[TimedLabel], found: Sequence[TimedLabel]) -> Errors:
    """The errors of those that are the same in both, by the cheapest way to make one list of the other."""
    errors = Errors(known=len(known))
    for first, second in _pairs([one.label for one in known], [one.label for one in found]):
        errors.starts.append(found[second].start - known[first].start)
        errors.ends.append(found[second].end - known[first].end)
    return errors


def _pairs(known: Sequence[str], found: Sequence[str]) -> list[tuple[int, int]]:
    """Places of equal labels, by Levenshtein's table `[known + 1, found + 1]`."""
    names = {name: number for number, name in enumerate(dict.fromkeys([*known, *found]))}
    left, right = (np.array([names[one] for one in labels], int) for labels in (known, found))
    table = np.zeros((len(left) + 1, len(right) + 1))
    table[0] = np.arange(len(right) + 1) * _LEFT_OUT
    for row, name in enumerate(left, 1):
        best = np.minimum(table[row - 1, :-1] + _DIFFERENT * (right != name), table[row - 1, 1:] + _LEFT_OUT)
        table[row, 0] = row * _LEFT_OUT
        for column, value in enumerate(best, 1):
            table[row, column] = min(value, table[row, column - 1] + _LEFT_OUT)
    pairs = []
    row, column = len(left), len(right)
    while row and column:
        same = left[row - 1] == right[column - 1]
        if table[row, column] == table[row - 1, column - 1] + _DIFFERENT * (not same):
            row, column = row - 1, column - 1
            if same:
                pairs.append((row, column))
        elif table[row, column] == table[row - 1, column] + _LEFT_OUT:
            row -= 1
        else:
            column -= 1
    return pairs[::-1]
