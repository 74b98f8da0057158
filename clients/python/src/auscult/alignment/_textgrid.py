"""Praat's TextGrid, in its long text form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..recordings import TimedLabel

# Praat compares times as numbers; a microsecond is less than a sample.
_DIGITS = 6


def textgrid(duration: float, tiers: Sequence[tuple[str, Iterable[TimedLabel]]]) -> str:
    """A TextGrid with interval tiers from 0 to `duration`; what lies between labels is an empty interval.

    Args:
        tiers: Names, and labels in the order of their times. One that begins before its neighbour ends is cut there.
    """
    whole = [(name, _filled(labels, duration)) for name, labels in tiers]
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", f"xmin = 0\nxmax = {_number(duration)}"]
    lines += ["tiers? <exists>", f"size = {len(whole)}", "item []:"]
    for place, (name, intervals) in enumerate(whole, 1):
        lines += [f"    item [{place}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {_number(duration)}"]
        lines.append(f"        intervals: size = {len(intervals)}")
        for number, one in enumerate(intervals, 1):
            lines.append(f"        intervals [{number}]:")
            lines.append(f"            xmin = {_number(one.start)}\n            xmax = {_number(one.end)}")
            lines.append(f"            text = {_quoted(one.label)}")
    return "\n".join(lines) + "\n"


def _filled(labels: Iterable[TimedLabel], duration: float) -> list[TimedLabel]:
    found: list[TimedLabel] = []
    end = 0.0
    for one in labels:
        start, stop = max(round(one.start, _DIGITS), end), round(min(one.end, duration), _DIGITS)
        if stop <= start:
            continue
        if start > end:
            found.append(TimedLabel(end, start, ""))
        found.append(TimedLabel(start, stop, one.label))
        end = stop
    last = round(duration, _DIGITS)
    return [*found, TimedLabel(end, last, "")] if end < last or not found else found


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
