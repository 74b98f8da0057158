"""Calls about the daemon itself."""

from __future__ import annotations

from .._caller import DEFAULT_TIMEOUT, Caller
from .._messages import METHODS, v1
from ..status import DaemonStatus, Health, daemon_status


class DaemonCalls(Caller):
    """The calls of the services Daemon and Health."""

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
