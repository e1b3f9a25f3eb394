"""The five services on real sockets."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from examples.upstreams.fleet import serve_fleet
from examples.upstreams.tokens import Signer
from examples.upstreams.values import utc_now


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The fleet in a thread of its own, because schemathesis does not await."""
    bff = Signer("bff", utc_now)
    ready, stop = threading.Event(), asyncio.Event()
    fleet = SimpleNamespace(bff=bff, urls={}, loop=None)

    async def serve():
        async with serve_fleet(tmp_path_factory.mktemp("fleet"), issuers={"bff": bff.jwks}) as urls:
            fleet.loop, fleet.urls = asyncio.get_running_loop(), urls
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        assert ready.wait(20)
        yield fleet
    finally:
        if fleet.loop:
            fleet.loop.call_soon_threadsafe(stop.set)
        thread.join(20)
