"""What an HTTP request asks for, read without trusting any of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope

from bff.graphql.disconnect import ClientGone
from bff.graphql.limits import Limits
from bff.graphql.negotiation import names_json
from bff.graphql.on_error import OnError
from bff.graphql.refusal import JSON, Refusal

Json = dict[str, object]

Within = Callable[[Coroutine[Any, Any, bytes], float], Coroutine[Any, Any, bytes]]
"""Awaits what reads a body for so many seconds; raises TimeoutError after them."""

_ONCE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"idempotency-key",
        b"x-request-timeout-ms",
    }
)
_PREFLIGHT = (b"graphql-require-preflight", b"apollo-require-preflight", b"x-requested-with")
_MOST_PARAMETERS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What the client wants executed.

    Attributes:
        query: The document.
        variables: By name, not yet coerced.
        operation_name: Which operation of the document; None for its only one.
        on_error: What an error does to the rest of the answer.
    """

    query: str
    variables: Json | None
    operation_name: str | None
    on_error: OnError


class Headers:
    """The header fields of one request.

    Raises:
        Refusal: A field that must have one value has several, so that whoever stood in front of us
            may have judged by another than we would.
    """

    def __init__(self, scope: Scope) -> None:
        self._values: dict[bytes, bytes] = {}
        for name, value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
            if name not in self._values:
                self._values[name] = value
            elif name in _ONCE:
                raise Refusal(400, f"There are several {name.decode('ascii')} headers.")
            else:
                self._values[name] += b", " + value

    def get(self, name: bytes) -> str | None:
        """The value of *name*, which is in lower case."""
        value = self._values.get(name)
        return None if value is None else value.decode("latin-1")

    def mean_it(self) -> bool:
        """Whether a client of GraphQL wrote them, rather than an `<img>` or a link made a browser.

        A page elsewhere could write such an Accept too, but it would gain nothing: it cannot read
        the answer, a GET changes nothing, and callers are known by tokens, which browsers do not
        add by themselves. Authorization does not count: gateways add it for whoever comes.
        """
        if any(name in self._values for name in _PREFLIGHT):
            return True
        return _is_json(self.get(b"content-type")) or names_json(self.get(b"accept") or "")


def read_url(scope: Scope) -> Question:
    """The question in a query string.

    Raises:
        Refusal: 400 or 414.
    """
    raw = cast("bytes", scope["query_string"])
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise Refusal(400, "The query string is not percent-encoded UTF-8.") from None
    parameters: Json = {}
    for name, value in pairs:
        if name in parameters:
            raise Refusal(400, "A parameter of the query string is given twice.")
        is_json = name in {"variables", "extensions"}
        parameters[name] = _parse(value.encode(), f'"{name}"') if is_json else value
    return _question(parameters)


async def read_body(headers: Headers, receive: Receive, limits: Limits, within: Within) -> bytes:
    """A body that says that it is JSON, read no further than it may be long.

    Raises:
        Refusal: 408, 413 or 415.
        ClientGone: The client left before the end.
    """
    if not _is_json(headers.get(b"content-type")):
        raise Refusal(415, f"The content-type must be {JSON}, in UTF-8.")
    if (headers.get(b"content-encoding") or "identity").strip().lower() != "identity":
        raise Refusal(415, "The body must not be compressed.", headers={"Accept-Encoding": ""})
    declared = headers.get(b"content-length")
    if declared is not None and _above(declared, limits.body_bytes):
        raise _too_long(limits)
    try:
        return await within(_received(receive, limits), limits.body_seconds)
    except TimeoutError:
        raise Refusal(
            408,
            f"The body has not arrived within {limits.body_seconds:g} s.",
            headers={"Connection": "close"},
        ) from None


def parse_body(body: bytes) -> Question:
    """The question in a JSON body.

    Raises:
        Refusal: 400.
    """
    parsed = _parse(body, "The body")
    if isinstance(parsed, list):
        raise Refusal(400, "Batches are not supported: send one operation per request.")
    if not isinstance(parsed, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return _question(cast("Json", parsed))


async def _received(receive: Receive, limits: Limits) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part = cast("bytes", message.get("body", b""))
        if len(body) + len(part) > limits.body_bytes:
            raise _too_long(limits)
        body = body + part if body else part
        if not message.get("more_body", False):
            return body


def _too_long(limits: Limits) -> Refusal:
    return Refusal(413, f"The body is longer than {limits.body_bytes} bytes.")


def _above(digits: str, most: int) -> bool:
    if not (digits.isascii() and digits.isdigit()):
        return True
    return len(digits) > len(str(most)) + 1 or int(digits) > most


def _parse(text: bytes, what: str) -> object:
    """Raises `Refusal` also for what Python's own parser takes, such as NaN and lone surrogates."""
    try:
        return cast("object", orjson.loads(text))
    except orjson.JSONDecodeError:
        raise Refusal(400, f"{what} is not JSON.") from None


def _question(parameters: Mapping[str, object]) -> Question:
    query = parameters.get("query")
    if not isinstance(query, str):
        raise Refusal(400, '"query" must be a string.')
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise Refusal(400, '"operationName" must be a string or null.')
    variables = parameters.get("variables")
    if variables is not None and not isinstance(variables, dict):
        raise Refusal(400, '"variables" must be an object or null.')
    extensions = parameters.get("extensions")
    if extensions is not None and not isinstance(extensions, dict):
        raise Refusal(400, '"extensions" must be an object or null.')
    on_error = _on_error(parameters.get("onError"))
    return Question(query, cast("Json | None", variables), operation_name or None, on_error)


def _on_error(given: object) -> OnError:
    """Null is as good as nothing, as for every optional parameter of GraphQL over HTTP."""
    if given is None:
        return OnError.PROPAGATE
    if not isinstance(given, str) or given not in OnError.__members__:
        raise Refusal(400, '"onError" must be "NULL", "PROPAGATE" or "HALT".')
    return OnError[given]


@lru_cache(maxsize=128)
def _is_json(content_type: str | None) -> bool:
    """Exactly `application/json`, in any case, in UTF-8 if it says."""
    media_type, *parameters = (part.strip().lower() for part in (content_type or "").split(";"))
    if media_type != JSON:
        return False
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in {"utf-8", "utf8"}:
            return False
    return True
