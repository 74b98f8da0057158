"""Text as words that can be looked up and said."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "`": "'", "´": "'"})
_PARTS = re.compile(r"[-‐‑–—/_]+")


@dataclass(frozen=True)
class SpokenWord:
    """A word of a text."""

    #: In lower case, without the punctuation around it: what tiers call it.
    label: str
    #: As it is written, for who says it: ``$5``, ``Dr.``
    written: str


def spoken_words(text: str) -> list[SpokenWord]:
    """The words of a text, divided at spaces. What has neither letter nor digit is no word."""
    found = (_spoken(token) for token in unicodedata.normalize("NFC", text).translate(_APOSTROPHES).split())
    return [word for word in found if word is not None]


def _spoken(token: str) -> SpokenWord | None:
    inner = [place for place, one in enumerate(token) if one.isalnum() or unicodedata.category(one).startswith("M")]
    if not inner:
        return None
    start, end = inner[0], inner[-1] + 1
    # An apostrophe that stands for letters belongs to the word: 'em, goin'
    label = token[start:end].lower()
    return SpokenWord(label, _written(token, start, end))


def _written(token: str, start: int, end: int) -> str:
    """The word with the signs that are spoken: money before it, per cent behind it."""
    before = token[start - 1 : start] if start else ""
    after = token[end : end + 1]
    money = before if before and unicodedata.category(before) == "Sc" else ""
    return money + token[start:end] + (after if after and after in "%°$€£" else "")


def spellings(label: str) -> list[list[str]]:
    """Ways to look a word up: whole, with an apostrophe before or behind it, or as the parts between its hyphens."""
    parts = [part for part in _PARTS.split(label) if part]
    return [[label], ["'" + label], [label + "'"], *([parts] if len(parts) > 1 else [])]
