from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from bff.app import Serving, create_app
from bff.graphql.limits import Limits
from datasources.events import AttemptFinished
from tests.unit.graphql.little_graph import Seen, client_of, code_of, little_app, little_parts

ORIGIN = "https://app.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type,x-request-id",
}


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/graphql/", "/metrics", "/static/index.html", "/readyz/x"]
)
async def test_what_is_not_there(path):
    """404 with a code and a name."""
    async with client_of(little_app()) as client:
        response = await client.get(path)
    assert (response.status_code, code_of(response)) == (404, "NOT_FOUND")
    assert "x-request-id" in response.headers


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/.well-known/jwks.json"])
async def test_reports_are_read_only(path):
    """405 with Allow for a POST; every answer has the headers that all have."""
    async with client_of(little_app()) as client:
        refused = await client.post(path)
        found = await client.get(path)
    assert (refused.status_code, code_of(refused)) == (405, "BAD_USER_INPUT")
    assert "GET" in refused.headers["allow"]
    assert found.status_code == 200
    for response in (refused, found):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "x-request-id" in response.headers


async def test_ready_between_start_and_stop():
    """503 before the start is complete and after the end; alive all the time."""
    app = create_app(little_parts(Seen()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bff.example") as client:
        assert (await client.get("/readyz")).status_code == 503
        async with app.router.lifespan_context(app):
            assert (await client.get("/readyz")).json() == {"status": "ready"}
            assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "not ready"}


async def test_a_failing_service_does_not_make_us_unready():
    """/readyz stays, and names nobody; /healthz says what is the matter."""
    parts = little_parts(Seen())
    for attempt in range(20):
        parts.board.record(
            AttemptFinished(
                service="users",
                operation="by_id",
                attempt=attempt,
                outcome="ServerFault",
                seconds=0.1,
            )
        )
    async with client_of(create_app(parts)) as client:
        ready = await client.get("/readyz")
        health = (await client.get("/healthz")).json()
    assert (ready.status_code, "users" in ready.text) == (200, False)
    assert health["status"] == "degraded"
    assert health["screens"] == {"profile": "down"}


async def test_what_runs_is_opened_and_closed():
    """`running` is entered before the first request and left after the last."""
    events = []

    @asynccontextmanager
    async def running():
        events.append("open")
        yield
        events.append("closed")

    app = create_app(replace(little_parts(Seen()), running=running))
    assert events == []
    async with client_of(app):
        assert events == ["open"]
    assert events == ["open", "closed"]


async def test_the_keys_are_those_of_now():
    """They are asked for each time, and may be kept for a minute."""
    keys = {"keys": [{"kid": "1"}]}
    app = create_app(replace(little_parts(Seen()), service_keys=lambda: keys))
    async with client_of(app) as client:
        assert (await client.get("/.well-known/jwks.json")).json() == keys
        keys["keys"] = [{"kid": "2"}]
        response = await client.get("/.well-known/jwks.json")
    assert response.json() == keys
    assert response.headers["cache-control"] == "public, max-age=60"


class TestForeignPages:
    async def test_none_by_default(self):
        """Without origins there is no CORS: a preflight is a method that we do not have."""
        async with client_of(little_app()) as client:
            response = await client.options("/graphql", headers=PREFLIGHT)
        assert response.status_code == 405
        assert "access-control-allow-origin" not in response.headers

    async def test_named_ones_may_ask(self):
        """Exactly the named origin, with the headers of our contract, without cookies."""
        app = little_app(serving=Serving(cors_origins=(ORIGIN,)))
        async with client_of(app) as client:
            allowed = await client.options("/graphql", headers=PREFLIGHT)
            other = await client.options(
                "/graphql", headers={**PREFLIGHT, "origin": "https://evil.example"}
            )
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in allowed.headers
        assert "access-control-allow-origin" not in other.headers


async def test_the_limits_are_those_that_are_set():
    """Headers, URL, body and document, each refused in its own way."""
    limits = Limits(header_bytes=600, url_bytes=100, body_bytes=200, document_bytes=50)
    async with client_of(little_app(serving=Serving(limits=limits))) as client:
        headers = await client.get("/livez", headers={"x-a": "a" * 600})
        url = await client.get("/graphql", params={"query": "{__typename" + " " * 100 + "}"})
        body = await client.post("/graphql", json={"query": "{__typename}", "x": "a" * 200})
        document = await client.post("/graphql", json={"query": "{__typename" + " " * 50 + "}"})
    statuses = [response.status_code for response in (headers, url, body, document)]
    assert statuses == [431, 414, 413, 200]
    assert code_of(document) == "QUERY_TOO_COMPLEX"


async def test_callers_side_by_side_do_not_mix():
    """Fifty at once, each with his own token: everybody sees himself."""
    async with client_of(little_app()) as client:

        async def ask(name: str) -> str:
            response = await client.post(
                "/graphql",
                json={"query": "{ me { id } twice(number: 1) }"},
                headers={"authorization": f"Bearer {name}"},
            )
            return response.json()["data"]["me"]["id"]

        names = [f"user{number}" for number in range(50)]
        assert await asyncio.gather(*map(ask, names)) == names
