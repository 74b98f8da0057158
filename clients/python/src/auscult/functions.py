"""Functions of one's own at hook points: what a function returns takes the activation's place.

A hook point with a function is a pass of its own: the daemon runs the model up to there, with all earlier changes, and hands the
activation over in shared memory; the function works in this process, while the daemon serves others; and what it returned is put
in place in the passes that follow. Those compute what they computed before, to the bit, so the last pass is what it would be if
the functions had been called inside it. The price is a pass, up to its hook point, for each function.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ._audio import Audio
from .errors import InvalidArgument
from .interventions import Intervention, Interventions
from .traces import Trace

if TYPE_CHECKING:
    from ._calls.traces import TraceCalls

#: Takes a float32 activation of all positions, which it may change, and returns what goes on in its place: of the same
#: shape; or None, where it looked on or changed what it was given.
HookFunction = Callable[[NDArray[Any]], "NDArray[Any] | None"]

_MODEL = ("model", "vocabulary", "precision")


@contextlib.contextmanager
def hooked(
    client: TraceCalls,
    audio: Audio,
    functions: Mapping[str, HookFunction],
    *,
    interventions: Interventions = (),
    **options: Any,
) -> Iterator[list[str | Intervention]]:
    """The interventions that do what functions do at their hook points; they serve inside the ``with``.

    Raises:
        InvalidArgument: The recording has more than one window; or a function returned what is no activation of its place.
    """
    changes: list[str | Intervention] = [interventions] if isinstance(interventions, (str, Intervention)) else list(interventions)
    if options.pop("frames", "all") != "all" or options.pop("reduce", "none") != "none":
        raise InvalidArgument("functions take all frames, not reduced: leave out frames and reduce", "invalid_argument")
    with _folder() as folder:
        for number, (name, here) in enumerate(_in_order(client, functions, options)):
            before = client.trace(audio, name, interventions=changes, **options, frames="all")
            _check_windows(before)
            array = np.array(before[name], np.float32)
            for function in here:
                array = _checked(name, array, function(array))
            if np.array_equal(array, before[name], equal_nan=True):
                continue
            file = folder / f"{number}.safetensors"
            _write(file, name, array)
            changes.append(Intervention(name, set=file))
        yield changes


def run_with_hooks(
    client: TraceCalls,
    audio: Audio,
    functions: Mapping[str, HookFunction],
    hooks: str | Sequence[str] = (),
    *,
    interventions: Interventions = (),
    **options: Any,
) -> Trace:
    """What `auscult.Client.run_with_hooks` does."""
    wanted = [hooks] if isinstance(hooks, str) else list(hooks)
    passes = {key: value for key, value in options.items() if key not in ("frames", "reduce")}
    if functions:
        passes.update(_decoder_input(client, audio, [*functions, *wanted], interventions, passes))
    options.update(passes)
    with hooked(client, audio, functions, interventions=interventions, **passes) as changes:
        return client.trace(audio, wanted or list(functions), interventions=changes, **options)


def _decoder_input(
    client: TraceCalls, audio: Audio, names: Sequence[str], interventions: Interventions, options: Mapping[str, Any]
) -> dict[str, Any]:
    """The tokens that all passes read: those that the model writes without functions, where none were given."""
    if options.get("transcript"):
        raise InvalidArgument("functions act in one pass over given tokens: give text or tokens, not a transcript", "invalid_argument")
    if options.get("text") is not None or options.get("tokens") is not None:
        return {}
    points = [one for name in names if name != "log_mel" for one in client.hooks(name, **_model(options))]
    if all(one.stack != "decoder" for one in points):
        return {}
    written = client.trace(audio, "decoder.token_embedding", interventions=interventions, **options)
    _check_windows(written)
    return {"tokens": list(written.summary.tokens[0])}


def _in_order(
    client: TraceCalls, functions: Mapping[str, HookFunction], options: Mapping[str, Any]
) -> list[tuple[str, list[HookFunction]]]:
    """The hook points in the order of the forward pass, each with its functions in the order in which they were given."""
    found: dict[str, list[HookFunction]] = {}
    for pattern, function in functions.items():
        if not callable(function):
            raise TypeError(f"expected a function at {pattern}, not {type(function).__name__}")
        for point in client.hooks(pattern, **_model(options)):
            found.setdefault(point.name, []).append(function)
    return [(one.name, found[one.name]) for one in client.hooks(**_model(options)) if one.name in found]


def _model(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: options[key] for key in _MODEL if key in options}


def _check_windows(trace: Trace) -> None:
    if trace.summary.windows != 1:
        raise InvalidArgument(
            f"{trace.summary.file} takes {trace.summary.windows} windows, and functions act in one; choose it with span=(start, end)",
            "invalid_argument",
        )


def _checked(name: str, given: NDArray[Any], returned: Any) -> NDArray[Any]:
    if returned is None:
        return given
    array = np.asarray(returned)
    if array.dtype.kind not in "fiu" or array.shape != given.shape:
        raise InvalidArgument(
            f"the function at {name} returned {array.dtype} of shape {array.shape}; expected float32 of shape {given.shape}",
            "invalid_argument",
        )
    return np.array(array, np.float32)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Where values wait for the daemon: in shared memory, where this system has a place for it."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
    folder = tempfile.mkdtemp(prefix="auscult-", dir=place)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(path: Path, name: str, array: NDArray[Any]) -> None:
    data = np.ascontiguousarray(array, "<f4")
    head = json.dumps({name: {"dtype": "F32", "shape": data.shape, "data_offsets": [0, data.nbytes]}}).encode()
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        file.write(data.tobytes())
