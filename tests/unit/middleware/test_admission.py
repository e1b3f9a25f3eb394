"""What happens at the door of the graph."""

import asyncio
from dataclasses import replace

import pytest
import structlog

from bff.app import Serving
from bff.graphql.explorer import Explorer
from bff.pressure import Pressure
from tests.unit.graphql.little_graph import NamedTokens, Seen, client_of, little_app

READ = {"query": "{ me { id } }"}
WRITE = {"query": "mutation { bump }"}
KEY = {"Idempotency-Key": "k1"}


class CountedTokens(NamedTokens):
    """Knows how often it was asked."""

    asked = 0

    async def viewer(self, authorization, /):
        self.asked += 1
        return await super().viewer(authorization)


def crowded(operations=1, seen=None, taken=None, tokens=None, **serving):
    """An application of which so many places are taken."""
    pressure = Pressure(operations=operations)
    for _ in range(operations if taken is None else taken):
        pressure.enter(write=True)
    app = little_app(
        seen,
        Serving(**serving),
        change=lambda parts: replace(parts, pressure=pressure, tokens=tokens or NamedTokens()),
    )
    return pressure, app


async def test_who_finds_no_room_is_told_to_come_back():
    """Once, in both media types, with nothing that anybody may keep."""
    _, app = crowded()
    async with client_of(app) as client:
        for accept, media_type in (
            ("*/*", "application/json"),
            ("application/graphql-response+json", "application/graphql-response+json"),
            ("text/plain", "application/json"),
        ):
            told = await client.post("/graphql", json=READ, headers={"Accept": accept})
            assert told.status_code == 503
            assert told.headers["retry-after"] == "1"
            assert told.headers["cache-control"] == "no-store"
            assert told.headers["content-type"] == f"{media_type}; charset=utf-8"
            assert told.headers["x-request-id"]
            assert told.json() == {
                "errors": [
                    {
                        "message": "There is too much to do: try again in a moment.",
                        "extensions": {"code": "OVERLOADED", "retryable": True},
                    }
                ]
            }


async def test_a_refusal_touches_nothing():
    """No token is verified, no byte of the body read, no field resolved."""
    seen, tokens = Seen(), CountedTokens()
    _, app = crowded(seen=seen, tokens=tokens)
    read = []
    sent = []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"authorization", b"Bearer ada"), (b"content-type", b"application/json")],
        "server": ("bff.example", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 503
    assert (read, tokens.asked, seen.fields) == ([], 0, [])


async def test_only_the_graph_has_a_door(tmp_path):
    """Whoever asks how we are, or wants the page, is answered."""
    (tmp_path / "index.html").write_text("""<html><meta name="bff-explorer" content="{}"></html>""")
    _, app = crowded(explorer=Explorer(token=None), static=tmp_path)
    async with client_of(app) as client:
        for path in ("/livez", "/readyz", "/healthz", "/.well-known/jwks.json"):
            assert (await client.get(path)).status_code == 200
        page = await client.get("/graphql", headers={"Accept": "text/html"})
        assert (page.status_code, page.text[:5]) == (200, "<html")
        told = await client.post("/graphql", json=READ, headers={"Accept": "text/html, */*"})
        assert told.status_code == 503


async def test_without_a_page_a_browser_has_no_more_room_than_others():
    """It would be answered by the graph."""
    _, app = crowded()
    async with client_of(app) as client:
        told = await client.get("/graphql", headers={"Accept": "text/html"})
        assert told.status_code == 503


async def test_who_says_that_he_writes_is_refused_last():
    """The last place of sixteen is for him; a key on a GET says nothing, as nothing is written."""
    _, app = crowded(operations=16, taken=15)
    async with client_of(app) as client:
        assert (await client.post("/graphql", json=READ)).status_code == 503
        assert (await client.post("/graphql", json=WRITE)).status_code == 503
        told = await client.get("/graphql", params=READ, headers=KEY)
        assert told.status_code == 503
        done = await client.post("/graphql", json=WRITE, headers=KEY)
        assert done.json() == {"data": {"bump": 1}}


async def test_refusals_are_logged_by_tens_of_seconds():
    """The first at once; then how many there have been since the line before."""
    clocks = []
    pressure = Pressure(operations=1)
    pressure.enter(write=True)

    def change(parts):
        clocks.append(parts.clock)
        return replace(parts, pressure=pressure)

    async with client_of(little_app(change=change)) as client:
        with structlog.testing.capture_logs() as lines:
            for seconds in (0.0, 0.0, 9.0, 1.0, 1.0):
                clocks[0].at += seconds
                await client.post("/graphql", json=READ)
    assert [
        (line["log_level"], line["event"], line["refused"], line["under_way"], line["waiting"])
        for line in lines
    ] == [("warning", "operations refused", 1, 1, 0), ("warning", "operations refused", 3, 1, 0)]


@pytest.mark.parametrize(
    "body",
    [READ, {"query": "{ broken }"}, {"query": "{ nothing }"}, {"query": "{"}, {"q": 1}],
)
async def test_every_place_is_given_back(body):
    """Whatever became of the request."""
    pressure, app = crowded(taken=0)
    async with client_of(app) as client:
        for _ in range(3):
            answer = await client.post("/graphql", json=body)
            assert answer.status_code in {200, 400}
    assert pressure.under_way == 0


async def test_who_leaves_gives_his_place_back():
    """While his answer is being made, and while he waits to begin."""
    seen = Seen()
    pressure, app = crowded(seen=seen, operations=9, taken=0)
    async with client_of(app) as client:
        slow = asyncio.create_task(client.post("/graphql", json={"query": "{ slow }"}))
        await seen.started.wait()
        assert pressure.under_way == 1
        slow.cancel()
        await asyncio.wait([slow])
        assert pressure.under_way == 0


async def test_the_time_before_the_beginning_counts():
    """Who stood at the door for three seconds has three seconds less."""
    seen = Seen()

    class Slow(Pressure):
        """Lets everybody wait for a turn of three seconds."""

        def enter(self, *, write):
            super().enter(write=write)
            place = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(self._after, place)
            return place

        def _after(self, place):
            clocks[0].at += 3.0
            seen.fields.append("turn")
            place.set_result(None)

    clocks = []

    def change(parts):
        clocks.append(parts.clock)
        return replace(parts, pressure=Slow())

    async with client_of(little_app(seen, change=change)) as client:
        await client.post("/graphql", json=READ)
    assert seen.fields == ["turn", "me"]
    (scope,) = seen.scopes
    assert scope.deadline == clocks[0].at - 3.0 + 5.0
