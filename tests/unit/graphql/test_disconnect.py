from __future__ import annotations

import asyncio

import orjson
import pytest
from structlog.testing import capture_logs

from bff.graphql.disconnect import ClientGone, while_connected
from tests.unit.graphql.little_graph import Seen, little_app
from tests.virtual_time import run


class Client:
    """Speaks ASGI by hand, so that it can leave."""

    def __init__(self, app, body: bytes, method: str = "POST", query: bytes = b"") -> None:
        self.app = app
        self.sent: list[dict] = []
        self.left = asyncio.Event()
        self._messages = [{"type": "http.request", "body": body}]
        self.scope = {
            "type": "http",
            "method": method,
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": query,
            "headers": [
                (b"content-type", b"application/json"),
                (b"authorization", b"Bearer ann"),
            ],
        }

    async def receive(self) -> dict:
        if self._messages:
            return self._messages.pop(0)
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message) -> None:
        self.sent.append(message)

    async def run(self) -> None:
        await self.app(self.scope, self.receive, self.send)


def others() -> set[asyncio.Task]:
    return asyncio.all_tasks() - {asyncio.current_task()}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_client_that_leaves_takes_the_work_with_it(method):
    """The resolver is cancelled, nothing is sent, nothing is logged, no task is left."""
    seen = Seen()
    body = orjson.dumps({"query": "{ slow }"})
    client = Client(little_app(seen), body, method, b"query=%7Bslow%7D")
    with capture_logs() as logged:
        running = asyncio.create_task(client.run())
        await seen.started.wait()
        client.left.set()
        await asyncio.wait_for(running, 1)
    assert seen.cancelled.is_set()
    assert (client.sent, logged, others()) == ([], [], set())


async def test_a_client_that_waits_is_answered():
    """The listener is gone with the answer."""
    client = Client(little_app(), orjson.dumps({"query": "{ twice(number: 1) }"}))
    await asyncio.wait_for(client.run(), 1)
    assert client.sent[0]["status"] == 200
    assert others() == set()


async def test_a_server_that_stops_cancels_as_usual():
    """A cancellation from outside stays one, and leaves no task either."""
    seen = Seen()
    client = Client(little_app(seen), orjson.dumps({"query": "{ slow }"}))
    running = asyncio.create_task(client.run())
    await seen.started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert seen.cancelled.is_set()
    assert others() == set()


async def test_a_client_that_leaves_while_sending_is_not_answered():
    """Half a body is no request."""
    client = Client(little_app(), b"")
    client._messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    await asyncio.wait_for(client.run(), 1)
    assert client.sent == []


async def test_an_answer_that_is_ready_first_counts():
    """When both happen in one turn of the loop, nothing is cancelled afterwards."""
    left = asyncio.Event()

    async def receive():
        await left.wait()
        return {"type": "http.disconnect"}

    async def work():
        left.set()
        return 7

    assert await while_connected(work(), receive) == 7
    await asyncio.sleep(0)


async def test_work_that_answers_its_cancellation_is_heard():
    """The client is gone, and yet the work may finish what it must."""
    finished = []

    async def receive():
        return {"type": "http.disconnect"}

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            finished.append(True)

    with pytest.raises(ClientGone):
        await while_connected(work(), receive)
    assert finished == [True]
    assert asyncio.current_task().cancelling() == 0


async def test_an_error_of_the_work_is_the_callers():
    """Not swallowed, and the listener is gone."""

    async def receive():
        await asyncio.Event().wait()

    async def work():
        raise LookupError

    with pytest.raises(LookupError):
        await while_connected(work(), receive)
    assert others() == set()


def test_nobody_listens_while_work_is_short():
    """It is done before a client's leaving would matter; then nothing has been listened to."""
    asked = []

    async def receive():
        asked.append(True)
        await asyncio.Event().wait()

    async def work(seconds):
        await asyncio.sleep(seconds)

    async def story():
        await while_connected(work(0.005), receive)
        assert not asked
        await while_connected(work(0.02), receive)
        assert asked
        assert others() == set()

    run(story())
