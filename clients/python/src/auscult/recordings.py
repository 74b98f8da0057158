"""Lists of recordings, as a run would go through them: the daemon reads folders and manifests, nobody else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._audio import Audio, set_recordings
from ._messages import v1
from ._wire import Connection
from .plugins import RecordingNotice, SkippedRecording
from .runs import recording
from .streams import Stream


@dataclass(frozen=True)
class TimedLabel:
    """A phoneme or a word, and when it is heard: seconds from the recording's beginning, half open."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class ListedRecording:
    """A recording of a list, and what is known about it."""

    #: From 0, in the order of the list.
    number: int
    name: str
    #: The file, or ``"demo:NAME"``; None for samples that came with the request.
    path: str | None
    #: The part that is meant, in seconds; None for all of it, or up to its end.
    span: tuple[float, float | None] | None
    #: Columns with a value: ``language``, ``speaker``, ``text`` and every other.
    labels: Mapping[str, str]
    #: In seconds of the file; only where alignments were asked for.
    phonemes: tuple[TimedLabel, ...]
    words: tuple[TimedLabel, ...]


class RecordingStream(Stream[ListedRecording]):
    """The recordings of a list, as they come. What is told beside them is in the attributes, as far as it has come.

    Attributes:
        skipped: What describes no recording, or cannot be read.
        notices: What else there is to know about the data sets.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._skipped: list[SkippedRecording] = []
        self._notices: list[RecordingNotice] = []
        super().__init__(*arguments, **options)

    @property
    def skipped(self) -> tuple[SkippedRecording, ...]:
        return tuple(self._skipped)

    @property
    def notices(self) -> tuple[RecordingNotice, ...]:
        return tuple(self._notices)

    def _take(self, kind: str, message: Any) -> ListedRecording | None:
        if kind == "recording":
            return _listed(message.recording)
        if kind == "skipped":
            self._skipped.append(SkippedRecording(message.skipped.file, message.skipped.reason))
        elif kind == "notice":
            notice = message.notice
            self._notices.append(RecordingNotice(notice.file, notice.notice.code, notice.notice.text))
        return None


def _listed(message: Any) -> ListedRecording:
    heard = recording(message)
    return ListedRecording(
        heard.number, heard.name, heard.path, heard.span, heard.labels, _timed(message.phonemes), _timed(message.words)
    )


def _timed(messages: Any) -> tuple[TimedLabel, ...]:
    return tuple(TimedLabel(one.start, one.end, one.label) for one in messages)


def list_request(
    data: Audio | Sequence[Audio],
    connection: Connection | None,
    timeout: float | None,
    *,
    alignments: bool = False,
    stop_at_broken: bool = False,
) -> Any:
    """A ListRecordingsRequest."""
    request = v1.ListRecordingsRequest(alignments=alignments, stop_at_broken=stop_at_broken)
    set_recordings(request, data, connection, timeout)
    return request
