"""Changes to activations while a model runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ._messages import v1
from .errors import InvalidArgument

#: Words of a transcript: a number from 1, the first and the last number of several, or what they say.
Words = Union[int, "tuple[int, int]", str]

#: A float32 tensor of shape ``(columns,)`` for all positions alike, or ``(positions, columns)`` with one row for each
#: changed position or for every position; or the path of a safetensors file with it.
TensorValue = Union[NDArray[Any], "os.PathLike[str]", str]


@dataclass(frozen=True)
class Latent:
    """A change of one latent of a sparse dictionary; what the dictionary does not explain stays.

    Exactly one of `scale`, `set` and `clamp` is given.
    """

    #: The dictionary's folder: SAELens' layout, or sparsify's.
    dictionary: "os.PathLike[str] | str"
    index: int
    #: The latent's code is multiplied by this.
    scale: float | None = None
    #: The latent's code becomes this; 0 takes it away.
    set: float | None = None
    #: The latent's code is held between limits.
    clamp: Clamp | None = None


@dataclass(frozen=True)
class Quantile:
    """A value below which this part of a column's values lies, 0 to 1."""

    quantile: float


@dataclass(frozen=True)
class Clamp:
    """Limits of values, one of them or both; two that are equal set the value."""

    lower: float | Quantile | None = None
    upper: float | Quantile | None = None
    #: The data set over which quantiles are measured: a folder, a manifest or ``demo:``; None for the pass itself.
    over: "os.PathLike[str] | str | None" = None


@dataclass(frozen=True)
class Patch:
    """What another run has: a recording of one window (a path or ``demo:NAME``), or a safetensors file of a trace.

    Without `positions` and `words`, at the same place.
    """

    source: "os.PathLike[str] | str"
    #: Frames ``(start, end)`` of the other run, half open.
    positions: tuple[int, int | None] | None = None
    #: Words of the other recording's transcript.
    words: Words | None = None


@dataclass(frozen=True)
class Resample:
    """What a recording of a data set has at the same place, drawn for each window."""

    #: A folder, a manifest or ``demo:``.
    data_set: "os.PathLike[str] | str"
    seed: int = 0


@dataclass(frozen=True)
class Intervention:
    """One change, with exactly one operation. Where several are given, they act in the order of the forward pass.

    The text form says the same in one line, ``"encoder.blocks.2.mlp.1 @frames 50:100 = zero"``, and is taken everywhere
    that an `Intervention` is.
    """

    #: A hook point: name, glob or alias.
    hook: str
    #: Zero ablation.
    zero: bool = False
    #: Mean ablation: each value becomes its mean over the valid positions of this run, or over a data set, by its path.
    mean: "bool | str | os.PathLike[str]" = False
    #: Multiplied by this.
    scale: float | None = None
    #: `factor` times this is added: steering.
    add: TensorValue | None = None
    factor: float = 1.0
    #: Takes the place of the activation: value ablation, patching.
    set: TensorValue | None = None
    #: The standard deviation of normal noise that is added, from `seed`.
    noise: float | None = None
    seed: int = 0
    #: Attention is kept within ± so many positions; for self-attention's ``attn`` and ``attn.scores``.
    window: int | None = None
    #: What an input of padding alone gives at the same place; encoder only.
    substitute_padding: bool = False
    #: The folder of a sparse dictionary, whose reconstruction takes the place of the activation.
    splice: "os.PathLike[str] | str | None" = None
    #: One latent of a sparse dictionary is changed.
    latent: Latent | None = None
    #: Values are held between limits, or at a value.
    clamp: "Clamp | float | None" = None
    #: What another run has takes the place of the activation.
    patch: "Patch | str | os.PathLike[str] | None" = None
    #: What another recording of a data set has takes the place of the activation.
    resample: "Resample | str | os.PathLike[str] | None" = None
    #: Frames or tokens ``(start, end)`` that are changed, half open; an end of None is the last. None for all.
    positions: tuple[int, int | None] | None = None
    #: Words of the transcript that are changed, in place of positions.
    words: Words | None = None
    #: Heads that are changed; none for all.
    heads: Sequence[int] = ()
    #: Columns that are changed: neurons, channels, keys; none for all.
    neurons: Sequence[int] = ()
    #: The hook point that alone gets the change, and its heads: an edge. None where everybody gets it.
    to: "str | tuple[str, Sequence[int]] | None" = None


Interventions = Union[str, Intervention, Sequence[Union[str, Intervention]]]

_OPERATIONS = ("zero", "mean", "scale", "add", "set", "noise", "window", "substitute_padding", "splice", "latent",
               "clamp", "patch", "resample")


def interventions(given: Interventions) -> list[Any]:
    """The contract's messages.

    Raises:
        InvalidArgument: One has no operation, several, or a tensor that cannot be one.
    """
    each = [given] if isinstance(given, (str, Intervention)) else given
    return [v1.Intervention(text=one) if isinstance(one, str) else _message(one) for one in each]


def _message(one: Intervention) -> Any:
    if not isinstance(one, Intervention):
        raise TypeError(f"expected an Intervention or its text, not {type(one).__name__}")
    chosen = [name for name in _OPERATIONS if getattr(one, name) is not None and getattr(one, name) is not False]
    if len(chosen) != 1:
        raise InvalidArgument(
            f"the intervention on {one.hook!r} has {', '.join(chosen) or 'no operation'}; expected one of "
            f"{', '.join(_OPERATIONS)}",
            "invalid_argument",
        )
    message = v1.Intervention(hook=one.hook, heads=list(one.heads), neurons=list(one.neurons))
    _place(message, one.positions, one.words, f"the intervention on {one.hook!r}")
    if one.to is not None:
        hook, heads = (one.to, ()) if isinstance(one.to, str) else one.to
        message.receiver.CopyFrom(v1.Receiver(hook=hook, heads=list(heads)))
    name = chosen[0]
    if name == "mean" and not isinstance(one.mean, bool):
        message.mean_over = os.fspath(one.mean)
    elif name in ("zero", "mean", "substitute_padding"):
        getattr(message, name).SetInParent()
    elif name in ("scale", "window"):
        setattr(message, name, getattr(one, name))
    elif name == "add":
        message.add.value.CopyFrom(_value(one.add))
        message.add.factor = one.factor
    elif name == "set":
        message.set.CopyFrom(_value(one.set))
    elif name == "splice":
        message.splice = os.fspath(one.splice or "")
    elif name == "latent":
        message.latent.CopyFrom(_latent(one.latent))
    elif name == "clamp":
        message.clamp.CopyFrom(_clamp(one.clamp))
    elif name == "patch":
        patch = one.patch if isinstance(one.patch, Patch) else Patch(one.patch or "")
        message.patch.source = os.fspath(patch.source)
        _place(message.patch, patch.positions, patch.words, "the patch")
    elif name == "resample":
        resample = one.resample if isinstance(one.resample, Resample) else Resample(one.resample or "")
        message.resample.CopyFrom(v1.Resample(data_set=os.fspath(resample.data_set), seed=resample.seed))
    else:
        message.noise.standard_deviation = one.noise
        message.noise.seed = one.seed
    return message


def _place(message: Any, positions: Any, words: Any, what: str) -> None:
    """Positions, or words; `message` has both fields."""
    if positions is not None and words is not None:
        raise InvalidArgument(f"{what} has positions and words; expected one of them", "invalid_argument")
    if positions is not None:
        start, end = positions
        message.positions.start = start
        if end is not None:
            message.positions.end = end
    if isinstance(words, str):
        message.words.said = words
    elif words is not None:
        first, last = (words, words) if isinstance(words, int) else words
        message.words.numbers.first = first
        message.words.numbers.last = last


def _clamp(clamp: Any) -> Any:
    if not isinstance(clamp, Clamp):
        clamp = Clamp(clamp, clamp)
    message = v1.Clamp(over=os.fspath(clamp.over) if clamp.over is not None else "")
    for name in ("lower", "upper"):
        limit = getattr(clamp, name)
        if isinstance(limit, Quantile):
            getattr(message, name).quantile = limit.quantile
        elif limit is not None:
            getattr(message, name).value = limit
    return message


def _latent(latent: Any) -> Any:
    if not isinstance(latent, Latent):
        raise TypeError(f"expected a Latent, not {type(latent).__name__}")
    given = [name for name in ("scale", "set", "clamp") if getattr(latent, name) is not None]
    if len(given) != 1:
        raise InvalidArgument(
            f"latent {latent.index} of {os.fspath(latent.dictionary)!r} has "
            f"{' and '.join(given) or 'neither scale nor set nor clamp'}; expected one of them",
            "invalid_argument",
        )
    message = v1.LatentChange(dictionary=os.fspath(latent.dictionary), index=latent.index)
    if latent.clamp is not None:
        message.clamp.CopyFrom(_clamp(latent.clamp))
    else:
        setattr(message, given[0], getattr(latent, given[0]))
    return message


def _value(value: Any) -> Any:
    if isinstance(value, (str, os.PathLike)):
        return v1.TensorValue(path=os.fspath(value))
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise InvalidArgument(f"expected a tensor of numbers, not of {array.dtype}", "invalid_argument")
    tensor = v1.Tensor(shape=array.shape, data=np.ascontiguousarray(array, "<f4").tobytes())
    tensor.dtype = 1
    return v1.TensorValue(tensor=tensor)
