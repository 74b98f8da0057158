"""How the daemon is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .models import Precision, precision_word

#: ``"service_unknown"`` is only said of a service that there is not.
Health = Literal["unknown", "serving", "not_serving", "service_unknown"]


@dataclass(frozen=True)
class ResidentModel:
    """A model in the daemon's memory."""

    name: str
    sha256: str
    memory_bytes: int
    #: Seconds since it was used last.
    idle_seconds: float
    #: Calls that use it now.
    users: int
    #: In what numbers it computes.
    precision: Precision


@dataclass(frozen=True)
class CallInfo:
    """A call that runs."""

    #: What `Client.cancel` takes; empty for calls that do not stream.
    subscription_id: str
    #: ``"auscult.v1.Trace/Run"``
    method: str
    seconds: float
    #: The process that called.
    peer_pid: int


@dataclass(frozen=True)
class KernelStatus:
    """What computes."""

    #: Which form of the kernels runs: ``"avx512"``, ``"avx2"``, ``"neon"``, ``"blas"`` or ``"reference"``.
    implementation: str
    #: Whose products they are: ``"own"``, ``"OpenBLAS"`` or ``"plain loops"``.
    products: str
    blas_version: str
    #: The processor whose kernels OpenBLAS uses, by its own name.
    blas_core: str
    #: What makes it slower than it could be, a sentence each.
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class DaemonStatus:
    """The daemon itself."""

    version: str
    pid: int
    #: The Unix socket.
    socket: str
    uptime_seconds: float
    #: Whether it is leaving and takes no new calls.
    draining: bool
    #: Resident set size of the process.
    memory_bytes: int
    #: Past this, models that were not used lately are let go.
    model_memory_limit_bytes: int
    #: Of activations that are kept for whoever asks about the same sound next.
    kept_bytes: int
    models: tuple[ResidentModel, ...]
    connections: int
    connection_limit: int
    calls: tuple[CallInfo, ...]
    #: Calls that wait for the engine.
    queue_length: int
    queue_limit: int
    jobs_running: int
    #: Seconds without a client or a job after which it leaves; 0 for never.
    idle_exit_seconds: float
    #: What the registry of models is read from.
    data_folder: str
    kernels: KernelStatus


def daemon_status(message: Any) -> DaemonStatus:
    fields = {name: getattr(message, name) for name in DaemonStatus.__dataclass_fields__}
    fields["models"] = tuple(
        ResidentModel(one.name, one.sha256, one.memory_bytes, one.idle_seconds, one.users, precision_word(one))
        for one in message.models
    )
    fields["calls"] = tuple(
        CallInfo(*(getattr(one, name) for name in CallInfo.__dataclass_fields__)) for one in message.calls
    )
    kernels = message.kernels
    fields["kernels"] = KernelStatus(
        kernels.implementation, kernels.products, kernels.blas_version, kernels.blas_core, tuple(kernels.warnings)
    )
    return DaemonStatus(**fields)
