"""Calls about recordings: what is said in them, which there are, and what they sound like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import streams, transcripts
from .. import recordings as _recordings
from .._audio import Audio, Span, audio_source, lent_source, span_message
from .._caller import Caller
from .._messages import v1
from .._requests import transcribe_request
from .._sound import Sound
from .._wire import Connection
from ..models import Model, Precision, model_ref
from ..transcripts import LanguageProbability, TranscribeOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SpeechCalls(Caller):
    """The calls of the services Transcribe, Recordings and Audio."""

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
