from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from bff.app import Serving, middleware_list
from bff.graphql.limits import Limits
from bff.middleware.errors import Errors
from bff.middleware.header_limits import HeaderLimits
from bff.middleware.request_id import RequestId, request_id_of
from bff.middleware.security_headers import SecurityHeaders


async def hello(scope, receive, send):
    await PlainTextResponse("hello")(scope, receive, send)


async def broken(scope, receive, send):
    raise RuntimeError("10.0.0.7 refused s3cret")


async def ask(app, **headers) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bff.example") as client:
        return await client.get(
            "/", headers={name.replace("_", "-"): value for name, value in headers.items()}
        )


class TestRequestId:
    async def test_a_given_name_is_kept(self):
        """The caller's own, back in the response and known to what answers."""

        async def echo(scope, receive, send):
            await PlainTextResponse(request_id_of(scope))(scope, receive, send)

        response = await ask(RequestId(echo), x_request_id="a.B-9_")
        assert response.headers.get_list("x-request-id") == ["a.B-9_"]
        assert response.text == "a.B-9_"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "é", '"><script>', "a;b", "٣"])
    async def test_a_harmful_name_is_replaced(self, given):
        """It would be written into logs and headers."""
        app = RequestId(hello, new_id=lambda: "made")
        response = await ask(app, x_request_id=given.encode())
        assert response.headers["x-request-id"] == "made"

    async def test_the_longest_name_is_kept(self):
        """128 characters."""
        app = RequestId(hello, new_id=lambda: "made")
        assert (await ask(app, x_request_id="x" * 128)).headers["x-request-id"] == "x" * 128

    async def test_every_request_has_its_own(self):
        """32 hexadecimal digits, never the same."""
        app = RequestId(hello)
        names = {(await ask(app)).headers["x-request-id"] for _ in range(10)}
        assert {len(name) for name in names} == {32}
        assert len(names) == 10

    async def test_the_lifespan_is_none_of_its_business(self):
        """It passes on what is no request."""
        seen = []

        async def app(scope, receive, send):
            seen.append(scope)

        for middleware in (RequestId(app), Errors(app), SecurityHeaders(app), HeaderLimits(app)):
            await middleware({"type": "lifespan"}, None, None)
        assert seen == [{"type": "lifespan"}] * 4


class TestSecurityHeaders:
    async def test_they_are_added(self):
        """Nothing may be guessed, framed or told to other sites."""
        headers = (await ask(SecurityHeaders(hello))).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"

    async def test_a_response_may_have_its_own(self):
        """And then has only its own."""

        async def own(scope, receive, send):
            response = PlainTextResponse("x", headers={"Referrer-Policy": "origin"})
            await response(scope, receive, send)

        headers = (await ask(SecurityHeaders(own))).headers
        assert headers.get_list("referrer-policy") == ["origin"]


class TestHeaderLimits:
    @pytest.mark.parametrize(
        ("count", "length", "status"),
        [(100, 1, 200), (101, 1, 431), (1, 990, 200), (1, 1_000, 431)],
    )
    async def test_at_the_limit_and_above(self, count, length, status):
        """100 headers, 1,000 bytes: names and values count."""
        app = HeaderLimits(hello, most_bytes=1_000, most_headers=100)
        headers = [(f"x{i}", "a" * length) for i in range(count)]
        request = httpx.Request("GET", "http://bff.example/", headers=headers)
        request.headers = httpx.Headers(headers)
        response = await httpx.ASGITransport(app).handle_async_request(request)
        assert response.status_code == status

    async def test_the_refusal_is_told_like_every_other(self):
        """JSON with a code, and the request's name."""
        app = RequestId(HeaderLimits(hello, most_headers=0))
        response = await ask(app)
        assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        assert "x-request-id" in response.headers


class TestErrors:
    async def test_the_client_gets_a_code_and_an_id(self):
        """No internals; the id is the one in the log; logged once."""
        app = RequestId(Errors(broken, new_id=lambda: "e-1"), new_id=lambda: "r-1")
        with capture_logs() as logged:
            response = await ask(app)
        assert response.status_code == 500
        assert response.json() == {
            "errors": [
                {
                    "message": "Internal error.",
                    "extensions": {"code": "INTERNAL", "errorId": "e-1"},
                }
            ]
        }
        assert response.headers["cache-control"] == "no-store"
        [entry] = logged
        assert (entry["error_id"], entry["request_id"]) == ("e-1", "r-1")
        assert "10.0.0.7" in entry["traceback"]

    async def test_a_response_that_has_begun_is_not_begun_again(self):
        """It is logged; the server cuts it short."""
        sent = []

        async def half(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError

        async def send(message):
            sent.append(message["type"])

        scope = {"type": "http", "headers": [], "state": {"request_id": "r"}}
        with capture_logs() as logged:
            await Errors(half)(scope, None, send)
        assert sent == ["http.response.start"]
        assert len(logged) == 1


def test_the_order_of_the_list():
    """What all answers carry, also those to mistakes and bugs, comes before what makes them."""
    origins = Serving(cors_origins=("https://app.example",))
    names = [middleware.cls.__name__ for middleware in middleware_list(origins)]
    assert names == ["RequestId", "SecurityHeaders", "CORSMiddleware", "Errors", "HeaderLimits"]
    assert len(middleware_list(Serving())) == 4


def test_the_limits_reach_the_middleware():
    """As they are set."""
    limits = Limits(header_bytes=7, headers=3)
    [found] = [m for m in middleware_list(Serving(limits=limits)) if m.cls is HeaderLimits]
    assert found.kwargs == {"most_bytes": 7, "most_headers": 3}


def test_a_request_without_a_name_is_a_mistake_of_ours():
    """`RequestId` must be outermost; without it nothing is made up."""
    with pytest.raises(KeyError):
        request_id_of(Request({"type": "http", "headers": []}).scope)
