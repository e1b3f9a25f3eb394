"""JSON over HTTP: the sender at the inner end of every pipeline.

The only module that knows httpx's errors and what a status code means.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
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
from datasources.scope import Scope, current_scope
from datasources.sourced import Sourced
from datasources.transport.errors import ResponseTooLarge
from datasources.transport.exchange import exchange_over
from datasources.transport.head import FieldLines, field_lines
from datasources.transport.target import target_of

Fields = Sequence[tuple[bytes, bytes]]

_REFUSALS: Mapping[int, type[UpstreamRefusal]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.GONE: NotFound,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: Forbidden,
}
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_JSON = re.compile(rb"application/(?:[A-Za-z0-9.+_-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
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
        url = httpx.URL(base_url)
        self._exchange = exchange_over(transport, url.copy_with(raw_path=b"/")).exchange
        self._prefix = url.raw_path.rstrip(b"/")
        self._credentials = credentials
        self._clock = clock

    async def __call__(self, call: Call[V], /) -> Reply[V]:
        """Send *call* once.

        Raises:
            UpstreamFailure: No response, or none that can be read.
            UpstreamRefusal: The service says no.
            BulkheadFull: The transport carries no more at once.
        """
        route = call.route
        service = route.service
        scope = current_scope()
        lines = self._lines(call, scope)
        target = self._prefix + target_of(call.path, call.params)
        try:
            status, fields, body = await self._exchange(route.method, target, lines, call.body)
        except ResponseTooLarge as exc:
            raise BadReply(service, type(exc).__name__) from exc
        except httpx.PoolTimeout as exc:
            raise BulkheadFull(service, type(exc).__name__) from exc
        except httpx.LocalProtocolError:
            raise  # a request that cannot be sent is a mistake of ours, not the service's
        except httpx.HTTPError as exc:
            raise Unreachable(service, type(exc).__name__) from exc
        plain = _said(fields, b"content-encoding", b"").strip().lower() in _PLAIN
        if scope.journal is not None and plain:
            scope.journal.received(len(body))
        if not _FIRST_GOOD <= status < _FIRST_OTHER:
            raise self._error(service, status, fields, body if plain else b"")
        if not plain or not _is_json(_said(fields, b"content-type", _ASSUMED)):
            raise BadReply(service, f"{route.operation}: the body is not plain JSON")
        try:
            parts = call.decode(status, body)
        except Exception as exc:
            raise BadReply(service, f"{route.operation}: {type(exc).__name__}") from exc
        now = self._clock.now()
        return Reply({key: Sourced(value, service, now) for key, value in parts.items()})

    def _lines(self, call: Call[V], scope: Scope) -> FieldLines:
        route = call.route
        subject = scope.principal if route.personal else ""
        left = scope.deadline - self._clock.monotonic()
        fields = [
            ("X-Request-ID", scope.request_id),
            ("X-Request-Timeout-Ms", str(max(1, int(left * 1000)))),
            ("X-Attempt", str(call.attempt)),
            *self._credentials.headers(route.service, route.scope, subject).items(),
        ]
        if scope.traceparent is not None:
            fields.append(("traceparent", scope.traceparent))
        if call.idempotency_key is not None:
            fields.append(("Idempotency-Key", call.idempotency_key))
        if call.body is not None:
            fields.append(("Content-Type", "application/json"))
        return field_lines(fields, after=_ALWAYS)

    def _error(self, service: str, status: int, fields: Fields, body: bytes) -> DatasourceError:
        refusal = _REFUSALS.get(status)
        if refusal is not None:
            return refusal(service, f"answered {status}")
        if status in _LATER:
            return TryLater(service, status, self._retry_after(fields))
        if HTTPStatus.INTERNAL_SERVER_ERROR <= status < _BEYOND:
            return ServerFault(service, status, self._retry_after(fields))
        if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return Rejected(service, status, _problem(body))
        return BadReply(service, f"answered {status}")

    def _retry_after(self, fields: Fields) -> float | None:
        """Seconds to wait; None where nothing readable was said (RFC 9110 §10.2.3)."""
        text = _said(fields, b"retry-after", b"").decode("latin-1").strip()
        if text.isascii() and text.isdecimal():
            return float(text)
        try:
            instant = parsedate_to_datetime(text)
            return max(0.0, (instant - self._clock.now()).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None

    def __str__(self) -> str:
        return "send"


_FIRST_GOOD, _FIRST_OTHER, _BEYOND = 200, 300, 600

_ALWAYS = field_lines(
    (
        ("Accept", "application/json"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "bff"),
        ("X-Service-Name", "bff"),
    )
)
"""What every request says."""

_PLAIN = frozenset({b"", b"identity"})
"""Encodings that are none."""

_ASSUMED = b"application/json"
"""What a body without a media type is taken for; it must still read as JSON."""


def _said(fields: Fields, name: bytes, otherwise: bytes) -> bytes:
    """What a response says under *name* (in small letters): all of it, as one list."""
    size = len(name)
    found = [value for key, value in fields if len(key) == size and key.lower() == name]
    return b", ".join(found) if found else otherwise


@functools.lru_cache(maxsize=64)
def _is_json(media_type: bytes) -> bool:
    """Remembered, because a service says the same every time."""
    return _JSON.match(media_type) is not None


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
