"""How a datasource can fail.

* DatasourceError
  x UpstreamFailure     the service, or the way to it, misbehaved: counts against its breaker
    + Unreachable       no whole response: DNS, connect, TLS, reset, truncated
    + AttemptTimedOut   no response within the limit of one attempt
    + ServerFault       5xx
    + BadReply          a response that cannot be read as the contract says
  x UpstreamRefusal     the service answered, and the answer is no: the service is in good health
    + NotFound          404, 410
    + Forbidden         403, 451
      - Unauthorized    401: our own credentials are not accepted
    + Rejected          any other 4xx
    + TryLater          408, 425, 429: the only refusal that may be repeated
  x LocalRejection      nothing was learned of the service, so it is not to blame
    + CircuitOpen
    + BulkheadFull
    + DeadlineExceeded
      - NoTimeToAsk     so before anything was sent
    + Shed              left out in favour of what matters more
      - ShedForTime     left out because the time would not have sufficed

References:
    docs/decisions/0005-three-roots-of-error.md
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from datasources.sourced import Reason

__all__ = [
    "AttemptTimedOut",
    "BadReply",
    "BulkheadFull",
    "CircuitOpen",
    "DatasourceError",
    "DeadlineExceeded",
    "Forbidden",
    "LocalRejection",
    "NoTimeToAsk",
    "NotFound",
    "Rejected",
    "ServerFault",
    "Shed",
    "ShedForTime",
    "TryLater",
    "Unauthorized",
    "Unreachable",
    "UpstreamFailure",
    "UpstreamRefusal",
]

_PASSING_STATUSES = frozenset({500, 502, 503, 504})


class DatasourceError(Exception):
    """Base of everything a datasource raises.

    Attributes:
        code: Stable, public name; clients may branch on it. Never reuse one.
        reason: What to tell of a value that is stale or missing because of this; None when the
            service itself says that there is no value.
        retryable: Whether asking again later may help.
        service: Name of the service that was asked.
    """

    code: ClassVar[str] = "INTERNAL"
    reason: Reason | None = None
    retryable: bool = False

    def __init__(self, service: str, detail: str = "") -> None:
        super().__init__(f"{service}: {detail or type(self).__name__}")
        self.service = service


class UpstreamFailure(DatasourceError):
    """The service, or the way to it, misbehaved.

    Attributes:
        retry_after: What the service asked for (seconds), or None.
    """

    code = "UPSTREAM_UNAVAILABLE"
    reason = Reason.UNREACHABLE
    retryable = True
    retry_after: float | None = None


class Unreachable(UpstreamFailure):
    """No whole response: DNS, connect, TLS, reset or truncated."""


class AttemptTimedOut(UpstreamFailure):
    """No response within the limit of one attempt.

    Attributes:
        limit: How long it was given (seconds).
    """

    code = "UPSTREAM_TIMEOUT"
    reason = Reason.TIMEOUT

    def __init__(self, service: str, limit: float) -> None:
        super().__init__(service, f"no answer in {limit:g} s")
        self.limit = limit


class ServerFault(UpstreamFailure):
    """The service answered 5xx."""

    reason = Reason.SERVER_ERROR

    def __init__(self, service: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(service, f"answered {status}")
        self.status = status
        self.retry_after = retry_after
        self.retryable = status in _PASSING_STATUSES


class BadReply(UpstreamFailure):
    """The response cannot be read as the contract says; asking again would not mend it."""

    code = "UPSTREAM_BAD_REPLY"
    reason = Reason.BAD_REPLY
    retryable = False


class UpstreamRefusal(DatasourceError):
    """The service answered, and the answer is no."""


class NotFound(UpstreamRefusal):
    """The service knows no such thing."""

    code = "NOT_FOUND"


class Forbidden(UpstreamRefusal):
    """The service does not let this viewer, or us, do that."""

    code = "FORBIDDEN"


class Unauthorized(Forbidden):
    """The service does not accept our own credentials: somebody must look at the settings."""


class Rejected(UpstreamRefusal):
    """The service does not accept what was asked.

    Attributes:
        status: The HTTP status, 4xx.
        problem: The `error.code` of the service's JSON body; None where it has none we can read.
    """

    code = "UPSTREAM_BAD_REPLY"
    reason = Reason.BAD_REPLY

    def __init__(self, service: str, status: int, problem: str | None = None) -> None:
        super().__init__(service, f"answered {status}")
        self.status = status
        self.problem = problem

    @property
    def in_conflict(self) -> bool:
        """Whether it clashes with something that the service does or has done."""
        return self.status == HTTPStatus.CONFLICT


class TryLater(UpstreamRefusal):
    """The service is well, and asks to be asked again later."""

    code = "OVERLOADED"
    reason = Reason.OVERLOADED
    retryable = True

    def __init__(self, service: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(service, f"answered {status}")
        self.status = status
        self.retry_after = retry_after


class LocalRejection(DatasourceError):
    """Nothing was learned of the service, so it is not to blame."""

    retryable = True


class CircuitOpen(LocalRejection):
    """The breaker of this service is open."""

    code = "CIRCUIT_OPEN"
    reason = Reason.CIRCUIT_OPEN


class BulkheadFull(LocalRejection):
    """Too many calls to this service are in flight, and too many wait."""

    code = "OVERLOADED"
    reason = Reason.OVERLOADED


class DeadlineExceeded(LocalRejection):
    """The time of the whole operation is spent."""

    code = "DEADLINE_EXCEEDED"
    reason = Reason.DEADLINE


class NoTimeToAsk(DeadlineExceeded):
    """It was spent before anything was sent, so nothing is in doubt."""


class Shed(LocalRejection):
    """Left out in favour of what matters more."""

    code = "OVERLOADED"
    reason = Reason.OVERLOADED


class ShedForTime(Shed):
    """Left out because the time that remained would not have sufficed."""

    code = "DEADLINE_EXCEEDED"
    reason = Reason.DEADLINE
