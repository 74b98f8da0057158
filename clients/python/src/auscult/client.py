"""The daemon's client."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from . import _socket, streams, transcripts
from . import functions as _functions
from . import models as _models
from . import plugins as _plugins
from . import recordings as _recordings
from . import runs as _runs
from . import live as _live
from ._audio import Audio, Span, audio_source, lent_source, span_message, spool
from ._caller import DEFAULT_TIMEOUT, Caller
from ._messages import METHODS, v1
from ._requests import trace_request, transcribe_request
from ._sound import Sound
from ._wire import BUFFER_BYTES, Connection
from .atlas import Atlases
from .errors import DeadlineExceeded, Unavailable
from .interventions import Intervention, Interventions
from .jobs import Jobs
from .models import Model, Precision, model_ref
from .padding import Padding, padding_number
from .permissions import Permissions, permissions_message
from .status import DaemonStatus, Health, daemon_status
from .traces import Context, Trace, TraceOptions
from .transcripts import LanguageProbability, TranscribeOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


def connect(
    socket: str | os.PathLike[str] | None = None,
    start: bool = True,
    timeout: float = 30.0,
    daemon: str | os.PathLike[str] | None = None,
    buffer_bytes: int = BUFFER_BYTES,
) -> Client:
    """Connects to the daemon, and starts one where none listens.

    Args:
        socket: Its Unix socket. Without it ``$AUSCULT_SOCKET``, else ``$XDG_RUNTIME_DIR/auscult/auscult.sock``, else
            ``/tmp/auscult-<uid>/auscult.sock``.
        start: Whether to start a daemon where nothing listens. It outlives this process, and leaves after 600 seconds
            without a client or a job.
        timeout: Seconds until the daemon must have answered.
        daemon: The program to start. Without it ``$AUSCULT_DAEMON``, else the one that came along in a wheel, else
            ``auscultd`` in ``$PATH``.
        buffer_bytes: How much of one stream waits here for a reader that is slower than the daemon. Past it the rest
            waits in the daemon, which closes a connection that takes nothing for some seconds.

    Raises:
        Unavailable: No daemon answers, and none could be started.
    """
    path = _socket.socket_path(socket)
    try:
        sock = _socket.dial(path)
    except Unavailable:
        if not start:
            raise
        sock = _socket.start(_socket.daemon_program(daemon), path, timeout)
    client = Client(path, Connection(sock, path), buffer_bytes)
    try:
        _wait_until_serving(client, timeout)
    except BaseException:
        client.close()
        raise
    return client


def _wait_until_serving(client: Client, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    try:
        while (health := client.health(timeout=max(deadline - time.monotonic(), 1.0))) != "serving":
            if time.monotonic() > deadline:
                raise Unavailable(f"the daemon at {client.socket} answers that it is {health}")
            time.sleep(0.05)
    except DeadlineExceeded:
        raise Unavailable(f"something listens at {client.socket}, but did not answer within {timeout:g} s") from None


class Client(Caller):
    """A client of one daemon, made by `connect`. Any thread may use it; use it in ``with``, or `close` it.

    Each stream opens a connection of its own. A connection that was lost is opened again by the next call. After a
    fork, parent and child each have their own.

    Attributes:
        socket: The path of the daemon's socket.
        jobs: Long work that outlives this client.
        atlas: Features of models with what excites them, in files.
    """

    def __init__(self, path: str, connection: Connection, buffer_bytes: int = BUFFER_BYTES) -> None:
        super().__init__(path, connection, buffer_bytes)
        self.jobs = Jobs(self)
        self.atlas = Atlases(self)

    # Models.

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

    # What is said.

    def transcribe(
        self,
        audio: Audio,
        *,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
        **options: Unpack[TranscribeOptions],
    ) -> transcripts.Transcript:
        """Writes a recording down, as openai/whisper's ``transcribe``.

        Args:
            audio: A path, ``"demo:NAME"``, 16 kHz mono samples of shape ``(samples,)`` (float of full scale ±1, or
                int16), or bytes: of a sound file, or else of signed 16-bit little-endian samples.
            timeout: Seconds until it must be done.
            on_progress: Called with the progress, in seconds of the recording.
            options: ``model``, ``vocabulary``, ``precision`` (``"exact"``, ``"int8"``, ``"bf16"``), ``name``, ``span``
                in seconds, ``interventions``, ``strict`` (no recording that comes with a notice), and openai/whisper's decoding options: ``language``, ``task``,
                ``word_timestamps``, ``temperature``, ``beam_size``, … as `TranscribeOptions` lists them.
        """
        with self._transcribe(audio, timeout, on_progress, options) as segments:
            for _ in segments:
                pass
            return segments.transcript

    def transcribe_stream(
        self,
        audio: Audio,
        *,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
        **options: Unpack[TranscribeOptions],
    ) -> streams.TranscribeStream:
        """As `transcribe`, segment by segment; the whole is in `TranscribeStream.transcript` at the end."""
        return self._transcribe(audio, timeout, on_progress, options)

    def detect_language(
        self,
        audio: Audio,
        *,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        span: Span | None = None,
        timeout: float | None = None,
    ) -> list[LanguageProbability]:
        """How likely each language is in the first window, likeliest first."""
        connection = self._main()
        with lent_source(connection, lambda: audio_source(audio, connection, span=span, timeout=timeout)) as source:
            request = v1.DetectLanguageRequest(model=model_ref(model, vocabulary, precision), audio=source)
            answer = self._unary("auscult.v1.Transcribe/DetectLanguage", request, timeout, connection)
        return [LanguageProbability(one.language, one.probability) for one in answer.languages]

    # What there is to listen to.

    def recordings(
        self,
        data: Audio | Sequence[Audio],
        *,
        alignments: bool = False,
        stop_at_broken: bool = False,
        timeout: float | None = None,
    ) -> _recordings.RecordingStream:
        """The recordings that a run of the same data would hear, in its order, with what is known about them.

        Args:
            data: As for `run`.
            alignments: Whether alignments are read for phonemes and words.
            stop_at_broken: Whether to end at what describes no recording or cannot be read, rather than to leave it out.
        """

        def make(connection: Connection) -> _recordings.RecordingStream:
            request = _recordings.list_request(
                data, connection, timeout, alignments=alignments, stop_at_broken=stop_at_broken
            )
            return _recordings.RecordingStream(connection, "auscult.v1.Recordings/List", request, timeout=timeout)

        return self._opened(make)

    # What it sounds like.

    def excerpt(
        self,
        audio: Audio,
        span: Span | None = None,
        *,
        frame: int | None = None,
        window: int = 1000,
        edge_ms: float = 8.0,
        surroundings_db: float = -20.0,
        gain_db: float = 0.0,
        flac: bool = False,
        timeout: float | None = None,
    ) -> Sound:
        """A part of a recording as a sound file, 16 kHz mono: WAV, or FLAC. Its bytes; Jupyter shows a player.

        Args:
            audio: As for `transcribe`.
            span: The part, at most 120 s; without it all.
            frame: An encoder frame to emphasise: `window` samples around it keep their level, and
                what is around them at `surroundings_db`, with raised cosines of `edge_ms` between.
            gain_db: Makes the whole louder or softer; nothing exceeds full scale.
        """
        connection = self._main()
        with lent_source(connection, lambda: audio_source(audio, connection, timeout=timeout)) as source:
            request = v1.ExcerptRequest(audio=source, gain_db=gain_db, format=1 if flac else 0)
            if span is not None:
                request.span.CopyFrom(span_message(span))
            if frame is not None:
                request.moment.frame = frame
                request.moment.window_samples = window
                request.moment.edge_ms = edge_ms
                request.moment.surroundings_db = surroundings_db
            return Sound(self._unary("auscult.v1.Audio/Excerpt", request, timeout, connection).data)

    # What happens inside.

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

    def live(
        self,
        *,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        language: str = "",
        transcribe: bool = True,
        features: Iterable[_live.Feature] = (),
        step: float | None = None,
        window: float | None = None,
        padding: Padding | None = None,
        rolling: _live.Rolling | None = None,
        interventions: Interventions = (),
        compare: bool = False,
        context: Context = "full",
        echo: bool = False,
        timeout: float | None = None,
    ) -> _live.Live:
        """Opens a line for sound while it is being made.

        Args:
            language: Without it, it is detected, once for each window.
            transcribe: Whether to transcribe.
            features: ``(hook, column)`` of encoder activations to read out: ``("encoder.blocks.2.mlp.1", 17)``; or
                ``(hook, latent, dictionary)`` for a latent of the sparse dictionary in a folder, where an empty `hook`
                means the one that the dictionary names.
            step: Seconds of new sound between two steps; 0.5 by default, at least 0.1.
            window: Seconds of sound that the encoder sees at most; the model's own window by default.
            padding: What fills the window behind the sound: zeros behind the samples (``"sound"``, the default), or behind their
                log-mel (``"mel"``), as a transcription has them.
            rolling: Features from a short context of their own, as they settle (`LiveReadings`), and levels at their pace.
            interventions: What looks run under, until `Live.steer` says otherwise.
            compare: Whether the text is also written without interventions, side by side.
            context: How much of the text's window the encoder computes: ``"full"`` or ``"auto"``.
            echo: Whether the sound is told among the events too (`LiveHeard`), with `rolling`.
            timeout: Seconds until the line ends by itself.
        """
        return self._listening(
            None, model, vocabulary, precision, language, transcribe, features, step, window, padding, rolling,
            interventions, compare, context, echo, timeout,
        )

    def listen(
        self,
        device: str | int = "",
        *,
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        language: str = "",
        transcribe: bool = True,
        features: Iterable[_live.Feature] = (),
        step: float | None = None,
        window: float | None = None,
        padding: Padding | None = None,
        rolling: _live.Rolling | None = _live.Rolling(),
        interventions: Interventions = (),
        compare: bool = False,
        context: Context = "full",
        echo: bool = False,
        timeout: float | None = None,
    ) -> _live.Live:
        """Listens to a sound input of the daemon's machine; iterate for what is heard, and `finish` to end it.

        Args:
            device: A number or a name of `devices`, or a part of one name; the default where it is empty.

        The others are those of `live`; features come from a rolling context unless `rolling` is None.

        Raises:
            Unavailable: When iterating, where there is no such device.
        """
        return self._listening(
            device, model, vocabulary, precision, language, transcribe, features, step, window, padding, rolling,
            interventions, compare, context, echo, timeout,
        )

    def devices(self) -> list[_live.SoundDevice]:
        """The sound inputs of the daemon's machine."""
        answer = self._unary("auscult.v1.Live/Devices", v1.ListSoundDevicesRequest())
        return [_live.device(one) for one in answer.devices]

    def _listening(
        self,
        device: str | int | None,
        model: Model,
        vocabulary: str,
        precision: Precision,
        language: str,
        transcribe: bool,
        features: Iterable[_live.Feature],
        step: float | None,
        window: float | None,
        padding: Padding | None,
        rolling: _live.Rolling | None,
        interventions: Interventions,
        compare: bool,
        context: Context,
        echo: bool,
        timeout: float | None,
    ) -> _live.Live:
        request = _live.opening(
            model, vocabulary, precision, language, transcribe, features, step, window, padding, rolling,
            interventions, compare, device, context, echo,
        )
        return self._opened(lambda it: _live.Live(it, "auscult.v1.Live/Listen", request, timeout=timeout))

    # Plugins.

    def plugins(self) -> list[_plugins.PluginListing]:
        """The plugins that were found."""
        return [_plugins.listing(one) for one in self._unary("auscult.v1.Plugin/List", v1.ListPluginsRequest()).plugins]

    def plugin(self, id: str) -> _plugins.PluginDescription:
        """What a plugin needs, takes and gives."""
        return _plugins.description(self._unary("auscult.v1.Plugin/Describe", v1.DescribePluginRequest(id=id)))

    def run(
        self,
        plugin: str,
        data: Audio | Sequence[Audio],
        *,
        arguments: Mapping[str, object] | None = None,
        shard: _runs.Shard | None = None,
        state: _runs.StateTarget = None,
        checkpoint: str | os.PathLike[str] | None = None,
        seed: int = 0,
        workers: int = 1,
        context: Context = "full",
        interventions: Interventions = (),
        model: Model = "",
        vocabulary: str = "",
        precision: Precision = "exact",
        padding: Padding | None = None,
        stop_at_broken: bool = False,
        permissions: Permissions | None = None,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
    ) -> _runs.PluginRun:
        """Runs a plugin over recordings; iterate over its results as they come.

        Args:
            plugin: Its id, or the last part of it where that is unique.
            data: A recording, as for `transcribe`, or several; folders, manifests (.jsonl, .tsv) and ``"demo:"``, all
                embedded clips, stand for theirs.
            shard: ``(i, n)``: the i-th of n parts of the recordings, counted from 0.
            state: A file for the state after the last recording, or True to have it in `PluginRun.state`: for `merge`.
            checkpoint: A file that the state is kept in meanwhile, and that the run goes on from.
            seed: The seed of random numbers.
            workers: Plugin processes at a time.
            context: How much of a window the encoder hears: ``"full"`` or ``"auto"``.
            padding: What fills the last window: zeros behind the samples (``"sound"``, the default), or behind the log-mel of
                the whole recording (``"mel"``).
            stop_at_broken: Whether to end at a recording that cannot be read, rather than to leave it out.
            permissions: What the plugin may do beside reading what its arguments name.
        """

        def run(connection: Connection) -> _runs.PluginRun:
            request = _runs.run_request(
                plugin,
                data,
                connection,
                timeout,
                arguments=arguments,
                shard=shard,
                state=state,
                checkpoint=checkpoint,
                seed=seed,
                workers=workers,
                context=context,
                interventions=interventions,
                model=model,
                vocabulary=vocabulary,
                precision=precision,
                padding=padding,
                stop_at_broken=stop_at_broken,
                permissions=permissions,
            )
            method = "auscult.v1.Plugin/Run"
            return _runs.PluginRun(connection, method, request, timeout=timeout, on_progress=on_progress)

        return self._opened(run)

    #: The same.
    run_plugin = run

    def merge(
        self,
        states: Iterable[str | os.PathLike[str] | bytes],
        *,
        state: _runs.StateTarget = None,
        permissions: Permissions | None = None,
        timeout: float | None = None,
    ) -> _runs.PluginRun:
        """Puts the states of several runs together, and gives the results as if one run had heard all their recordings.

        Args:
            states: Files, or bytes as `PluginRun.state` has them: of one plugin, version, model, and of the same arguments.
            state: Where the state of all of them goes, as for `run`.
            permissions: As for `run`.
        """
        all_states = list(states)

        def merge(connection: Connection) -> _runs.PluginRun:
            request = v1.MergePluginRequest(permissions=permissions_message(permissions))
            _runs.set_state(request, state)
            for one in all_states:
                if isinstance(one, (bytes, bytearray, memoryview)):
                    method, chunk = "auscult.v1.Plugin/UploadState", lambda part: v1.StateChunk(data=part)
                    answer = spool(connection, method, memoryview(one), chunk, timeout)
                    request.state_uploads.append(v1.UploadedState.FromString(answer).upload_id)
                else:
                    request.state_files.append(os.fspath(one))
            return _runs.PluginRun(connection, "auscult.v1.Plugin/Merge", request, timeout=timeout)

        return self._opened(merge)

    # The daemon.

    def status(self) -> DaemonStatus:
        """Its version, memory, models, calls and queue."""
        return daemon_status(self._unary("auscult.v1.Daemon/Status", v1.StatusRequest()))

    def metrics(self) -> str:
        """OpenMetrics text."""
        return str(self._unary("auscult.v1.Daemon/Metrics", v1.MetricsRequest()).text)

    def health(self, service: str = "", *, timeout: float = DEFAULT_TIMEOUT) -> Health:
        """Whether the daemon, or one of its services, serves.

        Raises:
            NotFound: It has no such service.
        """
        method = METHODS["grpc.health.v1.Health/Check"]
        answer = self._unary(method.name, method.request(service=service), timeout)
        word = answer.DESCRIPTOR.enum_types_by_name["ServingStatus"].values_by_number.get(answer.status)
        health: Health = "unknown" if word is None else word.name.lower()
        return health

    def cancel(self, subscription_id: str) -> None:
        """Ends the stream with this id, of any connection.

        Raises:
            NotFound: There is none.
        """
        self._unary("auscult.v1.Daemon/Cancel", v1.CancelRequest(subscription_id=subscription_id))

    def stop(self, drain: float | None = None) -> None:
        """Ends the daemon, after what runs has finished or `drain` seconds have passed (its own setting by default)."""
        request = v1.StopRequest(drain_ms=0 if drain is None else max(1, round(drain * 1000)))
        self._unary("auscult.v1.Daemon/Stop", request)

    # Requests that two methods share.

    def _transcribe(
        self,
        audio: Audio,
        timeout: float | None,
        on_progress: streams.OnProgress | None,
        options: TranscribeOptions,
    ) -> streams.TranscribeStream:
        def make(connection: Connection) -> streams.TranscribeStream:
            request = transcribe_request(audio, connection, timeout, options)
            return streams.TranscribeStream(
                connection, "auscult.v1.Transcribe/Stream", request, timeout=timeout, on_progress=on_progress
            )

        return self._opened(make)

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
