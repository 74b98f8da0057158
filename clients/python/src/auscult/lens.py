"""The five calls that a TransformerLens script is made of, with its names, for Whisper.

    from auscult import lens

    model = lens.HookedWhisper(model="tiny.en")
    logits, cache = model.run_with_cache("talk.wav")
    cache["pattern", 0, "decoder"]                            # or "decoder.blocks.0.attn.hook_pattern"
    model.run_with_hooks("talk.wav", fwd_hooks=[("encoder.blocks.1.attn.hook_z", zero_a_head)])
    model.logit_lens("talk.wav")

Where TransformerLens has tokens, Whisper has sound, and what the decoder reads of it. There is one recording at a time, so
activations have no batch axis: ``[pos, d_model]``, ``[pos, head, d_head]``, ``[head, query, key]``, float32 in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ._audio import Audio
from .client import Client, connect
from .errors import InvalidArgument
from .functions import HookFunction
from .traces import Trace

#: TransformerLens's names of the places in a block, by Auscult's; the block itself is the residual stream after it.
_IN_BLOCK = {
    "resid_pre": "hook_resid_pre", "resid_mid": "hook_resid_mid", "resid_cross": "hook_resid_cross", "": "hook_resid_post",
    "attn_ln": "ln1.hook_normalized", "mlp_ln": "ln2.hook_normalized", "attn": "hook_attn_out",
    "cross_attn": "hook_cross_attn_out", "mlp": "hook_mlp_out", "mlp.0": "mlp.hook_pre", "mlp.1": "mlp.hook_post",
    **{f"{kind}.{one}": f"{kind}.hook_{one}" for kind in ("attn", "cross_attn") for one in ("q", "k", "v", "z", "pattern")},
    **{f"{kind}.scores": f"{kind}.hook_attn_scores" for kind in ("attn", "cross_attn")},
}  # fmt: skip
_WHOLE = {
    "decoder.token_embedding": "decoder.hook_embed", "decoder.positional": "decoder.hook_pos_embed",
    "encoder.positional": "encoder.hook_pos_embed", "encoder.ln_post": "encoder.ln_final", "decoder.ln": "decoder.ln_final",
    "decoder.logits": "decoder.unembed",
}  # fmt: skip

#: Which hook points: a name, a glob, several, or a function of TransformerLens's name.
NamesFilter = Union[None, str, Sequence[str], Callable[[str], bool]]


def lens_name(name: str) -> str:
    """TransformerLens's name of a hook point; Auscult's own where TransformerLens has no such place."""
    if name in _WHOLE:
        return _WHOLE[name]
    stack, _, rest = name.partition(".blocks.")
    layer, _, site = rest.partition(".")
    return f"{stack}.blocks.{layer}.{_IN_BLOCK[site]}" if rest and site in _IN_BLOCK else name


@dataclass(frozen=True)
class HookPoint:
    """Where a function is called: TransformerLens's name, and Auscult's."""

    name: str
    place: str

    def layer(self) -> int:
        """The block's number.

        Raises:
            InvalidArgument: It is in no block.
        """
        parts = self.place.split(".")
        if len(parts) < 3 or parts[1] != "blocks":
            raise InvalidArgument(f"{self.name} is not in a block", "invalid_argument")
        return int(parts[2])


@dataclass(frozen=True)
class Config:
    """Sizes of a model, by TransformerLens's names; those of the decoder, and the encoder's beside them."""

    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_mlp: int
    d_vocab: int
    n_ctx: int
    n_encoder_layers: int
    n_encoder_heads: int
    n_audio_ctx: int


class ActivationCache(Mapping[str, NDArray[Any]]):
    """Activations by TransformerLens's names; Auscult's are taken as well, and ``(name, layer, stack)``: ``"pattern", 0``.

    Attributes:
        trace: The trace that they are from, with times and tokens.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self._places = {lens_name(name): name for name in trace}

    def __getitem__(self, key: Any) -> NDArray[Any]:
        name = self._name(key)
        return self.trace[self._places.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def stack_activation(self, name: str, stack: str = "decoder") -> NDArray[Any]:
        """One place of all blocks: ``(layer, …)``."""
        return np.stack([self[one] for one in self._places if one.startswith(f"{stack}.blocks.") and _site(one) == name])

    def _name(self, key: Any) -> str:
        if isinstance(key, str):
            return key
        name, layer, stack = (*key, "decoder")[:3]
        inside = [one for one in self._places if one.startswith(f"{stack}.blocks.{layer}.") and _site(one) == name]
        return inside[0] if inside else f"{stack}.blocks.{layer}.{name}"


def _site(name: str) -> str:
    """The short name: ``pattern`` of ``decoder.blocks.0.attn.hook_pattern``; cross-attention's begin with ``cross_``."""
    inside = name.split(".")[3:]
    short = inside[-1].removeprefix("hook_")
    return f"cross_{short}" if inside[0] == "cross_attn" else short


class HookedWhisper:
    """A Whisper in the daemon, as TransformerLens's ``HookedTransformer`` is called.

    Args:
        model: A registered name or a path; the embedded model without.
        client: The client to use; one of its own without.
    """

    def __init__(self, model: str = "", client: Client | None = None) -> None:
        self.client = connect() if client is None else client
        self.model = model
        sizes = self.client.model_info(model).dimensions
        self.cfg = Config(
            n_layers=sizes.n_text_layer,
            n_heads=sizes.n_text_head,
            d_model=sizes.n_text_state,
            d_head=sizes.n_text_state // sizes.n_text_head,
            d_mlp=4 * sizes.n_text_state,
            d_vocab=sizes.n_vocab,
            n_ctx=sizes.n_text_ctx,
            n_encoder_layers=sizes.n_audio_layer,
            n_encoder_heads=sizes.n_audio_head,
            n_audio_ctx=sizes.n_audio_ctx,
        )
        self.hook_dict = {
            lens_name(one.name): HookPoint(lens_name(one.name), one.name) for one in self.client.hooks(model=model)
        }

    def run_with_cache(
        self, audio: Audio, *, names_filter: NamesFilter = None, **options: Any
    ) -> tuple[NDArray[Any], ActivationCache]:
        """The decoder's logits ``(tokens, vocabulary)``, and the activations at all hook points, or those that were named.

        Args:
            options: `auscult.Client.trace`'s: ``text`` or ``tokens`` that the decoder reads, ``span``, ``frames``, …
        """
        trace = self._run(audio, {}, self._chosen(names_filter), options)
        return trace["decoder.logits"], ActivationCache(trace)

    def run_with_hooks(
        self,
        audio: Audio,
        *,
        fwd_hooks: Sequence[tuple[str | Callable[[str], bool], Callable[..., Any]]],
        **options: Any,
    ) -> NDArray[Any]:
        """The logits while ``function(activation, hook=HookPoint)`` is called at each place, as `auscult.Client.run_with_hooks`."""
        functions: dict[str, list[Callable[..., Any]]] = {}
        for where, function in fwd_hooks:
            for place in self._chosen(where):
                functions.setdefault(place, []).append(function)
        return self._run(audio, functions, [], options)["decoder.logits"]

    def logit_lens(self, audio: Audio, **options: Any) -> NDArray[Any]:
        """What the decoder would say after each block: ``(n_layers + 1, tokens, vocabulary)``, the first before any block.

        The residual stream takes the place of the last block's, and the model's own norm and unembedding follow.
        """
        places = [f"decoder.blocks.{layer}.resid_pre" for layer in range(self.cfg.n_layers)]
        last = f"decoder.blocks.{self.cfg.n_layers - 1}"
        trace = self._run(audio, {}, [*places, last], options)
        given = {**options, "tokens": list(trace.summary.tokens[0])}
        given.pop("text", None)
        rows = [self._run(audio, {last: [_putting(trace[one])]}, [], given)["decoder.logits"] for one in places]
        return np.stack([*rows, trace["decoder.logits"]])

    def to_tokens(self, text: str) -> list[int]:
        """The tokens of a text, without start tokens."""
        return [one.id for one in self.client.tokenize(text, model=self.model)]

    def to_string(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return self.client.detokenize(tokens, model=self.model)

    def _run(
        self, audio: Audio, functions: Mapping[str, Sequence[Callable[..., Any]]], hooks: Sequence[str], options: Any
    ) -> Trace:
        wanted = list(dict.fromkeys([*hooks, "decoder.logits"]))
        called = {place: _calling(HookPoint(lens_name(place), place), each) for place, each in functions.items()}
        return self.client.run_with_hooks(audio, called, wanted, model=self.model, **options)

    def _chosen(self, names: NamesFilter) -> list[str]:
        """Auscult's names, in the order of the forward pass."""
        if names is None:
            return [one.place for one in self.hook_dict.values()]
        if callable(names):
            return [one.place for name, one in self.hook_dict.items() if names(name)]
        each = [names] if isinstance(names, str) else names
        return [one.name for name in each for one in self.client.hooks(name, model=self.model)]


def _putting(value: NDArray[Any]) -> Callable[..., Any]:
    return lambda _, hook: value


def _calling(hook: HookPoint, functions: Sequence[Callable[..., Any]]) -> HookFunction:
    def call(activation: NDArray[Any]) -> NDArray[Any]:
        for function in functions:
            returned = function(activation, hook=hook)
            activation = activation if returned is None else returned
        return activation

    return call
