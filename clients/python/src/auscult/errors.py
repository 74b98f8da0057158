"""What can go wrong, by gRPC's codes; the messages are the daemon's own."""

from __future__ import annotations

from typing import Any


class AuscultError(Exception):
    """A call that failed. One subclass for each of gRPC's codes.

    Attributes:
        code: gRPC's name of the code: ``"NOT_FOUND"``.
        reason: A finer kind, as the daemon's ``ErrorDetail`` gives it: ``"data_loss"``, ``"unsupported"``,
            ``"cannot_create"``. An open set; empty where none was given.
        message: What was expected and what came.
    """

    code: str = "UNKNOWN"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.reason))


class Cancelled(AuscultError):
    """The call was cancelled, by this client or another."""

    code = "CANCELLED"


class Unknown(AuscultError):
    """An error with a code that gRPC does not have, or with its code UNKNOWN."""

    code = "UNKNOWN"


class InvalidArgument(AuscultError, ValueError):
    """An argument cannot be used, found here or by the daemon."""

    code = "INVALID_ARGUMENT"


class DeadlineExceeded(AuscultError):
    """The time that was given did not suffice."""

    code = "DEADLINE_EXCEEDED"


class NotFound(AuscultError):
    """A model, file, hook point, job or plugin is not there."""

    code = "NOT_FOUND"


class AlreadyExists(AuscultError):
    """A name is taken."""

    code = "ALREADY_EXISTS"


class PermissionDenied(AuscultError):
    """The daemon, or the user that it runs as, may not do that."""

    code = "PERMISSION_DENIED"


class ResourceExhausted(AuscultError):
    """A bound of the daemon or of the protocol was reached: connections, queue, bytes of a message."""

    code = "RESOURCE_EXHAUSTED"


class FailedPrecondition(AuscultError):
    """Not possible in this state: the result of a job that still runs."""

    code = "FAILED_PRECONDITION"


class Aborted(AuscultError):
    """The call was given up half-way."""

    code = "ABORTED"


class OutOfRange(AuscultError):
    """Past the end of something."""

    code = "OUT_OF_RANGE"


class Unimplemented(AuscultError):
    """The daemon does not have this method, or cannot do this with the model."""

    code = "UNIMPLEMENTED"


class Internal(AuscultError):
    """A fault of the daemon, or an answer that breaks the protocol."""

    code = "INTERNAL"


class Unavailable(AuscultError):
    """Nothing listens, the daemon is leaving, or the connection was lost."""

    code = "UNAVAILABLE"


class DataLoss(AuscultError):
    """A file is damaged, or a result did not arrive whole."""

    code = "DATA_LOSS"


class Unauthenticated(AuscultError):
    """The daemon does not know who calls."""

    code = "UNAUTHENTICATED"


# In the order of gRPC's numbers, from 1.
_BY_NUMBER: tuple[type[AuscultError], ...] = (
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
)


def from_code(number: int, message: str, reason: str = "") -> AuscultError:
    """The error for one of gRPC's numbers; a number that gRPC does not have becomes `Unknown` and is named."""
    if 1 <= number <= len(_BY_NUMBER):
        return _BY_NUMBER[number - 1](message, reason)
    return Unknown(f"{message} (code {number}, which gRPC does not have)", reason)


def code_name(number: int) -> str:
    """gRPC's name of a number: 5 is ``"NOT_FOUND"``."""
    if number == 0:
        return "OK"
    return _BY_NUMBER[number - 1].code if 1 <= number <= len(_BY_NUMBER) else f"CODE_{number}"
