"""Scores as a table, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from .scoring import Errors, Score

_COLUMNS = ("GROUP", "OF", "KNOWN", "MATCHED", "MEDIAN", "90 %", "BIAS", "≤ 20 ms", "≤ 50 ms")


def text(scores: Mapping[str, Score]) -> str:
    """A table with two rows a group: words and phonemes, times in milliseconds."""
    rows = [_COLUMNS, *(_row(group, name, errors) for group, name, errors in _parts(scores))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def json_text(scores: Mapping[str, Score]) -> str:
    """The same as a list of objects; times in seconds, null where there is nothing."""
    return json.dumps(
        [
            {
                "group": group, "of": name, "recordings": scores[group].recordings, "known": errors.known,
                "matched": _finite(errors.matched), "median": _finite(errors.quantile(0.5)),
                "percentile_90": _finite(errors.quantile(0.9)), "bias": _finite(errors.bias),
                "within_20_ms": _finite(errors.within(0.02)), "within_50_ms": _finite(errors.within(0.05)),
            }
            for group, name, errors in _parts(scores)
        ],
        indent=2, ensure_ascii=False,
    )  # fmt: skip


def _parts(scores: Mapping[str, Score]) -> Iterable[tuple[str, str, Errors]]:
    for group, one in scores.items():
        for name, errors in (("words", one.words), ("phonemes", one.phonemes)):
            if errors.known:
                yield group, name, errors


def _row(group: str, name: str, errors: Errors) -> tuple[str, ...]:
    return (
        group, name, str(errors.known), _percent(errors.matched), _milliseconds(errors.quantile(0.5)),
        _milliseconds(errors.quantile(0.9)), _milliseconds(errors.bias), _percent(errors.within(0.02)),
        _percent(errors.within(0.05)),
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return None if value != value else round(value, 6)


def _percent(value: float) -> str:
    return "–" if value != value else f"{100 * value:.1f} %"


def _milliseconds(value: float) -> str:
    return "–" if value != value else f"{1000 * value:.1f} ms"
