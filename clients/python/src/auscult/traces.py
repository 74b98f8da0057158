"""What happened inside a model: arrays by the names of their hook points."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, Union

import numpy as np
from numpy.typing import NDArray

from . import _html, _pandas, _plots, _windows
from ._audio import Span
from ._messages import present
from ._tensors import DTYPE_NAMES
from .errors import DataLoss, InvalidArgument
from .interventions import Interventions
from .models import Model, Precision, precision_word
from .padding import Padding, padding_word
from .transcripts import Notice, Task, notices

#: ``"valid"``: positions that overlap audio. ``"all"``: the padding as well.
Frames = Literal["valid", "all"]
#: How the positions are reduced while they are captured.
Reduction = Literal["none", "max", "mean"]
#: ``"full"``: the encoder computes the model's whole window, as it was trained. ``"auto"``: no more than the recording, which
#: is faster and not quite the same.
Context = Literal["full", "auto"]


class TraceOptions(TypedDict, total=False):
    """What to trace, beside the recording and the hook points."""

    #: What the daemon's log and the result call the recording.
    name: str
    #: The part to listen to, in seconds.
    span: Union[Span, None]
    model: Model
    vocabulary: str
    precision: Precision
    frames: Frames
    reduce: Reduction
    context: Context
    #: None for what is usual: ``"mel"`` with ``transcript``, else ``"sound"``.
    padding: Union[Padding, None]
    interventions: Interventions
    #: What to differentiate with respect to the hook points, in the text form of ``auscult trace --objective``: ``"transcript"``,
    #: ``"token rug - mug"``, ``"encoder.blocks.2.mlp.1:5@frames 10:20"``, …; one, or several. Each hook point that comes before an
    #: objective then has a second tensor, ``HOOK@grad`` (of several objectives ``HOOK@grad1``, ``HOOK@grad2``, …).
    objective: Union[str, Sequence[str]]
    #: What the decoder reads after the start tokens and ``<|notimestamps|>``. Without text or tokens, what it writes.
    text: Union[str, None]
    #: What the decoder reads after the start tokens; all of it, where it begins with ``<|startoftranscript|>``.
    tokens: Union[Sequence[int], None]
    #: Look inside the passes that write the recording's transcript: True, or the options of :meth:`Client.transcribe` that
    #: say how it is written. Its windows, prompts and tokens are then the trace's.
    transcript: Union[bool, Mapping[str, Any]]
    language: str
    task: Task
    #: Whether a recording that would come with a notice is an error.
    strict: bool


@dataclass(frozen=True)
class TensorInfo:
    """What a tensor is."""

    #: The hook point's, of a gradient with ``"@grad"`` (``"@grad1"``, … of several objectives), with ``"@window1"``, ``"@window2"``, … where there are several windows, or they are a transcript's.
    name: str
    hook: str
    #: Counted from 1.
    window: int
    #: safetensors' name of the elements' type: ``"F32"``.
    dtype: str
    shape: tuple[int, ...]
    #: What each axis is, outermost first: ``"frame"``, ``"head"``, ``"neuron"``, …
    axes: tuple[str, ...]
    #: The frame of the recording that position 0 stands for; None for the decoder.
    first_frame: int | None
    #: The token of the window's sequence that position 0 stands for; None for the encoder.
    first_token: int | None
    #: Along the axis of the frames: 50 or 100.
    frames_per_second: float | None
    #: Positions of this window that overlap audio.
    valid_frames: int | None
    #: Of a gradient: the number of its objective, from 1; None for an activation.
    objective: int | None = None

    def seconds(self, position: float) -> float:
        """When a position along the axis of the frames is, in seconds of the recording.

        Raises:
            InvalidArgument: The tensor has no frames.
        """
        if self.first_frame is None or not self.frames_per_second:
            raise InvalidArgument(f"{self.name} has no frames", "invalid_argument")
        return (self.first_frame + position) / self.frames_per_second


@dataclass(frozen=True, eq=False)
class TracedTensor:
    """A tensor and what it is; the array is read-only."""

    info: TensorInfo
    array: NDArray[Any]


@dataclass(frozen=True)
class TraceSummary:
    """What was traced, without the values."""

    #: As the recording was named.
    file: str
    model: str
    model_sha256: str
    #: Seconds of audio.
    duration: float
    tensors: tuple[TensorInfo, ...]
    #: The tokens that the decoder read, for each window; empty without decoder hooks.
    tokens: tuple[tuple[int, ...], ...]
    #: How many windows of the model's own length the recording took.
    windows: int
    #: Where the daemon wrote the tensors; None where it handed them over.
    output_file: str | None
    #: In what numbers the model computed.
    precision: Precision = "exact"
    #: What windows were padded with; None where a daemon does not say.
    padding: Padding | None = None
    #: Where each window begins, in seconds from the part that was looked at.
    window_starts: tuple[float, ...] = ()
    #: Of a transcript: how many of each window's tokens were not written in it: earlier text, and the start tokens.
    prompt_tokens: tuple[int, ...] = ()
    #: What there is to know about the recording.
    notices: tuple[Notice, ...] = ()
    #: For each objective its text, and what it came to in each window; NaN where a window of a transcript has no tokens to read it from.
    objectives: tuple[tuple[str, tuple[float, ...]], ...] = ()


class Trace(Mapping[str, NDArray[Any]]):
    """The tensors of a recording, by hook point, in the order in which they were captured. The arrays are read-only.

    A recording of several windows is one array for each hook point, put together when it is first asked for; `window` has
    its parts, as has ``"…@window1"``. Frames that two windows of a transcript saw are the later one's. Of a reduction the windows
    are rows, on an axis ``"window"``. Keys of attention count from their own window's beginning; where the windows'
    keys differ in number (attention among the decoder's tokens), or there is a gap between them, they are listed apart.

    Where the daemon wrote them to a file, each is read from it when it is first asked for.

    Attributes:
        summary: The recording, the model, the tokens that the decoder read, …; its tensors are the windows' own.
        info: What each tensor is, by the names that iterating gives.
    """

    def __init__(self, summary: TraceSummary, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.summary = summary
        self._parts: dict[str, TensorInfo] = {info.name: info for info in summary.tensors}
        self._arrays = dict(arrays)
        if summary.output_file is None and self._parts.keys() != self._arrays.keys():
            names = ", ".join(sorted(self._parts.keys() ^ self._arrays.keys()))
            raise DataLoss(f"the trace's summary and the tensors that came differ in {names}")
        self._found = _windows.joined(summary.tensors)
        self._joined: dict[str, NDArray[Any]] = {}
        self.info: dict[str, TensorInfo] = {
            name: one.info if isinstance(one, _windows.Joined) else one for name, one in self._found.items()
        }

    def __getitem__(self, name: str) -> NDArray[Any]:
        found = self._found.get(name)
        if not isinstance(found, _windows.Joined):
            return self._part(name)
        if name not in self._joined:
            self._joined[name] = found.array({one.name: self._part(one.name) for one in found.parts})
        return self._joined[name]

    def __contains__(self, name: object) -> bool:
        return name in self._found or name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self.info)

    def __len__(self) -> int:
        return len(self.info)

    def __repr__(self) -> str:
        return f"<Trace of {self.summary.file}: {len(self)} tensors, {self.summary.duration:.2f} s>"

    def _repr_html_(self) -> str:
        return _html.trace(self)

    def window(self, number: int) -> Trace:
        """One window's tensors, by hook point.

        Args:
            number: Counted from 1.

        Raises:
            IndexError: There is no such window.
        """
        if not 1 <= number <= self.summary.windows:
            raise IndexError(f"there is no window {number}; there are 1 to {self.summary.windows}")
        parts = [one for one in self.summary.tensors if one.window == number]
        renamed = tuple(replace(one, name=_windows.stem(one.name)) for one in parts)
        arrays = {new.name: self._part(one.name) for new, one in zip(renamed, parts)}
        at = slice(number - 1, number)
        summary = replace(
            self.summary,
            tensors=renamed,
            windows=1,
            output_file=None,
            tokens=self.summary.tokens[at],
            window_starts=self.summary.window_starts[at],
            prompt_tokens=self.summary.prompt_tokens[at],
        )
        return Trace(summary, arrays)

    def times(self, name: str) -> NDArray[np.float64]:
        """When each position along the axis of the frames begins, in seconds of the recording; shape ``(frames,)``.

        Raises:
            InvalidArgument: The tensor has no frames.
        """
        info = self.describe(name)
        axis = _windows.position_axis(info.axes)
        if info.first_frame is None or not info.frames_per_second or axis is None:
            raise InvalidArgument(f"{name} has the axes {', '.join(info.axes)}, and no frames", "invalid_argument")
        return (info.first_frame + np.arange(info.shape[axis])) / info.frames_per_second

    def describe(self, name: str) -> TensorInfo:
        """What a tensor is, of the whole recording or of a window.

        Raises:
            KeyError: There is none of this name.
        """
        found = self.info.get(name) or self._parts.get(name)
        if found is None:
            raise _windows.NoTensor(name, self.info)
        return found

    def to_pandas(self, name: str | None = None) -> Any:
        """A tensor as a data frame: a row for each position, by its time in seconds or its token's place, and a column for
        each of the rest; without a name, the list of the tensors. Needs pandas."""
        return _pandas.trace(self, name)

    def plot(self, name: str, *, head: int | None = None, ax: Any = None) -> Any:
        """A heat map of a tensor over the recording's time, on matplotlib's axes `ax` or new ones, which are returned.

        Args:
            head: Which head of a tensor with heads; the mean over them without.
        """
        return _plots.trace(self, name, head, ax)

    def _part(self, name: str) -> NDArray[Any]:
        if name not in self._parts:
            raise _windows.NoTensor(name, self.info)
        if name not in self._arrays and self.summary.output_file is not None:
            self._arrays[name] = read_array(self.summary.output_file, self._parts[name])
        return self._arrays[name]


def trace_summary(message: Any) -> TraceSummary:
    return TraceSummary(
        file=message.file,
        model=message.model,
        model_sha256=message.model_sha256,
        duration=message.duration,
        tensors=tuple(tensor_info(header) for header in message.tensors),
        tokens=tuple(tuple(one.ids) for one in message.tokens),
        windows=message.windows,
        output_file=message.output_file or None,
        precision=precision_word(message),
        padding=padding_word(message),
        window_starts=tuple(message.window_starts),
        prompt_tokens=tuple(message.prompt_tokens),
        notices=notices(message.notices),
        objectives=tuple((one.text, tuple(one.values)) for one in message.objectives),
    )


def tensor_info(header: Any) -> TensorInfo:
    return TensorInfo(
        name=header.name,
        hook=header.hook,
        window=header.window,
        dtype=DTYPE_NAMES.get(header.dtype, f"unknown_{header.dtype}"),
        shape=tuple(header.shape),
        axes=tuple(header.axes),
        first_frame=present(header, "first_frame"),
        first_token=present(header, "first_token"),
        frames_per_second=present(header, "frames_per_second"),
        valid_frames=present(header, "valid_frames"),
        objective=header.objective or None,
    )


def read_array(path: str, info: TensorInfo) -> NDArray[Any]:
    """A tensor of a file that the daemon wrote; one of a .safetensors file is mapped, not read.

    Raises:
        DataLoss: The file does not hold it as it was announced.
    """
    try:
        if path.endswith(".npz"):
            with np.load(path) as file:
                found: NDArray[Any] = file[info.name]
        else:
            found = _map_safetensors(path, info)
    except (OSError, KeyError, ValueError, TypeError) as fault:
        raise DataLoss(f"{info.name} cannot be read from {path}: {fault}") from fault
    if found.shape != info.shape:
        raise DataLoss(f"{info.name} has the shape {found.shape} in {path}; expected {info.shape}")
    found.flags.writeable = False
    return found


def _map_safetensors(path: str, info: TensorInfo) -> NDArray[Any]:
    types = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1", "BF16": "<u2"}
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > os.fstat(file.fileno()).st_size - 8:
            raise ValueError(f"its header of {length} bytes is longer than the file")
        entry = json.loads(file.read(length))[info.name]
    dtype, shape = types[entry["dtype"]], tuple(entry["shape"])
    start, end = entry["data_offsets"]
    if start == end:
        return np.zeros(shape, dtype)
    found: NDArray[Any] = np.memmap(path, dtype, "r", 8 + length + start, shape).view(np.ndarray)
    if found.nbytes != end - start:
        raise ValueError(f"its shape {shape} takes {found.nbytes} bytes, and it has {end - start}")
    return (found.astype(np.uint32) << 16).view(np.float32) if entry["dtype"] == "BF16" else found
