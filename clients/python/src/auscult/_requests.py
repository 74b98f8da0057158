"""The requests that streams, single answers and jobs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ._audio import Audio, Span, audio_source
from ._messages import enum_number, v1
from ._wire import Connection
from .errors import InvalidArgument
from .interventions import Interventions
from .interventions import interventions as intervention_messages
from .models import Model, Precision, model_ref
from .padding import Padding, padding_number
from .traces import Context, Frames, Reduction, TraceOptions
from .transcripts import Task, TranscribeOptions, decoding_options


def transcribe_request(
    audio: Audio, connection: Connection | None, timeout: float | None, options: TranscribeOptions
) -> Any:
    """A TranscribeRequest; everything is checked before sound is uploaded on `connection`."""

    def make(
        name: str = "",
        span: Span | None = None,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        interventions: Interventions = (),
        padding: Padding | None = None,
        strict: bool = False,
        **decoding: Any,
    ) -> Any:
        request = v1.TranscribeRequest(
            model=model_ref(model, vocabulary, precision),
            padding=padding_number(padding),
            options=decoding_options(decoding),
            interventions=intervention_messages(interventions),
        )
        request.audio.CopyFrom(
            audio_source(audio, connection, name=name, span=span, strict=strict, timeout=timeout)
        )
        return request

    return make(**options)


def trace_request(
    audio: Audio,
    hooks: str | Sequence[str],
    connection: Connection | None,
    timeout: float | None,
    options: TraceOptions,
) -> Any:
    """A TraceRequest without an output: streamed. Everything is checked before sound is uploaded on `connection`."""

    def make(
        name: str = "",
        span: Span | None = None,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        frames: Frames = "valid",
        reduce: Reduction = "none",
        context: Context = "full",
        padding: Padding | None = None,
        interventions: Interventions = (),
        objective: str | Sequence[str] = (),
        text: str | None = None,
        tokens: Sequence[int] | None = None,
        transcript: bool | Mapping[str, Any] = False,
        language: str = "",
        task: Task = "transcribe",
        strict: bool = False,
    ) -> Any:
        if (text is not None) + (tokens is not None) + bool(transcript) > 1:
            raise InvalidArgument("give the decoder text, tokens or a transcript, one of them", "invalid_argument")
        request = v1.TraceRequest(
            model=model_ref(model, vocabulary, precision),
            hooks=[hooks] if isinstance(hooks, str) else list(hooks),
            frames=enum_number("Frames", frames),
            reduction=enum_number("Reduction", reduce),
            context=enum_number("EncoderContext", context),
            padding=padding_number(padding),
            interventions=intervention_messages(interventions),
            objectives=[v1.Objective(text=one) for one in ([objective] if isinstance(objective, str) else objective)],
            language=language,
            task=enum_number("Task", task),
        )
        if text is not None:
            request.text = text
        if tokens is not None:
            request.tokens.SetInParent()
            request.tokens.ids.extend(int(one) for one in tokens)
        if transcript:
            options = dict(transcript) if isinstance(transcript, Mapping) else {}
            request.transcript.CopyFrom(decoding_options({"language": language, "task": task, **options}))
        request.audio.CopyFrom(
            audio_source(audio, connection, name=name, span=span, strict=strict, timeout=timeout)
        )
        return request

    return make(**options)
