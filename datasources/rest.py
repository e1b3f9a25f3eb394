"""JSON over HTTP: the sender at the inner end of every pipeline.

The only module that knows httpx's errors and what a status code means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx
import msgspec

from datasources.clock import Clock
from datasources.credentials import Credentials
from datasources.errors import (
    BadReply,
    BulkheadFull,
    DatasourceError,
    Forbidden,
    NotFound,
    Rejected,
    ServerFault,
    TryLater,
    Unauthorized,
    Unreachable,
    UpstreamRefusal,
)
from datasources.resilience.pipeline import Call, Reply, V
from datasources.scope import current_scope
from datasources.sourced import Sourced
from datasources.transport.errors import ResponseTooLarge

_REFUSALS: Mapping[int, type[UpstreamRefusal]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.GONE: NotFound,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: Forbidden,
}
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_JSON = re.compile(r"application/(?:[A-Za-z0-9.+_-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_PROBLEM = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


class RestSender:
    """Sends a call and turns what comes back into parts or one of our errors.

    It speaks to the transport itself, not through `httpx.AsyncClient`: there is no cookie jar
    that could carry one caller's session to the next, no redirect is followed, nothing is read
    from the environment, and no body is inflated.

    Args:
        base_url: Of the service, without a trailing slash.
        transport: How requests travel; it bounds the size of heads and bodies.
        credentials: Asked at every attempt.
        clock: Replaced in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.AsyncBaseTransport,
        credentials: Credentials,
        clock: Clock,
    ) -> None:
        self._base_url = base_url
        self._transport = transport
        self._credentials = credentials
        self._clock = clock

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        """Send *call* once.

        Raises:
            UpstreamFailure: No response, or none that can be read.
            UpstreamRefusal: The service says no.
            BulkheadFull: The transport carries no more at once.
        """
        service = call.route.service
        request = self._request(call)
        try:
            response = await self._transport.handle_async_request(request)
            body = b"" if _encoded(response) else await response.aread()
            await response.aclose()
            if (journal := current_scope().journal) is not None and not _encoded(response):
                journal.received(len(body))
        except ResponseTooLarge as exc:
            raise BadReply(service, type(exc).__name__) from exc
        except httpx.PoolTimeout as exc:
            raise BulkheadFull(service, type(exc).__name__) from exc
        except httpx.LocalProtocolError:
            raise  # a request that cannot be sent is a mistake of ours, not the service's
        except httpx.HTTPError as exc:
            raise Unreachable(service, type(exc).__name__) from exc
        if not response.is_success:
            raise self._error(service, response, body)
        if _encoded(response) or not _JSON.match(response.headers.get("content-type", _ASSUMED)):
            raise BadReply(service, f"{call.route.operation}: the body is not plain JSON")
        try:
            parts = call.decode(response.status_code, body)
        except Exception as exc:
            raise BadReply(service, f"{call.route.operation}: {type(exc).__name__}") from exc
        now = self._clock.now()
        return Reply({key: Sourced(value, service, now) for key, value in parts.items()})

    def _request(self, call: Call[V]) -> httpx.Request:
        scope = current_scope()
        route = call.route
        subject = scope.principal if route.personal else ""
        left = scope.deadline - self._clock.monotonic()
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "bff",
            "X-Service-Name": "bff",
            "X-Request-ID": scope.request_id,
            "X-Request-Timeout-Ms": str(max(1, int(left * 1000))),
            "X-Attempt": str(call.attempt),
            **self._credentials.headers(route.service, route.scope, subject),
        }
        if scope.traceparent is not None:
            headers["traceparent"] = scope.traceparent
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        return httpx.Request(
            route.method,
            self._base_url + call.path,
            params=call.params or None,
            content=call.body,
            headers=headers,
        )

    def _error(self, service: str, response: httpx.Response, body: bytes) -> DatasourceError:
        status = response.status_code
        refusal = _REFUSALS.get(status)
        if refusal is not None:
            return refusal(service, f"answered {status}")
        if status in _LATER:
            return TryLater(service, status, self._retry_after(response.headers))
        if response.is_server_error:
            return ServerFault(service, status, self._retry_after(response.headers))
        if response.is_client_error:
            return Rejected(service, status, _problem(body))
        return BadReply(service, f"answered {status}")

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait; None where nothing readable was said (RFC 9110 §10.2.3)."""
        text = headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            return float(text)
        try:
            instant = parsedate_to_datetime(text)
            return max(0.0, (instant - self._clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None

    def __str__(self) -> str:
        return "send"


_ASSUMED = "application/json"
"""What a body without a media type is taken for; it must still read as JSON."""


def _encoded(response: httpx.Response) -> bool:
    encoding: str = response.headers.get("content-encoding", "")
    return encoding.strip().lower() not in {"", "identity"}


class _Problem(msgspec.Struct):
    code: str


class _ErrorBody(msgspec.Struct):
    error: _Problem


_error_body = msgspec.json.Decoder(_ErrorBody)


def _problem(body: bytes) -> str | None:
    """The code of `{"error": {"code": …}}`, if it is one; the words beside it go nowhere."""
    try:
        code = _error_body.decode(body).error.code
    except (msgspec.MsgspecError, RecursionError):
        return None
    return code if _PROBLEM.fullmatch(code) else None
