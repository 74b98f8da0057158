"""A client of auscultd, a stethoscope for speech models.

    import auscult

    client = auscult.connect()
    print(client.transcribe("demo:en-slt-01").text)
    trace = client.trace("demo:en-slt-01", ["encoder.blocks.2.mlp.1"])
    neurons = trace["encoder.blocks.2.mlp.1"]

`align` gives words and phonemes with their times, where `pip install 'auscult[align]'` has brought what it takes.

Times are seconds, ranges are half open, an encoder frame is 20 ms and a log-mel frame 10 ms.
"""

from ._audio import Audio, Span
from ._progress import ProgressBar
from ._sound import Sound
from .alignment import AlignedWord, Aligner, Alignment, align
from .atlas import Atlases, AtlasCard, AtlasExample, AtlasFeature, AtlasLabel, AtlasPage, AtlasRow, AtlasScan
from .client import Client, connect
from .errors import (
    Aborted,
    AlreadyExists,
    AuscultError,
    Cancelled,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
)
from .interventions import Clamp, Intervention, Latent, Patch, Quantile, Resample
from .jobs import JobError, JobEvent, JobInfo, Jobs, JobWatch
from .live import (
    Live,
    LiveActivations,
    LiveEnd,
    LiveEvent,
    LiveGap,
    LiveHeard,
    LiveHypothesis,
    LiveLevel,
    LiveMark,
    LiveReadings,
    LiveSegment,
    LiveSource,
    LiveSteering,
    LiveUnread,
    Rolling,
    SoundDevice,
)
from .models import Dimensions, HookPoint, Model, ModelInfo, ModelListing, Precision, RegisteredModel, Token
from .permissions import Permissions
from .plugins import (
    AudioClip,
    LabelledArray,
    PluginDescription,
    PluginListing,
    PluginLog,
    PluginOutput,
    PluginParameter,
    PluginResult,
    RecordingNotice,
    ResultAxis,
    SkippedRecording,
    Table,
    TimedEvent,
)
from .recordings import ListedRecording, RecordingStream, TimedLabel
from .runs import PluginRun, Provenance, RunEnd, RunRecording
from .status import CallInfo, DaemonStatus, KernelStatus, ResidentModel
from .streams import MessageStream, Progress, PullEvent, PullStream, Stream, TraceStream, TranscribeStream
from .traces import TensorInfo, Trace, TracedTensor, TraceOptions, TraceSummary
from .transcripts import DecodingOptions, LanguageProbability, Notice, Segment, TranscribeOptions, Transcript, Word

__version__ = "0.1.0"

__all__ = [
    "Aborted",
    "AlignedWord",
    "Aligner",
    "Alignment",
    "AlreadyExists",
    "AtlasCard",
    "AtlasExample",
    "AtlasFeature",
    "AtlasLabel",
    "AtlasPage",
    "AtlasRow",
    "AtlasScan",
    "Atlases",
    "Audio",
    "AudioClip",
    "AuscultError",
    "CallInfo",
    "Cancelled",
    "Clamp",
    "Client",
    "DaemonStatus",
    "DataLoss",
    "DeadlineExceeded",
    "DecodingOptions",
    "Dimensions",
    "FailedPrecondition",
    "HookPoint",
    "Internal",
    "Intervention",
    "InvalidArgument",
    "JobError",
    "JobEvent",
    "JobInfo",
    "JobWatch",
    "Jobs",
    "KernelStatus",
    "LabelledArray",
    "LanguageProbability",
    "Latent",
    "Live",
    "ListedRecording",
    "LiveActivations",
    "LiveEnd",
    "LiveEvent",
    "LiveGap",
    "LiveHeard",
    "LiveHypothesis",
    "LiveLevel",
    "LiveMark",
    "LiveReadings",
    "LiveSegment",
    "LiveSource",
    "LiveSteering",
    "LiveUnread",
    "MessageStream",
    "Model",
    "ModelInfo",
    "ModelListing",
    "NotFound",
    "Notice",
    "OutOfRange",
    "Patch",
    "PermissionDenied",
    "Permissions",
    "PluginDescription",
    "PluginListing",
    "PluginLog",
    "PluginOutput",
    "PluginParameter",
    "PluginResult",
    "PluginRun",
    "Provenance",
    "Quantile",
    "Resample",
    "Rolling",
    "RunEnd",
    "RunRecording",
    "SkippedRecording",
    "Progress",
    "ProgressBar",
    "PullEvent",
    "PullStream",
    "RecordingNotice",
    "RecordingStream",
    "RegisteredModel",
    "ResidentModel",
    "ResourceExhausted",
    "ResultAxis",
    "Segment",
    "SkippedRecording",
    "Sound",
    "SoundDevice",
    "Span",
    "Stream",
    "Table",
    "TensorInfo",
    "TimedEvent",
    "TimedLabel",
    "Token",
    "Trace",
    "TraceOptions",
    "TraceStream",
    "TraceSummary",
    "TracedTensor",
    "TranscribeOptions",
    "TranscribeStream",
    "Transcript",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Unknown",
    "Word",
    "align",
    "connect",
]
