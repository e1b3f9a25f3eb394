"""What happens at the door of the graph."""

import asyncio
import contextlib
import json
from dataclasses import replace

import pytest
import structlog

from bff.app import Serving
from bff.graphql.explorer import Explorer
from bff.pressure import Pressure
from datasources.importance import Importance
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


def scope_of(*headers):
    """A POST to the graph, of which the server has seen the head."""
    return {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [
            (b"authorization", b"Bearer ada"),
            (b"content-type", b"application/json"),
            *headers,
        ],
        "server": ("bff.example", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }


class Sender:
    """A client who has sent a head, and sends the body when the test says so."""

    def __init__(self, app, *headers):
        self.inbox = asyncio.Queue()
        self.sent = []
        self.task = asyncio.create_task(app(scope_of(*headers), self.inbox.get, self._hear))

    async def _hear(self, message):
        self.sent.append(message)

    def send(self, body, *, more=False):
        self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self):
        self.inbox.put_nowait({"type": "http.disconnect"})

    @property
    def status(self):
        return self.sent[0]["status"] if self.sent else None


@contextlib.asynccontextmanager
async def stalled(app, number, *headers):
    """So many have sent half of a body, and then nothing."""
    senders = [Sender(app, *headers) for _ in range(number)]
    for sender in senders:
        sender.send(b"{", more=True)
    for _ in range(5):
        await asyncio.sleep(0)
    yield senders
    for sender in senders:
        sender.leave()
    await asyncio.gather(*(sender.task for sender in senders))


def crowded(operations=1, seen=None, taken=None, tokens=None, **serving):
    """An application of which so many places are taken, the last one by who writes."""
    pressure = Pressure(operations=operations)
    for number in range(operations if taken is None else taken):
        pressure.enter(write=number == operations - 1)
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

    await app(scope_of(), receive, send)
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
            turn = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(self._after, turn)
            return replace(super().enter(write=write), turn=turn)

        def _after(self, turn):
            clocks[0].at += 3.0
            seen.fields.append("turn")
            turn.set_result(None)

    clocks = []

    def change(parts):
        clocks.append(parts.clock)
        return replace(parts, pressure=Slow())

    async with client_of(little_app(seen, change=change)) as client:
        await client.post("/graphql", json=READ)
    assert seen.fields == ["turn", "me"]
    (scope,) = seen.scopes
    assert scope.deadline == clocks[0].at - 3.0 + 5.0


@pytest.mark.parametrize("headers", [(), ((b"idempotency-key", b"k1"),)])
@pytest.mark.parametrize("number", [17, 30, 32])
async def test_a_body_that_does_not_arrive_takes_no_place(headers, number):
    """Whoever waits for it, with a key or without: there is room for everything of everybody."""
    pressure, app = crowded(operations=32, taken=0)
    async with stalled(app, number, *headers), client_of(app) as client:
        assert (pressure.under_way, pressure.least()) == (0, Importance.OPTIONAL)
        assert (await client.post("/graphql", json=READ)).status_code == 200


async def test_the_body_that_is_longest_in_coming_makes_room():
    """As many bodies as places may be on their way; the oldest is told to come back."""
    _, app = crowded(operations=2, taken=0)
    async with stalled(app, 2) as (first, second), client_of(app) as client:
        with structlog.testing.capture_logs() as lines:
            assert (await client.post("/graphql", json=READ)).status_code == 200
            await first.task
        assert (first.status, second.status) == (503, None)
        assert dict(first.sent[0]["headers"])[b"retry-after"] == b"1"
        assert b"OVERLOADED" in first.sent[1]["body"]
        assert [line["event"] for line in lines] == ["operations refused"]
        assert (await client.post("/graphql", json=READ)).status_code == 200
        second.send(b"")
        await second.task
        assert second.status == 400


async def test_a_body_that_has_arrived_makes_room_for_nobody():
    """Who is being answered is no longer one of those whose bodies are on their way."""
    seen = Seen()
    _, app = crowded(operations=3, taken=0, seen=seen)
    slow = Sender(app)
    slow.send(json.dumps({"query": "{ slow }"}).encode())
    await seen.started.wait()
    async with stalled(app, 3), client_of(app) as client:
        assert (await client.post("/graphql", json=READ)).status_code == 200
        assert slow.status is None
    slow.leave()
    await slow.task


async def test_who_finds_no_room_when_his_body_has_arrived_is_refused():
    """There was some when he began to send; his token is not verified either."""
    seen, tokens = Seen(), CountedTokens()
    pressure, app = crowded(operations=2, taken=0, seen=seen, tokens=tokens)
    async with stalled(app, 1) as (sender,):
        for _ in range(2):
            pressure.enter(write=False)
        sender.send(b"no JSON")
        await sender.task
        assert sender.status == 503
    assert (pressure.under_way, tokens.asked, seen.fields) == (2, 0, [])


class Never(Pressure):
    """Nobody begins."""

    def enter(self, *, write):
        turn = asyncio.get_running_loop().create_future()
        return replace(super().enter(write=write), turn=turn)


async def test_nobody_stands_in_the_line_past_his_time():
    """Whose turn has not come when his time is over is told so then, and gives his place back."""
    pressure, seen = Never(), Seen()
    app = little_app(seen, change=lambda parts: replace(parts, pressure=pressure))
    async with client_of(app) as client:
        refused = await client.post("/graphql", json=READ, headers={"X-Request-Timeout-Ms": "20"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (pressure.under_way, seen.fields) == (0, [])


async def test_who_leaves_the_line_gives_his_place_back():
    """At once, not when it would have been his turn."""
    pressure = Never()
    sender = Sender(little_app(change=lambda parts: replace(parts, pressure=pressure)))
    sender.send(json.dumps(READ).encode())
    for _ in range(5):
        await asyncio.sleep(0)
    assert pressure.under_way == 1
    sender.leave()
    await sender.task
    assert (pressure.under_way, sender.sent) == (0, [])


async def test_the_time_in_which_the_body_arrives_counts():
    """The caller waits from when he began to ask."""
    seen, clocks = Seen(), []

    def change(parts):
        clocks.append(parts.clock)
        return parts

    sender = Sender(little_app(seen, change=change), (b"x-request-timeout-ms", b"4000"))
    body = json.dumps(READ).encode()
    sender.send(body[:9], more=True)
    for _ in range(5):
        await asyncio.sleep(0)
    came = clocks[0].at
    clocks[0].at += 3.0
    sender.send(body[9:])
    await sender.task
    (scope,) = seen.scopes
    assert (sender.status, scope.deadline) == (200, came + 4.0)


async def test_who_is_let_in_for_the_page_and_wants_none_finds_the_door(tmp_path):
    """The first of two Accept lines is a browser's; together they are not."""
    (tmp_path / "index.html").write_text("""<html><meta name="bff-explorer" content="{}"></html>""")
    _, app = crowded(explorer=Explorer(token=None), static=tmp_path)
    accept = [("Accept", "text/html;q=0.5"), ("Accept", "application/json")]
    async with client_of(app) as client:
        told = await client.get("/graphql", params=READ, headers=accept)
    assert told.status_code == 503
