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

#: A float32 tensor of shape ``(columns,)`` for all positions alike, or ``(positions, columns)`` with one row for each
#: changed position or for every position; or the path of a safetensors file with it.
TensorValue = Union[NDArray[Any], "os.PathLike[str]", str]


@dataclass(frozen=True)
class Latent:
    """A change of one latent of a sparse dictionary; what the dictionary does not explain stays.

    Exactly one of `scale` and `set` is given.
    """

    #: The dictionary's folder: SAELens' layout, or sparsify's.
    dictionary: "os.PathLike[str] | str"
    index: int
    #: The latent's code is multiplied by this.
    scale: float | None = None
    #: The latent's code becomes this; 0 takes it away.
    set: float | None = None


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
    #: Mean ablation: each value becomes its mean over the valid positions of this run.
    mean: bool = False
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
    #: Frames or tokens ``(start, end)`` that are changed, half open; an end of None is the last. None for all.
    positions: tuple[int, int | None] | None = None
    #: Heads that are changed; none for all.
    heads: Sequence[int] = ()


Interventions = Union[str, Intervention, Sequence[Union[str, Intervention]]]

_OPERATIONS = ("zero", "mean", "scale", "add", "set", "noise", "window", "substitute_padding", "splice", "latent")


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
    message = v1.Intervention(hook=one.hook, heads=list(one.heads))
    if one.positions is not None:
        start, end = one.positions
        message.positions.start = start
        if end is not None:
            message.positions.end = end
    name = chosen[0]
    if name in ("zero", "mean", "substitute_padding"):
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
    else:
        message.noise.standard_deviation = one.noise
        message.noise.seed = one.seed
    return message


def _latent(latent: Any) -> Any:
    if not isinstance(latent, Latent):
        raise TypeError(f"expected a Latent, not {type(latent).__name__}")
    if (latent.scale is None) == (latent.set is None):
        raise InvalidArgument(
            f"latent {latent.index} of {os.fspath(latent.dictionary)!r} has "
            f"{'neither scale nor set' if latent.scale is None else 'scale and set'}; expected one of them",
            "invalid_argument",
        )
    message = v1.LatentChange(dictionary=os.fspath(latent.dictionary), index=latent.index)
    setattr(message, *(("scale", latent.scale) if latent.set is None else ("set", latent.set)))
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
