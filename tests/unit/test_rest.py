"""RestSender: what is sent, and what each answer means."""

import asyncio
import json

import httpx
import pytest

from datasources.credentials import ApiKey
from datasources.resilience.pipeline import Call, Route
from datasources.rest import RestSender
from datasources.scope import Scope, entered
from datasources.transport.errors import ResponseTooLarge
from tests.virtual_time import EPOCH, HandClock

SCOPE = Scope(deadline=1002.5, request_id="r-1", principal="u1", traceparent="00-a-b-01")


class Bearer:
    """Credentials that tell what they were asked for."""

    def headers(self, service, scope, subject):
        return {"Authorization": f"Bearer {service} {scope} {subject}"}


class Transport(httpx.AsyncBaseTransport):
    """Answers with *answer*, or raises it."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    async def handle_async_request(self, request):
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def ok(body=b'{"name":"A"}', status=200, **headers):
    headers = {"content-type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)


def call(*, method="GET", personal=True, **changes):
    route = Route(
        service="users",
        operation="by_id",
        scope="users:read",
        pack=json.dumps,
        unpack=json.loads,
        method=method,
        personal=personal,
    )
    defaults = {
        "path": "/users/u1",
        "keys": ("k",),
        "decode": lambda status, body: {"k": (status, json.loads(body)["name"])},
    }
    return Call(route=route, **(defaults | changes))


def send(answer, asked=None, credentials=None, scope=SCOPE):
    transport = Transport(answer)
    sender = RestSender(
        "http://users.internal:8080/api",
        transport=transport,
        credentials=credentials or Bearer(),
        clock=HandClock(),
    )

    async def story():
        with entered(scope):
            return await sender(asked or call())

    try:
        return asyncio.run(story()), transport.requests
    except Exception as exc:  # noqa: BLE001 - the error is the outcome
        return exc, transport.requests


def test_what_is_sent():
    """Who we are, on whose behalf, how long we wait; and nothing of a caller besides."""
    _, [request] = send(ok())
    assert str(request.url) == "http://users.internal:8080/api/users/u1"
    assert dict(request.headers) == {
        "host": "users.internal:8080",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": "bff",
        "x-service-name": "bff",
        "x-request-id": "r-1",
        "x-request-timeout-ms": "2500",
        "x-attempt": "1",
        "traceparent": "00-a-b-01",
        "authorization": "Bearer users users:read u1",
    }


def test_a_write_carries_its_body_and_key():
    """As JSON; the second attempt says that it is one."""
    asked = call(method="POST", body=b'{"a":1}', idempotency_key="k-1", attempt=2)
    _, [request] = send(ok(), asked)
    assert (request.method, request.content) == ("POST", b'{"a":1}')
    sent = {
        name: request.headers[name] for name in ("content-type", "idempotency-key", "x-attempt")
    }
    assert sent == {"content-type": "application/json", "idempotency-key": "k-1", "x-attempt": "2"}


def test_what_is_public_is_asked_for_on_nobodys_behalf():
    """So that the service cannot answer for one user what is kept for all."""
    _, [request] = send(ok(), call(personal=False, params={"ids": "a,b"}))
    assert request.headers["authorization"] == "Bearer users users:read "
    assert request.url.query == b"ids=a%2Cb"


def test_a_service_without_tokens_gets_its_key():
    """And no bearer token."""
    _, [request] = send(ok(), credentials=ApiKey("secret"))
    assert request.headers["x-api-key"] == "secret"
    assert "authorization" not in request.headers


def test_without_a_trace_none_is_made_up():
    """No header."""
    _, [request] = send(ok(), scope=Scope(deadline=1002.5, request_id="r"))
    assert "traceparent" not in request.headers


def test_an_answer_becomes_a_live_part():
    """With the service's name and the instant."""
    reply, _ = send(ok(status=201))
    part = reply.parts["k"]
    assert (part.value, part.service, part.as_of, part.origin.value, part.age) == (
        (201, "A"),
        "users",
        EPOCH,
        "LIVE",
        0.0,
    )


@pytest.mark.parametrize(
    ("status", "error", "code", "retryable"),
    [
        (400, "Rejected", "UPSTREAM_BAD_REPLY", False),
        (401, "Unauthorized", "FORBIDDEN", False),
        (403, "Forbidden", "FORBIDDEN", False),
        (404, "NotFound", "NOT_FOUND", False),
        (408, "TryLater", "OVERLOADED", True),
        (409, "Rejected", "UPSTREAM_BAD_REPLY", False),
        (410, "NotFound", "NOT_FOUND", False),
        (422, "Rejected", "UPSTREAM_BAD_REPLY", False),
        (425, "TryLater", "OVERLOADED", True),
        (429, "TryLater", "OVERLOADED", True),
        (451, "Forbidden", "FORBIDDEN", False),
        (500, "ServerFault", "UPSTREAM_UNAVAILABLE", True),
        (501, "ServerFault", "UPSTREAM_UNAVAILABLE", False),
        (502, "ServerFault", "UPSTREAM_UNAVAILABLE", True),
        (503, "ServerFault", "UPSTREAM_UNAVAILABLE", True),
        (504, "ServerFault", "UPSTREAM_UNAVAILABLE", True),
        (599, "ServerFault", "UPSTREAM_UNAVAILABLE", False),
        (301, "BadReply", "UPSTREAM_BAD_REPLY", False),
        (304, "BadReply", "UPSTREAM_BAD_REPLY", False),
        (204, "BadReply", "UPSTREAM_BAD_REPLY", False),
    ],
)
def test_what_a_status_means(status, error, code, retryable):
    """Every one that a service may answer with."""
    met, _ = send(ok(b"", status))
    assert (type(met).__name__, met.code, met.retryable) == (error, code, retryable)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), "Unreachable"),
        (httpx.ReadError("reset"), "Unreachable"),
        (httpx.RemoteProtocolError("truncated"), "Unreachable"),
        (httpx.ConnectTimeout("slow"), "Unreachable"),
        (ResponseTooLarge("8 MiB"), "BadReply"),
        (httpx.PoolTimeout("full"), "BulkheadFull"),
        (httpx.LocalProtocolError("ours"), "LocalProtocolError"),
    ],
)
def test_what_a_transports_error_means(failure, error):
    """No answer is `Unreachable`; one that is too large to read is a bad one."""
    met, _ = send(failure)
    assert type(met).__name__ == error


@pytest.mark.parametrize(
    "answer",
    [
        ok(b"<html>"),
        ok(b""),
        ok(b"{}"),
        ok(b"null"),
        ok(b"[1]"),
        ok(b'{"name"'),
        ok(b"\xff\xfe"),
        ok(b"[" * 100_000),
        ok(content_type="text/html"),
        ok(content_type="application/jsonp"),
        ok(content_type="application/json-seq"),
        ok(content_encoding="gzip"),
    ],
)
def test_what_cannot_be_read_is_a_bad_reply(answer):
    """Not JSON, not this JSON, not said to be JSON, or compressed against our word."""
    met, _ = send(answer)
    assert type(met).__name__ == "BadReply"


def test_whatever_decoding_raises_is_a_bad_reply():
    """Also what nobody thought of; and nothing of the body is told."""

    def decode(status, body):
        raise ZeroDivisionError(body)

    met, _ = send(ok(b'"hunter2"'), call(decode=decode))
    assert (type(met).__name__, "hunter2" in str(met)) == ("BadReply", False)


def test_at_least_a_millisecond_is_promised():
    """A service must not take "0" for "as long as you like"."""
    _, [request] = send(ok(), scope=Scope(deadline=1000.0, request_id="r"))
    assert request.headers["x-request-timeout-ms"] == "1"


@pytest.mark.parametrize("encoding", ["Identity", "identity ", ""])
def test_some_encodings_are_none(encoding):
    """As it is, in any case, or without a name."""
    reply, _ = send(ok(content_encoding=encoding))
    assert "k" in reply.parts


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/hal+json"]
)
def test_what_passes_for_json(content_type):
    """Media types are case-insensitive and may have parameters."""
    reply, _ = send(ok(content_type=content_type))
    assert "k" in reply.parts


def test_an_answer_without_a_media_type_is_read_as_json():
    """Some services say nothing; what they send must still be it."""
    reply, _ = send(httpx.Response(200, content=b'{"name":"A"}'))
    assert "k" in reply.parts


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1.0),
        ("0", 0.0),
        ("31536000", 31536000.0),
        ("9" * 5000, float("inf")),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7.0),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 0.0),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("", None),
        ("\u0663", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(status, text, seconds):
    """In seconds or as a date; anything else says nothing."""
    response = httpx.Response(status, headers=[(b"retry-after", text.encode())])
    met, _ = send(response)
    assert met.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"error":{"code":"OUT_OF_STOCK","message":"secret"}}', "OUT_OF_STOCK"),
        (b'{"error":{"code":"role SUPER_ADMIN"}}', None),
        (b'{"error":{"code":"NO: hunter2"}}', None),
        (b'{"error":"no"}', None),
        (b"oops", None),
    ],
)
def test_of_a_refusal_only_its_code_is_kept(body, problem):
    """And only when it is one."""
    met, _ = send(ok(body, 422))
    assert (met.problem, "secret" in str(met)) == (problem, False)
