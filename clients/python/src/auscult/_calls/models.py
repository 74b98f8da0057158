"""Calls about models: their names, their hook points, their tokens."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .. import streams
from .. import models as _models
from .._caller import Caller
from .._messages import v1
from ..models import Model, Precision, model_ref


class ModelCalls(Caller):
    """The calls of the service Model."""

    def models(self) -> list[_models.ModelListing]:
        """The embedded model, the registered ones, and those that `pull` can download."""
        answer = self._unary("auscult.v1.Model/List", v1.ListModelsRequest())
        return [_models.listing(one) for one in answer.models]

    def model_info(
        self, name: Model = "", vocabulary: str = "", precision: Precision = "exact"
    ) -> _models.ModelInfo:
        """Dimensions, format, digest and languages of a model; its weights are not loaded."""
        return _models.info(self._unary("auscult.v1.Model/Info", model_ref(name, vocabulary, precision)))

    def hooks(
        self,
        pattern: str = "",
        *,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        tokens: int = 1,
    ) -> list[_models.HookPoint]:
        """The hook points that a pattern names, in the order of the forward pass.

        Args:
            pattern: A name, a glob (``*`` one part of a name, ``**`` any number) or an alias of TransformerLens or
                Hugging Face; empty for all.
            tokens: How many the decoder reads, for shapes that depend on it.
        """
        request = v1.HooksRequest(model=model_ref(model, vocabulary, precision), pattern=pattern, tokens=tokens)
        return [_models.hook_point(one) for one in self._unary("auscult.v1.Model/Hooks", request).hooks]

    def tokenize(
        self, text: str, *, model: Model = "", vocabulary: str = "", parse_special: bool = False
    ) -> list[_models.Token]:
        """Text to tokens; with `parse_special`, ``"<|en|>"`` and its kind stand for the special token of that name."""
        request = v1.TokenizeRequest(model=model_ref(model, vocabulary), text=text, parse_special=parse_special)
        return [_models.token(one) for one in self._unary("auscult.v1.Model/Tokenize", request).tokens]

    def detokenize(self, ids: Iterable[int], *, model: Model = "", vocabulary: str = "") -> str:
        """Tokens to text. Bytes that are no UTF-8 become U+FFFD; special tokens are written out."""
        request = v1.DetokenizeRequest(model=model_ref(model, vocabulary), ids=[int(one) for one in ids])
        return str(self._unary("auscult.v1.Model/Detokenize", request).text)

    def add_model(self, path: str | os.PathLike[str], name: str = "", vocabulary: str = "") -> _models.RegisteredModel:
        """Registers a checkpoint under a name: by default the folder's, or the file's without its ending."""
        request = v1.AddModelRequest(path=os.fspath(path), name=name, vocabulary=os.fspath(vocabulary))
        return _models.registered(self._unary("auscult.v1.Model/Add", request))

    def remove_model(self, name: str) -> _models.RegisteredModel:
        """Forgets a registered model. Files that `pull` downloaded are deleted, others stay."""
        return _models.registered(self._unary("auscult.v1.Model/Remove", v1.RemoveModelRequest(name=name)))

    def pull(self, name: str, mirror: str = "") -> streams.PullStream:
        """Downloads a released model, checks its SHA-256 and registers it; iterate over the steps to the last.

        Args:
            mirror: Another server that has the files as ``SHA256/NAME``.
        """
        request = v1.PullModelRequest(name=name, mirror=mirror)
        return self._opened(lambda it: streams.PullStream(it, "auscult.v1.Model/Pull", request))
