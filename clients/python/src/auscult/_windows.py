"""Windows of one recording as one array for each hook point."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .traces import TensorInfo

#: The axes along which windows follow one another.
POSITION_AXES = ("frame", "mel_frame", "token")

_SUFFIX = re.compile(r"@window\d+$")


class NoTensor(KeyError):
    """There is no tensor of this name; the message says which there are, the nearest first."""

    def __init__(self, name: str, there: Iterable[str]) -> None:
        names = list(there)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        listed = near + [one for one in names if one not in near]
        rest = f" and {len(listed) - 12} more" if len(listed) > 12 else ""
        super().__init__(f"there is no tensor {name!r}; there are {', '.join(listed[:12]) or 'none'}{rest}")

    def __str__(self) -> str:
        return str(self.args[0])


def stem(name: str) -> str:
    """A tensor's name without its window."""
    return _SUFFIX.sub("", name)


def position_axis(axes: Sequence[str]) -> int | None:
    """Which axis goes through the recording; None for what is reduced."""
    return next((axes.index(one) for one in POSITION_AXES if one in axes), None)


class Joined:
    """The parts of one hook point, and what they are together.

    Frames of a transcript's windows overlap, because each begins where the transcript went on: of two windows the later
    one has the frames that both saw. What is reduced has no positions: its windows are rows of a new axis ``"window"``.
    Keys of attention count from the beginning of each row's own window.
    """

    def __init__(self, parts: Sequence[TensorInfo]) -> None:
        self.parts = parts
        first = parts[0]
        self._axis = position_axis(first.axes)
        self._kept = [_kept(one, after, self._axis) for one, after in zip(parts, [*parts[1:], None])]
        self.info = replace(first, name=stem(first.name), shape=self._shape(), axes=self._axes())
        if first.valid_frames is not None and self._axis is not None:
            before = sum(self._kept[:-1])
            last = parts[-1].valid_frames or 0
            self.info = replace(self.info, valid_frames=before + last)

    def array(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """The parts put together; a copy, but for a single part."""
        pieces = [arrays[one.name] for one in self.parts]
        if self._axis is None:
            whole = np.stack(pieces)
        else:
            axis = self._axis
            whole = np.concatenate(
                [piece[(slice(None),) * axis + (slice(0, kept),)] for piece, kept in zip(pieces, self._kept)], axis
            )
        whole.flags.writeable = False
        return whole

    def _shape(self) -> tuple[int, ...]:
        shape = self.parts[0].shape
        if self._axis is None:
            return (len(self.parts), *shape)
        return (*shape[: self._axis], sum(self._kept), *shape[self._axis + 1 :])

    def _axes(self) -> tuple[str, ...]:
        axes = self.parts[0].axes
        return ("window", *axes) if self._axis is None else axes


def _kept(one: TensorInfo, after: TensorInfo | None, axis: int | None) -> int:
    """How many positions of a window come before the next window's first."""
    if axis is None:
        return 1
    length = one.shape[axis]
    if after is None or one.first_frame is None or after.first_frame is None:
        return length
    return max(0, min(length, after.first_frame - one.first_frame))


def joined(infos: Iterable[TensorInfo]) -> dict[str, TensorInfo | Joined]:
    """By name: what is there once as it is, windows together, and apart those that cannot be put together."""
    groups: dict[str, list[TensorInfo]] = {}
    for info in infos:
        groups.setdefault(stem(info.name), []).append(info)
    found: dict[str, TensorInfo | Joined] = {}
    for name, parts in groups.items():
        if len(parts) == 1 and parts[0].name == name:
            found[name] = parts[0]
        elif _fit(parts):
            found[name] = Joined(sorted(parts, key=lambda one: one.window))
        else:
            found.update((one.name, one) for one in parts)
    return found


def _fit(parts: Sequence[TensorInfo]) -> bool:
    """Whether the windows can be one array: alike but for their positions, and with no gap between them."""
    axis = position_axis(parts[0].axes)
    alike = {(one.axes, one.dtype, tuple(n for i, n in enumerate(one.shape) if i != axis)) for one in parts}
    if len(alike) != 1:
        return False
    if axis is None or parts[0].first_frame is None:
        return True
    ordered = sorted(parts, key=lambda one: one.window)
    return all(
        a.first_frame is not None and b.first_frame is not None and b.first_frame <= a.first_frame + a.shape[axis]
        for a, b in zip(ordered, ordered[1:])
    )
