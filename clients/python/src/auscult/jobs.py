"""Long work that outlives the connection that started it."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from . import atlas, transcripts
from ._audio import Audio
from ._messages import enum_word, present, v1
from ._requests import trace_request, transcribe_request
from .errors import DataLoss, InvalidArgument, code_name
from .runs import PluginRun, RunOptions, run_request
from .streams import OnProgress, Progress, Stream, progress
from .traces import Trace, TraceOptions, trace_summary

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import Client

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@dataclass(frozen=True)
class JobError:
    """Why a job failed."""

    #: gRPC's name: ``"NOT_FOUND"``.
    code: str
    message: str
    reason: str


@dataclass(frozen=True)
class JobInfo:
    """A job as it stood when the daemon was asked."""

    id: str
    #: For people.
    label: str
    kind: Literal["transcribe", "trace", "plugin", "atlas"]
    state: JobState
    progress: Progress | None
    #: Seconds since 1970-01-01T00:00:00Z, here and below; None where it has not come to that.
    created: float
    started: float | None
    ended: float | None
    #: The seq of its latest event.
    last_seq: int
    #: Where it failed or was cancelled.
    error: JobError | None

    @property
    def has_ended(self) -> bool:
        return self.state in ("succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job; one of `state`, `progress` and `segment` is there."""

    #: Counts from 1.
    seq: int
    #: Events before this one that are not kept any more.
    dropped: int
    state: JobInfo | None = None
    progress: Progress | None = None
    segment: transcripts.Segment | None = None


class JobWatch(Stream[JobEvent]):
    """The events of a job, those of the past first, up to the one that ends it."""

    def _accept(self, message: Any) -> JobEvent | None:
        super()._accept(message)
        kind = message.WhichOneof("event")
        if kind == "state":
            return JobEvent(message.seq, message.dropped, state=job_info(message.state))
        if kind == "progress":
            return JobEvent(message.seq, message.dropped, progress=self.progress)
        if kind == "segment":
            return JobEvent(message.seq, message.dropped, segment=transcripts.segment(message.segment))
        return None

    def _take(self, kind: str, message: Any) -> JobEvent | None:
        return None


class Jobs:
    """The daemon's jobs, as `Client.jobs`. A job is named by its id or its `JobInfo`.

    Results are kept until they are forgotten, until 256 newer jobs have ended, or until the daemon stops.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def start_transcribe(
        self, audio: Audio, *, label: str = "", **options: Unpack[transcripts.TranscribeOptions]
    ) -> JobInfo:
        """Starts writing a recording down; the arguments are `Client.transcribe`'s.

        Raises:
            InvalidArgument: The recording is an array of floats, or too long to travel in the request.
        """
        request = v1.StartJobRequest(label=label, transcribe=transcribe_request(audio, None, None, options))
        return self._start(request)

    def start_trace(
        self,
        audio: Audio,
        hooks: str | Sequence[str],
        *,
        out: str | os.PathLike[str],
        label: str = "",
        **options: Unpack[TraceOptions],
    ) -> JobInfo:
        """Starts a trace into the file `out` (.safetensors or .npz); the arguments are `Client.trace`'s."""
        trace = trace_request(audio, hooks, None, None, options)
        trace.file = os.fspath(out)
        return self._start(v1.StartJobRequest(label=label, trace=trace))

    def start_run(
        self, plugin: str, data: Audio | Sequence[Audio], *, label: str = "", **options: Unpack[RunOptions]
    ) -> JobInfo:
        """Starts a plugin's run; the arguments are `Client.run`'s. `results` has what it tells."""
        return self._start(v1.StartJobRequest(label=label, plugin=run_request(plugin, data, None, None, options)))

    def results(self, job: str | JobInfo, *, on_progress: OnProgress | None = None) -> PluginRun:
        """What a plugin's run tells, from its beginning up to its end, whether it still goes on or has ended.

        Raises:
            AuscultError: The job's own error, where it failed.
        """
        method = "auscult.v1.Job/Results"
        return self._client._opened(lambda it: PluginRun(it, method, _ref(job), on_progress=on_progress))

    def get(self, job: str | JobInfo) -> JobInfo:
        """The job as it stands now."""
        return job_info(self._client._unary("auscult.v1.Job/Get", _ref(job)))

    def watch(self, job: str | JobInfo, *, after_seq: int = 0, timeout: float | None = None) -> JobWatch:
        """The events after `after_seq`, up to the one that ends the job; closing it does not stop the job."""
        request = v1.WatchJobRequest(id=_ref(job).id, after_seq=after_seq)
        return self._client._opened(lambda it: JobWatch(it, "auscult.v1.Job/Watch", request, timeout=timeout))

    def result(self, job: str | JobInfo) -> transcripts.Transcript | Trace | atlas.AtlasScan:
        """What came of it.

        Raises:
            FailedPrecondition: It has not ended.
            AuscultError: The job's own error, where it failed.
        """
        answer = self._client._unary("auscult.v1.Job/Result", _ref(job))
        kind = answer.WhichOneof("result")
        if kind == "transcript":
            return transcripts.transcript(answer.transcript)
        if kind == "trace":
            return Trace(trace_summary(answer.trace), {})
        if kind == "atlas":
            return atlas.scan(answer.atlas)
        if kind == "plugin":
            raise InvalidArgument(f"the job {_ref(job).id} is a plugin's run: `results` has what it gave", "invalid_argument")
        raise DataLoss(f"the job {_ref(job).id} has a result of a kind that this client does not know")

    def wait(
        self, job: str | JobInfo, *, timeout: float | None = None
    ) -> transcripts.Transcript | Trace | atlas.AtlasScan:
        """Waits for the job's end, and gives its result."""
        with self.watch(job, timeout=timeout) as events:
            for _ in events:
                pass
        return self.result(job)

    def cancel(self, job: str | JobInfo) -> JobInfo:
        """Asks a job to stop; no error where it has ended already."""
        return job_info(self._client._unary("auscult.v1.Job/Cancel", _ref(job)))

    def list(self) -> builtins.list[JobInfo]:
        """All jobs that are kept, oldest first."""
        answer = self._client._unary("auscult.v1.Job/List", v1.ListJobsRequest())
        return [job_info(one) for one in answer.jobs]

    def forget(self, job: str | JobInfo) -> None:
        """Drops a job that has ended, with its result.

        Raises:
            FailedPrecondition: It has not ended.
        """
        self._client._unary("auscult.v1.Job/Forget", _ref(job))

    def _start(self, request: Any) -> JobInfo:
        return job_info(self._client._unary("auscult.v1.Job/Start", request))


def _ref(job: str | JobInfo) -> Any:
    return v1.JobRef(id=job.id if isinstance(job, JobInfo) else job)


def job_info(message: Any) -> JobInfo:
    error = present(message, "error")
    how_far = present(message, "progress")
    return JobInfo(
        id=message.id,
        label=message.label,
        kind=message.kind,
        state=enum_word("JobState", message.state),
        progress=None if how_far is None else progress(how_far),
        created=message.created,
        started=message.started or None,
        ended=message.ended or None,
        last_seq=message.last_seq,
        error=None if error is None else JobError(code_name(error.code), error.message, error.reason),
    )
