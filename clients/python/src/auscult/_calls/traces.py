"""Calls that look inside a pass, and change it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from .. import streams
from .. import functions as _functions
from .._audio import Audio
from .._requests import trace_request
from .._wire import Connection
from ..interventions import Intervention
from ..traces import Trace, TraceOptions
from .models import ModelCalls

if TYPE_CHECKING:
    from typing_extensions import Unpack


class TraceCalls(ModelCalls):
    """The calls of the service Trace; functions at hook points look up the model's."""

    def trace(
        self,
        audio: Audio,
        hooks: str | Sequence[str],
        *,
        memory: bool = True,
        out: str | os.PathLike[str] | None = None,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
        **options: Unpack[TraceOptions],
    ) -> Trace:
        """The activations at hook points while a model listens.

        Args:
            audio: As for `transcribe`.
            hooks: Names, globs and aliases of hook points, and ``"log_mel"``, the model's input.
            memory: Whether the daemon shares memory, without a copy; otherwise the tensors are streamed. A daemon
                behind a forwarded socket cannot share memory.
            out: A path that ends in .safetensors or .npz: the daemon writes the tensors there.
            timeout: Seconds until it must be done.
            on_progress: Called with the progress, in windows.
            options: ``frames`` (``"valid"``, ``"all"``), ``reduce`` (``"none"``, ``"max"``, ``"mean"``),
                ``context`` (``"full"``, ``"auto"``), ``padding`` (``"sound"``, ``"mel"``), ``interventions``, ``objective`` (what to
                differentiate, beside the activations), ``text`` or ``tokens`` for the decoder, or ``transcript`` (True, or the options of `transcribe`) to look inside the
                passes that write the recording's transcript, ``model``, ``vocabulary``, ``precision`` (``"exact"``, ``"int8"``, ``"bf16"``), ``language``,
                ``task``, ``name``, and ``span`` in seconds.
        """
        with self._trace(audio, hooks, memory, out, timeout, on_progress, options) as tensors:
            arrays = {one.info.name: one.array for one in tensors}
            return Trace(tensors.summary, arrays)

    def trace_stream(
        self,
        audio: Audio,
        hooks: str | Sequence[str],
        *,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
        **options: Unpack[TraceOptions],
    ) -> streams.TraceStream:
        """As `trace`, tensor by tensor as they come; what was traced is in `TraceStream.summary` at the end.

        What a slow reader has not taken waits here, up to the `buffer_bytes` of `connect`, then in the daemon, which
        closes a connection that takes nothing for some seconds. For slow work on each tensor use `trace`, or a larger
        buffer.
        """
        return self._trace(audio, hooks, False, None, timeout, on_progress, options)

    def run_with_hooks(
        self,
        audio: Audio,
        functions: Mapping[str, _functions.HookFunction],
        hooks: str | Sequence[str] = (),
        **options: Any,
    ) -> Trace:
        """As `trace`, with functions at hook points: what a function returns goes on in the activation's place::

            client.run_with_hooks("talk.wav", {"encoder.blocks.2.mlp.1": lambda x: x * 2}, "encoder.ln_post")

        Args:
            audio: As for `trace`, of one window.
            functions: By name, glob or alias of a hook point. Each takes the whole activation, float32 of the hook point's
                shape with all frames, and returns one of the same shape, or None where it only looked on.
            hooks: What the trace has; the functions' own hook points without.
            options: `trace`'s. Without ``text`` or ``tokens`` the decoder reads what it writes without the functions.

        Each hook point with a function is a pass of its own, so a function takes the daemon from nobody, and the error that one
        raises is raised here. `hooked` has the functions as interventions for other calls.

        Raises:
            InvalidArgument: A function returned something of another shape, or the recording is longer than a window.
        """
        return _functions.run_with_hooks(self, audio, functions, hooks, **options)

    def hooked(
        self, audio: Audio, functions: Mapping[str, _functions.HookFunction], **options: Any
    ) -> AbstractContextManager[list[str | Intervention]]:
        """What functions do to a recording, as interventions that serve inside the ``with``::

            with client.hooked(clip, {"encoder.ln_post": f}, padding="mel") as changes:
                client.transcribe(clip, interventions=changes)

        A transcript's windows are padded with ``"mel"``, which therefore stands there.
        """
        return _functions.hooked(self, audio, functions, **options)

    def _trace(
        self,
        audio: Audio,
        hooks: str | Sequence[str],
        memory: bool,
        out: str | os.PathLike[str] | None,
        timeout: float | None,
        on_progress: streams.OnProgress | None,
        options: TraceOptions,
    ) -> streams.TraceStream:
        def make(connection: Connection) -> streams.TraceStream:
            request = trace_request(audio, hooks, connection, timeout, options)
            if out is not None:
                request.file = os.fspath(out)
            else:
                (request.memory if memory else request.stream).SetInParent()
            return streams.TraceStream(
                connection, "auscult.v1.Trace/Run", request, timeout=timeout, on_progress=on_progress
            )

        return self._opened(make)
