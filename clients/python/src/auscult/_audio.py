"""What a user calls a recording, as the contract's AudioSource."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from ._call import Call
from ._messages import v1
from ._wire import Connection
from .errors import InvalidArgument, Unavailable

#: A recording: a path (opened by the daemon, a relative one in this process's folder; a pipe is sent to it; any format
#: and rate that libsndfile reads, or ffmpeg where the daemon finds one), ``"demo:NAME"`` for an embedded clip
#: (``"./demo:NAME"`` for a file called so), an array of 16 kHz mono samples (shape ``(samples,)``; float of full scale ±1,
#: or int16), or bytes: a sound file, or else 16 kHz mono signed 16-bit little-endian samples. For bytes that are samples
#: whatever they look like: ``numpy.frombuffer(data, "<i2")``.
Audio = Union[str, "os.PathLike[str]", NDArray[Any], bytes, bytearray, memoryview]

#: Seconds ``(start, end)``, half open; an end of None is the recording's.
Span = tuple[float, Union[float, None]]

# What travels in the request itself.
INLINE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20
# AudioEncoding's PCM_S16LE_16K, PCM_F32LE_16K, AUDIO_FILE and AUDIO_FILE_OR_PCM.
_S16LE, _F32LE, _FILE, _UNKNOWN = 0, 1, 2, 3


def audio_source(
    audio: Audio,
    connection: Connection | None,
    *,
    name: str = "",
    span: Span | None = None,
    strict: bool = False,
    timeout: float | None = None,
) -> Any:
    """The AudioSource of a recording; one of floats, or of more than 1 MiB, is uploaded on `connection`.

    Without a connection (for a job, which cannot use uploads) only what fits into a request is taken.

    Raises:
        InvalidArgument: It is no recording, or cannot be sent.
    """
    source = v1.AudioSource(name=path_text(name), strict=strict)
    if span is not None:
        source.span.CopyFrom(span_message(span))
    if isinstance(audio, str) and audio.startswith("demo:"):
        source.clip = audio[len("demo:") :]
    elif isinstance(audio, (str, os.PathLike)):
        path = os.fsdecode(audio)
        if not _is_own(path):
            source.path = path_text(path)
        elif connection is None:
            raise InvalidArgument(
                f"a job cannot read {path!r}, which is there for this process alone; name a file", "invalid_argument"
            )
        else:
            source.name = name or path_text(path)
            source.upload_id = _upload_file(connection, path, timeout)
    else:
        encoding, data = _samples(audio)
        # Floats are not rounded to 16 bits behind the caller's back, so they always go by upload.
        if encoding == _S16LE and (len(data) <= INLINE_BYTES or connection is None):
            source.pcm_s16le = bytes(data)
        elif encoding == _UNKNOWN and (len(data) <= INLINE_BYTES or connection is None):
            source.data = bytes(data)
        elif connection is None:
            raise InvalidArgument(
                "a job cannot use an array of floats, which has to be uploaded: give it as int16, or as a file",
                "invalid_argument",
            )
        else:
            source.upload_id = upload(connection, encoding, data, timeout)
    return source


# How manifests end (Sources/DataSets/MANIFESTS.md).
_MANIFESTS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".tab")


def is_data_set(one: Any) -> bool:
    """Whether it stands for several recordings: a folder, a manifest, or all embedded clips."""
    if not isinstance(one, (str, os.PathLike)):
        return False
    path = os.fsdecode(one)
    return path == "demo:" or os.path.isdir(path) or path.lower().endswith(_MANIFESTS)


def set_recordings(
    request: Any, data: Audio | Sequence[Audio], connection: Connection | None, timeout: float | None = None
) -> None:
    """Names what `data` stands for in a request that takes recordings and data sets; others are uploaded on `connection`."""
    everything: list[Any] = list(data) if isinstance(data, (list, tuple)) else [data]
    request.data_sets.extend(path_text(os.fsdecode(one)) for one in everything if is_data_set(one))
    singles = [one for one in everything if not is_data_set(one)]
    request.audio.extend(audio_source(one, connection, timeout=timeout) for one in singles)


def _is_own(path: str) -> bool:
    """Whether only this process can read it: a pipe, or what is named by one of its descriptors."""
    if path.startswith(("/dev/fd/", "/dev/stdin", "/proc/self/")):
        return True
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        # The daemon says what is wrong with it.
        return False


def path_text(path: str) -> str:
    """A path as the daemon is told it: a byte that is no part of UTF-8, which Python writes as a lone surrogate, is
    U+EF00 + byte there."""
    return "".join(_escaped(one) for one in path) if any(_is_escaped(one) for one in path) else path


def text_path(text: str) -> str:
    """The path that a daemon's text stands for, as Python's files take it: `path_text` undone."""
    if not any("\uef80" <= one <= "\uefff" for one in text):
        return text
    data = b"".join(bytes([ord(one) - 0xEF00]) if "\uef80" <= one <= "\uefff" else os.fsencode(one) for one in text)
    return os.fsdecode(data)


def _is_escaped(one: str) -> bool:
    return "\udc80" <= one <= "\udcff" or "\uef80" <= one <= "\uefff"


def _escaped(one: str) -> str:
    if "\udc80" <= one <= "\udcff":
        return chr(0xEF00 + ord(one) - 0xDC00)
    # A character that is used for this has its own bytes written so.
    return "".join(chr(0xEF00 + byte) for byte in one.encode()) if _is_escaped(one) else one


@contextlib.contextmanager
def lent_source(connection: Connection, make: Callable[[], Any]) -> Iterator[Any]:
    """A source for one call; its upload is dropped afterwards."""
    source = make()
    try:
        yield source
    finally:
        if source.upload_id and not connection.lost:
            request = v1.DiscardRequest(upload_id=source.upload_id)
            with contextlib.suppress(Exception):
                connection.unary("auscult.v1.Audio/Discard", request.SerializeToString(), 10)


def upload(connection: Connection, encoding: int, data: memoryview, timeout: float | None = None) -> str:
    """Spools sound to the daemon in chunks of 1 MiB; the id serves on this connection."""
    pieces = (bytes(data[offset : offset + _CHUNK_BYTES]) for offset in range(0, max(len(data), 1), _CHUNK_BYTES))
    return _upload(connection, encoding, pieces, timeout)


def _upload_file(connection: Connection, path: str, timeout: float | None) -> str:
    """Spools a sound file that only this process can read."""
    with open(path, "rb", buffering=0) as file:
        # An empty chunk at the end says that there was something, also where there was nothing.
        pieces = itertools.chain(iter(lambda: file.read(_CHUNK_BYTES), b""), [b""])
        return _upload(connection, _FILE, pieces, timeout)


def _upload(connection: Connection, encoding: int, pieces: Iterable[bytes], timeout: float | None) -> str:
    chunks = (v1.UploadChunk(encoding=encoding, data=piece) for piece in pieces)
    answer = _spool(connection, "auscult.v1.Audio/Upload", chunks, timeout)
    return str(v1.UploadedAudio.FromString(answer).upload_id)


def spool(
    connection: Connection, method: str, data: memoryview, chunk: Callable[[bytes], Any], timeout: float | None = None
) -> bytes:
    """Sends bytes to a method that takes a stream, in chunks of 1 MiB, and gives its answer."""
    pieces = (bytes(data[offset : offset + _CHUNK_BYTES]) for offset in range(0, max(len(data), 1), _CHUNK_BYTES))
    return _spool(connection, method, map(chunk, pieces), timeout)


def _spool(connection: Connection, method: str, chunks: Iterable[Any], timeout: float | None) -> bytes:
    call = connection.open(method, None, timeout=timeout)
    try:
        _send_chunks(call, chunks)
        return bytes(call.result())
    finally:
        call.abandon()


def _send_chunks(call: Call, chunks: Iterable[Any]) -> None:
    try:
        for chunk in chunks:
            # The daemon may have refused it already; its error comes from `result`.
            if call.ended:
                return
            call.send(chunk.SerializeToString())
        if not call.ended:
            call.close_send()
    except Unavailable:
        # Its reason, where the daemon gave one before it hung up, is what `result` raises.
        pass


def s16le(samples: Any) -> bytes:
    """16 kHz mono samples as signed 16-bit little-endian bytes; floats are rounded, and clipped at full scale ±1."""
    encoding, data = _samples(samples)
    if encoding in (_S16LE, _UNKNOWN):
        if len(data) % 2:
            raise InvalidArgument(
                f"{len(data)} bytes of 16-bit samples: expected an even number", "invalid_argument"
            )
        return bytes(data)
    scaled = np.rint(np.frombuffer(data, "<f4") * np.float32(32768))
    return bytes(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())


def _samples(audio: Any) -> tuple[int, memoryview]:
    if isinstance(audio, (bytes, bytearray, memoryview)):
        return _UNKNOWN, memoryview(bytes(audio))
    if not isinstance(audio, np.ndarray):
        raise TypeError(
            "expected a path, 'demo:NAME', an array of 16 kHz mono samples or bytes of 16-bit samples, "
            f"not {type(audio).__name__}"
        )
    if audio.ndim != 1:
        raise InvalidArgument(
            f"expected 16 kHz mono samples of shape (samples,), not {audio.shape}", "invalid_argument"
        )
    if audio.dtype.kind == "i" and audio.dtype.itemsize == 2:
        return _S16LE, np.ascontiguousarray(audio, "<i2").view(np.uint8).data
    if not np.issubdtype(audio.dtype, np.floating):
        raise InvalidArgument(f"expected samples of float or int16, not {audio.dtype}", "invalid_argument")
    if not np.isfinite(audio).all():
        raise InvalidArgument("there are samples that are no finite numbers", "invalid_argument")
    return _F32LE, np.ascontiguousarray(audio, "<f4").view(np.uint8).data


def span_message(span: Span) -> Any:
    start, end = span
    return v1.Span(start=start) if end is None else v1.Span(start=start, end=end)
