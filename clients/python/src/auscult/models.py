"""Models: what there is, what is inside, and their tokens."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal, Union

from ._messages import enum_number, enum_word, present, v1

#: A registered name, or a checkpoint: a Hugging Face folder, an openai ``.pt`` or a ggml ``.bin``. What is
#: no name of a model in the daemon is a path, as is any ``os.PathLike``. Empty for the embedded model.
Model = Union[str, "os.PathLike[str]"]

#: In what numbers a model computes. ``"exact"``: float32. ``"int8"``: weights and activations in 8 bits with
#: scales. ``"bf16"``: refused where the processor has no instructions for it.
Precision = Literal["exact", "int8", "bf16"]

#: ``"embedded"``: in the daemon. ``"registered"``: wherever it lies. ``"downloaded"``: by `Client.pull`.
#: ``"released"``: not here, and can be pulled.
ModelState = Literal["embedded", "registered", "downloaded", "released"]


@dataclass(frozen=True)
class Dimensions:
    """The sizes of a Whisper; the names are openai/whisper's."""

    n_mels: int
    #: Encoder frames of one window; 1500 are 30 s.
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int


@dataclass(frozen=True)
class ModelListing:
    """A model that the daemon knows of."""

    name: str
    state: ModelState
    #: ``"hugging_face"``, ``"openai"``, ``"ggml"``; empty for one that is not here.
    format: str
    path: str
    vocabulary: str
    #: None for one that is not here, or cannot be opened.
    dimensions: Dimensions | None
    #: Why it cannot be opened; empty where it can.
    problem: str
    #: Whether its weights are in the daemon's memory.
    resident: bool


@dataclass(frozen=True)
class ModelInfo:
    """One model."""

    name: str
    format: str
    dimensions: Dimensions
    #: SHA-256 of the weights as they lie on disk, lower-case hexadecimal.
    sha256: str
    has_vocabulary: bool
    #: Codes, in the order of the language tokens.
    languages: tuple[str, ...]
    #: Seconds of one window.
    window_seconds: float
    #: ``(layer, head)`` of the cross-attention heads that word timestamps are read from.
    alignment_heads: tuple[tuple[int, int], ...]
    resident: bool
    #: Bytes that its weights take in memory at most.
    memory_bytes: int
    precision: Precision


@dataclass(frozen=True)
class RegisteredModel:
    """A model under a name."""

    name: str
    path: str
    vocabulary: str
    sha256: str
    downloaded: bool
    #: What is worth knowing about it: that it brings no vocabulary, say.
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class HookPoint:
    """A place in a model where an activation can be seen and changed."""

    #: ``"encoder.blocks.2.mlp.1"``
    name: str
    #: ``"encoder"`` or ``"decoder"``.
    stack: str
    #: The block's number; None before and after the blocks.
    layer: int | None
    #: What each axis is, outermost first: ``"frame"``, ``"head"``, ``"neuron"``, ``"state"``, …
    axes: tuple[str, ...]
    #: Of one window.
    shape: tuple[int, ...]
    #: 50 for encoder frames, 100 for encoder.conv1; None for tokens.
    positions_per_second: float | None


@dataclass(frozen=True)
class Token:
    """A token of a model's vocabulary."""

    id: int
    #: Part of a character where a character has several tokens.
    bytes: bytes
    #: ``"<|en|>"`` for a special token.
    text: str
    special: bool


def model_ref(model: Model = "", vocabulary: str | os.PathLike[str] = "", precision: Precision = "exact") -> Any:
    """The contract's ModelRef."""
    name = os.fspath(model)
    if isinstance(model, os.PathLike) and "/" not in name:
        # A path, also where a model has that name.
        name = "./" + name
    return v1.ModelRef(
        name=name, vocabulary=os.fspath(vocabulary), precision=enum_number("ModelRef.Precision", precision)
    )


def precision_word(message: Any) -> Any:
    """The precision that a result names."""
    return enum_word("ModelRef.Precision", message.precision)


def dimensions(message: Any) -> Dimensions:
    return Dimensions(*(getattr(message, name) for name in Dimensions.__dataclass_fields__))


def listing(message: Any) -> ModelListing:
    sizes = present(message, "dimensions")
    return ModelListing(
        name=message.name,
        state=enum_word("ModelState", message.state),
        format=message.format,
        path=message.path,
        vocabulary=message.vocabulary,
        dimensions=None if sizes is None else dimensions(sizes),
        problem=message.problem,
        resident=message.resident,
    )


def info(message: Any) -> ModelInfo:
    return ModelInfo(
        name=message.name,
        format=message.format,
        dimensions=dimensions(message.dimensions),
        sha256=message.sha256,
        has_vocabulary=message.has_vocabulary,
        languages=tuple(message.languages),
        window_seconds=message.window_seconds,
        alignment_heads=tuple((one.layer, one.head) for one in message.alignment_heads),
        resident=message.resident,
        memory_bytes=message.memory_bytes,
        precision=precision_word(message),
    )


def registered(message: Any) -> RegisteredModel:
    return RegisteredModel(
        message.name, message.path, message.vocabulary, message.sha256, message.downloaded, tuple(message.warnings)
    )


def hook_point(message: Any) -> HookPoint:
    return HookPoint(
        name=message.name,
        stack=message.stack,
        layer=present(message, "layer"),
        axes=tuple(message.axes),
        shape=tuple(message.shape),
        positions_per_second=present(message, "positions_per_second"),
    )


def token(message: Any) -> Token:
    return Token(message.id, message.bytes, message.text, message.special)
